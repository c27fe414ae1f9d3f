import { z } from "zod";
import type { FleetFigures, HibernationCount, Vote } from "./totals.ts";

/** Many fleets in one: sums that a single report moves by what changed, without a look at the other fleets. */

/** Counts by key. A key that counts nothing is left out. */
export type Tally = Readonly<Record<string, number>>;

const tallySchema = z.record(z.string(), z.number());

export const aggregateSchema = z.object({
  instancesByStatus: tallySchema,
  /** Hibernations by reason, and those of them that were regretted. */
  hibernations: tallySchema,
  regretted: tallySchema,
  /** Users with an instance that is awake (`awake`), and users whose guard is closed (`guard_closed`). */
  users: tallySchema,
  /** Users who vote "silent", by the moments of the vote; and those of them who also have an instance that is awake. */
  votes: tallySchema,
  awakeVotes: tallySchema,
});

export type Aggregate = Readonly<z.infer<typeof aggregateSchema>>;

export const NO_FLEETS: Aggregate = {
  instancesByStatus: {},
  hibernations: {},
  regretted: {},
  users: {},
  votes: {},
  awakeVotes: {},
};

/**
 * What one fleet adds. Its vote counts once, whatever it holds, by moments rounded down to `voteStepMs`: that bounds how
 * many kinds of votes there are.
 */
export function aggregateOf(figures: FleetFigures, voteStepMs: number): Aggregate {
  const { vote } = figures;
  const votes = vote === null ? {} : { [voteKey(vote, voteStepMs)]: 1 };
  const isAwake = figures.awake > 0;
  return {
    instancesByStatus: positive(Object.entries(figures.instancesByStatus)),
    hibernations: byReason(figures.hibernations, ({ hibernations }) => hibernations),
    regretted: byReason(figures.hibernations, ({ regretted }) => regretted),
    users: positive([
      ["awake", isAwake ? 1 : 0],
      ["guard_closed", figures.isGuardClosed ? 1 : 0],
    ]),
    votes,
    awakeVotes: isAwake ? votes : {},
  };
}

export function add(sum: Aggregate, part: Aggregate): Aggregate {
  return combine(sum, part, 1);
}

export function subtract(sum: Aggregate, part: Aggregate): Aggregate {
  return combine(sum, part, -1);
}

/** Users who vote "silent" with the same moments. */
export interface VoteCount extends Vote {
  readonly users: number;
  /** Those of them who also have an instance that is awake. */
  readonly awake: number;
}

export function votesOf({ votes, awakeVotes }: Aggregate): VoteCount[] {
  return Object.entries(votes).map(([key, users]) => {
    const [seenAt = 0, closedAt = 0] = key.split("/").map(Number);
    return { seenAt, closedAt, users, awake: awakeVotes[key] ?? 0 };
  });
}

export function hibernationsOf({ hibernations, regretted }: Aggregate): HibernationCount[] {
  return Object.entries(hibernations).map(([reason, count]) => ({
    reason,
    hibernations: count,
    regretted: regretted[reason] ?? 0,
  }));
}

/** The sum of two tallies, the second taken `times` times. */
export function addTally(sum: Tally, part: Tally, times = 1): Tally {
  const added = Object.entries(part);
  if (added.length === 0) return sum;
  const total = new Map(Object.entries(sum));
  for (const [key, count] of added) total.set(key, (total.get(key) ?? 0) + times * count);
  return Object.fromEntries([...total].filter(([, count]) => count !== 0));
}

function combine(sum: Aggregate, part: Aggregate, times: 1 | -1): Aggregate {
  return {
    instancesByStatus: addTally(sum.instancesByStatus, part.instancesByStatus, times),
    hibernations: addTally(sum.hibernations, part.hibernations, times),
    regretted: addTally(sum.regretted, part.regretted, times),
    users: addTally(sum.users, part.users, times),
    votes: addTally(sum.votes, part.votes, times),
    awakeVotes: addTally(sum.awakeVotes, part.awakeVotes, times),
  };
}

function voteKey({ seenAt, closedAt }: Vote, stepMs: number): string {
  const rounded = (moment: number) => Math.floor(moment / stepMs) * stepMs;
  return `${rounded(seenAt)}/${rounded(closedAt)}`;
}

function positive(entries: readonly (readonly [string, number])[]): Tally {
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}

/** A reason that is named twice counts with both. */
function byReason(hibernations: readonly HibernationCount[], count: (of: HibernationCount) => number): Tally {
  return hibernations.reduce<Tally>((sum, each) => addTally(sum, positive([[each.reason, count(each)]])), {});
}
