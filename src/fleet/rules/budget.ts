import { LEAST_DOLLARS } from "../../lifecycle/model/dollars.ts";
import {
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  startOfNextUtcMonth,
  startOfUtcDay,
  startOfUtcMonth,
} from "../../lifecycle/model/time.ts";

/**
 * What a user's budget calls for, by what is known of the money: what is told, what is done, and when to look again. A price that
 * nobody knows is no dollars, and is told as that.
 */

export const AT_LIMIT = ["alert", "hibernate_idle", "hibernate_all"] as const;
export type AtLimit = (typeof AT_LIMIT)[number];

export const PERIODS = ["day", "month"] as const;
export type Period = (typeof PERIODS)[number];

/** Dollars of a UTC day and of a UTC month; null: no limit. */
export interface Limits {
  readonly day: number | null;
  readonly month: number | null;
}

/** Percent of a limit, each of which is told once a period. */
const THRESHOLDS = [50, 80, 100] as const;
export type Threshold = (typeof THRESHOLDS)[number];

/** What was told and done of a period. */
export interface Told {
  /** The first instant of the period: of any other nothing was told yet. */
  readonly from: number;
  readonly percent: number;
  /** Whether all were hibernated for this limit already. */
  readonly isAllDone: boolean;
}

/** What its owner sets. */
export interface BudgetSettings extends Limits {
  readonly atLimit: AtLimit;
}

export interface Budget extends BudgetSettings {
  readonly told: Readonly<Record<Period, Told>>;
  /** When the money was last looked at. */
  readonly lookedAt: number;
  /** When instances were last hibernated for it. */
  readonly actedAt: number;
  /** The fleet was set back: what it knows of the money is of then, and says nothing before this moment. */
  readonly doubtedUntil: number;
  /** The fleet's revision at the last look: nothing has changed while it is still that. */
  readonly seenRevision: number;
}

const NOTHING_TOLD: Told = { from: 0, percent: 0, isAllDone: false };

export const NO_BUDGET: Budget = {
  day: null,
  month: null,
  atLimit: "alert",
  told: { day: NOTHING_TOLD, month: NOTHING_TOLD },
  lookedAt: 0,
  actedAt: 0,
  doubtedUntil: 0,
  seenRevision: 0,
};

/** The money as budgets go by it, in dollars. */
export interface Spent {
  readonly day: number;
  readonly month: number;
  /** An hour, now. */
  readonly rate: number;
  readonly unknownRates: number;
}

export function hasLimit({ day, month }: Limits): boolean {
  return day !== null || month !== null;
}

export function settingsOf({ day, month, atLimit }: Budget): BudgetSettings {
  return { day, month, atLimit };
}

/** The money is looked at this often at most. */
const LOOKS_APART_MS = MINUTE_MS;

/** Once a limit is used up, idle instances are hibernated this often at most. */
const ACTS_APART_MS = 15 * MINUTE_MS;

/** By then every instance has reported to a fleet that was set back. */
const DOUBTED_MS = HOUR_MS;

/** What is to be told of a period. */
export interface BudgetAlert {
  readonly period: Period;
  readonly percent: Threshold;
  readonly limit: number;
  readonly spent: number;
  /** When the rate breaks the limit within the period; null: it doesn't, or has. */
  readonly breaksAt: number | null;
}

export interface Assessment {
  readonly budget: Budget;
  readonly alerts: readonly BudgetAlert[];
  /** Who is to be hibernated now. */
  readonly act: "nobody" | "idle" | "all";
  /** When to look again; null: not before something changes. */
  readonly lookAt: number | null;
}

/** `speed`: of the simulation, by which waiting is shorter. */
export function assess(budget: Budget, spent: Spent, now: number, speed: number): Assessment {
  const periods = PERIODS.map((period) => assessPeriod(budget, period, spent, now));
  const act = actFor(budget, periods, now, speed);
  const told = Object.fromEntries(
    periods.map(({ period, told, isExceeded }) => [
      period,
      act === "all" && isExceeded ? { ...told, isAllDone: true } : told,
    ]),
  );
  const next: Budget = {
    ...budget,
    told: { ...budget.told, ...told },
    lookedAt: now,
    actedAt: act === "nobody" ? budget.actedAt : now,
  };
  return {
    budget: next,
    alerts: periods.flatMap(({ alert }) => alert ?? []),
    act,
    lookAt: nextLook(next, periods, spent, now, speed),
  };
}

interface AssessedPeriod {
  readonly period: Period;
  readonly told: Told;
  readonly alert: BudgetAlert | null;
  readonly isExceeded: boolean;
  /** When its rate crosses the next threshold, or it ends; null without a limit, or without a rate. */
  readonly changesAt: number | null;
}

function assessPeriod(budget: Budget, period: Period, spent: Spent, now: number): AssessedPeriod {
  const told = toldOf(budget, period, now);
  const limit = budget[period];
  if (limit === null) return { period, told, alert: null, isExceeded: false, changesAt: null };
  const dollars = spent[period];
  const reached = reachedOf(dollars, limit);
  const isNews = reached > told.percent;
  return {
    period,
    told: isNews ? { ...told, percent: reached } : told,
    alert:
      isNews && reached !== 0
        ? { period, percent: reached, limit, spent: dollars, breaksAt: breaksAt(budget, spent, period, now) }
        : null,
    isExceeded: reached === 100,
    changesAt: changesAt(limit, dollars, spent.rate, period, now),
  };
}

function toldOf(budget: Budget, period: Period, now: number): Told {
  const from = startOf(period, now);
  return budget.told[period].from === from ? budget.told[period] : { ...NOTHING_TOLD, from };
}

/** The highest threshold that is reached. */
function reachedOf(dollars: number, limit: number): Threshold | 0 {
  return THRESHOLDS.findLast((percent) => dollars + LEAST_DOLLARS >= (limit * percent) / 100) ?? 0;
}

export function startOf(period: Period, now: number): number {
  return period === "day" ? startOfUtcDay(now) : startOfUtcMonth(now);
}

export function endOf(period: Period, now: number): number {
  return period === "day" ? startOfUtcDay(now) + DAY_MS : startOfNextUtcMonth(now);
}

function changesAt(limit: number, dollars: number, rate: number, period: Period, now: number): number | null {
  if (rate <= 0) return null;
  const next = THRESHOLDS.find((percent) => dollars + LEAST_DOLLARS < (limit * percent) / 100);
  const crossedAt =
    next === undefined ? Number.POSITIVE_INFINITY : momentOf((limit * next) / 100, dollars, rate, now);
  return Math.min(crossedAt, endOf(period, now));
}

function momentOf(wanted: number, dollars: number, rate: number, now: number): number {
  return Math.ceil(now + ((wanted - dollars) / rate) * HOUR_MS);
}

/** When a limit is used up at the rate of now: within its period, and not already. */
export function breaksAt(limits: Limits, spent: Spent, period: Period, now: number): number | null {
  const limit = limits[period];
  if (limit === null || spent.rate <= 0 || reachedOf(spent[period], limit) === 100) return null;
  const at = momentOf(limit, spent[period], spent.rate, now);
  return at < endOf(period, now) ? at : null;
}

export function isExceeded(limits: Limits, spent: Spent, period: Period): boolean {
  const limit = limits[period];
  return limit !== null && reachedOf(spent[period], limit) === 100;
}

function actFor(
  { atLimit, actedAt }: Budget,
  periods: readonly AssessedPeriod[],
  now: number,
  speed: number,
): Assessment["act"] {
  const exceeded = periods.filter((each) => each.isExceeded);
  if (exceeded.length === 0 || atLimit === "alert") return "nobody";
  // Once a period: whoever is woken afterwards was woken by somebody's word.
  if (atLimit === "hibernate_all" && exceeded.some(({ told }) => !told.isAllDone)) return "all";
  return isPast(actedAt, ACTS_APART_MS / speed, now) ? "idle" : "nobody";
}

/** A clock that was set back must not hold anything up. */
function isPast(at: number, apartMs: number, now: number): boolean {
  return now >= at + apartMs || now < at;
}

function nextLook(
  { atLimit, actedAt }: Budget,
  periods: readonly AssessedPeriod[],
  { rate }: Spent,
  now: number,
  speed: number,
): number | null {
  const mayActAgain = atLimit !== "alert" && rate > 0 && periods.some((each) => each.isExceeded);
  const moments = [
    ...periods.flatMap((each) => each.changesAt ?? []),
    ...(mayActAgain ? [actedAt + ACTS_APART_MS / speed] : []),
  ];
  return moments.length === 0 ? null : Math.max(now + LOOKS_APART_MS / speed, Math.min(...moments));
}

/** When the money is to be looked at because something has changed; null where there is nothing to hold it against. */
export function lookAfterChange(
  budget: Budget,
  dueAt: number | null,
  now: number,
  speed: number,
): number | null {
  if (!hasLimit(budget)) return null;
  const { lookedAt, doubtedUntil } = budget;
  const apartAt = lookedAt > now ? now : lookedAt + LOOKS_APART_MS / speed;
  const at = Math.max(now, apartAt, isDoubted(budget, now) ? doubtedUntil : 0);
  return dueAt === null ? at : Math.min(dueAt, at);
}

/** Its owner sets the budget. A limit that is raised tells anew only what is crossed from then on. */
export function setBudget(
  budget: Budget,
  set: BudgetSettings,
  spent: Pick<Spent, Period>,
  now: number,
): Budget {
  const told = (period: Period): Told => {
    const before = toldOf(budget, period, now);
    const limit = set[period];
    if (limit === null) return before;
    const percent = Math.min(before.percent, reachedOf(spent[period], limit));
    return { ...before, percent, isAllDone: before.isAllDone && percent === 100 };
  };
  return { ...budget, ...set, told: { day: told("day"), month: told("month") } };
}

/**
 * The fleet was set back. What it has done since it does not know: so in the periods that go on, it hibernates no more than the idle
 * ones.
 */
export function doubtBudget(budget: Budget, now: number): Budget {
  const told = (period: Period): Told => ({ ...toldOf(budget, period, now), isAllDone: true });
  return { ...budget, told: { day: told("day"), month: told("month") }, doubtedUntil: now + DOUBTED_MS };
}

export function isDoubted({ doubtedUntil }: Budget, now: number): boolean {
  // A clock that was set back makes no doubt longer.
  return now < doubtedUntil && now >= doubtedUntil - DOUBTED_MS;
}
