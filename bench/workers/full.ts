import { unlimitedWorker } from "./unlimited.ts";

/** The full path: the service as it is. */
export * from "../../src/worker.ts";

export default unlimitedWorker;
