import { describe, expect, it } from "vitest";
import { type KeyedRow, savedOf, wastedOf } from "../../src/dashboard/costs/answers.ts";
import { chartOf, usesOf } from "../../src/dashboard/costs/bars.ts";
import {
  EVERYTHING,
  isWithin,
  type KillLine,
  type KillPlan,
  requestOf,
} from "../../src/dashboard/costs/kill.ts";
import { daysOf, lastDays, presetOf, problemOf } from "../../src/dashboard/costs/range.ts";
import { type CostColumn, sortedRows } from "../../src/dashboard/costs/sorted.ts";

const SIZE = { width: 364, height: 130 };

const near = (pixels: number) => expect.closeTo(pixels);

const row = (key: string, more: Partial<KeyedRow> = {}): KeyedRow => ({
  key,
  cost: 0,
  wasted: 0,
  saved: 0,
  hours: { working: 0, idle: 0, silent: 0, hibernated: 0 },
  cost_by_use: { working: 0, idle: 0, silent: 0, hibernated: 0 },
  unpriced_hours: 0,
  ...more,
});

describe("the bars", () => {
  const days = ["2026-11-25", "2026-11-26", "2026-11-27"];
  const busy = row("2026-11-26", {
    cost: 50,
    wasted: 15,
    saved: 20,
    cost_by_use: { working: 29, idle: 10, silent: 10, hibernated: 1 },
  });
  const chart = chartOf(days, [busy, row("2026-11-27", { unpriced_hours: 2 })], SIZE);

  it("are as high as a day has cost, use upon use, on a scale of round numbers", () => {
    expect(chart.ticks.map(({ dollars }) => dollars)).toEqual([0, 10, 20, 30, 40, 50]);
    expect(chart.ticks.map(({ y }) => y)).toEqual([108, 88, 68, 48, 28, 8]);
    const [none, bar, unpriced] = chart.bars;
    expect(none).toMatchObject({ row: null, pieces: [], wasted: null, saved: null });
    expect(bar?.pieces).toEqual([
      { use: "hibernated", y: near(106), height: near(2) },
      { use: "working", y: near(48), height: near(58) },
      { use: "idle", y: near(28), height: near(20) },
      { use: "silent", y: near(8), height: near(20) },
    ]);
    expect(unpriced?.row?.unpriced_hours).toBe(2);
  });

  it("have what was wasted on top, and beside them what was saved", () => {
    expect(chart.bars[1]?.wasted).toEqual({ y: near(8), height: near(30) });
    expect(chart.bars[1]?.saved).toMatchObject({ y: near(68), height: near(40) });
    const tooMuch = { ...busy, wasted: 90 };
    expect(chartOf(days, [tooMuch], SIZE).bars[1]?.wasted).toEqual({ y: near(8), height: near(100) });
  });

  it("stay within the picture, whatever they are given", () => {
    for (const width of [0, 60, 300, 1700]) {
      for (const cost of [0, 0.000_03, 0.07, 7, 12_345_678]) {
        const given = row("2026-11-27", { cost, cost_by_use: { ...busy.cost_by_use, working: cost } });
        const { bars, ticks } = chartOf(lastDays(30, "2026-11-27"), [given], { width, height: 200 });
        expect(bars).toHaveLength(30);
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks.length).toBeLessThan(8);
        for (const { y } of ticks) expect(y).toBeGreaterThanOrEqual(7.99);
      }
    }
    expect(chartOf([], [], SIZE).bars).toEqual([]);
  });

  it("name as many days as find room, the last one among them", () => {
    expect(chart.labels.map(({ day }) => day)).toEqual(days);
    const narrow = chartOf(lastDays(30, "2026-11-27"), [], SIZE).labels.map(({ day }) => day);
    expect(narrow.at(-1)).toBe("2026-11-27");
    expect(narrow).toHaveLength(4);
  });

  it("have a legend of what there was", () => {
    expect(usesOf([busy])).toEqual(["working", "idle", "silent", "hibernated"]);
    expect(usesOf([row("x", { cost_by_use: { working: 1, idle: 0, silent: 0, hibernated: 0 } })])).toEqual([
      "working",
    ]);
  });
});

describe("a part of the costs", () => {
  it("is not nothing where it was there and a price was not known", () => {
    const hours = { working: 5, idle: 2, silent: 0, hibernated: 0 };
    expect(wastedOf(row("a", { hours, unpriced_hours: 7 }))).toBe(null);
    expect(wastedOf(row("a", { hours, unpriced_hours: null }))).toBe(null);
    expect(wastedOf(row("a", { hours, wasted: 3, unpriced_hours: 7 }))).toBe(3);
    expect(wastedOf(row("a", { hours }))).toBe(0);
    expect(wastedOf(row("a", { hours: { ...hours, idle: 0 }, unpriced_hours: 5 }))).toBe(0);
    expect(savedOf(row("a", { hours, unpriced_hours: 7 }))).toBe(0);
    expect(savedOf(row("a", { hours: { ...hours, hibernated: 1 }, unpriced_hours: 7 }))).toBe(null);
  });
});

describe("the table", () => {
  it("is sorted by what is asked, unknown amounts last, and by key where they are alike", () => {
    const rows = [row("rig-10", { cost: 5 }), row("rig-2", { cost: 5, wasted: null }), row("b", { cost: 9 })];
    const keys = (column: CostColumn, isDescending: boolean) =>
      sortedRows(rows, { column, isDescending }).map(({ key }) => key);
    expect(keys("cost", true)).toEqual(["b", "rig-2", "rig-10"]);
    expect(keys("wasted", true)).toEqual(["b", "rig-10", "rig-2"]);
    expect(keys("key", false)).toEqual(["b", "rig-2", "rig-10"]);
  });
});

describe("the kill switch", () => {
  const line = (instance_id: string, does: KillLine["does"] = "hibernate"): KillLine => ({
    instance_id,
    name: instance_id,
    rate: 1,
    saves_hourly: 1,
    does,
    because: "working",
  });
  const plan = (instances: readonly KillLine[], hibernate = instances.length): KillPlan => ({
    dry_run: true,
    would_save_hourly: 1,
    at: "2026-11-27T10:00:00Z",
    hibernate,
    skip: 0,
    skipped: {},
    unknown_rates: 0,
    instances,
    is_more: hibernate > instances.length,
  });

  it("is pressed only if it would hibernate nothing but what was seen", () => {
    const seen = plan([line("a"), line("b")]);
    expect(isWithin(seen, seen)).toBe(true);
    expect(isWithin(plan([line("a")]), seen)).toBe(true);
    expect(isWithin(plan([line("a"), line("c")]), seen)).toBe(false);
    expect(isWithin(plan([line("a"), line("b"), line("c")]), seen)).toBe(false);
    const skipped = plan([line("a"), line("c", "skip")], 1);
    expect(isWithin(skipped, seen)).toBe(true);
    expect(isWithin(plan([line("a"), line("c")]), skipped)).toBe(false);
    // Of more than are named, only the number is known.
    expect(isWithin(plan([line("a"), line("c")], 2000), plan([line("a"), line("b")], 2000))).toBe(true);
    expect(isWithin(plan([line("a"), line("b")], 2001), plan([line("a"), line("b")], 2000))).toBe(false);
  });

  it("asks of those that were chosen, and leaves what is kept alive", () => {
    expect(requestOf(EVERYTHING, true)).toEqual({ filter: {}, respect_keep_alive: true, dry_run: true });
    const chosen = { ...EVERYTHING, tag: "team:vision", onlyIdle: true, respectKeepAlive: false };
    expect(requestOf(chosen, false)).toEqual({
      filter: { tag: "team:vision", only_idle: true },
      respect_keep_alive: false,
      dry_run: false,
    });
  });
});

describe("a range of days", () => {
  it("is that of its name", () => {
    expect(daysOf("week", "2026-03-03")).toEqual({ from: "2026-02-25", to: "2026-03-03" });
    expect(daysOf("thirty", "2026-03-03")).toEqual({ from: "2026-02-02", to: "2026-03-03" });
    expect(daysOf("month", "2026-03-03")).toEqual({ from: "2026-03-01", to: "2026-03-03" });
    expect(daysOf("lastMonth", "2026-03-03")).toEqual({ from: "2026-02-01", to: "2026-02-28" });
    expect(daysOf("lastMonth", "2026-01-31")).toEqual({ from: "2025-12-01", to: "2025-12-31" });
    expect(presetOf({ from: "2026-02-01", to: "2026-02-28" }, "2026-03-03")).toBe("lastMonth");
    expect(presetOf({ from: "2026-02-01", to: "2026-02-27" }, "2026-03-03")).toBe(null);
  });

  it("is asked for only if the service would answer", () => {
    expect(problemOf({ from: "2026-11-01", to: "2026-11-01" })).toBe(null);
    expect(problemOf({ from: "", to: "2026-11-01" })).toBe("missing");
    expect(problemOf({ from: "2026-11-02", to: "2026-11-01" })).toBe("backwards");
    expect(problemOf({ from: "2025-10-27", to: "2026-11-30" })).toBe(null);
    expect(problemOf({ from: "2025-10-26", to: "2026-11-30" })).toBe("too long");
  });
});
