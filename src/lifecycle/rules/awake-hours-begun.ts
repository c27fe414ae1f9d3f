import { type Phase, preparationOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { AWAKE_HOURS, isAwakeTime } from "./awake-hours.ts";
import { callOff } from "./handover.ts";
import { callOffPreparation } from "./preparation-cancelled.ts";

/** Awake hours that have begun: what was decided for the time before them is too late. */

/** Calls off a hibernation of the schedule or for idleness, if it still can be. Whoever carries an order out asks first. */
export function callOffInAwakeHours(state: InstanceState, policy: Policy, now: number): InstanceState {
  if (!isForTimeBefore(state.phase) || !isAwakeTime(policy, now)) return state;
  return callOffPreparation(callOff(state, now, AWAKE_HOURS), now, AWAKE_HOURS);
}

function isForTimeBefore(phase: Phase): boolean {
  if (phase.status === "hibernating") {
    return phase.because === "schedule" || (phase.because === undefined && phase.reason === "idle");
  }
  const because = preparationOf(phase)?.order.because;
  return because === "schedule" || because === "idle";
}
