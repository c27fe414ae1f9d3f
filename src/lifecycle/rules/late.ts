import type { InstanceState } from "../model/state.ts";
import { SECOND_MS } from "../model/time.ts";

/** Alarms that come late, or not before something else. It changes nothing, and the next event says so: the history keeps it for that. */

/** An alarm is seldom exact. */
const LATE_MS = 10 * SECOND_MS;

/**
 * The state when what was due at `dueAt` is looked at; 0 is that of no alarm, as in place of a decision that was withheld. What was
 * due before an absence of the service ended was noted then.
 */
export function noteLate(state: InstanceState, dueAt: number, now: number): InstanceState {
  const { countsFrom } = state.clock;
  const isNoted = countsFrom !== null && dueAt < countsFrom;
  return dueAt === 0 || isNoted || now - dueAt <= LATE_MS
    ? state
    : { ...state, clock: { ...state.clock, late: { from: dueAt, until: now } } };
}
