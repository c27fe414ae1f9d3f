import { MINUTE_MS } from "../../lifecycle/model/time.ts";
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
 * overdue was down.
 *
 * A fleet that is up may be out of reach all the same. A silent instance that has tried in vain to reach it says so with
 * its report: then the others that fell silent about when it did may be trying, too. Of those that fell silent at another
 * time it says nothing. In a large fleet somebody always had to try twice, and must not hold up everybody's steps.
 */

/** In real time, whatever the simulation's speed: an alarm comes no more punctually in one. */
const PULSE_MS = MINUTE_MS;

/** A pulse that has not come so long after its time was held up by the fleet's own absence. */
const LATE_MS = MINUTE_MS;

/** A silence that is known. */
interface KnownSilence {
  /** When it was first reported. */
  readonly reportedAt: number;
  /** When somebody who fell silent about then last reported late; null if nobody has. */
  readonly lateReportAt: number | null;
}

/** Awaits the reports of those who fell silent together with an instance that has just reported its silence. */
export function awaitReports(state: FleetState, rules: OutageRules, now: number): FleetState {
  const until = now + outageWindowMs(rules) + PULSE_MS + LATE_MS + rules.reportedWithinMs;
  const at = state.due.awaiting?.at ?? now + PULSE_MS;
  return withDue(state, { awaiting: { at, until: Math.max(until, state.due.awaiting?.until ?? 0) } });
}

/** Those that fall silent within this time may belong to the same outage, as the user's guard or the service's sees it. */
export function outageWindowMs({ user, standard }: OutageRules): number {
  return Math.max(user.windowMs, standard.windowMs);
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
  if (awaiting === null || now <= awaiting.at + LATE_MS) return state;
  return awaitOthers({ ...state, reachableSince: now }, rules, now);
}

/** The fleet was out of reach, and whoever could not report now gets through. */
export function awaitOthers(state: FleetState, rules: OutageRules, now: number): FleetState {
  const until = Math.max(state.due.awaiting?.until ?? 0, now + rules.reportedWithinMs);
  return withDue(state, { awaiting: { at: now + PULSE_MS, until } });
}

/**
 * Whether all have reported who may have fallen silent together with this one. However often the
 * fleet is out of reach, a step waits no longer than the outage guard could hold it.
 */
export function haveAllReported(
  { reachableSince }: FleetState,
  { reportedAt, lateReportAt }: KnownSilence,
  rules: OutageRules,
  now: number,
): boolean {
  const settlesFrom = Math.min(
    Math.max(reportedAt, reachableSince, lateReportAt ?? 0),
    reportedAt + rules.user.maxHoldMs,
  );
  return now >= settlesFrom + rules.reportedWithinMs;
}
