import { DAY_MS, HOUR_MS, startOfUtcDay } from "./time.ts";

/**
 * What a machine costs. All time of an instance's life is put down here once, by what the machine did in it: first with what
 * it costs by its price, then with what it reports itself, where it does.
 */

/** What a machine does while time passes. A `silent` one goes on costing. */
export const USES = ["working", "idle", "silent", "hibernated"] as const;
export type Use = (typeof USES)[number];

export interface Spent {
  readonly ms: number;
  readonly dollars: number;
}

/** Time and dollars of one UTC day, or of several together. */
export interface CostTotals {
  readonly working: Spent;
  readonly idle: Spent;
  readonly silent: Spent;
  readonly hibernated: Spent;
  /** Of the dollars: those of machines that were idle past the warning, orphaned, or never heard. */
  readonly wasted: number;
  /** What confirmed hibernation has saved. */
  readonly saved: number;
  /** Of the dollars: those that the machine has reported. The others are its price times the time. */
  readonly reported: number;
  /** Time without a known price, of which the dollars say nothing. */
  readonly unpricedMs: number;
}

/** A use and its prices, in dollars an hour, for as long as neither changes. */
export interface Usage {
  readonly use: Use;
  readonly isWasted: boolean;
  /** Null while no price is known. */
  readonly hourlyCost: number | null;
  /** How much more an hour would cost if it were not hibernated. */
  readonly hourlySaving: number;
}

/** A piece of time in which nothing changed. It lies within one UTC day, or before the days that are kept apart. */
export interface Span extends Usage {
  readonly from: number;
  readonly until: number;
}

export interface DayCosts extends CostTotals {
  /** The first instant of the UTC day. */
  readonly day: number;
}

export interface Ledger {
  /** Time before this is not put down. */
  readonly since: number;
  /** Time up to here is put down. */
  readonly until: number;
  /** Awake time since the last report, oldest first. It may yet be reported, and has the price meanwhile. */
  readonly open: readonly Span[];
  /** Awake time since the last report that has waited too long, and keeps the price: its share of a report is dropped. */
  readonly settledUnreportedMs: number;
  /** The last `cost_accumulated`, and when it came. */
  readonly reported: { readonly at: number; readonly accumulated: number } | null;
  /** By how much it grew in how much time, of late: what a machine costs whose price nobody named. */
  readonly learnt: Spent;
  /** While money is wasted: what was wasted in all when that began. Absent while none is. */
  readonly wastedBefore?: number | undefined;
  /** The last days, oldest first. */
  readonly days: readonly DayCosts[];
  /** All that came before them. */
  readonly earlier: CostTotals;
}

/** So many days are kept apart: a report may still change the last ones. */
export const KEPT_DAYS = 3;

/** A report that comes later than this does not change what was put down. */
const OPEN_FOR_MS = DAY_MS;

/** Reports come a minute apart, and between them a use changes once or twice. A machine that stops reporting has more. */
const MAXIMUM_OPEN = 16;

const NOTHING: Spent = { ms: 0, dollars: 0 };

export const NO_COSTS: CostTotals = {
  working: NOTHING,
  idle: NOTHING,
  silent: NOTHING,
  hibernated: NOTHING,
  wasted: 0,
  saved: 0,
  reported: 0,
  unpricedMs: 0,
};

export function newLedger(since: number): Ledger {
  return {
    since,
    until: since,
    open: [],
    settledUnreportedMs: 0,
    reported: null,
    learnt: NOTHING,
    days: [],
    earlier: NO_COSTS,
  };
}

/** Puts down the time up to `until`. Nothing happens for time that is put down already. */
export function addTime(ledger: Ledger, usage: Usage, until: number): Ledger {
  if (until <= ledger.until) return ledger;
  const spans = spansOf(usage, ledger.until, until);
  const wastedBefore = usage.isWasted ? (ledger.wastedBefore ?? costsInAll(ledger).wasted) : undefined;
  const extended = { ...ledger, until, wastedBefore };
  if (usage.use !== "hibernated") return settleOld({ ...extended, open: joined(ledger.open, spans) }, until);
  // What a hibernated machine costs is on no machine's own count.
  return spans.reduce<Ledger>((settled, span) => putDown(settled, span), settleOld(extended, until));
}

/** One span a day. What lies before the days that are kept apart is one span: it ends up with all that came earlier. */
function spansOf(usage: Usage, from: number, until: number): Span[] {
  const firstDay = Math.max(startOfUtcDay(from) + DAY_MS, startOfUtcDay(until) - KEPT_DAYS * DAY_MS);
  const starts = [from];
  for (let day = firstDay; day < until; day += DAY_MS) starts.push(day);
  return starts.map((start, index) => ({ ...usage, from: start, until: starts[index + 1] ?? until }));
}

/** The spans after those before, where the first goes on with the last if nothing changed. */
function joined(before: readonly Span[], [next, ...rest]: readonly Span[]): readonly Span[] {
  const last = before.at(-1);
  if (next === undefined) return before;
  const isSame =
    last !== undefined &&
    last.until === next.from &&
    last.use === next.use &&
    last.isWasted === next.isWasted &&
    last.hourlyCost === next.hourlyCost &&
    startOfUtcDay(last.from) === startOfUtcDay(next.from);
  return isSame
    ? [...before.slice(0, -1), { ...next, from: last.from }, ...rest]
    : [...before, next, ...rest];
}

/** What has waited for a report for too long keeps its price. */
function settleOld(ledger: Ledger, now: number): Ledger {
  const isOld = (span: Span, index: number) =>
    span.until <= now - OPEN_FOR_MS || index < ledger.open.length - MAXIMUM_OPEN;
  const old = ledger.open.filter(isOld);
  if (old.length === 0) return ledger;
  const settled: Ledger = {
    ...ledger,
    open: ledger.open.filter((span, index) => !isOld(span, index)),
    settledUnreportedMs: ledger.settledUnreportedMs + old.reduce((sum, span) => sum + lengthOf(span), 0),
  };
  return old.reduce<Ledger>((next, span) => putDown(next, span), settled);
}

/** Puts a span down for good, by its price or by what the machine has reported of it, in dollars. */
export function putDown(ledger: Ledger, span: Span, reported: number | null = null): Ledger {
  return addTo(ledger, startOfUtcDay(span.from), costsOfSpan(span, reported));
}

/** What a span comes to. */
export function costsOfSpan(span: Span, reported: number | null = null): CostTotals {
  const ms = lengthOf(span);
  const hours = ms / HOUR_MS;
  const dollars = reported ?? (span.hourlyCost ?? 0) * hours;
  return {
    ...NO_COSTS,
    [span.use]: { ms, dollars },
    wasted: span.isWasted ? dollars : 0,
    saved: span.hourlySaving * hours,
    reported: reported ?? 0,
    unpricedMs: reported === null && span.hourlyCost === null ? ms : 0,
  };
}

/** Adds costs to a day. The last days are kept apart, what lies before them together. */
export function addTo(ledger: Ledger, day: number, costs: CostTotals): Ledger {
  const others = ledger.days.filter((each) => each.day !== day);
  const before = ledger.days.find((each) => each.day === day) ?? NO_COSTS;
  const days = [...others, { ...sumOf(before, costs), day }].sort((one, other) => one.day - other.day);
  return {
    ...ledger,
    days: days.slice(-KEPT_DAYS),
    earlier: days.slice(0, -KEPT_DAYS).reduce(sumOf, ledger.earlier),
  };
}

export function sumOf(one: CostTotals, other: CostTotals): CostTotals {
  return {
    working: sumOfSpent(one.working, other.working),
    idle: sumOfSpent(one.idle, other.idle),
    silent: sumOfSpent(one.silent, other.silent),
    hibernated: sumOfSpent(one.hibernated, other.hibernated),
    wasted: one.wasted + other.wasted,
    saved: one.saved + other.saved,
    reported: one.reported + other.reported,
    unpricedMs: one.unpricedMs + other.unpricedMs,
  };
}

export function sumOfSpent(one: Spent, other: Spent): Spent {
  return { ms: one.ms + other.ms, dollars: one.dollars + other.dollars };
}

export function dollarsOf({ working, idle, silent, hibernated }: CostTotals): number {
  return working.dollars + idle.dollars + silent.dollars + hibernated.dollars;
}

export function lengthOf({ from, until }: Span): number {
  return until - from;
}

/** How much time is put down. Every step is checked against it, so it is summed up without the rest. */
export function timePutDown({ days, earlier, open }: Ledger): number {
  let ms = timeOf(earlier);
  for (const day of days) ms += timeOf(day);
  for (const span of open) ms += lengthOf(span);
  return ms;
}

function timeOf({ working, idle, silent, hibernated }: CostTotals): number {
  return working.ms + idle.ms + silent.ms + hibernated.ms;
}

/** Of one UTC day, so far: what is put down, and what may yet be reported, at its price. */
export function costsOfDay(ledger: Ledger, day: number): CostTotals {
  const settled = ledger.days.find((each) => each.day === day) ?? NO_COSTS;
  return ledger.open
    .filter(({ from }) => startOfUtcDay(from) === day)
    .map((span) => costsOfSpan(span))
    .reduce(sumOf, settled);
}

/** What the idleness or the silence that lasts, or has just ended, has cost so far. A late report may change what came before it. */
export function wastedOfLate(ledger: Ledger): number {
  const { wastedBefore } = ledger;
  return wastedBefore === undefined ? 0 : Math.max(0, costsInAll(ledger).wasted - wastedBefore);
}

/** Since the ledger began, so far. */
export function costsInAll({ days, earlier, open }: Ledger): CostTotals {
  return [...days, ...open.map((span) => costsOfSpan(span))].reduce(sumOf, earlier);
}
