import { unlimitedWorker } from "./unlimited.ts";

/** The full path: the service as it is. */
export {
  AlertDelivery,
  AlertDigest,
  DailyCleanup,
  FleetActor,
  InstanceAction,
  InstanceActor,
  ServiceActor,
} from "../../src/worker.ts";

export default unlimitedWorker;
