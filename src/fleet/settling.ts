import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import type { OutageRules } from "./outage-guard.ts";
import { type FleetState, withDue } from "./state.ts";

/**
 * Whether all who are silent have reported it. A fleet that was out of reach knows of few when the first of them gets
 * through and asks for its step, and would take the others for awake. So a step waits until its silence has been known for
 * the longest time between two tries of a report, and the fleet could be reached all that time: by then all others have
 * reported, and the guard has counted them. An ordinary ladder asks long after that.
 *
 * A fleet that is down gets no reports, and cannot tell that from an hour without news. So after each new silence its alarm
 * fires every minute, until all who may belong to the same outage have reported. An object that starts when its alarm is
 * overdue was down. And one to which a silent instance reports an event long after it happened was out of reach, at least for
 * that one. Other late events say nothing: in a large fleet some always come.
 */

/** In real time, whatever the simulation's speed: an alarm comes no more punctually in one. */
const PULSE_MS = MINUTE_MS;

/** A pulse that has not come so long after its time was held up by the fleet's own absence. */
const LATE_MS = MINUTE_MS;

/** An event this old may have taken more than one try: the second comes 15 seconds after the first, or later. */
const LATE_EVENT_MS = 10 * SECOND_MS;

/** Awaits the reports of those who fell silent together with an instance that has just reported its silence. */
export function awaitReports(state: FleetState, rules: OutageRules, now: number): FleetState {
  const windowMs = Math.max(rules.user.windowMs, rules.standard.windowMs);
  const until = now + windowMs + PULSE_MS + LATE_MS + rules.reportedWithinMs;
  const at = state.due.awaiting?.at ?? now + PULSE_MS;
  return withDue(state, { awaiting: { at, until: Math.max(until, state.due.awaiting?.until ?? 0) } });
}

/** Something came through: a report, or the fleet's own alarm. */
export function noteContact(state: FleetState, now: number): FleetState {
  const { awaiting } = state.due;
  if (awaiting === null || now < awaiting.at) return state;
  return withDue(state, { awaiting: now < awaiting.until ? { ...awaiting, at: now + PULSE_MS } : null });
}

/** The fleet's object has started. */
export function start(state: FleetState, rules: OutageRules, now: number): FleetState {
  const { awaiting } = state.due;
  return awaiting === null || now <= awaiting.at + LATE_MS ? state : beginAnew(state, rules, now);
}

/** A silent instance has reported an event of `moment` that was not known. */
export function noteLateEvent(
  state: FleetState,
  moment: number,
  rules: OutageRules,
  now: number,
): FleetState {
  return now <= moment + LATE_EVENT_MS ? state : beginAnew(state, rules, now);
}

function beginAnew(state: FleetState, rules: OutageRules, now: number): FleetState {
  const until = Math.max(state.due.awaiting?.until ?? 0, now + rules.reportedWithinMs);
  return withDue({ ...state, reachableSince: now }, { awaiting: { at: now + PULSE_MS, until } });
}

/**
 * Whether all have reported who were silent when this silence was first reported. Null: it never was. However often the
 * fleet is out of reach, a step waits no longer than the outage guard could hold it.
 */
export function haveAllReported(
  { reachableSince }: FleetState,
  silenceReportedAt: number | null,
  rules: OutageRules,
  now: number,
): boolean {
  if (silenceReportedAt === null) return false;
  const settlesFrom = Math.min(
    Math.max(silenceReportedAt, reachableSince),
    silenceReportedAt + rules.user.maxHoldMs,
  );
  return now >= settlesFrom + rules.reportedWithinMs;
}
