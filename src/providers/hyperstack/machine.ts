import { z } from "zod";
import { momentOf } from "../listing.ts";
import type { ListedMachine, Sighting } from "../provider.ts";

/**
 * What Hyperstack shows of a virtual machine. Statuses:
 * https://infrahub-doc.nexgencloud.com/docs/virtual-machines/vm-states-and-statuses; what each costs:
 * https://infrahub-doc.nexgencloud.com/docs/billing/states-and-billing.
 */

export const machineSchema = z.object({
  id: z.number().int().min(0),
  /** What Hyperstack does with it, or what it is. */
  status: z.string(),
  power_state: z.string().nullish(),
  flavor: z.object({ gpu_count: z.number().int().min(0).nullish() }).nullish(),
});

export type Machine = z.infer<typeof machineSchema>;

type MachineState = "running" | "starting" | "stopping" | "stopped" | "terminated" | null;

/** Null for a status that is not known. */
export function stateOf({ status, power_state }: Pick<Machine, "status" | "power_state">): MachineState {
  switch (status) {
    case "ACTIVE":
    // It is switched off, but its GPUs stay reserved and are billed in full.
    case "SHUTOFF":
      return "running";
    case "CREATING":
    case "BUILD":
    case "STARTING":
    case "REBOOTING":
    case "RESTORING":
      return "starting";
    case "STOPPING":
    case "HIBERNATING":
    case "DELETING":
      return "stopping";
    case "HIBERNATED":
      return power_state === "RUNNING" ? null : "stopped";
    case "DELETED":
      return "terminated";
    default:
      return null;
  }
}

export function sightingOf(machine: Machine): Sighting {
  const state = stateOf(machine);
  if (state === null) {
    const power = machine.power_state == null ? "" : ` (${machine.power_state})`;
    return { state: "unknown", because: `Hyperstack shows it as ${machine.status}${power}` };
  }
  return state === "terminated"
    ? { state }
    : { state, gpus: machine.flavor?.gpu_count ?? null, obstacle: null };
}

/** A machine in a list. Only its id is demanded: what is odd about the rest is left out, and its state is then unknown. */
export const listedSchema = z.object({
  id: machineSchema.shape.id,
  name: z.string().nullish().catch(null),
  status: z.string().catch(""),
  power_state: z.string().nullish().catch(null),
  created_at: z.string().nullish().catch(null),
  environment: z.object({ region: z.string().nullish() }).nullish().catch(null),
  flavor: z
    .object({
      name: z.string().nullish(),
      gpu: z.string().nullish(),
      gpu_count: z.number().int().min(0).nullish(),
    })
    .nullish()
    .catch(null),
});

type Listed = z.infer<typeof listedSchema>;

/** Dollars an hour of one resource, such as a GPU, by its name. */
export type PriceBook = ReadonlyMap<string, number>;

export function listedMachine(
  machine: Listed,
  prices: PriceBook,
  clusters: ReadonlyMap<number, string>,
): ListedMachine {
  const { flavor } = machine;
  return {
    ref: String(machine.id),
    name: machine.name ?? null,
    state: stateOf(machine) ?? "unknown",
    gpu: flavor?.gpu ? flavor.gpu : null,
    gpus: flavor?.gpu_count ?? null,
    region: machine.environment?.region ?? null,
    createdAt: momentOf(machine.created_at),
    hourlyCost: hourlyCostOf(flavor, prices),
    // Its root disk and its address: Hyperstack does not say how much of the disk is billed.
    stoppedHourlyCost: null,
    memberOf: clusters.get(machine.id) ?? null,
  };
}

/** A GPU's price includes the rest of its flavor. Null for a spot flavor, which has prices of its own, and without a GPU. */
function hourlyCostOf(flavor: Listed["flavor"], prices: PriceBook): number | null {
  if (!flavor?.gpu || flavor.gpu_count == null || /spot/i.test(flavor.name ?? "")) return null;
  const price = prices.get(flavor.gpu);
  return price === undefined ? null : price * flavor.gpu_count;
}
