import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import type { OutageRules } from "./outage-guard.ts";
import { type FleetState, withDue } from "./state.ts";

/**
 * Whether the fleet has heard of everybody who is silent. One that was out of reach knows of few when the first of them gets
 * through and asks for its step, and would take the others for awake. So a step waits until its silence has been known for
 * the longest time between two tries of a report, and the fleet could be reached all that time: by then all others have
 * reported, and the guard has counted them. An ordinary ladder asks long after that.
 *
 * A fleet that is down hears nothing, and cannot tell that from an hour without news. So it listens after each new silence:
 * its alarm fires every minute, until all who may belong to the same outage have reported. An object that starts when its
 * alarm is overdue was down. And one that hears of a silent instance long after something happened to it was out of reach, at
 * least for that one. Other late news says nothing: in a large fleet some of it always comes.
 */

/** In real time, whatever the simulation's speed: an alarm comes no more punctually in one. */
const PULSE_MS = MINUTE_MS;

/** A pulse that has not come so long after its time was held up by the fleet's own absence. */
const LATE_MS = MINUTE_MS;

/** News this old may have taken more than one try: the second comes 15 seconds after the first, or later. */
const LATE_NEWS_MS = 10 * SECOND_MS;

/** Listens for those who fell silent together with an instance of whose silence it has just heard. */
export function listen(state: FleetState, rules: OutageRules, now: number): FleetState {
  const windowMs = Math.max(rules.user.windowMs, rules.standard.windowMs);
  const until = now + windowMs + PULSE_MS + LATE_MS + rules.reportedWithinMs;
  const at = state.due.listen?.at ?? now + PULSE_MS;
  return withDue(state, { listen: { at, until: Math.max(until, state.due.listen?.until ?? 0) } });
}

/** Something was heard: a report, or the fleet's own alarm. */
export function hear(state: FleetState, now: number): FleetState {
  const { listen } = state.due;
  if (listen === null || now < listen.at) return state;
  return withDue(state, { listen: now < listen.until ? { ...listen, at: now + PULSE_MS } : null });
}

/** The fleet's object has started. */
export function start(state: FleetState, rules: OutageRules, now: number): FleetState {
  const { listen } = state.due;
  return listen === null || now <= listen.at + LATE_MS ? state : beginAnew(state, rules, now);
}

/** A silent instance has told what was not known, and happened at `moment`. */
export function learn(state: FleetState, moment: number, rules: OutageRules, now: number): FleetState {
  return now <= moment + LATE_NEWS_MS ? state : beginAnew(state, rules, now);
}

function beginAnew(state: FleetState, rules: OutageRules, now: number): FleetState {
  const until = Math.max(state.due.listen?.until ?? 0, now + rules.reportedWithinMs);
  return withDue({ ...state, hearsSince: now }, { listen: { at: now + PULSE_MS, until } });
}

/**
 * Whether all have reported who were silent when the fleet first heard of this silence. Null: it never did. However often the
 * fleet is out of reach, a step waits no longer than the outage guard could hold it.
 */
export function hasHeardAll(
  { hearsSince }: FleetState,
  silenceHeardAt: number | null,
  rules: OutageRules,
  now: number,
): boolean {
  if (silenceHeardAt === null) return false;
  const heardFrom = Math.min(Math.max(silenceHeardAt, hearsSince), silenceHeardAt + rules.user.maxHoldMs);
  return now >= heardFrom + rules.reportedWithinMs;
}
