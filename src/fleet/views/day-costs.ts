import type { CostGroup, CostGrouping, DayRange, GroupPage } from "../../history/costs.ts";
import type { Found } from "../../lifecycle/model/stored.ts";
import { startOfUtcDay } from "../../lifecycle/model/time.ts";
import type { Fleet } from "../fleet.ts";
import { openDays } from "../rules/cost-days.ts";
import type { DayTotal } from "../tables/closed-costs.ts";

/** What a fleet knows of the days of its costs, the current one among them. Days are named by their first instants. */

/** What everybody together has cost on each day. */
export interface DaysOfFleet {
  readonly closed: readonly DayTotal[];
  /** Those that are over and not closed yet, and today so far. */
  readonly open: readonly DayTotal[];
}

export function daysOfFleet(fleet: Fleet, range: DayRange, now: number): DaysOfFleet {
  const { at, closed } = fleet.costs;
  return {
    closed: closed.totals(range.from, Math.min(range.before, startOfUtcDay(now))),
    open: openDaysIn(range, fleet, now).map((day) => ({ day, costs: at.on([day], now) })),
  };
}

/** The days of a range that are not closed yet, today among them. */
function openDaysIn({ from, before }: DayRange, { state }: Fleet, now: number): number[] {
  return [...openDays(state, now), startOfUtcDay(now)].filter((day) => day >= from && day < before);
}

/** Which days the history knows, and where. */
export interface HistoryOfCosts {
  /** The number of its database; null as long as it knows none. */
  readonly shard: number | null;
  /** The history has all days before this. What is asked of later ones is asked of the fleet. */
  readonly knownBefore: number;
}

export function historyOfCosts({ state, costs: known }: Fleet): HistoryOfCosts {
  const { shard, closedBefore } = state.costs;
  return { shard, knownBefore: Math.min(closedBefore, known.closed.unkeptFrom() ?? closedBefore) };
}

export interface RecentGroups extends HistoryOfCosts, Found<CostGroup, string> {}

/** What the history does not know yet of these days, today among them: in the same groups as those of `readCostDays`. */
export function recentGroups(
  fleet: Fleet,
  range: DayRange,
  grouping: CostGrouping,
  page: GroupPage,
  now: number,
): RecentGroups {
  const history = historyOfCosts(fleet);
  const closed = { ...range, from: Math.max(range.from, history.knownBefore) };
  const open = openDaysIn(range, fleet, now);
  return { ...history, ...fleet.costs.at.groups(open, closed, now, grouping, page) };
}

export interface DaysOfInstance extends HistoryOfCosts {
  /** Whether the fleet has such an instance now. */
  readonly isListed: boolean;
  /** Those that the history does not know yet, today among them, oldest first. */
  readonly days: readonly DayTotal[];
}

/** What one instance has cost on each day of a range, as far as the history does not know it yet. */
export function daysOfInstance(
  fleet: Fleet,
  instanceId: string,
  range: DayRange,
  now: number,
): DaysOfInstance {
  const history = historyOfCosts(fleet);
  const closed = { ...range, from: Math.max(range.from, history.knownBefore) };
  const days = fleet.costs.at.ofInstance(instanceId, openDaysIn(range, fleet, now), closed, now);
  return { ...history, isListed: fleet.registry.has(instanceId), days };
}
