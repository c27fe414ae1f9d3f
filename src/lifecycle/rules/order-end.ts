import type { InstanceEvent } from "../model/instance-event.ts";
import { orphanOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { type InstanceState, withStoppedCost } from "../model/state.ts";
import { HOUR_MS } from "../model/time.ts";
import { text } from "../model/words/say.ts";
import { confirmDelete, failDelete, findGone, findRunning } from "./deletion.ts";
import { recover, refuseOrder } from "./handover.ts";
import { confirmHibernation, failHibernation } from "./hibernation.ts";
import { actionOf, takesOrdersByAnswer } from "./order.ts";
import { confirmWake, type FailedWake, failWake, presumeWoken } from "./waking.ts";

/** How an order ends: it succeeds, fails, or turns out to be impossible. */

type OrderEnd = Extract<
  InstanceEvent,
  { type: "action.succeeded" | "action.gone" | "action.found_running" | "action.failed" }
>;

/** Ends the order that the event names. An event about any other changes nothing. */
export function endOrder(state: InstanceState, event: OrderEnd, policy: Policy, now: number): InstanceState {
  if (actionOf(state)?.id !== event.actionId) return state;
  switch (event.type) {
    case "action.succeeded":
      return confirmOrder(withStoppedCost(state, event.hourlyCost), event, policy, now);
    case "action.gone":
      return findGone(state, policy, now);
    case "action.found_running":
      return findRunning(state, now);
    case "action.failed":
      return failOrder(withStoppedCost(state, event.hourlyCost), now, event);
  }
}

function confirmOrder(
  state: InstanceState,
  { confirmedBy, snapshotId }: Extract<OrderEnd, { type: "action.succeeded" }>,
  policy: Policy,
  now: number,
): InstanceState {
  switch (state.phase.status) {
    case "hibernating":
      return confirmHibernation(state, policy, now, confirmedBy);
    case "deleting":
      return confirmDelete(state, policy, now, snapshotId);
    case "waking":
      return confirmWake(state, now);
    case "pending":
    case "running":
    case "orphaned":
    case "hibernated":
    case "deleted":
      return state;
  }
}

/** The order failed. One that was called off while its last try was on its way ends as called off instead. */
export function failOrder(state: InstanceState, at: number, failed: FailedWake): InstanceState {
  const { because } = failed;
  const action = actionOf(state);
  if (action?.handover.state === "trying" && action.handover.calledOffBecause !== null) {
    return refuseOrder(state, action.id, at);
  }
  switch (state.phase.status) {
    case "hibernating":
      return failHibernation(state, at, because);
    case "waking":
      return failWake(state, at, failed);
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
  return isHeard ? recover(state, at, text("silence.heard_while_deleted")) : state;
}

/** For a stop or a start: six tries, half an hour of looking for the result, and room for our own delays. */
const ORDER_MS = 2 * HOUR_MS;

/** A delete also waits up to twelve hours for its snapshot. */
const DELETE_MS = 18 * HOUR_MS;

/** When an order ends whose end was never reported; null without such an order. */
export function orderDeadline(state: InstanceState): number | null {
  const action = actionOf(state);
  if (action === null || takesOrdersByAnswer(action.machine)) return null;
  if (state.phase.status === "waking" && state.phase.confirmedAt !== null) return null;
  return action.orderedAt + (action.kind === "delete" ? DELETE_MS : ORDER_MS);
}

/** Whether a start may have reached the provider, of an instance that was not heard since. */
function mayHaveStarted({ phase }: InstanceState): boolean {
  if (phase.status !== "waking") return false;
  const { handover } = phase.action;
  return handover.state === "accepted" || (handover.state === "trying" && handover.calledOffBecause === null);
}

/** Ends an order of which nobody tells how it ended. A try to start that failed may have been heard all the same. */
export function endUntold(state: InstanceState, at: number, because: string): InstanceState {
  return mayHaveStarted(state)
    ? presumeWoken(state, at)
    : failOrder(state, at, { because, notCancelled: because });
}

/** Ends the order if its deadline has passed. */
export function endOverdueOrder(state: InstanceState, now: number): InstanceState {
  const due = orderDeadline(state);
  if (due === null || now < due) return state;
  return endUntold(state, due, text("order.untold"));
}
