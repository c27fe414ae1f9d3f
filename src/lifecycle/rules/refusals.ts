import type { Status } from "../model/phase.ts";
import { abilitiesOf, type ConnectedProvider, kindOf } from "../model/provider.ts";
import { onlyDeletes, stopsSilent, whyNotStopped } from "../model/stopping.ts";

/** Why what the owner asks for is refused. */

export interface Refusal {
  readonly code:
    | "hibernated"
    | "hibernating"
    | "deleted"
    | "not_possible"
    | "no_provider"
    | "busy"
    | "suspended"
    // Why a round spares one.
    | "pending"
    | "kept_alive"
    | "not_idle"
    | "changed";
  readonly message: string;
}

/** What the owner, or whoever has a link, is told while the user is suspended. */
export const SUSPENDED: Refusal = {
  code: "suspended",
  message:
    "The operator has suspended this account: nothing is watched and nothing is done until it is resumed",
};

/** Why an instance of this provider and status can't be hibernated; null when it can. */
export function hibernationRefusal(provider: ConnectedProvider, status: Status): Refusal | null {
  const { hibernates, reachesSilent } = abilitiesOf(provider);
  switch (status) {
    case "hibernating":
    case "hibernated":
      return { code: status, message: `The instance is ${status} already` };
    case "deleted":
      return { code: "deleted", message: "The instance is deleted" };
    case "waking":
    case "deleting":
      return { code: "busy", message: `The instance is ${status}` };
    case "pending":
    case "orphaned":
      if (!reachesSilent) {
        return {
          code: "no_provider",
          message: `The instance is silent, and its provider (${kindOf(provider)}) cannot reach it`,
        };
      }
      return onlyDeletes(provider) ? cannotStop(provider) : null;
    case "running":
      if (onlyDeletes(provider)) return cannotStop(provider);
      return hibernates === "never"
        ? { code: "no_provider", message: "The instance has no provider that could hibernate it" }
        : null;
  }
}

function cannotStop(provider: ConnectedProvider): Refusal {
  return { code: "no_provider", message: `${whyNotStopped(provider)}: delete it where it is rented` };
}

/** Why an instance of this provider and status can't be woken; null when it can. */
export function wakeRefusal(provider: ConnectedProvider, status: Status): Refusal | null {
  if (status === "deleted") return { code: "deleted", message: "The instance is deleted" };
  if (status !== "hibernated") {
    return { code: "not_possible", message: `The instance is ${status}, not hibernated` };
  }
  return stopsSilent(provider)
    ? null
    : {
        code: "no_provider",
        message: `Its provider (${kindOf(provider)}) cannot wake it: start it where it is rented, and its first heartbeat will be noticed`,
      };
}
