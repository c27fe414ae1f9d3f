/** GPU utilization over the last hour, with a slot for each heartbeat interval, as the live list shows it. */

/** One hour, at the default interval of a minute. */
export const TREND_SLOTS = 60;

/** Percent, oldest first; null where no GPU was reported. */
export type Trend = readonly (number | null)[];

/** Adds the newest heartbeat, after an empty slot for each one missed in the `gapMs` before it. */
export function extendTrend(
  trend: Trend,
  percent: number | null,
  gapMs: number | null,
  intervalMs: number,
): Trend {
  return [...trendAfterSilence(trend, gapMs, intervalMs), percent].slice(-TREND_SLOTS);
}

/** The trend `silenceMs` after its newest heartbeat, with an empty slot for each one missed since. */
export function trendAfterSilence(trend: Trend, silenceMs: number | null, intervalMs: number): Trend {
  const missed = silenceMs === null ? 0 : Math.round(silenceMs / intervalMs) - 1;
  const empty = new Array<null>(Math.min(TREND_SLOTS, Math.max(0, missed))).fill(null);
  return [...trend, ...empty].slice(-TREND_SLOTS);
}
