import { addHibernation, type Costs, hourlySaving, type Savings } from "../model/counters.ts";
import { roundDollars } from "../model/dollars.ts";
import { hibernationOf } from "../model/phase.ts";
import type { InstanceState } from "../model/state.ts";
import { SECOND_MS } from "../model/time.ts";
import { isSaving, savingCosts, unsavedFrom } from "../rules/costs.ts";

/** Savings so far: dollars, and seconds of confirmed hibernation. */
export interface SavingsView {
  readonly saved_this_month: number;
  readonly saved_total: number;
  readonly hibernated_seconds_this_month: number;
  readonly hibernated_seconds_total: number;
}

/** All that is needed to say what an instance has saved at any later moment, for as long as its state stays the same. */
export interface SavingsBasis extends Costs {
  readonly saved: Savings;
  /** The hibernation under way is not in `saved` from here on; null without one, or while nobody knows whether it lasts. */
  readonly unsavedFrom: number | null;
}

export function savingsBasis(state: InstanceState): SavingsBasis {
  const { phase, counters } = state;
  const hibernated = hibernationOf(phase);
  return {
    ...savingCosts(state, state.ledger ?? null),
    saved: counters.saved,
    unsavedFrom: hibernated !== null && isSaving(hibernated) ? unsavedFrom(state, hibernated) : null,
  };
}

export function savingsAt(basis: SavingsBasis, now: number): SavingsView {
  const saved = addHibernation(basis.saved, hourlySaving(basis), basis.unsavedFrom ?? now, now);
  return {
    saved_this_month: roundDollars(saved.monthDollars),
    saved_total: roundDollars(saved.totalDollars),
    hibernated_seconds_this_month: Math.round(saved.monthMs / SECOND_MS),
    hibernated_seconds_total: Math.round(saved.totalMs / SECOND_MS),
  };
}

export function savingsView(state: InstanceState, now: number): SavingsView {
  return savingsAt(savingsBasis(state), now);
}
