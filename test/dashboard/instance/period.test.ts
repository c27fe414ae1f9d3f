import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  betweenQuery,
  endsOf,
  middleOf,
  periodIn,
  RANGE_NAMES,
  RANGES,
  rangeQuery,
  resolutionOf,
  usualRange,
} from "../../../src/dashboard/instance/chart/period.ts";

const NOW = Date.UTC(2026, 10, 27, 12);
const MINUTE = 60_000;
const DAY = 86_400_000;

const inAddress = (changes: ReturnType<typeof betweenQuery>) =>
  new URLSearchParams(
    Object.entries(changes).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );

describe("the time that the charts show", () => {
  it("is a day up to now, or the range that the address names", () => {
    expect(periodIn(new URLSearchParams())).toEqual({ is: "range", range: "day" });
    for (const range of RANGE_NAMES) {
      const period = periodIn(inAddress(rangeQuery(range)));
      expect(period).toEqual({ is: "range", range });
      expect(endsOf(period, NOW)).toEqual([NOW - RANGES[range], NOW]);
    }
  });

  it("is no longer than a young instance can fill, unless the address names it", () => {
    for (const [age, range] of [
      [0, "hour"],
      [60 * MINUTE, "hour"],
      [61 * MINUTE, "six_hours"],
      [7 * 60 * MINUTE, "day"],
      [900 * DAY, "day"],
    ] as const) {
      expect(usualRange(age)).toBe(range);
      expect(periodIn(new URLSearchParams(), usualRange(age))).toEqual({ is: "range", range });
      expect(periodIn(inAddress(rangeQuery("day")), usualRange(age))).toEqual({ is: "range", range: "day" });
    }
  });

  it("comes back from the address as it was chosen, however closely or widely, and never beyond now", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -500 * DAY, max: DAY }),
        fc.integer({ min: 0, max: 900 * DAY }),
        (from, span) => {
          const period = periodIn(inAddress(betweenQuery(NOW + from, NOW + from + span, NOW)));
          expect(period.is).toBe("between");
          const [first, last] = endsOf(period, NOW);
          expect(last).toBeLessThanOrEqual(NOW);
          expect(last - first).toBeGreaterThanOrEqual(2 * MINUTE);
          expect(last - first).toBeLessThanOrEqual(400 * DAY);
        },
      ),
    );
  });

  it("is the usual one for an address that names none well", () => {
    for (const text of [
      "range=century",
      "range=__proto__",
      "from=2026-01-01T00:00:00Z",
      "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
      "from=2026-13-01T00:00:00Z&to=2026-14-01T00:00:00Z",
      "from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
      "from=now&to=then",
    ]) {
      expect(periodIn(new URLSearchParams(text)), text).toEqual({ is: "range", range: "day" });
    }
  });
});

describe("how finely a time is read", () => {
  it("is by the heartbeat, the hour or the day, so that it is never too much", () => {
    expect(resolutionOf(DAY, MINUTE)).toBe("raw");
    expect(resolutionOf(DAY, 5000)).toBe("hour");
    expect(resolutionOf(60 * MINUTE, 5000)).toBe("raw");
    expect(resolutionOf(30 * DAY, MINUTE)).toBe("hour");
    expect(resolutionOf(400 * DAY, MINUTE)).toBe("day");
  });

  it("has an hour or a day stand in its middle, and one that goes on before now", () => {
    const start = "2026-11-27T20:00:00Z";
    const at = Date.parse(start) / 1000;
    expect(middleOf(start, 3600, at + 7200)).toBe(at + 1800);
    expect(middleOf(start, 3600, at + 600)).toBe(at + 300);
    expect(middleOf(start, 3600, at - 60)).toBe(at);
  });
});
