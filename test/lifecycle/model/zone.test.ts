import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../src/lifecycle/model/time.ts";
import { clockAt, instantsAt, nextTimeOfDay, sinceMidnight } from "../../../src/lifecycle/model/zone.ts";
import { arbitraryInstant, arbitraryTimeOfDay, arbitraryTimezone, instantAt, readingAt } from "./clocks.ts";

const at = (iso: string) => Date.parse(iso);

describe("what a clock shows", () => {
  test("is what Intl shows, at any moment", () => {
    fc.assert(
      fc.property(arbitraryTimezone, arbitraryInstant, (timezone, instant) => {
        expect(clockAt(timezone, instant)).toBe(readingAt(timezone, instant));
      }),
    );
  });

  test("goes by whole days of UTC, and is right within one in which clocks change", () => {
    const midday = at("2026-03-29T00:59:59.999Z");
    expect(clockAt("Europe/Berlin", midday)).toBe(at("2026-03-29T01:59:59.999Z"));
    expect(clockAt("Europe/Berlin", midday + 1)).toBe(at("2026-03-29T03:00:00Z"));
  });

  test("of a zone that nobody knows is UTC", () => {
    expect(clockAt("Mars/Olympus_Mons", 1_000)).toBe(1_000);
  });

  test("is right for more zones and days than are kept in memory", () => {
    const zones = Intl.supportedValuesOf("timeZone").slice(0, 80);
    for (const zone of zones) expect(clockAt(zone, 0)).toBe(readingAt(zone, 0));
    for (let day = 0; day < 1_200; day++) expect(clockAt("UTC", day * DAY_MS + 1)).toBe(day * DAY_MS + 1);
  });
});

describe("when a clock shows a time", () => {
  test.each([
    ["America/Sao_Paulo", { year: 2026, month: 11, day: 27, hour: 18, minute: 0 }, "2026-11-27T21:00:00Z"],
    ["Asia/Kathmandu", { year: 2026, month: 1, day: 1, hour: 0, minute: 0 }, "2025-12-31T18:15:00Z"],
    // Skipped: the moment of the skip.
    ["Europe/Berlin", { year: 2026, month: 3, day: 29, hour: 2, minute: 30 }, "2026-03-29T01:00:00Z"],
    ["Australia/Lord_Howe", { year: 2026, month: 10, day: 4, hour: 2, minute: 15 }, "2026-10-03T15:30:00Z"],
    ["Africa/Cairo", { year: 2026, month: 4, day: 24, hour: 0, minute: 0 }, "2026-04-23T22:00:00Z"],
    ["Pacific/Apia", { year: 2011, month: 12, day: 30, hour: 12, minute: 0 }, "2011-12-30T10:00:00Z"],
    // Shown twice: the first.
    ["America/New_York", { year: 2026, month: 11, day: 1, hour: 1, minute: 30 }, "2026-11-01T05:30:00Z"],
  ])("in %s: %o is %s", (timezone, clock, expected) => {
    expect(instantAt(timezone, clock)).toBe(at(expected));
  });

  test("twice where clocks are set back over it", () => {
    expect(instantsAt("America/New_York", at("2026-11-01T01:30:00Z"))).toEqual({
      first: at("2026-11-01T05:30:00Z"),
      last: at("2026-11-01T06:30:00Z"),
    });
  });

  test("is the way back from what it shows", () => {
    fc.assert(
      fc.property(arbitraryTimezone, arbitraryInstant, (timezone, instant) => {
        const { first, last } = instantsAt(timezone, clockAt(timezone, instant));
        expect([first, last]).toContain(instant);
      }),
    );
  });
});

describe("the next time of day", () => {
  test("is the first later minute that shows it, or at which it was skipped", () => {
    fc.assert(
      fc.property(arbitraryTimezone, arbitraryTimeOfDay, arbitraryInstant, (timezone, timeOfDay, instant) => {
        const wanted = sinceMidnight(timeOfDay);
        const next = nextTimeOfDay(timezone, timeOfDay, instant);
        expect(next).toBeGreaterThan(instant);
        expect(next - instant).toBeLessThanOrEqual(DAY_MS + HOUR_MS);
        let found = Math.floor(instant / MINUTE_MS) * MINUTE_MS;
        const showsIt = () => {
          const [shown, before] = [readingAt(timezone, found), readingAt(timezone, found - MINUTE_MS)];
          const midnight = Math.floor((before + MINUTE_MS) / DAY_MS) * DAY_MS;
          const isSkipped = before < midnight + wanted && midnight + wanted < shown;
          return shown % DAY_MS === wanted || isSkipped;
        };
        do found += MINUTE_MS;
        while (!showsIt());
        expect(next).toBe(found);
      }),
    );
  });
});
