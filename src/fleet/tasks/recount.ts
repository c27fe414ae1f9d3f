import type { Fleet } from "../fleet.ts";
import { countAll, withTotalsDue } from "../rules/state.ts";
import type { Silences } from "../tables/silences.ts";

/** What a fleet has counted, report by report, held against all of its rows. */
export interface Recounted {
  /** Instances by status, or those that are awake, differed. */
  readonly counts: boolean;
  /** Silences by the minute differed, for the guard or for the vote. */
  readonly silences: boolean;
}

/** Counts anew, in one transaction, and keeps what the rows say. The service hears the totals again in any case. */
export function recount(fleet: Fleet, sql: SqlStorage, silences: Silences, now: number): Recounted {
  return fleet.change((state) => {
    const groups = sql
      .exec<{ status: string; instances: number; heard: number }>(
        `SELECT status, COUNT(*) AS instances, COUNT(*) - COUNT(silent_since) AS heard
         FROM instances GROUP BY status ORDER BY status`,
      )
      .toArray();
    const counted = countAll(groups);
    const isRight =
      counted.awake === state.awake &&
      JSON.stringify(sorted(counted.instancesByStatus)) === JSON.stringify(sorted(state.instancesByStatus));
    const guard = silences.recount("guard", state.epochs.guard, state.guard.openedAt ?? 0);
    const vote = silences.recount("vote", state.epochs.vote, state.vote.openedAt ?? 0);
    const next = isRight ? state : { ...state, ...counted };
    return { state: withTotalsDue(next, now), result: { counts: !isRight, silences: guard || vote } };
  });
}

function sorted(counts: Readonly<Record<string, number>>): (readonly [string, number])[] {
  return Object.entries(counts).sort(([one], [other]) => (one < other ? -1 : 1));
}
