import { LEAST_DOLLARS } from "../../lifecycle/model/dollars.ts";
import {
  DAY_MS,
  HOUR_MS,
  startOfNextUtcMonth,
  startOfUtcDay,
  startOfUtcMonth,
} from "../../lifecycle/model/time.ts";

/** A user's budget: its limits, what was told and done for them, and how far they are used. */

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
export const THRESHOLDS = [50, 80, 100] as const;
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
  /** The fleet was set back, and what it knows of costs may be old. Nothing is decided before this moment. */
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

/** What counts against a budget, in dollars. What has no known price is in no sum, and is counted apart. */
export interface Spending {
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

/** By then every instance has reported to a fleet that was set back. */
const DOUBTED_MS = HOUR_MS;

/** What was told of the period that holds `now`. */
export function toldOf(budget: Budget, period: Period, now: number): Told {
  const from = startOf(period, now);
  return budget.told[period].from === from ? budget.told[period] : { ...NOTHING_TOLD, from };
}

/** The highest threshold that is reached. */
export function reachedOf(dollars: number, limit: number): Threshold | 0 {
  return THRESHOLDS.findLast((percent) => dollars + LEAST_DOLLARS >= (limit * percent) / 100) ?? 0;
}

export function startOf(period: Period, now: number): number {
  return period === "day" ? startOfUtcDay(now) : startOfUtcMonth(now);
}

export function endOf(period: Period, now: number): number {
  return period === "day" ? startOfUtcDay(now) + DAY_MS : startOfNextUtcMonth(now);
}

/** When `wanted` dollars will be spent, at this rate. */
export function momentOf(wanted: number, dollars: number, rate: number, now: number): number {
  return Math.ceil(now + ((wanted - dollars) / rate) * HOUR_MS);
}

/** When a limit is used up at the rate of now: within its period, and not already. */
export function breaksAt(limits: Limits, spent: Spending, period: Period, now: number): number | null {
  const limit = limits[period];
  if (limit === null || spent.rate <= 0 || reachedOf(spent[period], limit) === 100) return null;
  const at = momentOf(limit, spent[period], spent.rate, now);
  return at < endOf(period, now) ? at : null;
}

export function isExceeded(limits: Limits, spent: Spending, period: Period): boolean {
  const limit = limits[period];
  return limit !== null && reachedOf(spent[period], limit) === 100;
}

/** Its owner sets the budget. After a limit is raised, only what is crossed from then on is told again. */
export function setBudget(
  budget: Budget,
  set: BudgetSettings,
  spent: Pick<Spending, Period>,
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
 * The fleet was set back, and does not know what it has done since. For the rest of the day and the month it hibernates only the
 * idle ones.
 */
export function doubtBudget(budget: Budget, now: number): Budget {
  const told = (period: Period): Told => ({ ...toldOf(budget, period, now), isAllDone: true });
  return { ...budget, told: { day: told("day"), month: told("month") }, doubtedUntil: now + DOUBTED_MS };
}

export function isDoubted({ doubtedUntil }: Budget, now: number): boolean {
  // A clock that was set back makes no doubt longer.
  return now < doubtedUntil && now >= doubtedUntil - DOUBTED_MS;
}
