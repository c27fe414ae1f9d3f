import type { ForecastView } from "../lifecycle/views/forecast.ts";
import type { Fleet } from "./fleet.ts";
import { CHANGED, READY } from "./keeper.ts";
import { FleetRounds } from "./rounds.ts";
import {
  type BudgetSettings,
  breaksAt,
  type Limits,
  PERIODS,
  type Period,
  type Spending,
  setBudget,
  settingsOf,
} from "./rules/budget.ts";
import { withDue } from "./rules/state.ts";
import { withdrawRound } from "./tasks/budget.ts";
import { forecastOfFleet } from "./views/costs.ts";
import { type MoneyNow, moneyNow, spendingOf } from "./views/money.ts";
import { readSavings } from "./views/savings.ts";

/** A budget as it stands. */
export interface BudgetNow extends BudgetSettings {
  readonly spent: Spending;
  /** When the rate of now uses a limit up, within its period; null where it does not, or has. */
  readonly breaksAt: Readonly<Record<Period, number | null>>;
  /** What the month will have cost. */
  readonly forecast: ForecastView | null;
}

export interface MoneyFigures {
  readonly limits: Limits;
  readonly spent: Spending;
  /** Dollars that hibernation has saved, of removed instances too. */
  readonly savedTotal: number;
}

/** What the user may spend. */
export abstract class FleetBudget extends FleetRounds {
  async budget(): Promise<BudgetNow> {
    const fleet = await this[READY]();
    const now = Date.now();
    return budgetNow(fleet, moneyNow(fleet, now));
  }

  /** For the metrics. */
  async moneyFigures(): Promise<MoneyFigures> {
    const fleet = await this[READY]();
    const { day, month } = fleet.state.budget;
    const now = Date.now();
    const { total } = readSavings(fleet.registry, "", 1, now);
    const spent = spendingOf(moneyNow(fleet, now));
    return { limits: { day, month }, spent, savedTotal: total.saved_total + fleet.state.savedByRemoved };
  }

  /** From now on the money is held against it. */
  async setBudget(set: BudgetSettings): Promise<BudgetNow> {
    const fleet = await this[READY]();
    const now = Date.now();
    const money = moneyNow(fleet, now);
    fleet.update((state) => {
      const budget = setBudget(state.budget, set, spendingOf(money), now);
      return withDue({ ...state, budget }, { budgetAt: now });
    });
    withdrawRound(fleet, now);
    this[CHANGED](fleet);
    return budgetNow(fleet, money);
  }
}

function budgetNow(fleet: Fleet, money: MoneyNow): BudgetNow {
  const settings = settingsOf(fleet.state.budget);
  const spent = spendingOf(money);
  const [day = null, month = null] = PERIODS.map((period) => breaksAt(settings, spent, period, money.at));
  return {
    ...settings,
    spent,
    breaksAt: { day, month },
    forecast: forecastOfFleet(fleet, money),
  };
}
