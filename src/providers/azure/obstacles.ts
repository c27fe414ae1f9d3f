import { z } from "zod";
import { ProviderError, type Target } from "../provider.ts";
import type { Azure } from "./api.ts";
import { type Machine, machinePath } from "./machine.ts";

/**
 * What stands against an order to a virtual machine.
 * https://learn.microsoft.com/en-us/azure/virtual-machines/ephemeral-os-disks: what can't be deallocated;
 * https://learn.microsoft.com/en-us/azure/virtual-machines/capacity-reservation-overview, dedicated-hosts: what is billed
 * anyway; https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/lock-resources, and `-AtScope` of
 * https://learn.microsoft.com/en-us/powershell/module/az.resources/get-azresourcelock: locks, which are inherited.
 */

const LOCKS_VERSION = "api-version=2016-09-01";

function nameIn(id: string): string {
  return id.split("/").at(-1) ?? id;
}

/** What the machine belongs to, and is replaced or scaled by; null when it stands alone. */
export function ownerOf({ properties, managedBy, tags }: Machine): string | null {
  const pool = tags?.["aks-managed-poolName"];
  if (pool !== undefined) return `AKS node pool ${pool}`;
  const owner = properties.virtualMachineScaleSet?.id ?? managedBy;
  return owner == null || owner === "" ? null : `scale set ${nameIn(owner)}`;
}

/** Why the machine must be neither stopped nor deleted; null when nothing stands against it. */
function ownerObstacle(machine: Machine): string | null {
  const owner = ownerOf(machine);
  return owner === null ? null : `it belongs to the ${owner}, which may replace it: change that instead`;
}

/** Why the machine, as it is made, can't or must not be stopped; null when nothing stands against it. */
export function standingObstacle(machine: Machine): string | null {
  const { storageProfile, capacityReservation, host, hostGroup } = machine.properties;
  const owner = ownerObstacle(machine);
  if (owner !== null) return owner;
  if (storageProfile?.osDisk?.diffDiskSettings?.option != null) {
    return "its OS disk is ephemeral: it can't be deallocated, only deleted";
  }
  const hostId = host?.id ?? hostGroup?.id;
  if (hostId != null) return billedAnyway(`the dedicated host ${nameIn(hostId)}`);
  const reservationId = capacityReservation?.capacityReservationGroup?.id;
  return reservationId == null ? null : billedAnyway(`the capacity reservation ${nameIn(reservationId)}`);
}

function billedAnyway(what: string): string {
  return `it is on ${what}, which is billed whether it runs or not: a stop saves nothing`;
}

/** Why the machine can't or must not be stopped now; null when nothing stands against it. */
export async function stopObstacle(azure: Azure, target: Target, machine: Machine): Promise<string | null> {
  return standingObstacle(machine) ?? (await lockObstacle(azure, target, ["readonly"]));
}

/** Why the machine can't or must not be deleted; null when nothing stands against it. */
export async function deleteObstacle(azure: Azure, target: Target, machine: Machine): Promise<string | null> {
  return ownerObstacle(machine) ?? (await lockObstacle(azure, target, ["readonly", "cannotdelete"]));
}

const locksSchema = z.object({
  value: z.array(z.object({ name: z.string(), properties: z.object({ level: z.string() }) })),
});

/**
 * The lock of one of these levels on the machine, its group or its subscription. Null where locks can't be read: then Azure
 * itself refuses the order, only later.
 */
async function lockObstacle(azure: Azure, target: Target, levels: readonly string[]): Promise<string | null> {
  const path = `${machinePath(target)}/providers/Microsoft.Authorization/locks?${LOCKS_VERSION}&$filter=atScope()`;
  try {
    const { value } = await azure.get(path, locksSchema);
    const lock = value.find(({ properties }) => levels.includes(properties.level.toLowerCase()));
    return lock === undefined ? null : `the lock ${lock.name} (${lock.properties.level}) is on it`;
  } catch (error) {
    if (error instanceof ProviderError && !error.isPassing) return null;
    throw error;
  }
}
