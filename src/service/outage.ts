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
  const standard = { ...compilePolicy(DEFAULT_POLICY, simulationSpeed).guard, since: 0 };
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
  for (const { span, count } of outages(guard, census, rule, now)) {
    const kind = reviewGuard(guard, count, rule.guard, now);
    if (kind === null || (kind !== "closes" && now < opensFrom)) continue;
    return { kind, from: guard, to: changeGuard(guard, kind, span, rule.guard, now), count };
  }
  return null;
}

interface Outage {
  readonly span: OutageSpan;
  /** The users who vote for it, and the other users who are awake. */
  readonly count: FleetCount;
}

/**
 * The outages to look at: the one that closed the guard, or around each vote that stands, earliest first, one of its own. Votes
 * come in and go out as these move along, so that all together cost one pass.
 */
function* outages(
  guard: GuardWithOutage,
  { votes, awakeUsers }: Census,
  rule: ServiceRule,
  now: number,
): Generator<Outage> {
  const isOpen = guard.closedAt === null;
  const standing = votes
    .filter(({ closedAt }) => !isOpen || latest(closedAt, rule) + rule.voteLastsMs >= now)
    .sort((a, b) => a.seenAt - b.seenAt);
  let silent = 0;
  let voting = 0;
  const count = ({ closedAt, users, awake }: VoteCount, { orphanedAfter }: OutageSpan, times: 1 | -1) => {
    if (latest(closedAt, rule) <= orphanedAfter) return;
    silent += times * users;
    voting += times * awake;
  };
  let [first, end] = [0, 0];
  for (const seenAt of isOpen ? standing.map((vote) => vote.seenAt) : [null]) {
    const span = outageSpan(guard, seenAt, rule.guard);
    if (span === null) continue;
    for (
      let vote = standing[end];
      vote !== undefined && vote.seenAt <= span.seenUntil;
      vote = standing[++end]
    ) {
      count(vote, span, 1);
    }
    for (
      let vote = standing[first];
      vote !== undefined && latest(vote.seenAt, rule) < span.seenFrom;
      vote = standing[++first]
    ) {
      count(vote, span, -1);
    }
    yield { span, count: { silent, awake: awakeUsers - voting } };
  }
}

/** The last moment that may have been rounded down to this one: a vote that may belong counts. */
function latest(rounded: number, { voteStepMs }: ServiceRule): number {
  return rounded + voteStepMs - 1;
}
