import { z } from "zod";
import { listedState, momentOf, unreadMachine } from "../listing.ts";
import type { ListedMachine, Sighting } from "../provider.ts";

/**
 * What Verda shows of an instance, and its statuses: https://github.com/verda-cloud/verdacloud-sdk-go (pkg/verda/instances_types.go).
 * One that is offline is billed as if it ran, as Verda's own command line warns: https://github.com/verda-cloud/verda-cli.
 */

const numeric = z.union([
  z.number(),
  z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform(Number),
]);

export const instanceSchema = z.object({
  id: z.string().min(1),
  status: z.string(),
  hostname: z.string().nullish().catch(null),
  created_at: z.string().nullish().catch(null),
  location: z.string().nullish().catch(null),
  /** Dollars. */
  price_per_hour: numeric.nullish().catch(null),
  gpu: z
    .object({ description: z.string().nullish(), number_of_gpus: z.number().int().min(0).nullish() })
    .nullish()
    .catch(null),
});

export type Instance = z.infer<typeof instanceSchema>;

/** In a list: of an odd one only the id is demanded. */
export const listedSchema = z.union([
  instanceSchema,
  z.object({ id: z.string().min(1) }).transform(({ id }): Instance => ({ id, status: "" })),
]);

export function sightingOf({ status, gpu }: Instance): Sighting {
  const shown = { gpus: gpu?.number_of_gpus ?? null, obstacle: null };
  switch (status) {
    case "running":
    // It is shut down, and is billed in full.
    case "offline":
      return { state: "running", ...shown };
    case "new":
    case "ordered":
    case "pending":
    case "provisioning":
    case "validating":
    case "restoring":
      return { state: "starting", ...shown };
    // A hibernation detaches the volumes and deletes the instance.
    case "starting_hibernation":
    case "hibernating":
    case "deleting":
      return { state: "stopping", ...shown };
    case "discontinued":
      return { state: "terminated" };
    // `notfound` is the status of something that is shown: that proves nothing.
    default:
      return { state: "unknown", because: `Verda shows it as ${status || "nothing"}` };
  }
}

export function listedMachine(instance: Instance): ListedMachine {
  const { id, hostname, gpu, location, price_per_hour: price } = instance;
  return {
    ...unreadMachine(id),
    name: hostname ?? null,
    state: listedState(sightingOf(instance)),
    // Such as `1x H100 SXM5 80GB`.
    gpu: gpu?.description?.replace(/^\d+\s*x\s*/i, "") || null,
    gpus: gpu?.number_of_gpus ?? null,
    region: location ?? null,
    createdAt: momentOf(instance.created_at),
    hourlyCost: price != null && price > 0 ? price : null,
  };
}
