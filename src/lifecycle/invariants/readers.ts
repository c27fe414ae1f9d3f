import type { Machine } from "../model/effects.ts";
import type { Action, Hibernated } from "../model/phase.ts";
import type { InstanceState } from "../model/state.ts";

/** The order under way, or null. */
export function actionIn({ phase }: InstanceState): Action | null {
  return "action" in phase ? phase.action : null;
}

/** The hibernation, also while it is to end in a delete. */
export function hibernatedIn({ phase }: InstanceState): Hibernated | null {
  if (phase.status === "hibernated") return phase;
  return phase.status === "deleting" ? phase.hibernated : null;
}

export function isSameMachine(one: Machine, other: Machine): boolean {
  return one.provider === other.provider && one.providerRef === other.providerRef;
}
