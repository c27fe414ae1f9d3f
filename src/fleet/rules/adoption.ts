import type { ProviderKind } from "../../lifecycle/model/provider.ts";
import { referenceIssue } from "../../lifecycle/model/reference.ts";
import { hashText } from "../../platform/hash.ts";
import { gpuNames, type InventoryMachine, isUp } from "./inventory.ts";

/** How a machine of the inventory is registered as an instance, with nothing to be typed. */

/** Why a machine is not registered. */
export type AdoptionRefusal =
  | "unknown"
  | "gone"
  | "member"
  | "watched"
  | "bad_reference"
  | "bad_policy"
  | "too_many"
  | "unavailable";

interface Found extends InventoryMachine {
  readonly provider: ProviderKind;
  readonly watchedBy: string | null;
  /** Whether the present credentials of its connection have shown it, and are not refused. */
  readonly isCurrent: boolean;
}

/** Why nobody may watch the machine by itself; null when nothing stands against it. */
export function adoptionRefusal(machine: Found | null): AdoptionRefusal | null {
  if (machine === null) return "unknown";
  if (machine.vanishedAt !== null || machine.state === "terminated") return "gone";
  if (machine.memberOf !== null) return "member";
  if (machine.watchedBy !== null) return "watched";
  // Nobody could stop it, or these credentials are of another account.
  if (!machine.isCurrent) return "unavailable";
  return referenceIssue(machine.provider, machine.ref) === null ? null : "bad_reference";
}

/** Whether it is registered with all others: it bills, and nobody watches it. */
export function isToAdopt(machine: Found): boolean {
  return isUp(machine) && adoptionRefusal(machine) === null;
}

/** Ids for its instance, the best first: the reference, or the last part of a path, and one that only this machine has. */
export function adoptionIds({ ref }: Pick<InventoryMachine, "ref">): string[] {
  const last = ref.split("/").at(-1) ?? ref;
  const plain = last.replaceAll(/[^A-Za-z0-9._:-]/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  const base = plain === "" ? "machine" : plain.slice(0, 100);
  return [base, `${base}-${hashText(ref).toString(36)}`];
}

/** What it is called: as at its provider, or by its GPUs. */
export function adoptionName(machine: InventoryMachine): string {
  const own = machine.name?.trim() ?? "";
  if (own !== "") return own;
  return [gpuNames(machine) ?? [], machine.ref].flat().join(" ").slice(0, 200);
}
