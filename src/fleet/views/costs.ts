import type { CostGrouping, DayRange, GroupPage } from "../../history/costs.ts";
import { dollarsOf } from "../../lifecycle/model/ledger.ts";
import { startOfUtcDay } from "../../lifecycle/model/time.ts";
import { FORECAST_FROM_MS, type ForecastView, forecastOf } from "../../lifecycle/views/forecast.ts";
import type { Fleet } from "../fleet.ts";
import type { DayTotal } from "../tables/closed-costs.ts";
import { daysOfFleet, type RecentGroups, recentGroups } from "./day-costs.ts";
import { type MoneyNow, moneyNow } from "./money.ts";

/** All that a fleet says of what its instances cost, as of one moment. */
export interface CostsOfFleet {
  readonly money: MoneyNow;
  readonly forecast: ForecastView | null;
  /** What all have cost on each day of the range, oldest first. */
  readonly days: readonly DayTotal[];
  /** What the history does not know yet of a page of groups; null if none was asked for. */
  readonly recent: RecentGroups | null;
}

/** A page of groups, in the order of their keys. */
export type PagedGrouping = CostGrouping & {
  readonly page: GroupPage;
};

export function costsOfFleet(
  fleet: Fleet,
  range: DayRange,
  grouping: PagedGrouping | null,
  now: number,
): CostsOfFleet {
  const money = moneyNow(fleet, now);
  const { closed, open } = daysOfFleet(fleet, range, now);
  return {
    money,
    forecast: forecastOfFleet(fleet, money),
    days: [...closed, ...open],
    recent: grouping === null ? null : recentGroups(fleet, range, grouping, grouping.page, now),
  };
}

/** What the month will have cost, as it looked when the money was reckoned. */
export function forecastOfFleet(
  { costs }: Fleet,
  { at: now, month, rate, unknown_rates }: MoneyNow,
): ForecastView | null {
  const today = startOfUtcDay(now);
  const closed = costs.closed.totals(today - FORECAST_FROM_MS, today);
  return forecastOf(
    {
      spent: dollarsOf(month),
      closed: closed.map((each) => ({ day: each.day, dollars: dollarsOf(each.costs) })),
      rate,
      unknownRates: unknown_rates,
    },
    now,
  );
}
