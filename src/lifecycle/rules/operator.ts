import type { InstanceEvent } from "../model/instance-event.ts";
import { record } from "../model/outbox.ts";
import type { Action } from "../model/phase.ts";
import type { InstanceState } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import { withHandover } from "./handover.ts";
import { actionOf, takesOrdersByAnswer } from "./order.ts";
import { endUntold } from "./order-end.ts";
import type { Refusal } from "./refusals.ts";

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
    return { code: "not_possible", message: "There is no such order under way" };
  }
  const { act, operator, because, requestId } = event;
  if (act === "repeat_order" && takesOrdersByAnswer(action.machine)) {
    return {
      code: "not_possible",
      message: "The instance itself carries it out: it is in the answer to each heartbeat",
    };
  }
  if (act === "repeat_order" && action.kind !== "wake" && isHeardSince(state, action, now)) {
    return {
      code: "not_possible",
      message:
        "The instance was heard since the order was placed: end the order in place of beginning it anew",
    };
  }
  const kind = action.kind.replaceAll("_", "-");
  const noted = record(state, {
    at: now,
    kind: "operator_acted",
    severity: "info",
    message: `The order to ${kind} was ${DID[act]} by ${operator}: ${because}`,
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

const DID = { end_order: "ended", repeat_order: "begun anew" } as const;
