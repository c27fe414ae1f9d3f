import { compilePolicy } from "../lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../lifecycle/model/policy-settings.ts";
import type { GuardTurn } from "../lifecycle/rules/guard-event.ts";
import {
  changeGuard,
  type FleetCount,
  type GuardRule,
  type GuardWithOutage,
  type OutageSpan,
  outageSpan,
  reviewGuard,
  serviceRule,
} from "../lifecycle/rules/outage-guard.ts";
import type { VoteCount } from "./aggregate.ts";

/** The service-wide mass-outage guard: what the users' votes mean for it. */

/** All users: the votes that stand, and how many users have an instance that is awake, voters among them. */
interface Census {
  readonly votes: readonly VoteCount[];
  readonly awakeUsers: number;
}

export interface ServiceRule {
  readonly guard: GuardRule;
  /** Votes are counted by moments rounded down to this: a minute of the standard window of ten. */
  readonly voteStepMs: number;
  /** A vote that was cast so long ago stands no more while the guard is open. */
  readonly voteLastsMs: number;
}

/** The rule of the service's guard, which goes by the default policy: no user's own settings move it. */
export function ruleAtSpeed(simulationSpeed: number): ServiceRule {
  const standard = compilePolicy(DEFAULT_POLICY, simulationSpeed).guard;
  return {
    guard: serviceRule(standard),
    voteStepMs: Math.max(1, Math.floor(standard.windowMs / 10)),
    voteLastsMs: standard.maxHoldMs,
  };
}

/** A change of the guard, and what it was made for. */
interface ServiceGuardChange extends GuardTurn {
  readonly count: FleetCount;
}

/**
 * What the votes mean for the guard; null when it stays as it is. An open one closes for the earliest outage that is big
 * enough. A closed one doesn't open before `opensFrom`.
 */
export function reviewServiceGuard(
  guard: GuardWithOutage,
  census: Census,
  rule: ServiceRule,
  opensFrom: number,
  now: number,
): ServiceGuardChange | null {
  const moments =
    guard.closedAt === null
      ? [...new Set(census.votes.map(({ seenAt }) => seenAt))].sort((a, b) => a - b)
      : [null];
  for (const seenAt of moments) {
    const span = outageSpan(guard, seenAt, rule.guard);
    if (span === null) continue;
    const count = countUsers(census, span, rule.voteStepMs);
    const kind = reviewGuard(guard, count, rule.guard, now);
    if (kind === null || (kind !== "closes" && now < opensFrom)) continue;
    return { kind, from: guard, to: changeGuard(guard, kind, span, rule.guard, now), count };
  }
  return null;
}

/**
 * Counts the users who vote for the same outage, and the other users who are awake. Moments are rounded, so a vote that may
 * belong counts.
 */
function countUsers({ votes, awakeUsers }: Census, span: OutageSpan, stepMs: number): FleetCount {
  const latest = (rounded: number) => rounded + stepMs - 1;
  const together = votes.filter(
    ({ seenAt, closedAt }) =>
      latest(seenAt) >= span.seenFrom && seenAt <= span.seenUntil && latest(closedAt) > span.orphanedAfter,
  );
  const sum = (of: (votes: VoteCount) => number) => together.reduce((total, each) => total + of(each), 0);
  return { silent: sum(({ users }) => users), awake: awakeUsers - sum(({ awake }) => awake) };
}
