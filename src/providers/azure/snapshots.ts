import { z } from "zod";
import { ProviderError, type Snapshot, type Target } from "../provider.ts";
import type { Azure } from "./api.ts";
import { type Disk, groupPath, type Machine } from "./machine.ts";

/**
 * An incremental snapshot of each disk of a machine, beside the machine.
 * https://learn.microsoft.com/en-us/rest/api/compute/snapshots/create-or-update, and get (2024-03-02);
 * https://learn.microsoft.com/en-us/azure/virtual-machines/disks-incremental-snapshots.
 */

const SNAPSHOTS_VERSION = "api-version=2024-03-02";

const snapshotSchema = z.object({
  properties: z.object({ provisioningState: z.string(), completionPercent: z.number().nullish() }),
});

/**
 * Begins a snapshot of each disk. Their names come from the action, so that a call which is repeated finds them: they are
 * numbered, and the id that stands for all of them names the first and the last, such as `my-group/dumont-1a2b-1..3`.
 */
export async function takeSnapshots(azure: Azure, target: Target, machine: Machine): Promise<Snapshot> {
  const disks = disksOf(machine);
  const prefix = `dumont-${target.actionId}`;
  for (const [index, disk] of disks.entries()) {
    const body = {
      location: machine.location,
      tags: { "dumont-machine": target.ref, "dumont-disk": disk.name },
      properties: { creationData: { createOption: "Copy", sourceResourceId: disk.id }, incremental: true },
    };
    await azure.put(snapshotPath(groupPath(target), prefix, index + 1), body, snapshotSchema);
  }
  return { snapshotId: `${target.ref.split("/")[0]}/${prefix}-1..${disks.length}`, done: false };
}

/** `ready` only when all of them are. */
export async function snapshotStateOf(
  azure: Azure,
  snapshotId: string,
): Promise<"pending" | "ready" | "failed"> {
  const [, group, prefix = "", last] = /^([^/]+)\/([^/]+)-1\.\.(\d{1,3})$/.exec(snapshotId) ?? [];
  if (group === undefined) throw new ProviderError("refused", `${snapshotId} is not a snapshot at Azure`);
  for (let number = 1; number <= Number(last); number++) {
    const path = snapshotPath(`/resourceGroups/${encodeURIComponent(group)}`, prefix, number);
    const { properties } = await azure.get(path, snapshotSchema);
    const provisioning = properties.provisioningState.toLowerCase();
    if (provisioning === "failed" || provisioning === "canceled") return "failed";
    // Some kinds of disk are copied in the background after the snapshot has been made.
    if (provisioning !== "succeeded" || (properties.completionPercent ?? 100) < 100) return "pending";
  }
  return "ready";
}

function snapshotPath(group: string, prefix: string, number: number): string {
  const name = encodeURIComponent(`${prefix}-${number}`);
  return `${group}/providers/Microsoft.Compute/snapshots/${name}?${SNAPSHOTS_VERSION}`;
}

/** The disks of the machine. Throws where one of them can't be held: then a snapshot would not hold the machine. */
function disksOf({ properties }: Machine): readonly { readonly name: string; readonly id: string }[] {
  const { osDisk, dataDisks } = properties.storageProfile ?? {};
  if (osDisk == null) throw new ProviderError("unsupported", "Azure does not show its OS disk");
  if (osDisk.diffDiskSettings?.option != null) {
    throw new ProviderError("unsupported", "its OS disk is ephemeral, of which no snapshot can be taken");
  }
  return [osDisk, ...(dataDisks ?? [])].map(heldDisk);
}

function heldDisk({ name, managedDisk }: Disk) {
  const id = managedDisk?.id;
  if (id != null) return { name: name ?? "", id };
  throw new ProviderError("unsupported", `its disk ${name ?? ""} is not a managed disk`);
}
