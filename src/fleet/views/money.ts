import { type CostTotals, dollarsOf, sumOf } from "../../lifecycle/model/ledger.ts";
import { startOfUtcDay, startOfUtcMonth } from "../../lifecycle/model/time.ts";
import type { Fleet } from "../fleet.ts";
import type { Spending } from "../rules/budget.ts";
import { openDays } from "../rules/cost-days.ts";
import { countInstances } from "../rules/state.ts";
import type { WastingRow } from "../tables/costs-at.ts";

/** What a fleet costs now. Nothing is rounded. */
export interface MoneyNow {
  /** When that was so, in milliseconds. */
  readonly at: number;
  /** Dollars an hour of all instances whose rate is known. */
  readonly rate: number;
  /** How many instances have no known rate: nobody knows what they cost. */
  readonly unknown_rates: number;
  /** The part of the rate that is wasted. */
  readonly wasted_rate: number;
  /** The dearest instances that waste money. */
  readonly wasting: readonly WastingRow[];
  /** Since 00:00 UTC. */
  readonly today: CostTotals;
  /** Of the UTC month, today in it. */
  readonly month: CostTotals;
}

const WASTING_SHOWN = 20;

export function moneyNow({ state, costs: known }: Fleet, now: number): MoneyNow {
  const month = startOfUtcMonth(now);
  const today = known.at.on([startOfUtcDay(now)], now);
  const { rate, wasted_rate, known_rates } = known.at.rates();
  const open = openDays(state, now).filter((day) => day >= month);
  return {
    at: now,
    rate,
    unknown_rates: Math.max(0, countInstances(state) - (state.instancesByStatus.deleted ?? 0) - known_rates),
    wasted_rate,
    wasting: known.at.wasting(now, WASTING_SHOWN),
    today,
    month: known.closed
      .totals(month, startOfUtcDay(now))
      .map(({ costs }) => costs)
      .reduce(sumOf, open.length === 0 ? today : sumOf(today, known.at.on(open, now))),
  };
}

/** What of it counts against the budget. */
export function spendingOf({ today, month, rate, unknown_rates }: MoneyNow): Spending {
  return { day: dollarsOf(today), month: dollarsOf(month), rate, unknownRates: unknown_rates };
}
