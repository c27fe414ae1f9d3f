import { costsInAll, dollarsOf } from "../lifecycle/model/ledger.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { ledgerAt } from "../lifecycle/rules/costs.ts";
import type { Outcome } from "./outcome.ts";

/** Time and dollars of an outcome. */
export type Figures = Pick<
  Outcome,
  "workingMs" | "idleMs" | "silentMs" | "hibernatedMs" | "unpricedMs" | "cost" | "wasted" | "saved"
>;

/** What the ledger of an instance says of its time and dollars up to `until`. */
export function moneyOf(state: InstanceState, until: number): Figures {
  const totals = costsInAll(ledgerAt(state, until));
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
