import { startReconciliation } from "./cleanup/weekly.ts";
import { startCleanup } from "./cleanup/workflow.ts";
import { logError } from "./platform/log.ts";
import { wrongSettings } from "./platform/settings.ts";
import { createRouter } from "./router.ts";

export { AlertDelivery } from "./alerts/delivery.ts";
export { AlertDigest } from "./alerts/digest.ts";
export { WeeklyReconciliation } from "./cleanup/weekly.ts";
export { DailyCleanup } from "./cleanup/workflow.ts";
export { UserDeletion } from "./deletion/workflow.ts";
export { FleetActor } from "./fleet/actor.ts";
export { InstanceActor } from "./instance/actor.ts";
export { InstanceAction } from "./orders/workflow.ts";
export { PolicyPreview } from "./previews/workflow.ts";
export { ServiceActor } from "./service/actor.ts";

const router = createRouter();

export default {
  fetch: router.fetch,
  scheduled: async ({ scheduledTime }, env) => {
    const wrong = wrongSettings(env);
    if (wrong !== null) return logError("no cleanup", {}, wrong);
    // One run a day, and one a week, however often the trigger fires.
    const day = new Date(scheduledTime).toISOString().slice(0, 10);
    await startCleanup(env, `cleanup-${day}`, scheduledTime);
    if (new Date(scheduledTime).getUTCDay() === 0) {
      await startReconciliation(env, `reconciliation-${day}`, scheduledTime);
    }
  },
} satisfies ExportedHandler<Env>;
