import type { ForecastView } from "../lifecycle/views/forecast.ts";
import { CHANGED, READY } from "./keeper.ts";
import { FleetRounds } from "./rounds.ts";
import {
  type BudgetSettings,
  breaksAt,
  type Limits,
  PERIODS,
  type Period,
  type Spent,
  setBudget,
} from "./rules/budget.ts";
import { withDue } from "./rules/state.ts";
import { spentBy, withdrawRound } from "./tasks/budget.ts";
import { forecastOfFleet } from "./views/costs.ts";
import { moneyNow } from "./views/money.ts";
import { readSavings } from "./views/savings.ts";

/** A budget as it stands. */
export interface BudgetNow extends BudgetSettings {
  readonly spent: Spent;
  /** When the rate of now uses a limit up, within its period; null where it does not, or has. */
  readonly breaksAt: Readonly<Record<Period, number | null>>;
  /** What the month will have cost. */
  readonly forecast: ForecastView | null;
}

export interface MoneyFigures {
  readonly limits: Limits;
  readonly spent: Spent;
  /** Dollars that hibernation has saved, of removed instances too. */
  readonly savedTotal: number;
}

/** What the user may spend. */
export abstract class FleetBudget extends FleetRounds {
  async budget(): Promise<BudgetNow> {
    const fleet = await this[READY]();
    const now = Date.now();
    const { day, month, atLimit } = fleet.state.budget;
    const money = moneyNow(fleet, now);
    const spent = spentBy(money);
    const forecast = forecastOfFleet(fleet, money, now);
    const [ofDay = null, ofMonth = null] = PERIODS.map((period) =>
      breaksAt({ day, month }, spent, period, now),
    );
    return { day, month, atLimit, spent, breaksAt: { day: ofDay, month: ofMonth }, forecast };
  }

  /** For the metrics. */
  async moneyFigures(): Promise<MoneyFigures> {
    const fleet = await this[READY]();
    const { day, month } = fleet.state.budget;
    const now = Date.now();
    const { total } = readSavings(fleet.registry, "", 1, now);
    const spent = spentBy(moneyNow(fleet, now));
    return { limits: { day, month }, spent, savedTotal: total.saved_total + fleet.state.savedByRemoved };
  }

  /** From now on the money is held against it. */
  async setBudget(set: BudgetSettings): Promise<BudgetNow> {
    const fleet = await this[READY]();
    const now = Date.now();
    const spent = spentBy(moneyNow(fleet, now));
    fleet.update((state) => {
      const budget = setBudget(state.budget, set, spent, now);
      return withDue({ ...state, budget }, { budgetAt: now });
    });
    withdrawRound(fleet, now);
    this[CHANGED](fleet);
    return this.budget();
  }
}
