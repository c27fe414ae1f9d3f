import { type Heartbeat, heartbeatFrom } from "../lifecycle/model/heartbeat.ts";
import { SOURCE_KINDS } from "../lifecycle/model/source-settings.ts";
import { HOUR_MS } from "../lifecycle/model/time.ts";
import type { OffSpan } from "./off-spans.ts";
import type { PastHour, Span, Story } from "./story.ts";
import { WORK_FROM_PERCENT } from "./work.ts";

/** What a moment of the past rests on. */

/** A heartbeat of that moment. */
const READ = 0;
/** A reading of that moment, which came later. */
export const LATE = 1;
/** Made of the sums of an hour. */
export const COARSE = 2;
/** The machine really was off. Had it been on, it is taken to have idled. */
export const ASSUMED = 3;

/** Readings of the past, and among them those that nobody has read: of hours of which only sums are kept, and of a machine that was off. */
export interface Readings {
  readonly at: Float64Array;
  readonly kinds: Uint8Array;
  readonly readings: readonly Heartbeat[];
}

/** All readings within `span`, oldest first. `gpuSince`: when it had reported a GPU. */
export function madeUpReadings(
  story: Story,
  offSpans: readonly OffSpan[],
  span: Span,
  intervalMs: number,
  gpuSince: number,
): Readings {
  const all: Moments = { at: [], kinds: [], readings: [] };
  const add: Add = (at, kind, reading) => {
    if (at < span.from || at > span.to) return;
    all.at.push(at);
    all.kinds.push(kind);
    all.readings.push(reading);
  };
  const firstAt = story.readings[0]?.at ?? story.to;
  for (const hour of story.hours) addHour(hour, hour.at >= gpuSince, intervalMs, firstAt, add);
  for (const reading of story.readings) add(reading.at, reading.isLate === true ? LATE : READ, reading);
  const heard = sorted(all);
  if (offSpans.length === 0) return inArrays(heard);
  const heardAt = heard.at.filter((_, index) => heard.kinds[index] !== LATE);
  const [before, since] = [quietReading(false), quietReading(true)];
  for (const off of offSpans) {
    for (const at of assumedTimes(off, heardAt, span, intervalMs)) {
      if (!isCoarse(story.hours, at, firstAt)) add(at, ASSUMED, at < gpuSince ? before : since);
    }
  }
  return inArrays(sorted(all));
}

interface Moments {
  readonly at: number[];
  readonly kinds: number[];
  readonly readings: Heartbeat[];
}

function inArrays({ at, kinds, readings }: Moments): Readings {
  return { at: Float64Array.from(at), kinds: Uint8Array.from(kinds), readings };
}

/** By their times. Most are in order already. */
function sorted(moments: Moments): Moments {
  const { at, kinds, readings } = moments;
  if (at.every((moment, index) => index === 0 || moment >= (at[index - 1] ?? 0))) return moments;
  const order = Array.from(at.keys()).sort((one, other) => (at[one] ?? 0) - (at[other] ?? 0));
  const picked: Moments = { at: [], kinds: [], readings: [] };
  for (const index of order) {
    const reading = readings[index];
    if (reading === undefined) continue;
    picked.at.push(at[index] ?? 0);
    picked.kinds.push(kinds[index] ?? READ);
    picked.readings.push(reading);
  }
  return picked;
}

/** Whether it lies in an hour that was heard: that is told by the hour, for all of it. */
function isCoarse(hours: Story["hours"], at: number, firstAt: number): boolean {
  if (at >= firstAt) return false;
  return hours.some((hour) => hour.heartbeats > 0 && at >= hour.at && at < hour.at + HOUR_MS);
}

type Add = (at: number, kind: number, reading: Heartbeat) => void;

function addHour(hour: PastHour, hasGpu: boolean, intervalMs: number, firstAt: number, add: Add): void {
  if (hour.heartbeats <= 0) return;
  const reading = readingOfHour(hour, hasGpu);
  const until = Math.min(firstAt, hour.at + HOUR_MS);
  for (let at = hour.at; at < until; at += intervalMs) add(at, COARSE, reading);
}

/** An hour with any work is taken for work all through. Where that was not kept, it is by its maximum, and else unknown. */
function readingOfHour({ workHeartbeats, gpuMaxPercent }: PastHour, hasGpu: boolean): Heartbeat {
  const quiet = quietReading(hasGpu);
  const isWork = workHeartbeats === null ? (gpuMaxPercent ?? 100) >= WORK_FROM_PERCENT : workHeartbeats > 0;
  if (!isWork) return quiet;
  if (gpuMaxPercent !== null && gpuMaxPercent >= WORK_FROM_PERCENT)
    return { ...quiet, gpuPercent: gpuMaxPercent };
  return { ...quiet, use: { gpuMaxPercent: null, sources: OF_SOMETHING, unread: [], preparation: null } };
}

/** Something was in use, and nobody knows what. */
const OF_SOMETHING = SOURCE_KINDS.map((kind) => (kind === "other" ? 1 : null));

function quietReading(hasGpu: boolean): Heartbeat {
  return heartbeatFrom({ gpu_utilization: hasGpu ? 0 : null, cpu_utilization: 0 }, 0, 1);
}

/** From the last heartbeat before it was off until it was back. What was hibernated for its silence is taken to be silent still. */
function assumedTimes(off: OffSpan, heard: readonly number[], span: Span, intervalMs: number): number[] {
  if (off.by === "silence") return [];
  const next = firstAfter(heard, off.from);
  const last = heard[next - 1];
  const from = Math.max(span.from, last ?? span.from, off.orderedAt - intervalMs);
  const until = Math.min(span.to, backBy(heard[next], off));
  const times: number[] = [];
  for (let at = from + intervalMs; at < until - intervalMs / 2; at += intervalMs) {
    if (at > off.orderedAt) times.push(at);
  }
  return times;
}

/** When it was back. One that was not heard after its wake may have been silent from then on. */
function backBy(firstHeard: number | undefined, { to, woken }: OffSpan): number {
  if (to === null || woken === null) return to ?? Number.POSITIVE_INFINITY;
  return firstHeard !== undefined && firstHeard <= to ? firstHeard : woken.at;
}

/** Where the first moment after `at` stands. */
function firstAfter(moments: readonly number[], at: number): number {
  let [low, high] = [0, moments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((moments[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
