import type { InstanceEvent } from "../model/instance-event.ts";
import { record } from "../model/outbox.ts";
import type { Action } from "../model/phase.ts";
import type { InstanceState } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import { withHandover } from "./handover.ts";
import { actionOf, takesOrdersByAnswer } from "./order.ts";
import { endUntold } from "./order-end.ts";
import { type Refusal, refusal } from "./refusals.ts";

/**
 * What the operator does with an order that is stuck. Neither stops or deletes anything: an order that is ended counts as
 * failed, and one that is carried out anew is asked for first, as at each try.
 */

type OperatorActed = Extract<InstanceEvent, { type: "operator.acted" }>;

/** The event that says what the operator did comes first: what follows from it is the service's own doing. */
export function actAsOperator(
  state: InstanceState,
  event: OperatorActed,
  now: number,
): InstanceState | Refusal {
  const action = actionOf(state);
  if (action?.id !== event.actionId) {
    return refusal("not_possible", phrase("refusal.no_such_order"));
  }
  const { act, operator, because, requestId } = event;
  if (act === "repeat_order" && takesOrdersByAnswer(action.machine)) {
    return refusal("not_possible", phrase("refusal.by_itself"));
  }
  if (act === "repeat_order" && action.kind !== "wake" && isHeardSince(state, action, now)) {
    return refusal("not_possible", phrase("refusal.heard_since"));
  }
  const told = { step: phrase(`step.${action.kind}`), operator, because };
  const noted = record(state, {
    at: now,
    kind: "operator_acted",
    severity: "info",
    message:
      act === "end_order" ? phrase("order.operator_ended", told) : phrase("order.operator_repeated", told),
    detail: {
      act,
      by: operator,
      because,
      action_id: action.id,
      ordered_at: toIso(action.orderedAt),
      request_id: requestId,
    },
  });
  switch (act) {
    case "end_order":
      return endUntold(noted, now, `ended by ${operator}: ${because}`);
    case "repeat_order":
      // Nobody has it any more: a sign of life calls it off again, though its first try had been accepted.
      return withHandover(noted, { state: "waiting" });
  }
}

/** Whether the instance was heard, or kept alive, since it was last certain that the order should be carried out. */
function isHeardSince({ clock }: InstanceState, { handover, orderedAt }: Action, now: number): boolean {
  const since = handover.state === "accepted" ? handover.at : orderedAt;
  return (clock.lastHeartbeatAt ?? 0) > since || (clock.keepAliveUntil ?? 0) > now;
}
