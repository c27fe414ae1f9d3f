import type { Failures } from "../model/state.ts";
import { HOUR_MS, MINUTE_MS } from "../model/time.ts";

/** What keeps failing is tried again ever more seldom: 5, 10, 20 … minutes later, at last every six hours. */

const FIRST_RETRY_MS = 5 * MINUTE_MS;
const LONGEST_RETRY_MS = 6 * HOUR_MS;

/** Counts one more failure at `at`. */
export function countFailure(former: Failures | null, at: number): Failures {
  const count = (former?.count ?? 0) + 1;
  // The exponent is bounded: two to the power of a thousand is infinite.
  const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(count - 1, 20));
  return { count, retryAt: at + delayMs };
}

/** Whether the owner was told of it before, while nothing else has changed. */
export function isRepeated(failures: Failures): boolean {
  return failures.count > 1;
}
