import type { InstanceEvent } from "../model/instance-event.ts";
import { record } from "../model/outbox.ts";
import { awaitHeartbeat, type Phase } from "../model/phase.ts";
import type { InstanceState } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import { text } from "../model/words/say.ts";
import { cancelDelete } from "./deletion.ts";
import { cancelHibernation } from "./hibernation.ts";
import { restartLadder } from "./ladder.ts";
import { leaveStart, openLook } from "./look.ts";

/**
 * An instance whose storage was set back to a former moment, or that was brought from another service. What happened since
 * then is not known here, so all of it counts as a downtime of the service: nothing is decided from it.
 */

/** Where the state comes from: from this service at a former moment, or from an export, whose original may go on elsewhere. */
export type Origin = Extract<InstanceEvent, { type: "resumed" }>["origin"];

const BECAUSE: Record<Origin, string> = {
  restore: text("event.set_back"),
  import: text("event.imported"),
};

/**
 * The state without what it was about to do, and with numbers above all that may have been used since. Each effect takes one
 * id, and ids begin at the time of registration: so none is above the time at which it was given out, but for ids that begin
 * above a former instance's, which the fleet knows (`lastId`).
 */
export function withoutPast(state: InstanceState, lastId: number, now: number): InstanceState {
  return {
    ...state,
    nextEffectId: Math.max(state.nextEffectId, lastId + 1, now),
    // Orders are of the past. So are questions about them.
    outbox: state.outbox.filter(({ effect }) => effect.type !== "action" && effect.type !== "guard"),
  };
}

/**
 * Resumes the life of an instance. Orders under way are called off: whoever carries one out asks whether it still stands.
 * Silence counts from now on.
 *
 * One that comes from an export may be heard elsewhere, by the service that it was exported from. So its silence counts only
 * once it has been heard here, and it is not deleted for silence before.
 *
 * `knownUntil`: up to when its state is known to be true; null when nobody knows.
 */
export function resume(
  state: InstanceState,
  origin: Origin,
  knownUntil: number | null,
  now: number,
): InstanceState {
  const ended = endOrder(state, origin, now);
  const phase = origin === "import" ? unheard(ended.phase, now) : withoutPastRuns(ended.phase, now);
  const isAwake = phase.status === "running" || phase.status === "orphaned";
  const resumed: InstanceState = {
    ...ended,
    phase,
    clock: { ...ended.clock, graceUntil: null, countsFrom: now },
    // Nobody knows how many heartbeats were missed meanwhile.
    counters: { ...ended.counters, gapFrom: isAwake ? now : null },
  };
  const told = record(restartLadder(resumed, now), {
    at: now,
    kind: "resumed",
    severity: "info",
    message: phrase("event.goes_on", { because: BECAUSE[origin] }),
    detail: {
      origin,
      known_until: knownUntil === null ? null : toIso(knownUntil),
      status: state.phase.status,
    },
  });
  const looked = openLook(told, now);
  return origin === "import" ? leaveStart(looked) : looked;
}

function endOrder(state: InstanceState, origin: Origin, now: number): InstanceState {
  const { phase } = state;
  switch (phase.status) {
    case "hibernating":
      return cancelHibernation(state, now, BECAUSE[origin]);
    case "deleting":
      return cancelDelete(state, now, BECAUSE[origin]);
    case "waking":
      return record(
        { ...state, phase: { status: "running", idle: null } },
        {
          at: now,
          kind: "woken",
          severity: "info",
          message: phrase("wake.counts_as_woken", { because: BECAUSE[origin] }),
          detail: { action_id: phase.action.id },
        },
      );
    case "pending":
    case "running":
    case "orphaned":
    case "hibernated":
    case "deleted":
      return state;
  }
}

/** An idle run is broken, since nobody knows of use meanwhile. A first heartbeat is awaited anew, and told of anew. */
function withoutPastRuns(phase: Phase, now: number): Phase {
  switch (phase.status) {
    case "running":
      return { status: "running", idle: null };
    case "pending":
      return awaitHeartbeat(phase.unheard?.because ?? "unknown", now);
    case "orphaned":
    case "hibernating":
    case "hibernated":
    case "waking":
    case "deleting":
    case "deleted":
      return phase;
  }
}

/** The phase of an instance of which nothing has been heard here. */
function unheard(phase: Phase, now: number): Phase {
  switch (phase.status) {
    case "hibernated":
      return { ...phase, orphan: null };
    case "deleted":
      return phase;
    case "pending":
    case "running":
    case "orphaned":
    case "hibernating":
    case "waking":
    case "deleting":
      return awaitHeartbeat("imported", now);
  }
}
