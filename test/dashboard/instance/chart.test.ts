import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bandsOf, type PastEvent, standingAt } from "../../../src/dashboard/instance/chart/bands.ts";
import { toColumns } from "../../../src/dashboard/instance/chart/columns.ts";
import { growth, priced } from "../../../src/dashboard/instance/chart/costs.ts";
import { panesOf, stacked } from "../../../src/dashboard/instance/chart/panes.ts";
import { alone, nearestIndex, topOf } from "../../../src/dashboard/instance/chart/scale.ts";

const MINUTE = 60_000;
const at = (minute: number) => new Date(minute * MINUTE).toISOString();

let events = 0;

const event = (minute: number, kind: string, detail: PastEvent["detail"] = {}): PastEvent => {
  events += 1;
  return { id: String(events), at: at(minute), kind, severity: "info", message: "", detail };
};

describe("how an instance stood", () => {
  it("is told by its events: idle and silent from when they began, hibernated until it is woken", () => {
    const past = [
      event(10, "idle", { idle_since: at(7) }),
      event(12, "hibernating"),
      event(13, "hibernated"),
      event(30, "waking"),
      event(31, "woken"),
      event(45, "orphaned", { last_heartbeat: at(40) }),
      event(50, "recovered"),
    ];
    const expected = [
      { from: 7 * MINUTE, to: 13 * MINUTE, standing: "idle" },
      { from: 13 * MINUTE, to: 30 * MINUTE, standing: "hibernated" },
      { from: 40 * MINUTE, to: 50 * MINUTE, standing: "silent" },
    ];
    expect(bandsOf(past, 0, 60 * MINUTE)).toEqual(expected);
    expect(bandsOf(past.toReversed(), 0, 60 * MINUTE)).toEqual(expected);
    expect(
      standingAt(
        expected.map((band) => ({ ...band, standing: "idle" as const })),
        8 * MINUTE,
      ),
    ).toBe("idle");
    expect(standingAt(bandsOf(past, 0, 60 * MINUTE), 35 * MINUTE)).toBeNull();
  });

  it("goes by what came before the time, and goes on to its end", () => {
    const past = [event(-90, "hibernated"), event(20, "woken"), event(50, "idle", { idle_since: at(45) })];
    expect(bandsOf(past, 0, 60 * MINUTE)).toEqual([
      { from: 0, to: 20 * MINUTE, standing: "hibernated" },
      { from: 45 * MINUTE, to: 60 * MINUTE, standing: "idle" },
    ]);
  });

  it("never lies outside the time nor on itself, whatever the events say", () => {
    const kind = fc.constantFrom(
      "idle",
      "busy",
      "orphaned",
      "recovered",
      "hibernated",
      "woken",
      "deleted",
      "?",
    );
    const minute = fc.integer({ min: -50, max: 150 });
    fc.assert(
      fc.property(fc.array(fc.tuple(minute, kind, minute)), (all) => {
        const past = all.map(([when, what, since]) =>
          event(when, what, { idle_since: at(since), last_heartbeat: at(since) }),
        );
        const bands = bandsOf(past, 0, 100 * MINUTE);
        bands.forEach(({ from, to }, index) => {
          expect(from).toBeGreaterThanOrEqual(bands[index - 1]?.to ?? 0);
          expect(to).toBeGreaterThan(from);
          expect(to).toBeLessThanOrEqual(100 * MINUTE);
        });
      }),
    );
  });
});

const reading = (second: number, gpu: number | null) => ({
  at: second,
  gpu,
  gpuHighest: null,
  vram: null,
  ram: null,
  cpu: null,
  cost: null,
});

describe("readings", () => {
  it("have a hole where nothing was heard, and one alone between two holes is seen", () => {
    const { at: moments, gpu } = toColumns(
      [reading(0, 1), reading(60, 2), reading(600, 3), reading(1200, 4)],
      60,
    );
    expect(moments).toEqual([0, 60, 120, 600, 660, 1200]);
    expect(gpu).toEqual([1, 2, null, 3, null, 4]);
    expect(alone(gpu)).toEqual([3, 5]);
  });

  it("never go back in time, though two came at once", () => {
    expect(toColumns([reading(0, 1), reading(0, 2), reading(5, 3)], 60).at).toEqual([0, 5]);
  });

  it("are found at the nearest moment, and not where none is near", () => {
    const moments = [0, 60, 120, 600];
    expect(nearestIndex(moments, 95, 60)).toBe(2);
    expect(nearestIndex(moments, 700, 60)).toBeNull();
    expect(nearestIndex([], 0, 60)).toBeNull();
    expect(nearestIndex(moments, -30, 60)).toBe(0);
  });
});

describe("an upright axis", () => {
  it("ends at a round number not far above what is shown, so that small values are seen", () => {
    expect(topOf(1, 100)).toBe(2);
    expect(topOf(7.5, 100)).toBe(10);
    expect(topOf(79.5, 100)).toBe(100);
    expect(topOf(0.0031)).toBeCloseTo(0.005);
    expect(topOf(0, 100)).toBe(1);
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (highest) => {
        expect(topOf(highest)).toBeGreaterThan(highest);
        expect(topOf(highest)).toBeLessThanOrEqual(highest * 2.7);
      }),
    );
  });
});

describe("what a time has cost", () => {
  it("is what the reported sum grew by, also where it began anew", () => {
    expect(growth([null, 5, 6, null, 6.5, 0.5, 1])).toEqual([null, 0, 1, null, 1.5, 2, 2.5]);
  });

  it("is the price times the time where nothing is reported, and the lower price while it was hibernated", () => {
    const bands = [{ from: 3_600_000, to: 7_200_000, standing: "hibernated" as const }];
    const cost = priced([0, 3600, 7200, 10_800], bands, 0, { running: 2, hibernated: 0.5 });
    expect(cost).toEqual([0, 2, 2.5, 4.5]);
  });

  it("lies upon each other day by day, the whole behind its parts", () => {
    const lines = stacked([
      { name: "working", values: [1, null] },
      { name: "idle", values: [2, 3] },
    ]);
    expect(lines.map(({ values }) => values)).toEqual([
      [3, 3],
      [1, 0],
    ]);
  });
});

describe("the panes", () => {
  const past = {
    period: { is: "range" as const, range: "hour" as const },
    fromMs: 0,
    toMs: 3_600_000,
    readings: toColumns([reading(0, 1), reading(60, 2)], 60),
    bands: [],
    events: [],
    days: null,
  };
  const rules = { gpuThreshold: 5, cpuThreshold: null, prices: null };

  it("are those of which something is known: no price is no cost of nothing", () => {
    expect(panesOf(past, rules)).toMatchObject([{ name: "gpu", threshold: 5, top: 10 }]);
    expect(
      panesOf(past, { ...rules, prices: { running: 1, hibernated: 0 } }).map(({ name }) => name),
    ).toEqual(["gpu", "cost"]);
  });
});
