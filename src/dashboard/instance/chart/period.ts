/** Which time the charts show: a range up to now, or two moments of the past. It stands in the address. Pure. */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const RANGES = {
  hour: HOUR_MS,
  six_hours: 6 * HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30 * DAY_MS,
  quarter: 90 * DAY_MS,
  year: 400 * DAY_MS,
} as const;

export type RangeName = keyof typeof RANGES;

const DEFAULT_RANGE: RangeName = "day";
const SHORTEST_MS = 2 * MINUTE_MS;
const LONGEST_MS = RANGES.year;

export type Period =
  | { readonly is: "range"; readonly range: RangeName }
  | { readonly is: "between"; readonly fromMs: number; readonly toMs: number };

export const RANGE_NAMES = Object.keys(RANGES).filter(isRange);

function isRange(text: string | null): text is RangeName {
  return text !== null && Object.hasOwn(RANGES, text);
}

/** What is shown unasked: a day, or what of it an instance that is as old as this can fill. */
export function usualRange(ageMs: number): RangeName {
  if (ageMs <= RANGES.hour) return "hour";
  return ageMs <= RANGES.six_hours ? "six_hours" : DEFAULT_RANGE;
}

/** What is no range, and what lies wrongly, is the usual one. */
export function periodIn(query: URLSearchParams, usual: RangeName = DEFAULT_RANGE): Period {
  const [fromMs, toMs] = [momentIn(query.get("from")), momentIn(query.get("to"))];
  if (fromMs !== null && toMs !== null && toMs - fromMs >= SHORTEST_MS && toMs - fromMs <= LONGEST_MS) {
    return { is: "between", fromMs, toMs };
  }
  const range = query.get("range");
  return { is: "range", range: isRange(range) ? range : usual };
}

function momentIn(text: string | null): number | null {
  if (text === null || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

/** The first and the last moment. */
export function endsOf(period: Period, nowMs: number): readonly [number, number] {
  switch (period.is) {
    case "range":
      return [nowMs - RANGES[period.range], nowMs];
    case "between":
      return [period.fromMs, period.toMs];
  }
}

type QueryChanges = Readonly<Record<"range" | "from" | "to", string | null>>;

export function rangeQuery(range: RangeName): QueryChanges {
  return { range, from: null, to: null };
}

/** What the address says of these moments; null while the range stays as it is. They are moved to where something can be shown. */
export function betweenQuery(fromMs: number, toMs: number, nowMs: number): QueryChanges {
  const span = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, toMs - fromMs));
  const end = Math.min(nowMs, (fromMs + toMs) / 2 + span / 2);
  return { range: null, from: isoOf(end - span), to: isoOf(end) };
}

function isoOf(atMs: number): string {
  return new Date(Math.round(atMs / SECOND_MS) * SECOND_MS).toISOString().replace(".000Z", "Z");
}

export type Resolution = "raw" | "hour" | "day";

/** A day of a beat a minute are two pages. */
const MOST_READINGS = 3000;
const LONGEST_BY_HOUR_MS = 45 * DAY_MS;

/** By the heartbeat, as long as that are not too many; then by the hour, then by the day. */
export function resolutionOf(spanMs: number, intervalMs: number): Resolution {
  if (spanMs <= 2 * DAY_MS && spanMs / intervalMs <= MOST_READINGS) return "raw";
  return spanMs <= LONGEST_BY_HOUR_MS ? "hour" : "day";
}

/** Where an hour or a day stands: in the middle of what is over of it, so that what goes on stands before now. In seconds. */
export function middleOf(start: string, lastsSeconds: number, to: number): number {
  const from = Date.parse(start) / 1000;
  return (from + Math.max(from, Math.min(from + lastsSeconds, to))) / 2;
}

/** Days are shown whole: what they cost is known by the day. */
export const costsByDay = (spanMs: number) => spanMs > 2 * DAY_MS;

/** How long after the last time it is worth to look again: the chart has moved on by less than its line is wide. */
export function pauseMsOf(period: Period): number {
  const LONG_MS = 10 * MINUTE_MS;
  if (period.is === "between") return LONG_MS;
  return Math.min(LONG_MS, Math.max(5 * SECOND_MS, RANGES[period.range] / 240));
}
