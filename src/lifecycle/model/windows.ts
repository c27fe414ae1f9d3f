import { DAY_MS } from "./time.ts";
import { clockAt, instantsAt, sinceMidnight } from "./zone.ts";

/**
 * Windows of time, by the clock of a time zone. A window covers each moment at which that clock shows a time in it: where clocks
 * are set back it begins with the first time that its beginning is shown, and ends with the last. What clocks skip of it
 * is left out. Its end does not belong to it. Windows that overlap or follow upon each other are one span.
 */

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

export type Day = (typeof DAYS)[number];

/** One of every week, which begins on these days; where `to` is not after `from`, it ends on the next day. */
interface WeeklyWindow {
  readonly days: readonly Day[];
  readonly from: string;
  readonly to: string;
}

/** One that comes once. */
interface DatedWindow {
  readonly from: string;
  readonly to: string;
}

export type TimeWindow = WeeklyWindow | DatedWindow;

/** From `from` until just before `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What comes every week has come within this time, also where a change of clocks has left it out once. */
const SEARCHED_MS = 15 * DAY_MS;

/** The longest chain of dated windows spans less than so many searches. */
const MAXIMUM_SEARCHES = 12;

export function isWithin(windows: readonly TimeWindow[], timezone: string, at: number): boolean {
  return spanAt(windows, timezone, at) !== undefined;
}

/** When the windows next begin or end; null where they never do. */
export function nextChange(
  windows: readonly TimeWindow[],
  timezone: string,
  after: number,
): { readonly at: number; readonly begins: boolean } | null {
  if (windows.length === 0) return null;
  const until = after + SEARCHED_MS;
  const spans = spansBetween(windows, timezone, after, until);
  const current = spans.find((span) => covers(span, after));
  if (current !== undefined) {
    const end = current.to <= until ? current.to : endOfLongSpan(windows, timezone, after);
    return end === null ? null : { at: end, begins: false };
  }
  const next = spans.find(({ from }) => from > after);
  return next === undefined ? null : { at: next.from, begins: true };
}

/** The latest end of a span that is not after `at`; null where there is none. */
export function lastEnd(windows: readonly TimeWindow[], timezone: string, at: number): number | null {
  if (windows.length === 0) return null;
  return spansBetween(windows, timezone, at - SEARCHED_MS, at).findLast(({ to }) => to <= at)?.to ?? null;
}

/** The beginning of the span that covers `at`; null where none does, or it has no beginning. */
export function startOfSpan(windows: readonly TimeWindow[], timezone: string, at: number): number | null {
  if (windows.length === 0) return null;
  const since = at - SEARCHED_MS;
  const span = spansBetween(windows, timezone, since, at).find((one) => covers(one, at));
  return span === undefined || span.from < since ? null : span.from;
}

/** When the windows next begin; null where they never do. */
export function nextStart(windows: readonly TimeWindow[], timezone: string, after: number): number | null {
  const change = nextChange(windows, timezone, after);
  if (change === null || change.begins) return change?.at ?? null;
  return nextChange(windows, timezone, change.at)?.at ?? null;
}

/** The end of the span that covers `at`; null where none does, or it never ends. */
export function endOfSpan(windows: readonly TimeWindow[], timezone: string, at: number): number | null {
  const change = nextChange(windows, timezone, at);
  return change === null || change.begins ? null : change.at;
}

/** The longest time at a stretch that the windows of every week leave out, where no clock is changed. */
export function longestGapMs(windows: readonly TimeWindow[]): number {
  const weekly = windows.filter((window) => "days" in window);
  if (weekly.length === 0) return Number.POSITIVE_INFINITY;
  const spans = spansOfDays(weekly, "UTC", 0, 14);
  return spans.reduce((longest, { to }, index) => {
    const next = spans[index + 1];
    return next === undefined ? longest : Math.max(longest, next.from - to);
  }, 0);
}

function endOfLongSpan(windows: readonly TimeWindow[], timezone: string, at: number): number | null {
  if (isEndless(windows, timezone, at)) return null;
  let end = at;
  for (let search = 0; search < MAXIMUM_SEARCHES; search++) {
    const from = end;
    const span = spansBetween(windows, timezone, from, from + SEARCHED_MS).find((one) => covers(one, from));
    if (span === undefined) return end;
    end = span.to;
  }
  return null;
}

/** Whether the windows of every week leave nothing out. */
function isEndless(windows: readonly TimeWindow[], timezone: string, at: number): boolean {
  const weekly = windows.filter((window) => "days" in window);
  const until = at + SEARCHED_MS;
  return spansBetween(weekly, timezone, at, until).some((span) => covers(span, at) && span.to > until);
}

function spanAt(windows: readonly TimeWindow[], timezone: string, at: number): Span | undefined {
  return spansBetween(windows, timezone, at, at).find((span) => covers(span, at));
}

function covers({ from, to }: Span, at: number): boolean {
  return from <= at && at < to;
}

/**
 * The spans that have to do with the time from `from` to `until`, and all of dated windows, in their order. One that goes on
 * beyond that time may be cut off there.
 */
export function spansBetween(
  windows: readonly TimeWindow[],
  timezone: string,
  from: number,
  until: number,
): readonly Span[] {
  if (windows.length === 0) return [];
  // One lasts a day at the most, or two days of the calendar where clocks are set back.
  const firstDay = Math.floor(clockAt(timezone, from) / DAY_MS) - 2;
  const lastDay = Math.floor(clockAt(timezone, until) / DAY_MS) + 1;
  const known = knownOf(windows);
  const key = `${timezone} ${firstDay} ${lastDay}`;
  const found = known.get(key) ?? spansOfDays(windows, timezone, firstDay, lastDay);
  if (known.size >= MAXIMUM_KNOWN) known.clear();
  known.set(key, found);
  return found;
}

/** One decision asks for the same few spans again and again. */
const MAXIMUM_KNOWN = 8;

const knownSpans = new WeakMap<readonly TimeWindow[], Map<string, readonly Span[]>>();

function knownOf(windows: readonly TimeWindow[]): Map<string, readonly Span[]> {
  const known = knownSpans.get(windows) ?? new Map<string, readonly Span[]>();
  knownSpans.set(windows, known);
  return known;
}

function spansOfDays(
  windows: readonly TimeWindow[],
  timezone: string,
  firstDay: number,
  lastDay: number,
): readonly Span[] {
  const spans = windows.flatMap((window) =>
    "days" in window ? weeklySpans(window, timezone, firstDay, lastDay) : [datedSpan(window)],
  );
  return merge(spans.filter((span) => span.from < span.to));
}

function datedSpan({ from, to }: DatedWindow): Span {
  return { from: Date.parse(from), to: Date.parse(to) };
}

/** Days are counted from 1970-01-01. */
function weeklySpans(window: WeeklyWindow, timezone: string, firstDay: number, lastDay: number): Span[] {
  const [from, to] = [sinceMidnight(window.from), sinceMidnight(window.to)];
  const lengthMs = to > from ? to - from : to - from + DAY_MS;
  const spans: Span[] = [];
  for (let day = firstDay; day <= lastDay; day++) {
    if (!window.days.includes(dayOfWeek(day))) continue;
    const begin = day * DAY_MS + from;
    spans.push({
      from: instantsAt(timezone, begin).first,
      to: lastPassing(timezone, begin + lengthMs),
    });
  }
  return spans;
}

/** When the clock last passes this time. It does not where it is set back to it. */
function lastPassing(timezone: string, clock: number): number {
  const { first, last } = instantsAt(timezone, clock);
  return clockAt(timezone, last - 1) < clock ? last : first;
}

/** 1970-01-01 was a Thursday. */
function dayOfWeek(day: number): Day {
  return DAYS[(((day + 3) % 7) + 7) % 7] ?? "mon";
}

function merge(spans: readonly Span[]): readonly Span[] {
  const merged: Span[] = [];
  for (const span of [...spans].sort((one, other) => one.from - other.from)) {
    const last = merged.at(-1);
    if (last === undefined || last.to < span.from) merged.push(span);
    else merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
  }
  return merged;
}
