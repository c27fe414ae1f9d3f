import type { CostReport, Habit, MonthCosts } from "../../alerts/cost-report.ts";
import { readCostliest } from "../../history/costliest.ts";
import { historyOf } from "../../history/shards.ts";
import { type CostTotals, NO_COSTS, sumOf } from "../../lifecycle/model/ledger.ts";
import { SECOND_MS, startOfUtcDay } from "../../lifecycle/model/time.ts";
import { logWarning } from "../../platform/log.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import { openDays } from "../rules/cost-days.ts";
import { costliestHabits, type InstanceCosts } from "../rules/habits.ts";
import { hibernationsIn } from "../rules/months.ts";
import { monthBefore, nextMonth, oldestMonth } from "../rules/report-times.ts";
import { daysOfFleet, historyOfCosts } from "./day-costs.ts";
import { previewedIn } from "./previewed-savings.ts";

/** What a month has cost, of what the fleet and the history know together. */

const CALL_LIMIT_MS = 10 * SECOND_MS;

/** Those that may be among the costliest, as the history or the fleet alone has them. */
const CANDIDATES = 20;

/** Of a month that begins then. Without its habits where the history does not answer. */
export async function readCostReport(
  env: Env,
  userId: string,
  fleet: Fleet,
  month: number,
): Promise<CostReport> {
  const habits = await readHabits(env, userId, fleet, month, Date.now()).catch((error: unknown) => {
    logWarning("the costliest instances of a month could not be looked up", { user_id: userId }, error);
    return null;
  });
  return costReport(fleet, month, habits, Date.now());
}

/** `habits`: null where they can't be looked up. */
export function costReport(
  fleet: Fleet,
  month: number,
  habits: readonly Habit[] | null,
  now: number,
): CostReport {
  const { recallBefore } = fleet.state.costs;
  const before = monthBefore(month);
  return {
    ...monthCosts(fleet, month, sumOfDays(fleet, month, now) ?? NO_COSTS),
    isSoFar: now < nextMonth(month),
    isComplete: recallBefore === null || recallBefore <= month,
    habits,
    before: before < oldestMonth(now) ? null : known(fleet, before, now),
    previewed: previewedIn(fleet, month),
  };
}

function known(fleet: Fleet, month: number, now: number): MonthCosts | null {
  const costs = sumOfDays(fleet, month, now);
  return costs === null ? null : monthCosts(fleet, month, costs);
}

function monthCosts({ state }: Fleet, month: number, costs: CostTotals): MonthCosts {
  return { month, costs, hibernations: hibernationsIn(state.hibernationsByMonth, month) };
}

/** Null when no day of it is known. */
function sumOfDays(fleet: Fleet, month: number, now: number): CostTotals | null {
  const { closed, open } = daysOfFleet(fleet, { from: month, before: nextMonth(month) }, now);
  const days = [...closed, ...open];
  return days.length === 0 ? null : days.map(({ costs }) => costs).reduce(sumOf);
}

/** The costliest habits of a month. Throws when the history does not answer. */
export async function readHabits(
  env: Env,
  userId: string,
  fleet: Fleet,
  month: number,
  now: number,
): Promise<Habit[]> {
  const end = nextMonth(month);
  const { shard, knownBefore } = historyOfCosts(fleet);
  const open = [...openDays(fleet.state, now), startOfUtcDay(now)].filter((day) => day >= month && day < end);
  const closed = { from: Math.max(month, knownBefore), before: end };
  const recent = (also: readonly string[]) => fleet.costs.at.costliest(open, closed, now, also, CANDIDATES);
  const dearest = recent([]);
  const range = { from: month, before: Math.min(end, knownBefore) };
  const ids = dearest.map(({ instanceId }) => instanceId);
  const kept =
    shard === null || range.before <= range.from
      ? []
      : await within(CALL_LIMIT_MS, readCostliest(historyOf(env, shard), userId, range, ids, CANDIDATES));
  const habits = costliestHabits(together(kept, recent(kept.map(({ instanceId }) => instanceId))));
  const names = fleet.costs.at.names(habits.map(({ instanceId }) => instanceId));
  return habits.map((habit) => ({ ...habit, name: names.get(habit.instanceId) ?? habit.instanceId }));
}

function together(...lists: readonly (readonly InstanceCosts[])[]): InstanceCosts[] {
  const sums = new Map<string, CostTotals>();
  for (const { instanceId, costs } of lists.flat()) {
    sums.set(instanceId, sumOf(sums.get(instanceId) ?? NO_COSTS, costs));
  }
  return [...sums].map(([instanceId, costs]) => ({ instanceId, costs }));
}
