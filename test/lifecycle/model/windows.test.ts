import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../src/lifecycle/model/time.ts";
import {
  DAYS,
  endOfSpan,
  isWithin,
  lastEnd,
  nextChange,
  spansBetween,
  type TimeWindow,
} from "../../../src/lifecycle/model/windows.ts";
import { sinceMidnight } from "../../../src/lifecycle/model/zone.ts";
import { arbitraryInstant, arbitraryTimeOfDay, arbitraryTimezone, readingAt } from "./clocks.ts";

const at = (iso: string) => Date.parse(iso);
const WORKDAYS: TimeWindow = { days: ["mon", "tue", "wed", "thu", "fri"], from: "09:00", to: "18:00" };
const NIGHTS: TimeWindow = { days: ["fri"], from: "22:00", to: "06:00" };

describe("windows of a week", () => {
  // 2026-11-27 is a Friday; São Paulo is three hours behind UTC.
  test.each([
    ["2026-11-27T11:59:59.999Z", false],
    ["2026-11-27T12:00:00Z", true],
    ["2026-11-27T20:59:59.999Z", true],
    ["2026-11-27T21:00:00Z", false],
    ["2026-11-28T15:00:00Z", false],
  ])("at %s: %s", (moment, expected) => {
    expect(isWithin([WORKDAYS], "America/Sao_Paulo", at(moment))).toBe(expected);
  });

  test("begin and end next", () => {
    const next = (moment: string) => nextChange([WORKDAYS], "America/Sao_Paulo", at(moment));
    expect(next("2026-11-27T15:00:00Z")).toEqual({ at: at("2026-11-27T21:00:00Z"), begins: false });
    expect(next("2026-11-27T21:00:00Z")).toEqual({ at: at("2026-11-30T12:00:00Z"), begins: true });
  });

  test("end over midnight on the next day", () => {
    expect(isWithin([NIGHTS], "UTC", at("2026-11-28T05:59:00Z"))).toBe(true);
    expect(isWithin([NIGHTS], "UTC", at("2026-11-28T22:30:00Z"))).toBe(false);
    expect(lastEnd([NIGHTS], "UTC", at("2026-11-30T00:00:00Z"))).toBe(at("2026-11-28T06:00:00Z"));
  });

  test("that begin and end at the same time last a day", () => {
    const saturday: TimeWindow = { days: ["sat"], from: "08:00", to: "08:00" };
    expect(spansBetween([saturday], "UTC", at("2026-11-28T00:00:00Z"), at("2026-11-29T00:00:00Z"))).toEqual([
      { from: at("2026-11-28T08:00:00Z"), to: at("2026-11-29T08:00:00Z") },
    ]);
  });

  test("that overlap or follow upon each other are one", () => {
    const windows: TimeWindow[] = [
      WORKDAYS,
      { days: ["fri"], from: "17:00", to: "20:00" },
      { days: ["fri"], from: "20:00", to: "22:00" },
      NIGHTS,
    ];
    expect(nextChange(windows, "UTC", at("2026-11-27T10:00:00Z"))).toEqual({
      at: at("2026-11-28T06:00:00Z"),
      begins: false,
    });
    expect(lastEnd(windows, "UTC", at("2026-11-28T06:00:00Z"))).toBe(at("2026-11-28T06:00:00Z"));
    expect(lastEnd(windows, "UTC", at("2026-11-28T05:59:00Z"))).toBe(at("2026-11-26T18:00:00Z"));
  });

  test("that leave nothing out never change", () => {
    const always: TimeWindow = { days: DAYS, from: "00:00", to: "00:00" };
    expect(isWithin([always], "Europe/Berlin", at("2026-03-29T01:00:00Z"))).toBe(true);
    expect(nextChange([always], "Europe/Berlin", at("2026-03-29T01:00:00Z"))).toBeNull();
    expect(lastEnd([always], "Europe/Berlin", at("2026-03-29T01:00:00Z"))).toBeNull();
  });

  test("are none where there are none", () => {
    expect(isWithin([], "UTC", 0)).toBe(false);
    expect(nextChange([], "UTC", 0)).toBeNull();
    expect(lastEnd([], "UTC", 0)).toBeNull();
    expect(spansBetween([], "UTC", 0, DAY_MS)).toEqual([]);
  });
});

describe("where clocks change", () => {
  const berlin = (windows: readonly TimeWindow[], from: string, until: string) =>
    spansBetween(windows, "Europe/Berlin", at(from), at(until)).filter(
      (span) => span.from >= at(from) && span.to <= at(until),
    );
  const sunday = (from: string, to: string): TimeWindow[] => [{ days: ["sun"], from, to }];

  test("a window that the clocks skip is left out", () => {
    expect(berlin(sunday("02:10", "02:40"), "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z")).toEqual([]);
  });

  test("one that they skip in part begins or ends with the skip", () => {
    expect(berlin(sunday("02:30", "04:00"), "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z")).toEqual([
      { from: at("2026-03-29T01:00:00Z"), to: at("2026-03-29T02:00:00Z") },
    ]);
    expect(berlin(sunday("01:00", "02:30"), "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z")).toEqual([
      { from: at("2026-03-29T00:00:00Z"), to: at("2026-03-29T01:00:00Z") },
    ]);
  });

  test("one over an hour that comes twice lasts through both", () => {
    expect(berlin(sunday("02:10", "02:40"), "2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z")).toEqual([
      { from: at("2026-10-25T00:10:00Z"), to: at("2026-10-25T01:40:00Z") },
    ]);
  });

  test("one that ends where that hour begins ends the first time", () => {
    expect(berlin(sunday("01:00", "02:00"), "2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z")).toEqual([
      { from: at("2026-10-24T23:00:00Z"), to: at("2026-10-25T00:00:00Z") },
    ]);
  });
});

describe("dated windows", () => {
  const outage: TimeWindow = { from: "2026-12-24T10:00:00-03:00", to: "2026-12-25T10:00:00-03:00" };

  test("come once, by their own offset", () => {
    expect(isWithin([outage], "Asia/Kathmandu", at("2026-12-24T13:00:00Z"))).toBe(true);
    expect(isWithin([outage], "Asia/Kathmandu", at("2026-12-25T13:00:00Z"))).toBe(false);
    expect(nextChange([outage], "UTC", at("2020-01-01T00:00:00Z"))).toEqual({
      at: at("2026-12-24T13:00:00Z"),
      begins: true,
    });
    expect(nextChange([outage], "UTC", at("2026-12-25T13:00:00Z"))).toBeNull();
    expect(lastEnd([outage], "UTC", at("2030-01-01T00:00:00Z"))).toBe(at("2026-12-25T13:00:00Z"));
  });

  test("may follow upon each other for months, and then upon one of every week", () => {
    const start = at("2026-01-01T00:00:00Z");
    const iso = (days: number) => new Date(start + days * DAY_MS).toISOString();
    const chain: TimeWindow[] = Array.from({ length: 20 }, (_, index) => ({
      from: iso(7 * index),
      to: iso(7 * (index + 1)),
    }));
    expect(endOfSpan(chain, "UTC", start)).toBe(start + 140 * DAY_MS);
    // Day 140 is a Thursday.
    const then: TimeWindow = { days: ["thu"], from: "00:00", to: "03:00" };
    expect(endOfSpan([...chain, then], "UTC", start)).toBe(start + 140 * DAY_MS + 3 * HOUR_MS);
  });
});

const RUNS = Number(process.env.PROPERTY_RUNS ?? 25);

const arbitraryWeekly = fc.record({
  days: fc.uniqueArray(fc.constantFrom(...DAYS), { minLength: 1, maxLength: 7 }),
  from: arbitraryTimeOfDay,
  to: arbitraryTimeOfDay,
});

const arbitraryDated = fc
  .tuple(arbitraryInstant, fc.integer({ min: 1, max: 7 * 24 * 60 }))
  .map(([from, minutes]) => {
    const begin = Math.floor(from / MINUTE_MS) * MINUTE_MS;
    const iso = (instant: number) => new Date(instant).toISOString();
    return { from: iso(begin), to: iso(begin + minutes * MINUTE_MS) };
  });

/** Minute by minute, by what Intl shows: which minutes from `start` on lie within. The first and last three days only help. */
function walk(windows: readonly TimeWindow[], timezone: string, start: number, minutes: number): boolean[] {
  const moments = Array.from({ length: minutes }, (_, index) => start + index * MINUTE_MS);
  const shown = moments.map((moment) => readingAt(timezone, moment));
  const within = moments.map(() => false);
  const fill = (begin: number, end: number) => {
    for (let index = Math.max(0, begin); index < Math.min(end, minutes); index++) within[index] = true;
  };
  const firstDay = Math.floor((shown[0] ?? 0) / DAY_MS) + 1;
  const lastDay = Math.floor((shown.at(-1) ?? 0) / DAY_MS) - 2;
  for (const window of windows) {
    if (!("days" in window)) {
      const index = (iso: string) => Math.round((at(iso) - start) / MINUTE_MS);
      fill(index(window.from), index(window.to));
      continue;
    }
    for (let day = firstDay; day <= lastDay; day++) {
      const name = new Date(day * DAY_MS).toLocaleDateString("en-US", { weekday: "short", timeZone: "UTC" });
      if (!window.days.some((one) => one === name.toLowerCase())) continue;
      const [from, to] = [sinceMidnight(window.from), sinceMidnight(window.to)];
      const end = day * DAY_MS + (to > from ? to : to + DAY_MS);
      fill(
        shown.findIndex((reading) => reading >= day * DAY_MS + from),
        shown.findLastIndex((reading) => reading < end) + 1,
      );
    }
  }
  return within;
}

test("agree with a clock that is looked at minute by minute", () => {
  const arbitraryWindows = fc.array(fc.oneof(arbitraryWeekly, arbitraryDated), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(arbitraryTimezone, arbitraryWindows, arbitraryInstant, (timezone, windows, instant) => {
      const middle = Math.floor(instant / MINUTE_MS) * MINUTE_MS;
      const aside = 4 * 24 * 60;
      const within = walk(windows, timezone, middle - aside * MINUTE_MS, 2 * aside);
      const reach = 26 * 60;
      for (let minute = -reach; minute < reach; minute += 7) {
        expect(isWithin(windows, timezone, middle + minute * MINUTE_MS), `${minute}`).toBe(
          within[aside + minute],
        );
      }
      const now = within[aside] ?? false;
      const change = nextChange(windows, timezone, middle);
      const later = within.slice(aside, aside + reach).indexOf(!now);
      if (later >= 0) expect(change).toEqual({ at: middle + later * MINUTE_MS, begins: !now });
      else expect(change === null || change.at >= middle + reach * MINUTE_MS).toBe(true);
      const end = lastEnd(windows, timezone, middle);
      const ends = within.map((one, index) => index > 0 && !one && within[index - 1] === true);
      const earlier = ends.slice(aside - reach, aside + 1).lastIndexOf(true);
      if (earlier >= 0) expect(end).toBe(middle + (earlier - reach) * MINUTE_MS);
      else expect(end === null || end < middle - reach * MINUTE_MS + MINUTE_MS).toBe(true);
    }),
    { numRuns: RUNS },
  );
});
