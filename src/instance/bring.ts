import type { UserPolicy } from "../fleet/report.ts";
import { flush } from "../lifecycle/model/outbox.ts";
import { policyContradictions } from "../lifecycle/model/policy-issues.ts";
import type { InstanceLife } from "./life.ts";
import type { Place, Unreadable } from "./outcomes.ts";
import { resume } from "./resume.ts";
import { settingsOf } from "./settings-of.ts";
import { readRow, writeAsIs } from "./stored/row.ts";
import { NOTHING_WAITS, type StoredInstance } from "./stored/stored-instance.ts";

/** How an instance leaves a service as a row of an export, and comes to another one. */

/** An instance as an export has it. */
export interface ExportedInstance extends Place {
  /** What its actor kept, as JSON. */
  readonly row: string;
  readonly historyShard: number;
  /** Of the user here, as the fleet has it. A version before this does not say it. */
  readonly policy?: UserPolicy;
  /** Ids up to here may have been used. */
  readonly lastId: number;
  /** When it was exported. */
  readonly exportedAt: number;
}

export type BringOutcome =
  | { readonly outcome: "brought" }
  /** There is one of this id already, which stays as it is. */
  | { readonly outcome: "known" }
  | { readonly outcome: "refused"; readonly because: string };

/** The row. Its heartbeats are in the history first, as far as that can be reached: so none is exported twice. */
export async function exported(life: InstanceLife): Promise<{ readonly row: string } | Unreadable | null> {
  const before = life.known();
  if (before === null) return life.unreadable();
  const state = flush(before.state);
  if (state !== before.state) life.save({ ...before, state });
  await life.outbox.empty();
  const stored = life.known();
  return stored === null ? life.unreadable() : { row: writeAsIs(stored) };
}

/** Goes on as it was, once it is heard. */
export async function bring(
  life: InstanceLife,
  { userId, instanceId, row, historyShard, policy, lastId, exportedAt }: ExportedInstance,
): Promise<BringOutcome> {
  if (life.unreadable() !== null || life.stored() !== null) return { outcome: "known" };
  const read = readRow(row);
  if (read.kind !== "stored") {
    return { outcome: "refused", because: read.kind === "none" ? "there is no state" : read.because };
  }
  const here = { userId, instanceId, historyShard, delivery: NOTHING_WAITS, suspended: false };
  const stored = underPolicy({ ...read.stored, ...here }, policy);
  const past = { origin: "import", lastId, tokenGeneration: 0, knownUntil: exportedAt } as const;
  try {
    await resume(life, stored, past);
  } catch (error) {
    return { outcome: "refused", because: error instanceof Error ? error.message : String(error) };
  }
  await life.outbox.empty();
  return { outcome: "brought" };
}

/** From its first moment here it goes by its user's policy here, as long as that does not contradict its own. */
function underPolicy(stored: StoredInstance, policy: UserPolicy | undefined): StoredInstance {
  if (policy === undefined) return stored;
  const { overrides, version, suspended = false } = policy;
  const known = { ...stored, userPolicyVersion: version, suspended };
  const asked = { ...known, userPolicy: overrides };
  return policyContradictions(settingsOf(asked), stored.state.profile.provider).length > 0 ? known : asked;
}
