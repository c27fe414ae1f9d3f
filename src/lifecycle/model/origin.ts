import type { Effect, PendingEffect } from "./effects.ts";
import type { InstanceState } from "./state.ts";

/** What a decision goes back to: which request, and who asked. */

/** Who asked for something: a token or a person of the account, by name. */
export interface AskedBy {
  readonly kind: "token" | "person";
  readonly name: string;
}

/** What a decision goes back to. */
export interface Origin {
  readonly requestId?: string | undefined;
  readonly askedBy?: AskedBy | undefined;
}

/** Notes in the effects from `firstId` on what they go back to: in orders the request, in events who asked. */
export function attribute(
  state: InstanceState,
  firstId: number,
  { requestId, askedBy }: Origin,
): InstanceState {
  const attributed = (effect: Effect): Effect => {
    if (effect.type === "action" && requestId !== undefined) {
      return { ...effect, order: { ...effect.order, requestId } };
    }
    if (effect.type === "event" && askedBy !== undefined) {
      const asked = { asked_by: askedBy.name, asked_by_kind: askedBy.kind };
      return { ...effect, event: { ...effect.event, detail: { ...effect.event.detail, ...asked } } };
    }
    return effect;
  };
  const changed = ({ id, effect }: PendingEffect) => id >= firstId && attributed(effect) !== effect;
  if (!state.outbox.some(changed)) return state;
  const outbox = state.outbox.map(
    ({ id, effect }): PendingEffect => ({ id, effect: id >= firstId ? attributed(effect) : effect }),
  );
  return { ...state, outbox };
}
