import type { PendingEffect } from "../model/effects.ts";
import type { Action } from "../model/phase.ts";
import type { InstanceState } from "../model/state.ts";
import { actionOf } from "../rules/order.ts";

/** What a step has brought. */

/** The order that was placed in this step, or null. */
export function newActionIn(before: InstanceState, after: InstanceState): Action | null {
  const action = actionOf(after);
  return action?.id === actionOf(before)?.id ? null : action;
}

export function newEffects(before: InstanceState, after: InstanceState): readonly PendingEffect[] {
  return after.outbox.filter(({ id }) => id >= before.nextEffectId);
}
