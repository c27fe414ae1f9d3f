import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { extendTrend, TREND_SLOTS, trendAfterSilence } from "../../../src/lifecycle/model/trend.ts";

const INTERVAL_MS = 60_000;

describe("the GPU trend", () => {
  it("begins with the first heartbeat", () => {
    expect(extendTrend([], 87, null, INTERVAL_MS)).toEqual([87]);
  });

  it("leaves a slot empty for each heartbeat that was missed", () => {
    expect(extendTrend([10], 20, 3 * INTERVAL_MS + 4_000, INTERVAL_MS)).toEqual([10, null, null, 20]);
  });

  it("gives a heartbeat that comes early a slot of its own", () => {
    expect(extendTrend([10], 20, 5_000, INTERVAL_MS)).toEqual([10, 20]);
  });

  it("shows a silence as it grows, until nothing of the hour is left", () => {
    expect(trendAfterSilence([10, 20], 50_000, INTERVAL_MS)).toEqual([10, 20]);
    expect(trendAfterSilence([10, 20], 3 * INTERVAL_MS, INTERVAL_MS)).toEqual([10, 20, null, null]);
    expect(trendAfterSilence([10], 10 ** 12, INTERVAL_MS)).toEqual(new Array(TREND_SLOTS).fill(null));
  });

  it("never holds more than an hour, however long the silence, and always ends with the newest", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 10 ** 12 }), fc.nat(100)), {
          minLength: 1,
          maxLength: 200,
        }),
        (beats) => {
          const trend = beats.reduce<readonly (number | null)[]>(
            (before, [gapMs, percent]) => extendTrend(before, percent, gapMs, INTERVAL_MS),
            [],
          );
          expect(trend.length).toBeLessThanOrEqual(TREND_SLOTS);
          expect(trend.at(-1)).toBe(beats.at(-1)?.[1]);
        },
      ),
    );
  });
});
