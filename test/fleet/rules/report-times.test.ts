import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countInMonth, countMonthsFrom, hibernationsIn, NO_MONTHS } from "../../../src/fleet/rules/months.ts";
import {
  isToTellAnyhow,
  monthBefore,
  nextMonth,
  oldestMonth,
  reportDueAt,
  retryReportAt,
} from "../../../src/fleet/rules/report-times.ts";

const HOUR = 3_600_000;
const DAY_MS = 24 * HOUR;
const MAY = Date.UTC(2030, 4);

const moment = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2040, 0) });

describe("a month", () => {
  it("follows upon the one before it, whatever its length", () => {
    fc.assert(
      fc.property(moment, (at) => {
        const next = nextMonth(at);
        expect(new Date(next).toISOString()).toMatch(/-01T00:00:00.000Z$/);
        expect(next).toBeGreaterThan(at);
        expect(monthBefore(next)).toBeLessThanOrEqual(at);
        expect(nextMonth(monthBefore(at))).toBeLessThanOrEqual(at);
      }),
    );
  });

  it("is kept as long as all of its days are", () => {
    expect(oldestMonth(Date.UTC(2030, 4, 31))).toBe(Date.UTC(2029, 4));
    fc.assert(
      fc.property(moment, (now) => {
        expect(oldestMonth(now)).toBeGreaterThanOrEqual(now - 400 * DAY_MS);
        expect(monthBefore(oldestMonth(now))).toBeLessThan(now - 400 * DAY_MS);
      }),
    );
  });
});

describe("the report of a month", () => {
  it("is due between five and nine on the first of the next one", () => {
    expect(reportDueAt(MAY, 0)).toBe(MAY + 5 * HOUR);
    expect(reportDueAt(MAY, 0.999)).toBeLessThan(MAY + 9 * HOUR);
  });

  it("is tried ever less often, up to the moment when it is told anyhow", () => {
    const end = MAY;
    let now = end + 5 * HOUR;
    let failures = 0;
    for (; !isToTellAnyhow(end, now); failures++) {
      const next = retryReportAt(failures + 1, end, now);
      expect(next - now).toBeGreaterThanOrEqual(30_000);
      expect(next - now).toBeLessThanOrEqual(HOUR);
      now = next;
    }
    expect(failures).toBeLessThan(80);
    expect(now).toBeLessThan(end + 3 * DAY_MS + 60_000);
  });
});

describe("hibernations by month", () => {
  it("are counted where they happened, of the last fourteen months", () => {
    let counted = countMonthsFrom(NO_MONTHS, true, MAY);
    for (let month = 0; month < 20; month++) {
      counted = countInMonth(counted, "hibernations", Date.UTC(2030, month, 15));
    }
    counted = countInMonth(counted, "regretted", Date.UTC(2030, 19, 31, 23));
    expect(counted.months).toHaveLength(14);
    expect(hibernationsIn(counted, Date.UTC(2030, 19))).toEqual({ hibernations: 1, regretted: 1 });
    expect(hibernationsIn(counted, Date.UTC(2030, 6))).toEqual({ hibernations: 1, regretted: 0 });
    expect(hibernationsIn(counted, Date.UTC(2030, 5))).toBeNull();
    expect(hibernationsIn(counted, Date.UTC(2031, 9))).toEqual({ hibernations: 0, regretted: 0 });
  });

  it("are unknown of a month from whose beginning nobody counted", () => {
    const counted = countMonthsFrom(NO_MONTHS, false, MAY + DAY_MS);
    expect(hibernationsIn(NO_MONTHS, MAY)).toBeNull();
    expect(hibernationsIn(countInMonth(counted, "hibernations", MAY + 2 * DAY_MS), MAY)).toBeNull();
    expect(hibernationsIn(counted, nextMonth(MAY))).toEqual({ hibernations: 0, regretted: 0 });
    expect(countMonthsFrom(counted, true, MAY + 9 * DAY_MS)).toBe(counted);
  });
});
