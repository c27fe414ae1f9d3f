/** GPU utilization over the last hour, as a list of lives shows it: a slot for each heartbeat interval. */

/** An hour of intervals of a minute. */
export const TREND_SLOTS = 60;

/** Oldest first. Null where no GPU was reported. */
export type Trend = readonly (number | null)[];

/** Adds the newest heartbeat, and an empty slot for each that was missed in the `gapMs` before it. */
export function extendTrend(
  trend: Trend,
  percent: number | null,
  gapMs: number | null,
  intervalMs: number,
): Trend {
  return [...trendSince(trend, gapMs, intervalMs), percent].slice(-TREND_SLOTS);
}

/** The trend as it stands `silenceMs` after its newest heartbeat: an empty slot for each that was missed since. */
export function trendSince(trend: Trend, silenceMs: number | null, intervalMs: number): Trend {
  const missed = silenceMs === null ? 0 : Math.round(silenceMs / intervalMs) - 1;
  const empty = new Array<null>(Math.min(TREND_SLOTS, Math.max(0, missed))).fill(null);
  return [...trend, ...empty].slice(-TREND_SLOTS);
}
