import { idleRunOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { SECOND_MS } from "../model/time.ts";

/** Alarms that come late, or not before a heartbeat. It changes nothing, and the next event says so: the history keeps it for that. */

/** An alarm is seldom exact. */
const LATE_MS = 10 * SECOND_MS;

/** The state once an alarm that was due at `dueAt` has come; 0 is that of no alarm, as in place of a decision that was withheld. */
export function noteLate(state: InstanceState, dueAt: number, now: number): InstanceState {
  return dueAt === 0 || now - dueAt <= LATE_MS
    ? state
    : { ...state, clock: { ...state.clock, late: { from: dueAt, until: now } } };
}

/** The state when a heartbeat comes: of one that is at work and was heard in time nothing is due. */
export function noteOverdue(
  state: InstanceState,
  policy: Policy,
  now: number,
  dueAfter: (from: number) => number | null,
): InstanceState {
  const { lastHeartbeatAt } = state.clock;
  const isHeardInTime = lastHeartbeatAt !== null && now - lastHeartbeatAt <= 2 * policy.intervalMs;
  if (isHeardInTime && idleRunOf(state.phase) === null) return state;
  const due = dueAfter(lastHeartbeatAt ?? now);
  return due === null ? state : noteLate(state, due, now);
}
