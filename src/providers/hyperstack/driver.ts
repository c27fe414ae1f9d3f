import { z } from "zod";
import { requireReference, sight } from "../answer.ts";
import { type Progress, type Provider, ProviderError, type Target } from "../provider.ts";
import {
  acceptedSchema,
  HYPERSTACK_API,
  type HyperstackCall,
  type HyperstackCredentials,
  hyperstackCalls,
} from "./api.ts";
import { listMachines } from "./listing.ts";
import { type Machine, machineSchema, sightingOf, stateOf } from "./machine.ts";

/**
 * Hyperstack. Only hibernation ends the billing of a GPU: a machine that is stopped (SHUTOFF) is billed in full. Hibernation
 * keeps the root disk and volumes; memory and the ephemeral disk are lost.
 * https://docs.hyperstack.cloud/docs/api-reference/hibernate-vm, …/restore-vm-from-hibernation, …/start-vm, …/delete-vm,
 * …/create-snapshot-for-vm; https://infrahub-doc.nexgencloud.com/docs/virtual-machines/hibernation.
 */

const foundSchema = z.object({ status: z.literal(true), instance: machineSchema });

const anyPageSchema = z.object({ status: z.literal(true), instances: z.array(z.unknown()) });

export function hyperstack(credentials: HyperstackCredentials, baseUrl = HYPERSTACK_API): Provider {
  const call = hyperstackCalls(credentials, baseUrl);
  const read = async (target: Target): Promise<Machine> => {
    const { instance } = await call("GET", pathOf(target), foundSchema);
    if (String(instance.id) === target.ref) return instance;
    throw new ProviderError(
      "unavailable",
      `Hyperstack was asked for ${target.ref}, and showed ${instance.id}`,
    );
  };
  const order = async (method: "GET" | "DELETE", path: string): Promise<"accepted"> => {
    await call(method, path, acceptedSchema);
    return "accepted";
  };

  const hibernate = async (target: Target): Promise<Progress> => {
    const machine = await read(target);
    if (stateOf(machine) === "stopped") return "done";
    switch (machine.status) {
      case "HIBERNATING":
        return "accepted";
      case "SHUTOFF":
        return hibernateShutOff(call, target);
      default:
        refuseInBetween(machine);
        // Otherwise its public address would be another one afterwards.
        return order("GET", `${pathOf(target)}/hibernate?retain_ip=true`);
    }
  };

  return {
    hibernate,
    forceHibernate: hibernate,
    wake: async (target) => {
      const machine = await read(target);
      switch (machine.status) {
        case "SHUTOFF":
          return order("GET", `${pathOf(target)}/start`);
        case "HIBERNATED":
          return order("GET", `${pathOf(target)}/hibernate-restore`);
      }
      const state = stateOf(machine);
      // Whether it has come up is for a look to say.
      if (state === "running" || state === "starting") return "accepted";
      refuseInBetween(machine);
      throw new ProviderError("refused", `Hyperstack shows it as ${machine.status}, which can't be started`);
    },
    delete: async (target) => {
      const { status } = await read(target);
      if (status === "DELETED") return "done";
      return status === "DELETING" ? "accepted" : order("DELETE", pathOf(target));
    },
    snapshot: async () => {
      throw new ProviderError(
        "unsupported",
        "Hyperstack takes snapshots of machines only that are not hibernated, and what is to be deleted is hibernated before",
      );
    },
    snapshotState: async () => "failed",
    status: (target) => sight(async () => sightingOf(await read(target))),
    list: (after) => listMachines(call, after),
    verify: async (target) => {
      if (target === null) await call("GET", "/core/virtual-machines?page=1&pageSize=1", anyPageSchema);
      else await read(target);
      await tryOut(call);
    },
  };
}

function pathOf(target: Target): string {
  requireReference("hyperstack", target);
  return `/core/virtual-machines/${encodeURIComponent(target.ref)}`;
}

/** By its documentation Hyperstack hibernates only what is ACTIVE, but it is for Hyperstack to say. */
async function hibernateShutOff(call: HyperstackCall, target: Target): Promise<"accepted"> {
  try {
    await call("GET", `${pathOf(target)}/hibernate?retain_ip=true`, acceptedSchema);
    return "accepted";
  } catch (error) {
    if (!(error instanceof ProviderError) || error.code !== "refused") throw error;
    throw new ProviderError(
      "refused",
      `the machine is switched off (SHUTOFF), is billed in full all the same, and can't be hibernated: start it, or delete it (${error.message})`,
    );
  }
}

/** Throws for a machine between two states. It takes no order until it has come to the second one. */
function refuseInBetween(machine: Machine): void {
  const state = stateOf(machine);
  if (state === "starting" || state === "stopping") {
    throw new ProviderError("unavailable", `Hyperstack shows it as ${machine.status}: it takes no order now`);
  }
}

/**
 * A key has the rights of its user, who may only be allowed to read. So the hibernation of a machine that can't exist is
 * tried as well. It is not documented whether Hyperstack looks at the rights first, but nothing more can be found out
 * without a change.
 */
async function tryOut(call: HyperstackCall): Promise<void> {
  try {
    await call("GET", "/core/virtual-machines/0/hibernate", acceptedSchema);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.code === "unauthorised" || error.isPassing) throw error;
  }
}
