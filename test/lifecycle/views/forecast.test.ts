import { describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS } from "../../../src/lifecycle/model/time.ts";
import { type ForecastBasis, forecastOf } from "../../../src/lifecycle/views/forecast.ts";

/** At noon of the 17th of a month of 31 days: 14.5 days remain. */
const NOON = Date.UTC(2030, 0, 17, 12);
const TODAY = Date.UTC(2030, 0, 17);

const NOTHING: ForecastBasis = { spent: 0, closed: [], rate: 0, unknownRates: 0 };

/** Closed days up to so many days ago, oldest first. */
function closed(dollars: readonly number[], endingDaysAgo = 1): ForecastBasis["closed"] {
  const last = TODAY - endingDaysAgo * DAY_MS;
  return dollars.map((each, index) => ({
    day: last - (dollars.length - 1 - index) * DAY_MS,
    dollars: each,
  }));
}

describe("the forecast of a month", () => {
  it("is what was spent, and for what remains the mean of the last seven closed days", () => {
    const days = closed([1000, 1, 2, 3, 4, 5, 6, 7]);
    expect(forecastOf({ ...NOTHING, spent: 100, closed: days, rate: 50 }, NOON)).toEqual({
      month: "2030-01",
      cost: 100 + 4 * 14.5,
      method:
        "$100.00 so far, and for each of the 14.5 days that remain the $4.00 that each of the last 7 closed days has cost on average.",
      spent: 100,
      daily: 4,
      days_left: 14.5,
      closed_days: 7,
      unknown_rates: 0,
    });
  });

  it("goes by fewer days where fewer are closed", () => {
    const two = forecastOf({ ...NOTHING, spent: 10, closed: closed([2, 4]) }, NOON);
    expect([two?.cost, two?.method]).toEqual([10 + 3 * 14.5, expect.stringContaining("last 2 closed days")]);
    const one = forecastOf({ ...NOTHING, closed: closed([2]) }, NOON);
    expect([one?.cost, one?.method]).toEqual([29, expect.stringContaining("the last closed day has cost")]);
  });

  it("goes by the present rate while no day is closed", () => {
    const forecast = forecastOf({ ...NOTHING, spent: 1, rate: 0.5 }, NOON);
    expect(forecast?.cost).toBe(1 + 12 * 14.5);
    expect(forecast?.method).toContain("$12.00 at the present rate, as no day is closed yet");
  });

  it("does not wait for yesterday to be closed, and does not go by days long ago", () => {
    const week = closed([9, 9, 9, 9, 9, 9, 9], 2);
    expect(forecastOf({ ...NOTHING, closed: week, rate: 1 }, NOON)?.cost).toBe(9 * 14.5);
    expect(forecastOf({ ...NOTHING, closed: closed([9, 9], 9), rate: 1 }, NOON)?.cost).toBe(24 * 14.5);
  });

  it("is nothing where there is nothing, and unknown where no price is known", () => {
    expect(forecastOf(NOTHING, NOON)?.cost).toBe(0);
    expect(forecastOf({ ...NOTHING, unknownRates: 2 }, NOON)).toBeNull();
  });

  it("says what it leaves out", () => {
    expect(forecastOf({ ...NOTHING, rate: 1, unknownRates: 1 }, NOON)?.method).toMatch(
      /; without one instance of unknown price\.$/,
    );
    expect(forecastOf({ ...NOTHING, closed: closed([1]), unknownRates: 3 }, NOON)?.method).toMatch(
      /; without 3 instances of unknown price\.$/,
    );
  });

  it("ends with the month, in a leap year and at the end of a year too", () => {
    const cost = (now: number) => forecastOf({ ...NOTHING, rate: 1 }, now)?.cost;
    expect(cost(Date.UTC(2028, 1, 1))).toBe(29 * 24);
    expect(cost(Date.UTC(2029, 11, 31))).toBe(24);
    expect(cost(Date.UTC(2030, 0, 1) - HOUR_MS)).toBe(1);
    expect(cost(Date.UTC(2030, 0, 1))).toBe(31 * 24);
  });
});
