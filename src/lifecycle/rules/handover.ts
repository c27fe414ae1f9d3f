import type { Sighted } from "../model/effects.ts";
import { record } from "../model/outbox.ts";
import {
  type Action,
  type Handover,
  isUnheard,
  orphanOf,
  type Phase,
  stemsFromSilence,
} from "../model/phase.ts";
import { kindOf } from "../model/provider.ts";
import { type InstanceState, withSighted } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import { text } from "../model/words/say.ts";
import { cancelDelete } from "./deletion.ts";
import { cancelHibernation } from "./hibernation.ts";
import { actionOf } from "./order.ts";
import { finishWake } from "./waking.ts";

/**
 * How an order reaches whoever carries it out, and what calls it off on the way. Any sign of life calls off a delete, and
 * a hibernation that stems from silence, up to the moment at which the provider accepts it.
 */

/** The instance is alive: it is no longer an orphan, and an order that stems from its silence is called off. */
export function recover(state: InstanceState, at: number, because: string): InstanceState {
  const spared = stemsFromSilence(state.phase) ? callOff(state, at, because) : state;
  const orphan = orphanOf(spared.phase);
  if (orphan === null || spared.phase.status === "deleting") return spared;
  return record(
    { ...spared, phase: withoutOrphan(spared.phase) },
    {
      at,
      kind: "recovered",
      severity: "info",
      message: isUnheard(spared.phase)
        ? phrase("silence.recovered_unheard", { because, silence: at - orphan.since })
        : phrase("silence.recovered", { because, silence: at - orphan.since }),
      detail: {
        [isUnheard(spared.phase) ? "never_heard_since" : "orphaned_since"]: toIso(orphan.since),
        step: orphan.step,
        flapping: spared.flaps.told,
      },
    },
  );
}

function withoutOrphan(phase: Phase): Phase {
  switch (phase.status) {
    case "orphaned":
      return { status: "running", idle: null };
    case "hibernating":
      return { ...phase, before: { status: "running", idle: null } };
    case "hibernated":
      return { ...phase, orphan: null };
    case "pending":
      return { ...phase, orphan: undefined };
    case "running":
    case "waking":
    case "deleting":
    case "deleted":
      return phase;
  }
}

/**
 * Calls the order off: at once while nobody has it yet, or as soon as the try on its way has failed. An accepted order
 * goes on.
 */
export function callOff(state: InstanceState, at: number, because: string): InstanceState {
  const action = actionOf(state);
  if (action === null) return state;
  switch (action.handover.state) {
    case "waiting":
      return cancel(state, at, because);
    case "trying":
      return action.handover.calledOffBecause === because
        ? state
        : withHandover(state, { state: "trying", calledOffBecause: because });
    case "accepted":
      return state;
  }
}

function cancel(state: InstanceState, at: number, because: string): InstanceState {
  switch (state.phase.status) {
    case "hibernating":
      return cancelHibernation(state, at, because);
    case "deleting":
      return cancelDelete(state, at, because);
    case "waking":
      return finishWake(state, at);
    case "pending":
    case "running":
    case "orphaned":
    case "hibernated":
    case "deleted":
      return state;
  }
}

/** An order to hibernate for idleness is called off, if it still can be, once the instance is busy again. */
export function callOffIdleHibernation(state: InstanceState, at: number): InstanceState {
  const { phase } = state;
  return phase.status === "hibernating" && phase.reason === "idle"
    ? callOff(state, at, text("order.busy_again"))
    : state;
}

/** Whether a sign of life comes too late for the order under way. */
export function isTooLateToCallOff(state: InstanceState): boolean {
  return state.phase.status !== "waking" && actionOf(state)?.handover.state === "accepted";
}

/**
 * The workflow that carries the order out asks whether it still stands, and reports a sighting of the machine. It makes no
 * try while it asks, so a try that still counts as on its way has ended without a report, and counts as refused.
 */
export function checkOrder(
  state: InstanceState,
  actionId: string,
  sighted: Sighted | null,
  at: number,
): InstanceState {
  const action = actionOf(state);
  if (action?.id !== actionId) return state;
  const seen = withSighted(state, sighted);
  return action.handover.state === "trying" ? refuseOrder(seen, actionId, at) : seen;
}

/** A try is about to be made. */
export function tryOrder(state: InstanceState, actionId: string, at: number): InstanceState {
  const checked = checkOrder(state, actionId, null, at);
  const action = actionOf(checked);
  if (action?.id !== actionId || action.handover.state === "accepted") return checked;
  return withAction(checked, {
    handover: { state: "trying", calledOffBecause: null },
    // Of an order that a former release began nobody knows.
    tries: action.tries === undefined ? undefined : action.tries + 1,
  });
}

/** The try was refused, or probably never arrived: the order waits again, or ends if it was called off meanwhile. */
export function refuseOrder(state: InstanceState, actionId: string, at: number): InstanceState {
  const action = actionOf(state);
  if (action?.id !== actionId || action.handover.state !== "trying") return state;
  const { calledOffBecause } = action.handover;
  const waiting = withHandover(state, { state: "waiting" });
  if (calledOffBecause === null) return waiting;
  const called = cancel(waiting, at, calledOffBecause);
  return stemsFromSilence(state.phase) ? recover(called, at, calledOffBecause) : called;
}

/** The try was accepted. A sign of life that came while it was on its way came too late. */
export function acceptOrder(state: InstanceState, actionId: string, at: number): InstanceState {
  const action = actionOf(state);
  if (action?.id !== actionId || action.handover.state === "accepted") return state;
  const accepted = withHandover(state, { state: "accepted", at });
  if (action.handover.state !== "trying" || action.handover.calledOffBecause === null) return accepted;
  if (state.phase.status === "waking") return finishWake(accepted, at);
  return record(accepted, {
    at,
    kind: "accepted_too_late",
    severity: "critical",
    message: phrase("order.too_late", {
      because: action.handover.calledOffBecause,
      provider: kindOf(action.machine.provider),
      step: phrase(`step.${action.kind}`),
    }),
    detail: { action_id: actionId },
  });
}

/** The order under way, at another point of its way. */
export function withHandover(state: InstanceState, handover: Handover): InstanceState {
  return withAction(state, { handover });
}

function withAction(
  state: InstanceState,
  change: Partial<Pick<Action, "handover" | "tries">>,
): InstanceState {
  const { phase } = state;
  if (!("action" in phase)) return state;
  return { ...state, phase: { ...phase, action: { ...phase.action, ...change } } };
}
