import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Point } from "../../../src/dashboard/replay/answers.ts";
import { frontierChart, inOrder, MARGIN, withPair } from "../../../src/dashboard/replay/frontier.ts";
import { mergePolicy, policyOverridesSchema } from "../../../src/lifecycle/model/policy-settings.ts";
import { settingsAt, THRESHOLDS_PERCENT, WINDOWS_MINUTES } from "../../../src/replay/frontier.ts";
import { point } from "./example.ts";

const SIZE = { width: 700, height: 260 };

const points = fc.array(
  fc
    .record({
      saved: fc.double({ min: 0, max: 1e6, noNaN: true }),
      hibernated_hours: fc.double({ min: 0, max: 1e5, noNaN: true }),
      interruptions: fc.nat(5000),
      is_frontier: fc.boolean(),
    })
    .map((change): Point => point(change)),
  { maxLength: 36 },
);

describe("the chart of savings against interruptions", () => {
  it("has a dot within it for every pair, whatever the numbers", () => {
    fc.assert(
      fc.property(points, fc.constantFrom("dollars", "hours"), (given, measure) => {
        const chart = frontierChart(given, measure, SIZE);
        expect(chart.dots.flatMap(({ pairs }) => pairs).length).toBe(given.length);
        for (const { x, y } of chart.dots) {
          expect(x).toBeGreaterThanOrEqual(MARGIN.left);
          expect(x).toBeLessThanOrEqual(SIZE.width - MARGIN.right + 0.001);
          expect(y).toBeGreaterThanOrEqual(MARGIN.top - 0.001);
          expect(y).toBeLessThanOrEqual(chart.baseline);
        }
        expect(chart.saved.length).toBeLessThanOrEqual(7);
        expect(chart.interruptions.length).toBeLessThanOrEqual(7);
      }),
    );
  });

  it("puts pairs that come to the same on one dot, and draws the frontier from left to right", () => {
    const chart = frontierChart(
      [
        point({ saved: 40, interruptions: 4, is_frontier: true }),
        point({ saved: 30, is_frontier: true, is_proposed: true }),
        point({ saved: 30.001, threshold_percent: 3 }),
        point({ saved: 20 }),
      ],
      "dollars",
      SIZE,
    );
    expect(chart.dots.length).toBe(3);
    expect(chart.dots.find(({ isProposed }) => isProposed)?.pairs.length).toBe(2);
    expect(chart.line).toMatch(/^M82\.0 \S+L\d+\.\d \S+$/);
    expect(chart.interruptions.map(({ count }) => count)).toEqual([0, 1, 2, 3, 4]);
  });

  it("goes by hours of hibernation where nobody knows what the machines cost", () => {
    const given = [point({ saved: 0, hibernated_hours: 90 }), point({ saved: 0, hibernated_hours: 45 })];
    const { dots, saved } = frontierChart(given, "hours", SIZE);
    expect(dots.length).toBe(2);
    expect(saved.at(-1)?.amount).toBe(100);
  });
});

describe("the pairs in the table", () => {
  it("begin with what is proposed, then the frontier, of it what saves most", () => {
    const order = inOrder([
      point({ saved: 50, interruptions: 9 }),
      point({ saved: 40, is_frontier: true }),
      point({ saved: 45, is_frontier: true, interruptions: 2 }),
      point({ saved: 35, is_frontier: true, is_proposed: true }),
    ]);
    expect(order.map(({ saved }) => saved)).toEqual([35, 45, 40, 50]);
  });
});

describe("a pair that is put into the editor", () => {
  it("comes to what was tried, for each pair, and touches nothing else", () => {
    const overrides = { keep_alive_minutes: 90, idle: { metric: "cpu", prepare_max_seconds: 60 } } as const;
    const settings = mergePolicy(overrides);
    for (const threshold_percent of THRESHOLDS_PERCENT) {
      for (const hibernate_after_minutes of WINDOWS_MINUTES) {
        const taken = withPair(overrides, { threshold_percent, hibernate_after_minutes }, mergePolicy({}));
        expect(policyOverridesSchema.safeParse(taken).success).toBe(true);
        expect(mergePolicy(taken)).toEqual(
          settingsAt({ settings }, threshold_percent, hibernate_after_minutes),
        );
      }
    }
  });

  it("is warned of no sooner than the next heartbeat, and switches idleness on where it is off", () => {
    const slow = mergePolicy({ heartbeat_interval_seconds: 200, idle: { enabled: false } });
    const taken = withPair({}, { threshold_percent: 3, hibernate_after_minutes: 5 }, slow);
    expect(taken).toEqual({
      idle: {
        enabled: true,
        threshold_percent: 3,
        warn_after_seconds: 200,
        hibernate_after_seconds: 300,
      },
    });
  });
});
