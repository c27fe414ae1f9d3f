import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Aggregate,
  addTally,
  aggregateOf,
  hibernationsOf,
  NO_FLEETS,
  Sum,
  votesOf,
} from "../../src/service/aggregate.ts";
import { type FleetRow, rowAfter } from "../../src/service/totals.ts";
import { figures, reports, SIX_USERS } from "./arbitraries.ts";

const MINUTE = 60_000;

const fleet = {
  instancesByStatus: { running: 2, deleted: 0 },
  isGuardClosed: true,
  hibernations: [
    { reason: "idle", hibernations: 4, regretted: 1 },
    { reason: "orphan", hibernations: 2, regretted: 0 },
  ],
  awake: 2,
  vote: { closedAt: 5 * MINUTE + 1, seenAt: MINUTE - 1 },
};

const total = (tally: Readonly<Record<string, number>>) =>
  Object.values(tally).reduce((sum, count) => sum + count, 0);

function sumOf(parts: readonly Aggregate[]): Aggregate {
  const sum = new Sum();
  for (const part of parts) sum.replace(null, part);
  return sum.total;
}

describe("an aggregate", () => {
  it("holds a fleet's figures, and its vote by the minute", () => {
    const aggregate = aggregateOf(fleet, MINUTE);
    expect(aggregate).toEqual({
      instancesByStatus: { running: 2 },
      hibernations: { idle: 4, orphan: 2 },
      regretted: { idle: 1 },
      users: { awake: 1, guard_closed: 1 },
      votes: { "0/300000": 1 },
      awakeVotes: { "0/300000": 1 },
    });
    expect(votesOf(aggregate)).toEqual([{ seenAt: 0, closedAt: 5 * MINUTE, users: 1, awake: 1 }]);
    expect(hibernationsOf(aggregate)).toEqual(fleet.hibernations);
  });

  it("counts a voter without an instance awake as silent alone", () => {
    expect(votesOf(aggregateOf({ ...fleet, awake: 0 }, MINUTE))).toEqual([
      { seenAt: 0, closedAt: 5 * MINUTE, users: 1, awake: 0 },
    ]);
  });

  it("kept by what each report changes is what a recount gives", () => {
    fc.assert(
      fc.property(reports, (made) => {
        const rows = new Map<string, FleetRow>();
        const kept = new Sum();
        for (const totals of made) {
          const known = rows.get(totals.userId) ?? null;
          const row = rowAfter(known?.number ?? 0, totals, 0);
          if (row === null) throw new Error("they come in their order");
          const former = known === null ? null : aggregateOf(known.figures, MINUTE);
          kept.replace(former, aggregateOf(row.figures, MINUTE));
          rows.set(totals.userId, row);
        }
        const parts = [...rows.values()].map((row) => aggregateOf(row.figures, MINUTE));
        expect(kept.total).toEqual(sumOf(parts));
      }),
    );
  });

  it("is the same however the fleets are spread over shards", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(figures, fc.integer({ min: 0, max: 3 }))), (spread) => {
        const parts = spread.map(([of]) => aggregateOf(of, MINUTE));
        const shards = [0, 1, 2, 3].map((shard) =>
          sumOf(parts.filter((_, index) => spread[index]?.[1] === shard)),
        );
        expect(sumOf(shards)).toEqual(sumOf(parts));
      }),
    );
  });

  it("has a vote of each user at most once, whatever the user reports, and nothing once all are gone", () => {
    fc.assert(
      fc.property(reports, (made) => {
        const rows = new Map<string, FleetRow>();
        for (const totals of made) {
          const row = rowAfter(rows.get(totals.userId)?.number ?? 0, totals, 0);
          if (row !== null) rows.set(totals.userId, row);
        }
        const parts = [...rows.values()].map((row) => aggregateOf(row.figures, MINUTE));
        const sum = sumOf(parts);
        expect(total(sum.votes)).toBeLessThanOrEqual(SIX_USERS.length);
        expect(total(sum.votes)).toBe(
          [...rows.values()].filter(({ figures }) => figures.vote !== null).length,
        );
        for (const [key, awake] of Object.entries(sum.awakeVotes)) {
          expect(awake).toBeLessThanOrEqual(sum.votes[key] ?? 0);
        }
        const left = new Sum();
        left.replace(null, sum);
        for (const part of parts) left.replace(part, null);
        expect(left.total).toEqual(NO_FLEETS);
      }),
    );
  });
});

it("tallies take any word as a key, and drop what counts nothing", () => {
  expect(addTally({ a: 1 }, {})).toEqual({ a: 1 });
  expect(addTally({ a: 1 }, { constructor: 2, a: 3 })).toEqual({ a: 4, constructor: 2 });
  expect(addTally({ a: 1, b: 2 }, { a: -1 })).toEqual({ b: 2 });
});
