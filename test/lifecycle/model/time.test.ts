import { describe, expect, it } from "vitest";
import {
  shortDuration,
  spokenDuration,
  startOfUtcMonth,
  toIso,
  utcDay,
} from "../../../src/lifecycle/model/time.ts";

const SECOND = 1000;

const MINUTE = 60 * SECOND;

const HOUR = 60 * MINUTE;

const DAY = 24 * HOUR;

describe("a duration", () => {
  it.each([
    [0, "0s"],
    [-5 * SECOND, "0s"],
    [499, "0s"],
    [500, "1s"],
    [45 * SECOND, "45s"],
    [60 * SECOND, "1min"],
    [103 * SECOND, "1min 43s"],
    [2 * MINUTE, "2min"],
    [HOUR, "1h"],
    [HOUR + SECOND, "1h 1s"],
    [HOUR + MINUTE + SECOND, "1h 1min 1s"],
    [3 * HOUR, "3h"],
    [25 * HOUR, "25h"],
  ])("of %i ms is short %s", (duration, short) => {
    expect(shortDuration(duration)).toBe(short);
  });

  it.each([
    [0, "0 seconds"],
    [SECOND, "1 second"],
    [12.9 * SECOND, "12 seconds"],
    [MINUTE - 1, "59 seconds"],
    [MINUTE, "1 minute"],
    [70 * MINUTE, "70 minutes"],
    [2 * HOUR - 1, "119 minutes"],
    [2 * HOUR, "2 hours"],
    [2 * DAY - 1, "47 hours"],
    [2 * DAY, "2 days"],
    [7.9 * DAY, "7 days"],
  ])("of %i ms is spoken %s", (duration, spoken) => {
    expect(spokenDuration(duration)).toBe(spoken);
  });
});

describe("a moment", () => {
  it("is written to the second, has a day, and a month that begins it", () => {
    const moment = Date.UTC(2025, 11, 19, 3, 25, 30, 999);
    expect(toIso(moment)).toBe("2025-12-19T03:25:30Z");
    expect(utcDay(moment)).toBe("2025-12-19");
    expect(startOfUtcMonth(moment)).toBe(Date.UTC(2025, 11, 1));
    expect(startOfUtcMonth(Date.UTC(2026, 0, 1))).toBe(Date.UTC(2026, 0, 1));
  });
});
