import type { Sighting } from "../providers/provider.ts";
import { failed } from "./order.ts";
import type { Verdict } from "./wait.ts";

/** What a sighting means for a start. */

export function judgeStart(sighting: Sighting, formerGpus: number | null): Verdict {
  switch (sighting.state) {
    case "running": {
      const { gpus } = sighting;
      return gpus !== null && formerGpus !== null && gpus < formerGpus
        ? failed(`it started with ${gpus} GPUs in place of ${formerGpus}`)
        : "reached";
    }
    case "terminated":
      return "gone";
    case "stopped":
    case "stopping":
      return "contradicted";
    case "starting":
    case "missing":
    case "unknown":
      return "not yet";
  }
}

/** Whether a start that was given up has not come through: it has without all GPUs, or it may still come. */
export function isFailedStart(sighting: Sighting, formerGpus: number | null): boolean {
  return typeof judgeStart(sighting, formerGpus) === "object" || mayStillStart(sighting);
}

/** Whether a start may still come through: one that is queued may not show. */
export function mayStillStart({ state }: Sighting): boolean {
  return state === "starting" || state === "stopping" || state === "stopped";
}
