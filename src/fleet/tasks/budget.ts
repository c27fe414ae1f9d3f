import { roundDollars } from "../../lifecycle/model/dollars.ts";
import type { HistoryEvent } from "../../lifecycle/model/history-event.ts";
import { moneyOf } from "../../lifecycle/model/money.ts";
import { messageOf } from "../../lifecycle/model/outbox.ts";
import { toIso, utcDay } from "../../lifecycle/model/time.ts";
import { phrase, together } from "../../lifecycle/model/words/phrase.ts";
import type { Phrase, Said } from "../../lifecycle/model/words/said.ts";
import { readSettings } from "../../platform/settings.ts";
import type { Fleet } from "../fleet.ts";
import { hasLimit, isDoubted, type Spending } from "../rules/budget.ts";
import {
  type Assessment,
  assess,
  type BudgetAlert,
  lookAfterChange,
  meantBy,
} from "../rules/budget-assessment.ts";
import { describeAlert } from "../rules/budget-words.ts";
import type { Asked } from "../rules/hibernation-round.ts";
import { withDue } from "../rules/state.ts";
import { moneyNow, spendingOf } from "../views/money.ts";
import { planRound, type RoundLine, type RoundPlan } from "../views/round-plan.ts";
import { askRound } from "./hibernation-round.ts";

/** Holds what is spent against the user's budget, tells what is reached, and has hibernated whom the budget says. */

type Environment = Parameters<typeof readSettings>[0];

/** Something may have changed: then the money is looked at within a minute. */
export function scheduleBudget(env: Environment, fleet: Fleet, now: number): void {
  const { budget, due, revision } = fleet.state;
  const mayLook = hasLimit(budget) && !fleet.isSuspended;
  if (mayLook && revision === budget.seenRevision) return;
  const budgetAt = mayLook
    ? lookAfterChange(budget, due.budgetAt, now, readSettings(env).SIMULATION_SPEED)
    : null;
  if (budgetAt !== due.budgetAt) fleet.setDue({ budgetAt });
}

export function lookAtBudget(env: Environment, fleet: Fleet, now: number): void {
  const { budget } = fleet.state;
  const mayLook = hasLimit(budget) && !fleet.isSuspended;
  if (!mayLook || isDoubted(budget, now)) {
    fleet.setDue({ budgetAt: mayLook ? budget.doubtedUntil : null });
    return;
  }
  const spent = spendingOf(moneyNow(fleet, now));
  const assessed = assess(budget, spent, now, readSettings(env).SIMULATION_SPEED);
  // What is told, what is done, and that it was, stand or fall together.
  fleet.update(() => {
    const sentence = actOn(fleet, assessed, now);
    for (const alert of assessed.alerts) {
      fleet.addOwnEvent(alertEvent(alert, spent, budget.atLimit, sentence, now), now);
    }
    const { state } = fleet;
    const next = { ...assessed.budget, seenRevision: state.revision };
    return withDue({ ...state, budget: next }, { budgetAt: assessed.lookAt });
  });
}

/** Whoever has yet to be asked to hibernate is spared once the budget does not call for that any more. */
export function withdrawRound(fleet: Fleet, now: number): void {
  if (!fleet.asked.isBudgetWaiting()) return;
  const meant = meantBy(fleet.state.budget, spendingOf(moneyNow(fleet, now)));
  if (meant === "all") return;
  fleet.update((state) => {
    fleet.asked.withdrawBudget(meant);
    return state;
  });
}

const ALL: Asked = { by: "budget", respectKeepAlive: true, onlyIdle: false, status: null };

/** Read for the names of those that go on. */
const LINES_READ = 1000;

/** Has instances hibernated, and says so in a sentence. */
function actOn(fleet: Fleet, { act, alerts }: Assessment, now: number): Said {
  if (act === "nobody") return phrase("budget.nothing_stopped");
  const asked: Asked = { ...ALL, onlyIdle: act === "idle" };
  const options = { at: now, now, limit: 1 };
  const { counts } = planRound(fleet, { asked, filter: {} }, options);
  if (counts.hibernate + (counts.skipped.observe ?? 0) > 0) askRound(fleet, { asked, filter: {} }, 1, now);
  if (alerts.length === 0) return "";
  const everyone = planRound(fleet, { asked: ALL, filter: {} }, { ...options, limit: LINES_READ });
  const count = { count: counts.hibernate };
  const what =
    act === "idle" ? phrase("budget.hibernating_idle", count) : phrase("budget.hibernating", count);
  return together("sentences", [what, describeOthers(everyone, act)]);
}

/** Names so many of them. */
const NAMED = 10;

/** Those that go on costing money, the dearest by name. */
function describeOthers({ lines, isMore }: RoundPlan, act: "idle" | "all"): Phrase {
  const others = lines
    .filter((line) => goesOn(line, act))
    .toSorted((one, other) => (other.rate ?? 0) - (one.rate ?? 0));
  if (others.length === 0) return phrase("budget.nothing_else");
  const named = others.slice(0, NAMED).map(({ name, rate, verdict }) => {
    const price = rate === null ? phrase("budget.price_unknown") : phrase("budget.price", { rate });
    return phrase("budget.one", { name, why: phrase(`round.${verdict.because}`), price });
  });
  const left = others.length - named.length;
  const more = left === 0 ? "" : phrase("round.more", { count: left });
  const told = { count: others.length, named: together("commas", named), more };
  return isMore ? phrase("budget.more_go_on", told) : phrase("budget.go_on", told);
}

function goesOn({ status, verdict }: RoundLine, act: "idle" | "all"): boolean {
  if (status !== "running" && status !== "orphaned" && status !== "pending") return false;
  if (verdict.does === "skip") return true;
  return act === "idle" && verdict.because !== "idle";
}

function alertEvent(
  alert: BudgetAlert,
  spent: Spending,
  atLimit: string,
  sentence: Said,
  now: number,
): HistoryEvent {
  const { period, percent, limit, breaksAt } = alert;
  const isUsedUp = percent === 100;
  return {
    id: `budget-${period}-${percent}-of-${limit}-${utcDay(now)}`,
    at: now,
    kind: "budget_reached",
    severity: isUsedUp ? "critical" : "warning",
    ...messageOf(together("sentences", [describeAlert(alert, spent), isUsedUp ? sentence : ""])),
    detail: {
      period,
      percent,
      limit,
      spent: roundDollars(alert.spent),
      ...moneyOf({ rate: spent.rate, unknown_rates: spent.unknownRates }),
      breaks_at: breaksAt === null ? null : toIso(breaksAt),
      at_limit: atLimit,
    },
  };
}
