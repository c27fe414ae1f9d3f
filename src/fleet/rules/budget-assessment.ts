import { LEAST_DOLLARS } from "../../lifecycle/model/dollars.ts";
import { MINUTE_MS } from "../../lifecycle/model/time.ts";
import {
  type Budget,
  breaksAt,
  endOf,
  hasLimit,
  isDoubted,
  isExceeded,
  momentOf,
  PERIODS,
  type Period,
  reachedOf,
  type Spending,
  THRESHOLDS,
  type Threshold,
  type Told,
  toldOf,
} from "./budget.ts";

/** What a budget calls for, by what is spent: what is told, who is hibernated, and when to look again. */

/** The money is looked at this often at most. */
const LOOKS_APART_MS = MINUTE_MS;

/** Once a limit is used up, idle instances are hibernated this often at most. */
const ACTS_APART_MS = 15 * MINUTE_MS;

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
export function assess(budget: Budget, spent: Spending, now: number, speed: number): Assessment {
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
  /** When the rate crosses the next threshold, or the period ends; null without a limit, or without a rate. */
  readonly changesAt: number | null;
}

function assessPeriod(budget: Budget, period: Period, spent: Spending, now: number): AssessedPeriod {
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

function changesAt(limit: number, dollars: number, rate: number, period: Period, now: number): number | null {
  if (rate <= 0) return null;
  const next = THRESHOLDS.find((percent) => dollars + LEAST_DOLLARS < (limit * percent) / 100);
  const crossedAt =
    next === undefined ? Number.POSITIVE_INFINITY : momentOf((limit * next) / 100, dollars, rate, now);
  return Math.min(crossedAt, endOf(period, now));
}

function actFor(
  { atLimit, actedAt }: Budget,
  periods: readonly AssessedPeriod[],
  now: number,
  speed: number,
): Assessment["act"] {
  const exceeded = periods.filter((each) => each.isExceeded);
  if (exceeded.length === 0 || atLimit === "alert") return "nobody";
  // Once a period: what runs afterwards was woken by somebody.
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
  { rate }: Spending,
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

/** Who is meant by the budget as it stands. Instances that were asked for it before, and not reached yet, are spared otherwise. */
export function meantBy(budget: Budget, spent: Spending): Assessment["act"] {
  if (!PERIODS.some((period) => isExceeded(budget, spent, period))) return "nobody";
  switch (budget.atLimit) {
    case "alert":
      return "nobody";
    case "hibernate_idle":
      return "idle";
    case "hibernate_all":
      return "all";
  }
}
