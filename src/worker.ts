import { createRouter } from "./api/router.ts";
import { startCleanup } from "./cleanup/workflow.ts";

export { InstanceAction } from "./actions/workflow.ts";
export { AlertDigest } from "./alerts/digest.ts";
export { DailyCleanup } from "./cleanup/workflow.ts";
export { InstanceActor } from "./instance/actor.ts";
export { ServiceMeter } from "./meter/service-meter.ts";

const router = createRouter();

export default {
  fetch: router.fetch,
  scheduled: async ({ scheduledTime }, env) => {
    // One run a day, however often the trigger comes.
    const day = new Date(scheduledTime).toISOString().slice(0, 10);
    await startCleanup(env, `cleanup-${day}`, scheduledTime);
  },
} satisfies ExportedHandler<Env>;
