import { type CostTotals, KEPT_DAYS, sumOf } from "../../lifecycle/model/ledger.ts";
import { DAY_MS, startOfUtcDay, startOfUtcMonth } from "../../lifecycle/model/time.ts";
import type { FleetTables } from "../tables/all.ts";
import type { CostTotalsByDay } from "../tables/cost-totals.ts";
import type { WastingRow } from "../tables/costs.ts";

/** What a fleet costs now. Nothing is rounded. */
export interface MoneyNow {
  /** When that was so, in milliseconds. */
  readonly at: number;
  /** Dollars an hour of all instances whose rate is known. */
  readonly rate: number;
  /** How many instances have no known rate: nobody knows what they cost. */
  readonly unknown_rates: number;
  /** Of the rate: that of machines that do nothing for it. */
  readonly wasted_rate: number;
  /** The dearest of those. */
  readonly wasting: readonly WastingRow[];
  /** Since 00:00 UTC. */
  readonly today: CostTotals;
  /** Of the UTC month, today in it. */
  readonly month: CostTotals;
}

const WASTING_SHOWN = 20;

export function moneyNow({ costs, costTotals: totals }: FleetTables, now: number): MoneyNow {
  const month = startOfUtcMonth(now);
  const today = costs.today(now);
  const open = openDays(totals, now).filter((day) => day >= month);
  return {
    at: now,
    ...costs.rates(),
    wasting: costs.wasting(now, WASTING_SHOWN),
    today,
    month: open
      .map((day) => costs.on(day, now))
      .reduce(sumOf, sumOf(totals.sum(month, startOfUtcDay(now)), today)),
  };
}

/** The days before today whose total is not put down yet. */
function openDays(totals: CostTotalsByDay, now: number): number[] {
  return Array.from(
    { length: KEPT_DAYS - 1 },
    (_, index) => startOfUtcDay(now) - (index + 1) * DAY_MS,
  ).filter((day) => !totals.has(day));
}
