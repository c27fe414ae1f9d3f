import type { HistoryEvent } from "../../lifecycle/model/history-event.ts";
import { compilePolicy } from "../../lifecycle/model/policy.ts";
import { DEFAULT_POLICY, mergePolicy, type PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import { type GuardTurn, guardEvent } from "../../lifecycle/rules/guard-event.ts";
import {
  changeGuard,
  type GuardRule,
  type GuardWithOutage,
  longestHoldEnd,
  outageSpan,
  reviewGuard,
  voteRule,
} from "../../lifecycle/rules/outage-guard.ts";
import { LONGEST_REPORT_BACKOFF_MS } from "../report.ts";
import type { Counted, Silences } from "../tables/silences.ts";
import { type FleetState, serviceGuard } from "./state.ts";

/**
 * The outage guard of one user, and the user's vote on the service's. Both are reviewed whenever an instance falls silent,
 * is heard again or is gone, and whenever one asks. A change of the guard is an event, and the event is the alert.
 *
 * An instance that is silent but no orphan yet, by its own long `orphan_after_seconds`, counts as awake: the fleet cannot
 * know, since a steady heartbeat does not report. Once it is an orphan it counts with those who were last heard when it was.
 */

export interface OutageRules {
  readonly user: GuardRule;
  /** The rule of the service's default policy. */
  readonly standard: GuardRule;
  /** A silent instance reports its silence within this time, as long as the fleet can be reached. */
  readonly reportedWithinMs: number;
}

/** `since`: when the user's overrides were set. */
export function outageRules(overrides: PolicyOverrides, since: number, speed: number): OutageRules {
  return {
    user: { ...compilePolicy(mergePolicy(overrides), speed).guard, since },
    standard: { ...compilePolicy(DEFAULT_POLICY, speed).guard, since: 0 },
    reportedWithinMs: LONGEST_REPORT_BACKOFF_MS / speed,
  };
}

/** How the guard is told of silences, and that it has opened. */
type Counts = Pick<Silences, "count" | "beginEpoch">;

interface Change extends GuardTurn {
  readonly silent: number;
  readonly silentFrom: number | null;
}

/**
 * Reviews the guard and the vote, and gives back how they stand, with the events that tell of it. `seenAt`: the last sign of
 * life of the instance that reports, if it is silent; without it no guard closes.
 */
export function reviewOutage(
  state: FleetState,
  silences: Counts,
  rules: OutageRules,
  seenAt: number | null,
  now: number,
): { readonly state: FleetState; readonly events: readonly HistoryEvent[] } {
  const ofGuard = reviewOne("guard", state, silences, rules.user, seenAt, now);
  const rule = voteRule(rules.standard, rules.user, serviceGuard(state));
  const ofVote = reviewOne("vote", state, silences, rule, seenAt, now);
  // Unchanged it is the very same state, which need not be saved.
  if (ofGuard.changes.length === 0 && ofVote.changes.length === 0) return { state, events: [] };
  const events: HistoryEvent[] = [];
  let { guard } = state;
  for (const change of ofGuard.changes) {
    const silentFrom =
      change.to.closedAt === null ? guard.silentFrom : (change.silentFrom ?? change.to.seenFrom);
    guard = { ...change.to, silentFrom };
    events.push(guardEvent(change, { silent: change.silent, awake: state.awake }, "instances"));
  }
  const voted = ofVote.changes.at(-1)?.to;
  const vote = voted === undefined ? state.vote : { ...voted, seenAt: seenAt ?? state.vote.seenAt };
  const epochs = { guard: ofGuard.epoch, vote: ofVote.epoch };
  return { state: { ...state, guard, vote, epochs }, events };
}

/** The changes of the guard or of the vote, and its epoch after them. */
function reviewOne(
  counted: Counted,
  { [counted]: current, epochs, awake }: FleetState,
  silences: Counts,
  rule: GuardRule,
  seenAt: number | null,
  now: number,
): { readonly changes: readonly Change[]; readonly epoch: number } {
  const changes: Change[] = [];
  let guard: GuardWithOutage = current;
  let epoch = epochs[counted];
  // One that was due to open long ago may have to close for what has happened since: two changes at most.
  for (let turn = 0; turn < 2; turn++) {
    const span = outageSpan(guard, seenAt, rule);
    if (span === null) break;
    const found = silences.count(counted, epoch, span);
    const kind = reviewGuard(guard, { silent: found.silent, awake }, rule, now);
    if (kind === null) break;
    const to = changeGuard(guard, kind, span, rule, now);
    changes.push({ kind, from: guard, to, ...found });
    guard = to;
    if (to.closedAt === null) {
      epoch += 1;
      silences.beginEpoch(counted, epoch, to.openedAt ?? now);
    }
    if (kind !== "opens for good") break;
  }
  return { changes, epoch };
}

/**
 * When the guard or the vote ends by time alone; null when neither does. It must be reviewed then though nobody reports: of
 * instances that were left behind none may.
 */
export function outageEndsAt(state: FleetState, rules: OutageRules): number | null {
  const vote = voteRule(rules.standard, rules.user, serviceGuard(state));
  const ends = [endOf(state.guard, rules.user), endOf(state.vote, vote)].filter((end) => end !== null);
  return ends.length === 0 ? null : Math.min(...ends);
}

function endOf({ closedAt }: GuardWithOutage, rule: GuardRule): number | null {
  return closedAt === null || rule.maxHoldMs === Number.POSITIVE_INFINITY
    ? null
    : longestHoldEnd(closedAt, rule);
}
