import type { Sighted } from "../model/effects.ts";
import { record } from "../model/outbox.ts";
import { type Action, type Handover, type InstanceState, orphanOf, type Phase } from "../model/state.ts";
import { HOUR_MS, spokenDuration, toIso } from "../model/time.ts";
import { cancelDelete, failDelete } from "./deletion.ts";
import { cancelHibernation, failHibernation } from "./hibernation.ts";
import { actionOf, travelsByAnswer } from "./order.ts";
import { endWake, failWake } from "./waking.ts";

/**
 * How an order comes to whoever carries it out, and what calls it off on the way. Any sign of life calls off a delete, and
 * a hibernation that stems from silence, up to the moment at which the provider has accepted it.
 */

/** The instance is alive: nothing that stems from its silence goes on, and it is no orphan any more. */
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
      message: `Recovered: ${because} after ${spokenDuration(at - orphan.since)} as an orphan`,
      detail: {
        orphaned_since: toIso(orphan.since),
        step: orphan.step,
        flapping: spared.flaps.told,
      },
    },
  );
}

function stemsFromSilence(phase: Phase): boolean {
  return phase.status === "deleting" || (phase.status === "hibernating" && phase.reason === "silence");
}

function withoutOrphan(phase: Phase): Phase {
  switch (phase.status) {
    case "orphaned":
      return { status: "running", idle: null };
    case "hibernating":
      return phase.before.status === "orphaned"
        ? { ...phase, before: { status: "running", idle: null } }
        : phase;
    case "hibernated":
      return { ...phase, orphan: null };
    case "pending":
    case "running":
    case "waking":
    case "deleting":
    case "deleted":
      return phase;
  }
}

/**
 * Calls the order off: at once while nobody has it; as soon as the try that is on its way has failed; not at all once it
 * was accepted.
 */
export function callOff(state: InstanceState, at: number, because: string): InstanceState {
  const action = actionOf(state);
  if (action === null) return state;
  switch (action.handover.state) {
    case "waiting":
      return cancel(state, at, because);
    case "trying":
      return withHandover(state, { state: "trying", calledOffBecause: because });
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
      return endWake(state, at);
    case "pending":
    case "running":
    case "orphaned":
    case "hibernated":
    case "deleted":
      return state;
  }
}

/** Whether a sign of life comes too late for the order under way. */
export function isBeyondRecall(state: InstanceState): boolean {
  return state.phase.status !== "waking" && actionOf(state)?.handover.state === "accepted";
}

/**
 * The workflow that carries the order out asks about it, and says what it saw of the machine. While it asks it makes no try:
 * one that still counts as on its way ended without a word, and counts as refused.
 */
export function checkOrder(
  state: InstanceState,
  actionId: string,
  sighted: Sighted | null,
  at: number,
): InstanceState {
  const action = actionOf(state);
  if (action?.id !== actionId) return state;
  const seen =
    sighted === null
      ? state
      : { ...state, sighted: { ...sighted, gpus: sighted.gpus ?? state.sighted?.gpus ?? null } };
  return action.handover.state === "trying" ? refuseOrder(seen, actionId, at) : seen;
}

/** A try is about to be made, if the order stands. */
export function tryOrder(state: InstanceState, actionId: string, at: number): InstanceState {
  const checked = checkOrder(state, actionId, null, at);
  const action = actionOf(checked);
  if (action?.id !== actionId || action.handover.state === "accepted") return checked;
  return withHandover(checked, { state: "trying", calledOffBecause: null });
}

/** The try was refused, or is not known to have arrived: the order is as if it had not been given. */
export function refuseOrder(state: InstanceState, actionId: string, at: number): InstanceState {
  const action = actionOf(state);
  if (action?.id !== actionId || action.handover.state !== "trying") return state;
  const { calledOffBecause } = action.handover;
  const waiting = withHandover(state, { state: "waiting" });
  if (calledOffBecause === null) return waiting;
  const called = cancel(waiting, at, calledOffBecause);
  return stemsFromSilence(state.phase) ? recover(called, at, calledOffBecause) : called;
}

/** The provider accepted the try. A sign of life that came while it was on its way was too late. */
export function acceptOrder(state: InstanceState, actionId: string, at: number): InstanceState {
  const action = actionOf(state);
  if (action?.id !== actionId || action.handover.state === "accepted") return state;
  const accepted = withHandover(state, { state: "accepted", at });
  if (action.handover.state !== "trying" || action.handover.calledOffBecause === null) return accepted;
  if (state.phase.status === "waking") return endWake(accepted, at);
  return record(accepted, {
    at,
    kind: "accepted_too_late",
    severity: "critical",
    message: `Too late to call off (${action.handover.calledOffBecause}): ${action.machine.provider} has accepted the order to ${action.kind.replace("_", "-")}`,
    detail: { action_id: actionId },
  });
}

/** Stopping and starting: six tries, half an hour of looks, and room for delays of our own. */
const ORDER_MS = 2 * HOUR_MS;

/** A delete also waits up to twelve hours for its snapshot. */
const DELETE_MS = 18 * HOUR_MS;

/** When an order counts as failed if nobody has said how it ended; null without such an order. */
export function orderDeadline(state: InstanceState): number | null {
  const action = actionOf(state);
  if (action === null || travelsByAnswer(action.machine)) return null;
  if (state.phase.status === "waking" && state.phase.confirmedAt !== null) return null;
  return action.orderedAt + (action.kind === "delete" ? DELETE_MS : ORDER_MS);
}

/** Fails the order whose deadline has passed. */
export function advanceOrder(state: InstanceState, now: number): InstanceState {
  const due = orderDeadline(state);
  if (due === null || now < due) return state;
  return failOrder(state, due, "nobody told how the order ended");
}

/** The order failed. If it was called off while its last try was on its way, that is its end instead. */
export function failOrder(state: InstanceState, at: number, because: string): InstanceState {
  const action = actionOf(state);
  if (action?.handover.state === "trying" && action.handover.calledOffBecause !== null) {
    return refuseOrder(state, action.id, at);
  }
  switch (state.phase.status) {
    case "hibernating":
      return failHibernation(state, at, because);
    case "waking":
      return failWake(state, at, because);
    case "deleting":
      return recoverIfHeard(failDelete(state, at, because), at);
    case "pending":
    case "running":
    case "orphaned":
    case "hibernated":
    case "deleted":
      return state;
  }
}

/** A sign of life that came too late to call a delete off counts all the same once that delete has failed. */
function recoverIfHeard(state: InstanceState, at: number): InstanceState {
  const orphan = orphanOf(state.phase);
  if (orphan === null) return state;
  const { lastHeartbeatAt, keepAliveUntil } = state.clock;
  const isHeard = (lastHeartbeatAt ?? 0) > orphan.since || (keepAliveUntil ?? 0) > orphan.since;
  return isHeard ? recover(state, at, "heard while it was to be deleted") : state;
}

function withHandover(state: InstanceState, handover: Handover): InstanceState {
  const { phase } = state;
  if (!("action" in phase)) return state;
  const action: Action = { ...phase.action, handover };
  return { ...state, phase: { ...phase, action } };
}
