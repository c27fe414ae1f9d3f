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
  const outages =
    guard.closedAt === null ? possibleOutages(guard, census, rule, now) : presentOutage(guard, census, rule);
  for (const { span, count } of outages) {
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

/** For each moment of a vote that stands, earliest first: the outage around it. */
function* possibleOutages(
  guard: GuardWithOutage,
  { votes, awakeUsers }: Census,
  rule: ServiceRule,
  now: number,
): Generator<Outage> {
  const standing = votes
    .filter(({ closedAt }) => latest(closedAt, rule) + rule.voteLastsMs >= now)
    .sort((a, b) => a.seenAt - b.seenAt);
  let users = 0;
  let awake = 0;
  const add = (vote: VoteCount | undefined, times: 1 | -1, orphanedAfter: number) => {
    if (vote === undefined || latest(vote.closedAt, rule) <= orphanedAfter) return;
    users += times * vote.users;
    awake += times * vote.awake;
  };
  let from = 0;
  let until = 0;
  for (const { seenAt } of standing) {
    const span = outageSpan(guard, seenAt, rule.guard);
    if (span === null) continue;
    while ((standing[until]?.seenAt ?? Number.POSITIVE_INFINITY) <= span.seenUntil) {
      add(standing[until++], 1, span.orphanedAfter);
    }
    while (latest(standing[from]?.seenAt ?? Number.POSITIVE_INFINITY, rule) < span.seenFrom) {
      add(standing[from++], -1, span.orphanedAfter);
    }
    yield { span, count: { silent: users, awake: awakeUsers - awake } };
  }
}

/** The outage that closed the guard. */
function* presentOutage(
  guard: GuardWithOutage,
  { votes, awakeUsers }: Census,
  rule: ServiceRule,
): Generator<Outage> {
  const span = outageSpan(guard, null, rule.guard);
  if (span === null) return;
  const together = votes.filter(
    ({ seenAt, closedAt }) =>
      latest(seenAt, rule) >= span.seenFrom &&
      seenAt <= span.seenUntil &&
      latest(closedAt, rule) > span.orphanedAfter,
  );
  const sum = (of: (votes: VoteCount) => number) => together.reduce((total, each) => total + of(each), 0);
  yield { span, count: { silent: sum(({ users }) => users), awake: awakeUsers - sum(({ awake }) => awake) } };
}

/** The last moment that may have been rounded down to this one: a vote that may belong counts. */
function latest(rounded: number, { voteStepMs }: ServiceRule): number {
  return rounded + voteStepMs - 1;
}
