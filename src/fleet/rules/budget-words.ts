import { spokenDollars } from "../../lifecycle/model/dollars.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import type { Period, Spending } from "./budget.ts";
import type { BudgetAlert } from "./budget-assessment.ts";

/** How an alert tells of a budget. */

/** What an alert says of the money. */
export function describeAlert(
  { period, percent, limit, spent, breaksAt: at }: BudgetAlert,
  { rate, unknownRates }: Pick<Spending, "rate" | "unknownRates">,
): string {
  const of = `${spokenDollars(spent)} of ${spokenDollars(limit)} since ${period === "day" ? "00:00 UTC" : "the first of the month"}`;
  const whose = period === "day" ? "The day's budget" : "The month's budget";
  const head = percent === 100 ? `${whose} is used up: ${of}` : `${whose} is used to ${percent} %: ${of}`;
  const pace = rate > 0 ? `, and ${spokenDollars(rate)} more every hour` : "";
  const breaks = at === null ? "" : `. At this rate it is used up ${whenOf(period, at)}`;
  const unknown =
    unknownRates === 0
      ? ""
      : `. ${unknownRates} instance${unknownRates === 1 ? " has" : "s have"} no known price, and ${unknownRates === 1 ? "is" : "are"} not counted`;
  return `${head}${pace}${breaks}${unknown}.`;
}

function whenOf(period: Period, at: number): string {
  const moment = toIso(at);
  return period === "day" ? `at ${moment.slice(11, 16)} UTC` : `on ${moment.slice(0, 10)}`;
}
