import { emit, flush, isLeaving } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";

/**
 * A deleted instance leaves by itself. Until then its owner sees what became of it, and a heartbeat brings it back: it was
 * proven that the machine is gone, and no sign of life for so long confirms that.
 */

/** When it leaves; null for one that is not deleted, or on its way out already. */
export function departureDeadline(state: InstanceState, policy: Policy): number | null {
  const { phase } = state;
  return phase.status !== "deleted" || isLeaving(state) ? null : phase.at + policy.deletedListedMs;
}

/** As if its owner had removed it: the registry lets go of it, and its history stays for as long as any. */
export function departIfDue(state: InstanceState, policy: Policy, now: number): InstanceState {
  const due = departureDeadline(state, policy);
  return due === null || now < due ? state : leave(state);
}

/** Takes the instance out. */
export function leave(state: InstanceState): InstanceState {
  return emit(flush(state), { type: "forget" });
}
