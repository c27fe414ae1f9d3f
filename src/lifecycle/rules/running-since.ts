import type { InstanceEvent } from "../model/instance-event.ts";
import type { Phase } from "../model/phase.ts";
import type { InstanceState } from "../model/state.ts";

/** Since when an instance runs. */

/** Notes when it began to run. One of which a former release did not note it begins with its next heartbeat. */
export function noteRunning(
  before: InstanceState,
  after: InstanceState,
  { type }: InstanceEvent,
  now: number,
): InstanceState {
  if (!runs(after.phase)) {
    const isNoted = after.runningSince !== undefined || after.plannedStops !== undefined;
    return isNoted ? { ...after, runningSince: undefined, plannedStops: undefined } : after;
  }
  // Nobody knows what became of one that was set back.
  if (!runs(before.phase) || type === "resumed") {
    return { ...after, runningSince: now, plannedStops: undefined };
  }
  const isUnnoted = after.runningSince === undefined && type === "heartbeat";
  return isUnnoted ? { ...after, runningSince: now } : after;
}

/** Whether its machine is known to run. Of one that was never heard nobody knows. */
function runs(phase: Phase): boolean {
  switch (phase.status) {
    case "running":
    case "orphaned":
      return true;
    case "hibernating":
      return phase.before.status !== "pending";
    case "deleting":
      return phase.hibernated === null;
    case "pending":
    case "hibernated":
    case "waking":
    case "deleted":
      return false;
  }
}
