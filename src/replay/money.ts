import { type CostTotals, costsInAll, dollarsOf } from "../lifecycle/model/ledger.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { ledgerAt } from "../lifecycle/rules/costs.ts";
import type { Outcome } from "./outcome.ts";

type Figures = Pick<
  Outcome,
  "workingMs" | "idleMs" | "silentMs" | "hibernatedMs" | "unpricedMs" | "cost" | "wasted" | "saved"
>;

/** What the ledger of an instance says of its time and dollars up to `until`. */
export function moneyOf(state: InstanceState, until: number): Figures {
  return figuresOf(costsInAll(ledgerAt(state, until)));
}

/** The totals of a ledger as figures of an outcome. */
export function figuresOf(totals: CostTotals): Figures {
  return {
    workingMs: totals.working.ms,
    idleMs: totals.idle.ms,
    silentMs: totals.silent.ms,
    hibernatedMs: totals.hibernated.ms,
    unpricedMs: totals.unpricedMs,
    cost: dollarsOf(totals),
    wasted: totals.wasted,
    saved: totals.saved,
  };
}
