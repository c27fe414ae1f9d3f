import { unlimitedWorker } from "./unlimited.ts";

/** The full path: the service as it is. */
export { AlertDigest, DailyCleanup, InstanceAction, InstanceActor, ServiceMeter } from "../../src/worker.ts";

export default unlimitedWorker;
