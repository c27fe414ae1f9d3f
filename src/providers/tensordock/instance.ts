import { z } from "zod";
import { listedState } from "../listing.ts";
import type { ListedMachine, Sighting } from "../provider.ts";

/**
 * What TensorDock shows of an instance: its fields stand bare, within `data`, or within `data.attributes`, by page and by
 * call, and its statuses come in any case. https://dashboard.tensordock.com/api/docs/instance-management.
 */

const gpuSchema = z.object({ count: z.number().int().min(0) });

/** By model; the reference of the API also has them as a list. */
const gpusSchema = z.union([
  z.record(z.string(), gpuSchema),
  z
    .array(gpuSchema.extend({ gpuV0Name: z.string() }))
    .transform((gpus) => Object.fromEntries(gpus.map((gpu) => [gpu.gpuV0Name, gpu]))),
]);

const fields = {
  name: z.string().nullish().catch(null),
  status: z.string(),
  /** Dollars. It is not documented whether it is what is billed now, or what the instance costs while it runs. */
  rateHourly: z.number().nullish().catch(null),
  resources: z.object({ gpus: gpusSchema.nullish() }).nullish().catch(null),
};

const bareSchema = z.object({ id: z.string().min(1), ...fields });

const enclosedSchema = z
  .object({ id: z.string().min(1), attributes: z.object(fields) })
  .transform(({ id, attributes }) => ({ id, ...attributes }));

const eitherSchema = z.union([enclosedSchema, bareSchema]);

export type Instance = z.infer<typeof bareSchema>;

/** The answer to a look. */
export const foundSchema: z.ZodType<Instance> = z.union([
  z.object({ data: eitherSchema }).transform(({ data }) => data),
  bareSchema,
]);

/** An instance in a list: of an odd one only the id is demanded. */
const listedSchema = z.union([
  eitherSchema,
  z.object({ id: z.string().min(1) }).transform(({ id }): Instance => ({ id, status: "" })),
]);

const listSchema = z.array(listedSchema);

/** All instances. TensorDock knows no pages. */
export const instancesSchema: z.ZodType<readonly Instance[]> = z.union([
  z.object({ data: listSchema }).transform(({ data }) => data),
  z.object({ data: z.object({ instances: listSchema }) }).transform(({ data }) => data.instances),
  z
    .object({ data: z.object({ attributes: z.object({ instances: listSchema }) }) })
    .transform(({ data }) => data.attributes.instances),
]);

type Status =
  | "running"
  | "starting"
  | "stopping"
  | "stopped"
  | "stoppeddisassociated"
  | "deleting"
  | "deleted";

/** Null for a status that is not known. */
export function statusOf(status: string): Status | null {
  const word = status.toLowerCase().replace(/[\s_-]/g, "");
  switch (word) {
    case "running":
    case "starting":
    case "stopping":
    case "stopped":
    case "stoppeddisassociated":
    case "deleting":
    case "deleted":
      return word;
    default:
      return null;
  }
}

/**
 * A stop may keep the GPUs reserved (`Stopped`), or release them (`StoppedDisassociated`). For the first one TensorDock's
 * former API is documented to bill as if it ran, and its present one says nothing of it.
 */
export const STILL_RESERVED =
  "TensorDock shows it as stopped, but not its GPUs as released (StoppedDisassociated): it may be billed as if it ran. " +
  "Release them at TensorDock, or delete it";

export function sightingOf(instance: Instance): Sighting {
  const shown = { gpus: gpusOf(instance), obstacle: null };
  const status = statusOf(instance.status);
  switch (status) {
    case "running":
    case "starting":
    case "stopping":
      return { state: status, ...shown };
    case "deleting":
      return { state: "stopping", ...shown };
    case "stoppeddisassociated":
      return { state: "stopped", ...shown };
    case "stopped":
      return isFree(instance)
        ? { state: "stopped", ...shown }
        : { state: "unknown", because: STILL_RESERVED };
    case "deleted":
      return { state: "terminated" };
    case null:
      return { state: "unknown", because: `TensorDock shows it as ${instance.status || "nothing"}` };
  }
}

/** Whether nothing at all is billed. */
export function isFree({ rateHourly }: Instance): boolean {
  return rateHourly === 0;
}

export function listedMachine(instance: Instance): ListedMachine {
  const state = listedState(sightingOf(instance));
  const [model] = Object.keys(instance.resources?.gpus ?? {});
  const runs = state === "running" || state === "starting";
  return {
    ref: instance.id,
    name: instance.name ?? null,
    state,
    gpu: model ?? null,
    gpus: gpusOf(instance),
    region: null,
    createdAt: null,
    hourlyCost: runs && instance.rateHourly ? instance.rateHourly : null,
    stoppedHourlyCost: null,
    memberOf: null,
  };
}

/** Null when TensorDock does not say. */
function gpusOf({ resources }: Instance): number | null {
  const gpus = resources?.gpus;
  return gpus == null ? null : Object.values(gpus).reduce((sum, { count }) => sum + count, 0);
}
