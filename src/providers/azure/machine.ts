import { z } from "zod";
import { requireReference } from "../answer.ts";
import { ProviderError, type Shown, type Target } from "../provider.ts";
import { type Azure, AzureError } from "./api.ts";

/**
 * What Azure shows of a virtual machine.
 * https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines/get (2025-04-01);
 * https://learn.microsoft.com/en-us/azure/virtual-machines/states-billing: which states are billed;
 * https://learn.microsoft.com/en-us/azure/virtual-machines/sizes/overview: what the name of a size says.
 */

const COMPUTE_VERSION = "api-version=2025-04-01";

const diskSchema = z.object({
  name: z.string().nullish(),
  managedDisk: z.object({ id: z.string().nullish() }).nullish(),
});

export type Disk = z.infer<typeof diskSchema>;

const partSchema = z.object({ id: z.string().nullish() }).nullish();

const viewSchema = z.object({ statuses: z.array(z.object({ code: z.string() })).nullish() });

export const machineSchema = z.object({
  id: z.string(),
  name: z.string(),
  location: z.string(),
  managedBy: z.string().nullish(),
  tags: z.record(z.string(), z.string()).nullish(),
  properties: z.object({
    provisioningState: z.string(),
    timeCreated: z.string().nullish(),
    hardwareProfile: z.object({ vmSize: z.string().nullish() }).nullish(),
    storageProfile: z
      .object({
        osDisk: diskSchema
          .extend({ diffDiskSettings: z.object({ option: z.string().nullish() }).nullish() })
          .nullish(),
        dataDisks: z.array(diskSchema).nullish(),
      })
      .nullish(),
    virtualMachineScaleSet: partSchema,
    host: partSchema,
    hostGroup: partSchema,
    capacityReservation: z.object({ capacityReservationGroup: partSchema }).nullish(),
    instanceView: viewSchema.nullish(),
  }),
});

export type Machine = z.infer<typeof machineSchema>;

/** Only what tells how a machine is: lists of states hold little else. */
export const stateSchema = z.object({
  id: z.string(),
  properties: z.object({ instanceView: viewSchema }),
});

/** A machine's path in the subscription. */
export function machinePath(target: Target): string {
  const { name } = namesOf(target);
  return `${groupPath(target)}/providers/Microsoft.Compute/virtualMachines/${encodeURIComponent(name)}`;
}

/** The path of the group that the machine is in. */
export function groupPath(target: Target): string {
  return `/resourceGroups/${encodeURIComponent(namesOf(target).group)}`;
}

function namesOf(target: Target) {
  requireReference("azure", target);
  const [group = "", name = ""] = target.ref.split("/");
  return { group, name };
}

export function onMachine(target: Target, action: "start" | "deallocate" | null = null): string {
  return `${machinePath(target)}${action === null ? "" : `/${action}`}?${COMPUTE_VERSION}`;
}

/** Where all machines of the subscription are listed, as they are described, or as they run. */
export function allMachines(what: "models" | "states"): string {
  const query = what === "models" ? COMPUTE_VERSION : `${COMPUTE_VERSION}&statusOnly=true`;
  return `/providers/Microsoft.Compute/virtualMachines?${query}`;
}

/**
 * The reference of the machine with this resource id; null for the id of something else. Azure ignores the case of
 * names, and writes them in whichever it likes: references are in lower case, so that a machine has only one.
 */
export function referenceOfId(id: string): string | null {
  const [, group, name] =
    /^\/subscriptions\/[^/]+\/resourcegroups\/([^/]+)\/providers\/microsoft\.compute\/virtualmachines\/([^/]+)$/.exec(
      id.toLowerCase(),
    ) ?? [];
  return group === undefined ? null : `${group}/${name}`;
}

export async function readMachine(azure: Azure, target: Target): Promise<Machine> {
  const path = `${onMachine(target)}&$expand=instanceView`;
  const machine = await azure.get(path, machineSchema).catch((error: unknown) => {
    throw isMissing(error, target) ? new ProviderError("not_found", error.message) : error;
  });
  if (referenceOfId(machine.id) === target.ref) return machine;
  throw new ProviderError("unavailable", `Azure answered with another machine: ${machine.id}`);
}

/** Only these words, of this machine, prove that Azure knows it no longer. Its group or subscription may be wrong instead. */
function isMissing(error: unknown, target: Target): error is AzureError {
  if (!(error instanceof AzureError) || error.status !== 404) return false;
  const { group, name } = namesOf(target);
  const said = error.message.toLowerCase();
  return (
    error.azureCode === "ResourceNotFound" &&
    said.includes(`'microsoft.compute/virtualmachines/${name}'`) &&
    said.includes(`'${group}'`)
  );
}

export type State =
  | { readonly state: Shown["state"] }
  | { readonly state: "unknown"; readonly because: string };

export function stateOf({ properties }: Machine): State {
  return stateIn(properties.provisioningState, codesOf(properties.instanceView));
}

export function codesOf(view: z.infer<typeof viewSchema> | null | undefined): readonly string[] {
  return (view?.statuses ?? []).map(({ code }) => code);
}

/**
 * What a machine's last operation and its power state mean. One that was shut down from within keeps its host, and is
 * billed as if it ran: so it runs, and nothing but deallocated counts as stopped.
 */
export function stateIn(provisioningState: string, codes: readonly string[]): State {
  const provisioning = provisioningState.toLowerCase();
  if (provisioning === "deleting") return { state: "stopping" };
  const isChanging = provisioning === "creating" || provisioning === "updating";
  const power = codes.map((code) => /^PowerState\/(.+)$/i.exec(code)?.[1]?.toLowerCase()).find(Boolean);
  switch (power) {
    case "running":
    case "stopping":
      return { state: "running" };
    case "starting":
      return { state: "starting" };
    case "stopped":
      // It is shown for a moment during a start.
      return { state: isChanging ? "starting" : "running" };
    case "deallocating":
      return { state: "stopping" };
    case "deallocated":
      return { state: "stopped" };
    case undefined:
      if (provisioning === "creating") return { state: "starting" };
      break;
  }
  const last = codes.find((code) => /^ProvisioningState\//i.test(code)) ?? provisioningState;
  const shown = power === undefined ? "shows no power state" : `shows it as ${power}`;
  return { state: "unknown", because: `Azure ${shown}; its last operation: ${last}` };
}

/** Sizes of family N have GPUs, those of NP an FPGA. How many a size has is not in its name. */
export function gpusOf(size: string | null | undefined): { gpu: string | null; gpus: number | null } {
  const [, family, rest] = /^[A-Za-z]+_([A-Z]+)\d[\dA-Za-z-]*((?:_\w+)?)$/.exec(size ?? "") ?? [];
  if (family === undefined) return { gpu: null, gpus: null };
  if (!family.startsWith("N") || family.startsWith("NP")) return { gpu: null, gpus: 0 };
  const models = (rest ?? "").split("_").filter((part) => /\d/.test(part) && !/^v\d+$/.test(part));
  return { gpu: models.at(-1) ?? null, gpus: null };
}
