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

const TALLIES = aggregateSchema.keyof().options;

/** The sum of parts that come and go. A change costs what it changes, however much there is. */
export class Sum {
  readonly #tallies = {
    instancesByStatus: new Map<string, number>(),
    hibernations: new Map<string, number>(),
    regretted: new Map<string, number>(),
    users: new Map<string, number>(),
    votes: new Map<string, number>(),
    awakeVotes: new Map<string, number>(),
  };

  /** Puts `to` in the place of `from`; null is nothing. */
  replace(from: Aggregate | null, to: Aggregate | null): void {
    for (const name of TALLIES) {
      if (from !== null) count(this.#tallies[name], from[name], -1);
      if (to !== null) count(this.#tallies[name], to[name], 1);
    }
  }

  get total(): Aggregate {
    const tally = (name: keyof Aggregate) => Object.fromEntries(this.#tallies[name]);
    return {
      instancesByStatus: tally("instancesByStatus"),
      hibernations: tally("hibernations"),
      regretted: tally("regretted"),
      users: tally("users"),
      votes: tally("votes"),
      awakeVotes: tally("awakeVotes"),
    };
  }
}

/** Users who vote "silent" with the same moments. */
export interface VoteCount extends Vote {
  readonly users: number;
  /** Those of them who also have an instance that is awake. */
  readonly awake: number;
}

export function votesOf({ votes, awakeVotes }: Aggregate): VoteCount[] {
  return Object.entries(votes).map(([key, users]) => {
    const slash = key.indexOf("/");
    const [seenAt, closedAt] = [Number(key.slice(0, slash)), Number(key.slice(slash + 1))];
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

/** The sum of two tallies. */
export function addTally(sum: Tally, part: Tally): Tally {
  const total = new Map(Object.entries(sum));
  count(total, part, 1);
  return Object.fromEntries(total);
}

/** What counts nothing is dropped. */
function count(total: Map<string, number>, part: Tally, times: 1 | -1): void {
  for (const [key, counted] of Object.entries(part)) {
    const after = (total.get(key) ?? 0) + times * counted;
    if (after === 0) total.delete(key);
    else total.set(key, after);
  }
}

function voteKey({ seenAt, closedAt }: Vote, stepMs: number): string {
  const rounded = (moment: number) => Math.floor(moment / stepMs) * stepMs;
  return `${rounded(seenAt)}/${rounded(closedAt)}`;
}

function positive(entries: readonly (readonly [string, number])[]): Tally {
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}

/** A reason that is named twice counts with both. */
function byReason(
  hibernations: readonly HibernationCount[],
  figure: (of: HibernationCount) => number,
): Tally {
  return hibernations.reduce<Tally>(
    (sum, each) => addTally(sum, positive([[each.reason, figure(each)]])),
    {},
  );
}
