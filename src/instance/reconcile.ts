import { type ComparedRow, saidBy } from "../fleet/report.ts";
import type { InstanceLife } from "./life.ts";
import { rowOf } from "./targets.ts";

/** How an instance is held against what the registry says of it. */

export type InstanceDifference =
  /** The registry has no row of it. */
  | "actor_without_row"
  /** The row says something else than the instance, and no report waits that would tell it. */
  | "row_outdated"
  /** The row is of a later revision: the instance's storage was set back. */
  | "actor_set_back"
  /** It has to be woken, and no alarm would. */
  | "alarm_lost";

export interface Reconciled {
  readonly presence: "known" | "leaving" | "unreadable" | "unknown";
  readonly differences: readonly InstanceDifference[];
}

/**
 * Compares, and mends unless it is only to `look`: a report is queued, and one that was set back goes on from now. An alarm is
 * armed in any case. Nothing else is done, so this can be done at any time. `row`: null where the registry has none.
 */
export async function reconcile(
  life: InstanceLife,
  row: ComparedRow | null,
  look: boolean,
): Promise<Reconciled> {
  if (life.unreadable() !== null) return { presence: "unreadable", differences: [] };
  if (life.known() === null) {
    const presence = (await life.goOnLeaving()) === "known" ? "leaving" : "unknown";
    return { presence, differences: [] };
  }
  const difference = differenceTo(life, row);
  if (!look && difference !== null) await mend(life, row, difference);
  const isAlarmLost = await life.rearm();
  life.outbox.emptySoon();
  return {
    presence: "known",
    differences: [
      ...(difference === null ? [] : [difference]),
      ...(isAlarmLost ? ["alarm_lost" as const] : []),
    ],
  };
}

type RowDifference = Exclude<InstanceDifference, "alarm_lost">;

function differenceTo(life: InstanceLife, row: ComparedRow | null): RowDifference | null {
  const stored = life.known();
  if (stored === null) return null;
  if (row !== null && row.revision > stored.state.nextEffectId) return "actor_set_back";
  // It is about to be told.
  if (stored.state.outbox.some(({ effect }) => effect.type === "projection")) return null;
  if (row === null) return "actor_without_row";
  const own = rowOf(stored, life.policy(stored), Date.now());
  return saidBy(own) === row.says ? null : "row_outdated";
}

async function mend(life: InstanceLife, row: ComparedRow | null, difference: RowDifference): Promise<void> {
  switch (difference) {
    case "actor_set_back":
      return life.setBackFrom(row?.revision ?? 0);
    case "actor_without_row":
    case "row_outdated":
      return life.queueReport();
  }
}
