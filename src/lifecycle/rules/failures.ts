import type { PlannedCause } from "../model/effects.ts";
import type { Failures } from "../model/phase.ts";
import type { InstanceState } from "../model/state.ts";
import { HOUR_MS, MINUTE_MS } from "../model/time.ts";

/** Backoff: what keeps failing is retried 5, 10, 20 … minutes later, and in the end every six hours. */

const FIRST_RETRY_MS = 5 * MINUTE_MS;
const LONGEST_RETRY_MS = 6 * HOUR_MS;

/** Adds one failure, at `at`. */
export function countFailure(former: Failures | null, at: number): Failures {
  const count = (former?.count ?? 0) + 1;
  // The exponent is bounded because two to the power of a thousand is infinite.
  const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(count - 1, 20));
  return { count, retryAt: at + delayMs };
}

/** Counts one of the stop that was planned for this cause. */
export function countPlannedFailure(state: InstanceState, because: PlannedCause, at: number): InstanceState {
  const plannedStops = state.plannedStops?.map((stop) =>
    stop.because === because ? { ...stop, failed: countFailure(stop.failed, at) } : stop,
  );
  return { ...state, plannedStops };
}

export function plannedFailures({ plannedStops }: InstanceState, because: PlannedCause): Failures | null {
  return plannedStops?.find((stop) => stop.because === because)?.failed ?? null;
}

/** Whether the owner was already told of an earlier failure in this row. */
export function isRepeated(failures: Failures): boolean {
  return failures.count > 1;
}
