import { toIso } from "../../lifecycle/model/time.ts";
import { phrase } from "../../lifecycle/model/words/phrase.ts";
import type { Phrase } from "../../lifecycle/model/words/said.ts";
import type { Period, Spending } from "./budget.ts";
import type { BudgetAlert } from "./budget-assessment.ts";

/** How an alert tells of a budget. */

/** What an alert says of the money. */
export function describeAlert(
  { period, percent, limit, spent, breaksAt: at }: BudgetAlert,
  { rate, unknownRates }: Pick<Spending, "rate" | "unknownRates">,
): Phrase {
  const told = {
    spent,
    limit,
    pace: rate > 0 ? phrase("budget.pace", { rate }) : "",
    breaks: at === null ? "" : phrase(`budget.${period}_breaks`, { at: whenOf(period, at) }),
    unknown: unknownRates === 0 ? "" : phrase("budget.unknown", { count: unknownRates }),
  };
  return percent === 100
    ? phrase(`budget.${period}_used_up`, told)
    : phrase(`budget.${period}_used`, { ...told, percent });
}

function whenOf(period: Period, at: number): string {
  const moment = toIso(at);
  return period === "day" ? moment.slice(11, 16) : moment.slice(0, 10);
}
