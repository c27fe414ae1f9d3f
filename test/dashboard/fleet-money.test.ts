import { describe, expect, it } from "vitest";
import type { CostRow, CostsAnswer } from "../../src/dashboard/costs/answers.ts";
import { costToday, type FleetMoney, fleetMoney } from "../../src/dashboard/fleet/money.ts";
import { about } from "../../src/dashboard/format.ts";
import type { ShownView } from "../../src/lifecycle/views/instance-view.ts";
import { live } from "./live-view.ts";

const NOTHING: CostRow = {
  cost: 0,
  wasted: 0,
  saved: 0,
  hours: { working: 0, idle: 0, silent: 0, hibernated: 0 },
  cost_by_use: { working: 0, idle: 0, silent: 0, hibernated: 0 },
  unpriced_hours: 0,
};

const answer = (
  today: Partial<CostRow>,
  yesterday: Partial<CostRow>,
  forecast: number | null,
): CostsAnswer => ({
  to: "2026-11-27",
  rows: [
    { key: "2026-10-31", ...NOTHING, cost: 5000, saved: 5000, unpriced_hours: 7 },
    { key: "2026-11-26", ...NOTHING, ...yesterday },
    { key: "2026-11-27", ...NOTHING, ...today },
  ],
  total: NOTHING,
  now: { at: "2026-11-27T10:00:00Z" },
  forecast:
    forecast === null
      ? null
      : { cost: forecast, spent: 0, daily: 0, days_left: 3, closed_days: 7, unknown_rates: 0 },
  next_cursor: null,
});

const of = (instances: readonly ShownView[], costs: CostsAnswer | null = null): FleetMoney =>
  fleetMoney({ instances, unreadable: [] }, costs);

describe("the fleet's money", () => {
  it("is what all machines cost, and what those cost that do nothing for it", () => {
    const money = of([
      live("a", { rate: 2.5 }),
      live("b", { rate: 0.5, health: "idle" }),
      live("c", { rate: 0.25, status: "orphaned", health: "unhealthy" }),
      live("free", { rate: 0, health: "idle" }),
      live("asleep", { rate: 0.01, status: "hibernated", health: "inactive" }),
      live("gone", { rate: 0, status: "deleted", health: "inactive" }),
    ]);
    expect(money).toEqual({
      rate: { dollars: 3.26, isMore: false },
      day: { dollars: expect.closeTo(78.24, 9), isMore: false },
      wasted: { dollars: 0.75, isMore: false, machines: 2, areOrphans: false },
      unknown: [],
      today: null,
      month: null,
    });
  });

  it("takes no price that nobody knows for nothing, and names whose it is", () => {
    const unpriced = live("b", { name: "Rig B", health: "idle" });
    expect(of([live("a", { rate: 2 }), unpriced])).toMatchObject({
      rate: { dollars: 2, isMore: true },
      wasted: { dollars: null, isMore: true, machines: 1 },
      unknown: ["Rig B"],
    });
    expect(of([unpriced]).rate).toEqual({ dollars: null, isMore: true });
    const unreadable = [{ instance_id: "x", error: { code: "unreadable", message: "" } } as const];
    expect(fleetMoney({ instances: [live("a", { rate: 2 })], unreadable }, null)).toMatchObject({
      rate: { dollars: 2, isMore: true },
      unknown: ["x"],
    });
    expect(costToday({ cost_today: 0, cost_source: "unknown" })).toBe(null);
    expect(costToday({ cost_today: 0, cost_source: "computed" })).toBe(0);
  });

  it("is wasted by orphans where all that waste are, and by nobody where none does", () => {
    const lost = live("c", { rate: 0.25, status: "orphaned", health: "unhealthy" });
    expect(of([lost]).wasted).toMatchObject({ machines: 1, areOrphans: true });
    expect(of([live("a", { rate: 1 })]).wasted).toMatchObject({ machines: 0, areOrphans: false });
  });

  it("has today's and the month's as the service says them, and nothing of the month before", () => {
    expect(of([], answer({ cost: 96.2, saved: 10 }, { cost: 3100, saved: 200 }, 3912))).toMatchObject({
      today: { dollars: 96.2, isMore: false },
      month: { dollars: 3912, isMore: false, isForecast: true, saved: 210 },
    });
    expect(of([], answer({ unpriced_hours: 3 }, { cost: 12 }, null))).toMatchObject({
      today: { dollars: null, isMore: true },
      month: { dollars: 12, isMore: true, isForecast: false },
    });
    const unpriced = answer({ unpriced_hours: 3 }, { unpriced_hours: null }, 0);
    expect(of([], unpriced).month).toEqual({ dollars: null, isMore: true, isForecast: false, saved: 0 });
    const tomorrow = { ...answer({}, {}, null), now: { at: "2026-11-28T00:00:01Z" } };
    expect(of([], tomorrow).today).toBe(null);
    expect(of([], { ...answer({}, {}, null), rows: [] }).today).toEqual({ dollars: 0, isMore: false });
  });
});

it("what is only foretold is rounded", () => {
  expect([3912, 392, 39.2, 3.92].map((dollars) => about(dollars, "en"))).toEqual([
    "$3,900",
    "$390",
    "$39",
    "$3.92",
  ]);
});
