import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  agedRow,
  type FleetFigures,
  type FleetRow,
  type FleetTotals,
  rowAfter,
} from "../../src/service/totals.ts";
import { figures, reports } from "./arbitraries.ts";

const NOTHING: FleetFigures = {
  instancesByStatus: {},
  isGuardClosed: false,
  hibernations: [],
  awake: 0,
  vote: null,
};

const BUSY: FleetFigures = {
  instancesByStatus: { running: 2, orphaned: 1 },
  isGuardClosed: true,
  hibernations: [{ reason: "idle", hibernations: 4, regretted: 1 }],
  awake: 2,
  vote: { closedAt: 5_000, seenAt: 1_000 },
};

function rowsAfter(arriving: readonly FleetTotals[]): Map<string, FleetRow> {
  const rows = new Map<string, FleetRow>();
  for (const totals of arriving) {
    const row = rowAfter(rows.get(totals.userId)?.number ?? 0, totals, 7);
    if (row !== null) rows.set(totals.userId, row);
  }
  return rows;
}

describe("a report", () => {
  it("takes the place of an older one, and of none that is newer", () => {
    expect(rowAfter(0, { userId: "a", number: 10, ...BUSY }, 3)).toEqual({
      number: 10,
      day: 3,
      figures: BUSY,
    });
    expect(rowAfter(10, { userId: "a", number: 9, ...NOTHING }, 4)).toBeNull();
    expect(rowAfter(10, { userId: "a", number: 10, ...NOTHING }, 4)).toBeNull();
    expect(rowAfter(10, { userId: "a", number: 11, ...NOTHING }, 4)).toMatchObject({ number: 11, day: 4 });
  });

  it("is equal as a text to another that says the same", () => {
    const { vote, awake, ...rest } = BUSY;
    const row = (of: FleetFigures) => JSON.stringify(rowAfter(0, { userId: "a", number: 1, ...of }, 0));
    expect(row({ awake, vote, ...rest })).toBe(row(BUSY));
  });

  it("may come in any order, and more than once", () => {
    const arrivals = reports.chain((made) =>
      fc.tuple(
        fc.constant(made),
        fc.shuffledSubarray([...made, ...made], { minLength: made.length * 2, maxLength: made.length * 2 }),
      ),
    );
    fc.assert(
      fc.property(arrivals, ([made, arriving]) => {
        expect(rowsAfter(arriving)).toEqual(rowsAfter(made));
      }),
    );
  });
});

describe("a fleet that is not heard", () => {
  const row: FleetRow = { number: 10, day: 3, figures: BUSY };

  it.each([
    [0, BUSY],
    [1, BUSY],
    [2, { ...BUSY, awake: 0, vote: null }],
    [29, { ...BUSY, awake: 0, vote: null }],
    [30, { ...NOTHING, hibernations: BUSY.hibernations }],
    [400, { ...NOTHING, hibernations: BUSY.hibernations }],
  ])("for %i whole days leaves what still counts", (silentDays, left) => {
    expect(agedRow(row, silentDays)).toEqual({ ...row, figures: left });
  });

  it("leaves nothing after 30 days if it never hibernated anything", () => {
    expect(agedRow({ ...row, figures: { ...BUSY, hibernations: [] } }, 29)).not.toBeNull();
    expect(agedRow({ ...row, figures: { ...BUSY, hibernations: [] } }, 30)).toBeNull();
  });

  it("leaves nothing after a day if it is empty", () => {
    const empty = { ...row, figures: { ...NOTHING, instancesByStatus: { running: 0 } } };
    expect(agedRow(empty, 0)).toEqual(empty);
    expect(agedRow(empty, 1)).toBeNull();
  });

  it.each<Partial<FleetFigures>>([
    { instancesByStatus: { hibernated: 1 } },
    { isGuardClosed: true },
    { hibernations: [{ reason: "idle", hibernations: 1, regretted: 0 }] },
    { awake: 1 },
    { vote: { closedAt: 1, seenAt: 1 } },
  ])("is not empty with %o", (part) => {
    expect(agedRow({ ...row, figures: { ...NOTHING, ...part } }, 1)).not.toBeNull();
  });

  it("ages the same in one step as day by day", () => {
    fc.assert(
      fc.property(figures, fc.integer({ min: 0, max: 40 }), (of, days) => {
        let daily: FleetRow | null = { number: 1, day: 0, figures: of };
        for (let day = 0; day <= days && daily !== null; day++) daily = agedRow(daily, day);
        expect(daily).toEqual(agedRow({ number: 1, day: 0, figures: of }, days));
      }),
    );
  });
});
