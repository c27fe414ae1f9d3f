import { describe, expect, it } from "vitest";
import { costsOfView, rowsByDay, rowsByStatus } from "../../../src/api/costs/rows.ts";
import { type CostTotals, NO_COSTS } from "../../../src/lifecycle/model/ledger.ts";
import { HOUR_MS } from "../../../src/lifecycle/model/time.ts";

const spent = (hours: number, dollars: number) => ({ ms: hours * HOUR_MS, dollars });

const ALL: CostTotals = {
  working: spent(10, 4),
  idle: spent(2, 0.8),
  silent: spent(1, 0.4),
  hibernated: spent(11, 0.11),
  wasted: 0.5,
  saved: 4.29,
  reported: 3,
  unpricedMs: 0,
};

describe("rows of costs", () => {
  it("are in dollars and hours, and in all as much as by use", () => {
    expect(costsOfView(ALL)).toEqual({
      cost: 5.31,
      wasted: 0.5,
      saved: 4.29,
      hours: { working: 10, idle: 2, silent: 1, hibernated: 11 },
      cost_by_use: { working: 4, idle: 0.8, silent: 0.4, hibernated: 0.11 },
      reported: 3,
      unpriced_hours: 0,
    });
  });

  it("leave out days of which nothing is known, and keep those whose price is not", () => {
    const day = Date.UTC(2030, 0, 17);
    const unpriced = { ...NO_COSTS, working: spent(1, 0), unpricedMs: HOUR_MS };
    const rows = rowsByDay([
      { day, costs: NO_COSTS },
      { day: day + 24 * HOUR_MS, costs: unpriced },
    ]);
    expect(rows).toMatchObject([{ key: "2030-01-18", cost: 0, unpriced_hours: 1 }]);
  });

  it("by status say of each use what is known apart, and null where it is not", () => {
    const rows = rowsByStatus(ALL);
    expect(
      rows.map(({ key, cost, wasted, saved, reported }) => [key, cost, wasted, saved, reported]),
    ).toEqual([
      ["working", 4, 0, 0, null],
      ["idle", 0.8, null, 0, null],
      ["silent", 0.4, null, 0, null],
      ["hibernated", 0.11, 0, 4.29, 0],
    ]);
    expect(rows.map(({ unpriced_hours }) => unpriced_hours)).toEqual([0, 0, 0, 0]);
    expect(rows[1]).toMatchObject({ hours: { working: 0, idle: 2 }, cost_by_use: { working: 0, idle: 0.8 } });
  });

  it("by status give all of it to the only use that can have it", () => {
    const silent = {
      ...NO_COSTS,
      silent: spent(3, 1.2),
      hibernated: spent(1, 0),
      wasted: 1,
      unpricedMs: HOUR_MS,
    };
    expect(rowsByStatus(silent)).toMatchObject([
      { key: "silent", wasted: 1, reported: 0, unpriced_hours: null },
      { key: "hibernated", wasted: 0, reported: 0, unpriced_hours: null },
    ]);
    expect(rowsByStatus(NO_COSTS)).toEqual([]);
  });
});
