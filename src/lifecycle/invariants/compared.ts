import type { PendingEffect } from "../model/effects.ts";
import type { HistoryEventKind } from "../model/history-event.ts";
import type { InstanceEvent } from "../model/instance-event.ts";
import type { Action } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { actionOf } from "../rules/order.ts";

/** What is new in a state that was decided on from another. */

/** Upon what it was decided, and by which policy. */
export interface DecidedBy {
  readonly event: InstanceEvent;
  readonly policy: Pick<Policy, "observes" | "schedule" | "maintenance">;
}

/** The order that was placed in this step, or null. */
export function newActionIn(before: InstanceState, after: InstanceState): Action | null {
  const action = actionOf(after);
  return action?.id === actionOf(before)?.id ? null : action;
}

export function newEffects(before: InstanceState, after: InstanceState): readonly PendingEffect[] {
  return after.outbox.filter(({ id }) => id >= before.nextEffectId);
}

/** Whether there is an event of one of these kinds, and about this order if one is given. */
export function isSaid(
  effects: readonly PendingEffect[],
  kinds: readonly HistoryEventKind[],
  actionId?: string,
): boolean {
  return effects.some(
    ({ effect }) =>
      effect.type === "event" &&
      kinds.includes(effect.event.kind) &&
      (actionId === undefined || effect.event.detail.action_id === actionId),
  );
}
