import { sight } from "../answer.ts";
import { type Progress, type Provider, ProviderError, type Target } from "../provider.ts";
import { AZURE_PUBLIC, type Azure, type AzureCredentials, azureCalls } from "./api.ts";
import { machineList } from "./listing.ts";
import { allMachines, gpusOf, onMachine, readMachine, stateOf } from "./machine.ts";
import { deleteObstacle, standingObstacle, stopObstacle } from "./obstacles.ts";
import { requirePermissions } from "./permissions.ts";
import { snapshotStateOf, takeSnapshots } from "./snapshots.ts";

/**
 * Azure Virtual Machines. Stopping is deallocating: a machine that was only shut down keeps its host, and is billed on.
 * Orders are accepted with 202, and what became of them shows in the machine's state alone: a start that finds no
 * capacity is shown as deallocated again.
 * https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines (2025-04-01): deallocate, start, delete;
 * https://learn.microsoft.com/en-us/azure/virtual-machines/delete: what a deletion leaves.
 */

export function azure(credentials: AzureCredentials, urls = AZURE_PUBLIC): Provider {
  const calls = azureCalls(credentials, urls);
  const stop = (target: Target) => deallocate(calls, target);
  return {
    hibernate: stop,
    forceHibernate: stop,
    wake: async (target) => {
      await calls.order("POST", onMachine(target, "start"));
      return "accepted";
    },
    delete: async (target) => {
      const machine = await readMachine(calls, target);
      if (machine.properties.provisioningState.toLowerCase() === "deleting") return "accepted";
      refuseIf(await deleteObstacle(calls, target, machine));
      await calls.order("DELETE", onMachine(target));
      return "accepted";
    },
    snapshot: async (target) => {
      const machine = await readMachine(calls, target);
      // The snapshot comes before a deletion, which would otherwise fail hours later.
      refuseIf(await deleteObstacle(calls, target, machine));
      return takeSnapshots(calls, target, machine);
    },
    snapshotState: (snapshotId) => snapshotStateOf(calls, snapshotId),
    status: (target) =>
      sight(async () => {
        const machine = await readMachine(calls, target);
        const seen = stateOf(machine);
        if (seen.state === "unknown") return seen;
        const obstacle =
          seen.state === "running" ? await stopObstacle(calls, target, machine) : standingObstacle(machine);
        return { state: seen.state, gpus: gpusOf(machine.properties.hardwareProfile?.vmSize).gpus, obstacle };
      }),
    verify: async (target) => {
      if (target === null) {
        await calls.page(allMachines("models"));
        return;
      }
      await readMachine(calls, target);
      await requirePermissions(calls, target);
    },
    list: machineList(calls),
  };
}

/** Deallocates the machine, whatever its state is, unless it is being deallocated or deleted. */
async function deallocate(calls: Azure, target: Target): Promise<Progress> {
  const machine = await readMachine(calls, target);
  const { state } = stateOf(machine);
  if (state === "stopped") return "done";
  if (state === "stopping") return "accepted";
  refuseIf(await stopObstacle(calls, target, machine));
  await calls.order("POST", onMachine(target, "deallocate"));
  return "accepted";
}

function refuseIf(obstacle: string | null): void {
  if (obstacle !== null) throw new ProviderError("refused", obstacle);
}
