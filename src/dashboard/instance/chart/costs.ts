import type { Band } from "./bands.ts";

/** What an instance has cost since the beginning of what is shown. Pure. */

/** By what it reported of its own costs: only what that grew by; one that falls begins anew. Null before the first. */
export function growth(reported: readonly (number | null)[]): (number | null)[] {
  let before: number | null = null;
  let sum = 0;
  return reported.map((value) => {
    if (value === null) return null;
    if (before !== null) sum += value >= before ? value - before : value;
    before = value;
    return sum;
  });
}

export interface Prices {
  /** Dollars an hour. */
  readonly running: number;
  readonly hibernated: number;
}

const HOUR_SECONDS = 3600;

/** By today's prices and how it stood. `at` and `fromSeconds`: seconds since epoch. */
export function priced(
  at: readonly number[],
  bands: readonly Band[],
  fromSeconds: number,
  prices: Prices,
): number[] {
  const rests = bands.filter(({ standing }) => standing === "hibernated");
  return at.map((moment) => {
    const rested = rests.reduce(
      (sum, { from, to }) => sum + Math.max(0, Math.min(moment, to / 1000) - from / 1000),
      0,
    );
    const awake = Math.max(0, moment - fromSeconds - rested);
    return (awake * prices.running + rested * prices.hibernated) / HOUR_SECONDS;
  });
}
