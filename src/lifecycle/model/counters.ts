import type { Heartbeat } from "./heartbeat.ts";
import { HOUR_MS, startOfUtcMonth, utcDay } from "./time.ts";

/** What is counted over an instance's life. `missed` covers closed gaps only; `missedHeartbeats` adds the open one. */
export interface Counters {
  readonly totalHeartbeats: number;
  readonly firstHeartbeatAt: number | null;
  readonly missed: number;
  /** When the open gap began; null while gaps do not count (never heard, hibernated, deleted). */
  readonly gapFrom: number | null;
  readonly gpuPercentSum: number;
  readonly gpuHeartbeats: number;
  /** The last `cost_accumulated` heard, and its growth during `day`: what the former release goes by after a rollback. */
  readonly cost: {
    readonly accumulated: number | null;
    readonly day: string | null;
    readonly today: number;
  };
  readonly saved: Savings;
}

/** Confirmed hibernation in time and dollars: over the whole life, and in the UTC month that starts at `monthStart`. */
export interface Savings {
  readonly totalMs: number;
  readonly totalDollars: number;
  readonly monthStart: number;
  readonly monthMs: number;
  readonly monthDollars: number;
}

/** Dollars an hour; null means unknown, and then nothing is claimed as saved. */
export interface Costs {
  readonly hourlyCost: number | null;
  readonly hibernatedHourlyCost: number | null;
}

/** More than any machine costs. */
export const MAXIMUM_HOURLY_COST = 1_000_000;

export function emptyCounters(): Counters {
  return {
    totalHeartbeats: 0,
    firstHeartbeatAt: null,
    missed: 0,
    gapFrom: null,
    gpuPercentSum: 0,
    gpuHeartbeats: 0,
    cost: { accumulated: null, day: null, today: 0 },
    saved: { totalMs: 0, totalDollars: 0, monthStart: 0, monthMs: 0, monthDollars: 0 },
  };
}

/** How many heartbeats are missing in a gap; none in a gap of about one interval. */
function missedInGap(gapMs: number, intervalMs: number): number {
  return Math.max(0, Math.round(gapMs / intervalMs) - 1);
}

/** Heartbeats missed so far, including the open gap. It never falls. */
export function missedHeartbeats(counters: Counters, intervalMs: number, now: number): number {
  if (counters.gapFrom === null) return counters.missed;
  return counters.missed + missedInGap(now - counters.gapFrom, intervalMs);
}

/** Closes the open gap at `now`. The next one begins at `nextGapFrom`; null stops counting gaps. */
export function closeGap(
  counters: Counters,
  intervalMs: number,
  now: number,
  nextGapFrom: number | null,
): Counters {
  return {
    ...counters,
    missed: missedHeartbeats(counters, intervalMs, now),
    gapFrom: nextGapFrom,
  };
}

/** The share of expected heartbeats that arrived, in percent with one decimal; null before the first. */
export function uptimePercent(total: number, missed: number): number | null {
  if (total + missed === 0) return null;
  return Math.round((1000 * total) / (total + missed)) / 10;
}

/** Counts one heartbeat. The caller must have closed its gap. */
export function countHeartbeat(counters: Counters, heartbeat: Heartbeat): Counters {
  const { gpuPercent } = heartbeat;
  return {
    ...counters,
    totalHeartbeats: counters.totalHeartbeats + 1,
    firstHeartbeatAt: counters.firstHeartbeatAt ?? heartbeat.at,
    gpuPercentSum: counters.gpuPercentSum + (gpuPercent ?? 0),
    gpuHeartbeats: counters.gpuHeartbeats + (gpuPercent === null ? 0 : 1),
    cost: countCost(counters.cost, heartbeat),
  };
}

function countCost(cost: Counters["cost"], heartbeat: Heartbeat): Counters["cost"] {
  const accumulated = heartbeat.costAccumulated;
  if (accumulated === null) return cost;
  const day = utcDay(heartbeat.at);
  const before = cost.accumulated ?? 0;
  // A counter that falls was reset and counts from zero.
  const growth = accumulated < before ? accumulated : accumulated - before;
  return { accumulated, day, today: (cost.day === day ? cost.today : 0) + growth };
}

export function averageGpuPercent(counters: Counters): number | null {
  if (counters.gpuHeartbeats === 0) return null;
  return Math.round((10 * counters.gpuPercentSum) / counters.gpuHeartbeats) / 10;
}

/** What an hour of hibernation saves. */
export function hourlySaving({ hourlyCost, hibernatedHourlyCost }: Costs): number {
  return hourlyCost === null ? 0 : Math.max(0, hourlyCost - (hibernatedHourlyCost ?? 0));
}

/** Adds a hibernation from `since` to `until` to the savings, by what an hour of it saves. */
export function addHibernation(saved: Savings, perHour: number, since: number, until: number): Savings {
  const spanMs = Math.max(0, until - since);
  const dollars = (durationMs: number) => (durationMs / HOUR_MS) * perHour;
  const monthStart = startOfUtcMonth(until);
  const inMonthMs = Math.max(0, until - Math.max(since, monthStart));
  const sameMonth = saved.monthStart === monthStart;
  return {
    totalMs: saved.totalMs + spanMs,
    totalDollars: saved.totalDollars + dollars(spanMs),
    monthStart,
    monthMs: (sameMonth ? saved.monthMs : 0) + inMonthMs,
    monthDollars: (sameMonth ? saved.monthDollars : 0) + dollars(inMonthMs),
  };
}
