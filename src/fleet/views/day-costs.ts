import type { CostGroup, CostGrouping } from "../../history/costs.ts";
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

export interface CostRange {
  readonly from: number;
  readonly before: number;
}

/** Of days from `from` on, before `before`. */
export function daysOfFleet(
  { state, costs: known }: Fleet,
  { from, before }: CostRange,
  now: number,
): DaysOfFleet {
  const today = startOfUtcDay(now);
  const open = [...openDays(state, now), today].filter((day) => day >= from && day < before);
  return {
    closed: known.closed.totals(from, Math.min(before, today)),
    open: open.map((day) => ({ day, costs: known.at.on([day], now) })),
  };
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

/** What the history does not know yet of days before `before`, today in it, by groups as those of `readCostDays`. */
export function recentGroups(
  fleet: Fleet,
  { from, before }: CostRange,
  grouping: CostGrouping,
  page: { readonly after: string | null; readonly limit: number },
  now: number,
): RecentGroups {
  const history = historyOfCosts(fleet);
  const open = [...openDays(fleet.state, now), startOfUtcDay(now)].filter(
    (day) => day >= from && day < before,
  );
  const closed = { from: Math.max(from, history.knownBefore), before };
  return { ...history, ...fleet.costs.at.groups(open, closed, now, grouping, page) };
}
