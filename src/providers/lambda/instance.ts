import { z } from "zod";
import { listedState, unreadMachine } from "../listing.ts";
import type { ListedMachine, Sighting } from "../provider.ts";

/** What Lambda Cloud shows of an instance: `Instance` of its API 1.10, https://docs.lambda.ai/api/cloud. */

const typeSchema = z.object({
  gpu_description: z.string().nullish(),
  price_cents_per_hour: z.number().nullish(),
  specs: z.object({ gpus: z.number().int().min(0).nullish() }).nullish(),
});

export const instanceSchema = z.object({
  id: z.string().min(1),
  name: z.string().nullish().catch(null),
  status: z.string(),
  region: z.object({ name: z.string() }).nullish().catch(null),
  instance_type: typeSchema.nullish().catch(null),
  actions: z
    .object({
      terminate: z
        .object({
          available: z.boolean(),
          reason_code: z.string().nullish(),
          reason_description: z.string().nullish(),
        })
        .nullish(),
    })
    .nullish()
    .catch(null),
});

export type Instance = z.infer<typeof instanceSchema>;

/** In a list: of an odd one only the id is demanded. */
export const listedSchema = z.union([
  instanceSchema,
  z.object({ id: z.string().min(1) }).transform(({ id }): Instance => ({ id, status: "" })),
]);

export function sightingOf({ status, instance_type }: Instance): Sighting {
  const shown = { gpus: instance_type?.specs?.gpus ?? null, obstacle: null };
  switch (status) {
    case "active":
    // It fails its health checks, but exists until it is terminated.
    case "unhealthy":
      return { state: "running", ...shown };
    case "booting":
      return { state: "starting", ...shown };
    case "terminating":
      return { state: "stopping", ...shown };
    case "terminated":
      return { state: "terminated" };
    // It is not documented what becomes of one that is `preempted`.
    default:
      return { state: "unknown", because: `Lambda Cloud shows it as ${status || "nothing"}` };
  }
}

export function listedMachine(instance: Instance): ListedMachine {
  const { id, name, region, instance_type: type } = instance;
  const cents = type?.price_cents_per_hour ?? 0;
  return {
    ...unreadMachine(id),
    name: name ?? null,
    state: listedState(sightingOf(instance)),
    gpu: type?.gpu_description || null,
    gpus: type?.specs?.gpus ?? null,
    region: region?.name ?? null,
    hourlyCost: cents > 0 ? cents / 100 : null,
  };
}
