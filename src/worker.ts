import { startCleanup } from "./cleanup/workflow.ts";
import { wrongSettings } from "./platform/settings.ts";
import { createRouter } from "./router.ts";

export { AlertDelivery } from "./alerts/delivery.ts";
export { AlertDigest } from "./alerts/digest.ts";
export { DailyCleanup } from "./cleanup/workflow.ts";
export { UserDeletion } from "./deletion/workflow.ts";
export { FleetActor } from "./fleet/actor.ts";
export { InstanceActor } from "./instance/actor.ts";
export { InstanceAction } from "./orders/workflow.ts";
export { ServiceActor } from "./service/actor.ts";

const router = createRouter();

export default {
  fetch: router.fetch,
  scheduled: async ({ scheduledTime }, env) => {
    const wrong = wrongSettings(env);
    if (wrong !== null) return console.error("no cleanup:", wrong.message);
    // One run a day, however often the trigger fires.
    const day = new Date(scheduledTime).toISOString().slice(0, 10);
    await startCleanup(env, `cleanup-${day}`, scheduledTime);
  },
} satisfies ExportedHandler<Env>;
