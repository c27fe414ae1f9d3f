import { preparationOf } from "../model/phase.ts";
import type { InstanceState } from "../model/state.ts";
import { newActionIn, newEffects } from "./new-in-a-step.ts";

/** What holds of preparations between a state and the one that is decided on from it. */

/** Hooks that are known run first, to their end or their limit; or the order says why they do not. */
export function isNewOrderPrepared(before: InstanceState, after: InstanceState, now: number): boolean {
  const { phase } = after;
  const action = newActionIn(before, after);
  if (action === null || phase.status !== "hibernating") return true;
  if (phase.reason === "silence" || phase.reason === "instance") return true;
  const isExcused = newEffects(before, after).some(
    ({ effect }) =>
      effect.type === "event" &&
      effect.event.detail.action_id === action.id &&
      effect.event.detail.unprepared !== undefined,
  );
  if (isExcused) return true;
  const preparation = preparationOf(before.phase);
  if (preparation === null) return after.agent.hooks?.includes("prepare") !== true;
  const ended = after.lastPreparation;
  if (ended?.id !== preparation.id) return false;
  return ended.outcome === "succeeded" || (ended.outcome !== "cancelled" && now >= preparation.limitAt);
}

export function isEndOfPreparationSaid(before: InstanceState, after: InstanceState): boolean {
  const preparation = preparationOf(before.phase);
  if (preparation === null || preparation.id === preparationOf(after.phase)?.id) return true;
  return after.lastPreparation?.id === preparation.id;
}
