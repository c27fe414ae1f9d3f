import { z } from "zod";
import { listedState, unreadMachine } from "../listing.ts";
import type { ListedMachine, Sighting } from "../provider.ts";

/**
 * What Vast.ai shows of an instance. What each status means and costs:
 * https://docs.vast.ai/cli/reference/show-instances; the shape: https://docs.vast.ai/api-reference/instances/show-instance.
 */

export const instanceSchema = z.object({
  /** The contract's state, which decides what is billed: `running`, `stopped`, or `unloaded` once it is destroyed. */
  cur_state: z.string().nullish(),
  /** The container's state. */
  actual_status: z.string().nullish(),
  /** What its owner wants. */
  intended_status: z.string().nullish(),
  num_gpus: z.number().int().min(0).nullish(),
  /** Dollars an hour as it stands. */
  instance: z
    .object({ gpuCostPerHour: z.number().nullish(), diskHour: z.number().min(0).nullish().catch(null) })
    .nullish(),
});

type Instance = z.infer<typeof instanceSchema>;

const dollars = z.number().min(0).nullish().catch(null);
const text = z.string().nullish().catch(null);

/** What the list is read for beyond the state. What is not as documented is left out, so that the rest still counts. */
const listedSchema = instanceSchema.extend({
  label: text,
  gpu_name: text,
  geolocation: text,
  /** In seconds. */
  start_date: z.number().positive().nullish().catch(null),
  /** All that is billed an hour while it runs. */
  dph_total: dollars,
  /** What its disk costs an hour. */
  storage_total_cost: dollars,
});

/** An entry of the list; `memberOf` says which serverless endpoint it works for. */
export function listedInstance(ref: string, entry: unknown, memberOf: string | null): ListedMachine {
  const { data } = listedSchema.safeParse(entry);
  if (data === undefined) return { ...unreadMachine(ref), memberOf };
  return {
    ref,
    name: data.label || null,
    state: listedState(sightingOf(data)),
    gpu: data.gpu_name || null,
    gpus: data.num_gpus ?? null,
    region: data.geolocation || null,
    createdAt: data.start_date == null ? null : Math.round(data.start_date * 1000),
    hourlyCost: data.dph_total ?? null,
    stoppedHourlyCost: data.storage_total_cost ?? null,
    memberOf,
  };
}

export function sightingOf(instance: Instance): Sighting {
  const shown = { gpus: instance.num_gpus ?? null, obstacle: null };
  switch (instance.cur_state) {
    case "unloaded":
      return { state: "terminated" };
    case "stopped": {
      // A start that waits in the queue costs nothing yet, but may at any moment.
      if (instance.intended_status === "running") return { state: "starting", ...shown };
      const price = instance.instance?.gpuCostPerHour ?? 0;
      return price === 0
        ? { state: "stopped", ...shown, stoppedHourlyCost: instance.instance?.diskHour ?? undefined }
        : { state: "unknown", because: `Vast.ai shows it as stopped, but its GPU at $${price} an hour` };
    }
    case "running":
      return instance.intended_status === "stopped"
        ? { state: "stopping", ...shown }
        : runningOf(instance, shown);
    default:
      return {
        state: "unknown",
        because: `Vast.ai shows its contract as ${instance.cur_state ?? "nothing"}`,
      };
  }
}

/** The state of an instance whose contract runs: its GPU is billed, whatever the container does. */
function runningOf(
  instance: Instance,
  shown: { readonly gpus: number | null; readonly obstacle: null },
): Sighting {
  switch (instance.actual_status) {
    case "running":
    case "frozen":
    case "rebooting":
    case "exited":
      return { state: "running", ...shown };
    case "loading":
    case "created":
    case "stopped":
    case null:
    case undefined:
      return { state: "starting", ...shown };
    default:
      return {
        state: "unknown",
        because: `Vast.ai shows it as ${instance.actual_status}: its host does not say, and its GPU is paid`,
      };
  }
}
