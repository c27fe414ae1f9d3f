import { roundDollars, spokenDollars } from "../model/dollars.ts";
import { DAY_MS, startOfNextUtcMonth, startOfUtcDay, utcMonth } from "../model/time.ts";

/** What a month will have cost if things go on as they went of late. */

/** So many of the last days say how things go. */
const FORECAST_DAYS = 7;

/** The last of them may not be closed until some hours after it is over. */
export const FORECAST_FROM_MS = (FORECAST_DAYS + 1) * DAY_MS;

export interface ForecastBasis {
  /** Dollars of the UTC month, so far. */
  readonly spent: number;
  /** Dollars of the days that are over, as far as they are closed, oldest first. Each is named by its first instant. */
  readonly closed: readonly { readonly day: number; readonly dollars: number }[];
  /** Dollars an hour now, of all whose rate is known. */
  readonly rate: number;
  /** Of how many the rate is not known. */
  readonly unknownRates: number;
}

export interface ForecastView {
  /** `2025-12` */
  readonly month: string;
  /** Dollars. */
  readonly cost: number;
  /** How it was reckoned, as a sentence. */
  readonly method: string;
  /** What it goes by: dollars of the month so far, and of each day that remains. */
  readonly spent: number;
  readonly daily: number;
  readonly days_left: number;
  /** Whose mean a day's dollars are; with none, they are the present rate's. */
  readonly closed_days: number;
  readonly unknown_rates: number;
}

/** Null when nothing is known that it could go by. */
export function forecastOf(basis: ForecastBasis, now: number): ForecastView | null {
  const days = basis.closed.filter(({ day }) => day >= startOfUtcDay(now) - FORECAST_FROM_MS);
  const last = days.slice(-FORECAST_DAYS);
  if (last.length === 0 && basis.rate === 0 && basis.unknownRates > 0) return null;
  const daily =
    last.length === 0 ? basis.rate * 24 : last.reduce((sum, { dollars }) => sum + dollars, 0) / last.length;
  const daysLeft = (startOfNextUtcMonth(now) - now) / DAY_MS;
  return {
    month: utcMonth(now),
    cost: roundDollars(basis.spent + daily * daysLeft),
    method: methodOf(basis, { days: last.length, daily, daysLeft }),
    spent: roundDollars(basis.spent),
    daily: roundDollars(daily),
    days_left: Math.round(daysLeft * 10) / 10,
    closed_days: last.length,
    unknown_rates: basis.unknownRates,
  };
}

function methodOf(
  { spent, unknownRates }: ForecastBasis,
  { days, daily, daysLeft }: { readonly days: number; readonly daily: number; readonly daysLeft: number },
): string {
  const aDay =
    days === 0
      ? `${spokenDollars(daily)} at the present rate, as no day is closed yet`
      : `the ${spokenDollars(daily)} that ${days === 1 ? "the last closed day has cost" : `each of the last ${days} closed days has cost on average`}`;
  const without =
    unknownRates === 0
      ? ""
      : `; without ${unknownRates === 1 ? "one instance" : `${unknownRates} instances`} of unknown price`;
  return `${spokenDollars(spent)} so far, and for each of the ${daysLeft.toFixed(1)} days that remain ${aDay}${without}.`;
}
