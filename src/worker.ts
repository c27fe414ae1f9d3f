import { startCleanup } from "./cleanup/workflow.ts";
import { createRouter } from "./router.ts";

export { AlertDigest } from "./alerts/digest.ts";
export { DailyCleanup } from "./cleanup/workflow.ts";
export { InstanceActor } from "./instance/actor.ts";
export { InstanceAction } from "./orders/workflow.ts";
export { ServiceMeter } from "./service/service-meter.ts";

const router = createRouter();

export default {
  fetch: router.fetch,
  scheduled: async ({ scheduledTime }, env) => {
    // One run a day, however often the trigger fires.
    const day = new Date(scheduledTime).toISOString().slice(0, 10);
    await startCleanup(env, `cleanup-${day}`, scheduledTime);
  },
} satisfies ExportedHandler<Env>;
