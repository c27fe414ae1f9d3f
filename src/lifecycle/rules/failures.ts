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

/** Counts one of the stop that was planned. */
export function countPlannedFailure(state: InstanceState, at: number): InstanceState {
  const { plannedStop: known } = state;
  return known === undefined
    ? state
    : { ...state, plannedStop: { ...known, failed: countFailure(known.failed, at) } };
}

/** Whether the owner was already told of an earlier failure in this row. */
export function isRepeated(failures: Failures): boolean {
  return failures.count > 1;
}
