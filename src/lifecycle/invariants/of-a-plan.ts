import type { PlannedCause } from "../model/effects.ts";
import { stemsFromSilence } from "../model/phase.ts";
import type { InstanceState } from "../model/state.ts";
import { isAwakeTime } from "../rules/awake-hours.ts";
import { isInMaintenance } from "../rules/maintenance.ts";
import type { DecidedBy } from "./decided-by.ts";
import { newActionIn, newEffects } from "./new-in-a-step.ts";

/** What holds of each step where a policy has windows, or a longest time. */

type OfAPlan = (before: InstanceState, after: InstanceState, now: number, by?: DecidedBy) => boolean;

export const OF_A_PLAN = [
  ["planned_stop_unwarned", isNewPlannedStopWarned],
  ["planned_stop_while_kept_alive", isNewPlannedStopFree],
  ["order_in_awake_hours", isNewOrderOutsideAwakeHours],
  ["silence_order_in_maintenance", isNewSilenceOrderOutsideMaintenance],
  ["schedule_woke_anothers", isNewScheduledWakeOfItsOwn],
] as const satisfies readonly (readonly [string, OfAPlan])[];

/** The cause of a stop that was ordered in this step though the instance may be at work; null for any other. */
function newPlannedStopIn(before: InstanceState, after: InstanceState): PlannedCause | null {
  const { phase } = after;
  if (phase.status !== "hibernating" || newActionIn(before, after) === null) return null;
  return phase.because === "schedule" || phase.because === "max_runtime" ? phase.because : null;
}

function isNewPlannedStopWarned(before: InstanceState, after: InstanceState): boolean {
  const because = newPlannedStopIn(before, after);
  if (because === null) return true;
  return after.plannedStops?.some((stop) => stop.because === because && stop.warnedAt !== null) === true;
}

function isNewPlannedStopFree(before: InstanceState, after: InstanceState, now: number): boolean {
  return newPlannedStopIn(before, after) === null || (after.clock.keepAliveUntil ?? now) <= now;
}

/** A person, or a budget, may have many idle ones hibernated at any time. */
function isNewOrderOutsideAwakeHours(
  before: InstanceState,
  after: InstanceState,
  now: number,
  by?: DecidedBy,
): boolean {
  const { phase } = after;
  if (phase.status !== "hibernating") return true;
  const isIdle = phase.reason === "idle" && phase.because === undefined;
  if (!isIdle && phase.because !== "schedule") return true;
  return newActionIn(before, after) === null || by === undefined || !isAwakeTime(by.policy, now);
}

function isNewSilenceOrderOutsideMaintenance(
  before: InstanceState,
  after: InstanceState,
  now: number,
  by?: DecidedBy,
): boolean {
  if (newActionIn(before, after) === null || !stemsFromSilence(after.phase)) return true;
  return by === undefined || !isInMaintenance(by.policy, now);
}

function isNewScheduledWakeOfItsOwn(before: InstanceState, after: InstanceState): boolean {
  const isBySchedule = newEffects(before, after).some(
    ({ effect }) =>
      effect.type === "event" && effect.event.kind === "waking" && effect.event.detail.rule === "schedule",
  );
  const { phase } = after;
  if (!isBySchedule || phase.status !== "waking") return true;
  return phase.because === "schedule" || (phase.because === undefined && phase.reason === "idle");
}
