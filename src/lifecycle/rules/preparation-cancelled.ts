import { record } from "../model/outbox.ts";
import { idleRunOf, type Phase, preparationOf } from "../model/phase.ts";
import type { Preparation } from "../model/preparation.ts";
import type { InstanceState } from "../model/state.ts";
import { phrase } from "../model/words/phrase.ts";
import { text } from "../model/words/say.ts";
import { detailOf, endPreparation, isByPerson } from "./preparation.ts";

/** How a preparation ends without the order that waits for it. */

/** What its owner says who asks for a wake while it still runs. */
export const LEFT_AWAKE = text("preparation.left_awake");

/** Calls the preparation off, if there is one. */
export function callOffPreparation(state: InstanceState, at: number, because: string): InstanceState {
  const preparation = preparationOf(state.phase);
  return preparation === null ? state : cancel(state, preparation, at, because);
}

/**
 * No preparation for idleness outlives its idle run, and none ends unsaid, whatever has happened between `before` and `after`: its
 * machine may have fallen silent, or be another one.
 */
export function settlePreparation(before: InstanceState, after: InstanceState, at: number): InstanceState {
  const former = preparationOf(before.phase);
  if (former === null || after.lastPreparation?.id === former.id) return after;
  const next = preparationOf(after.phase);
  if (next?.id !== former.id) {
    const cancelled = cancel(after, former, at, becauseOf(after.phase));
    return after.phase.status === "orphaned" ? tellIfLost(cancelled, former, at) : cancelled;
  }
  const isIdleNoMore = idleRunOf(after.phase)?.since !== idleRunOf(before.phase)?.since;
  return next.order.reason === "idle" && isIdleNoMore
    ? cancel(after, next, at, text("preparation.idle_no_more"))
    : after;
}

/** Nobody gives the order of a person or a budget again. What is planned, or for idleness, is decided on anew. */
function tellIfLost(state: InstanceState, { order: { because, reason } }: Preparation, at: number) {
  if (!isByPerson(because) && because !== "budget") return state;
  if (reason === "idle") return state;
  return record(state, {
    at,
    kind: "hibernate_failed",
    severity: "critical",
    message: phrase("hibernation.fell_silent_preparing"),
    detail: { reason, because },
  });
}

function becauseOf({ status }: Phase): string {
  switch (status) {
    case "orphaned":
      return text("preparation.fell_silent");
    case "pending":
      return text("preparation.another_machine");
    case "hibernating":
      return text("preparation.hibernates_itself");
    case "running":
      return text("preparation.unknown");
    case "hibernated":
    case "waking":
    case "deleting":
    case "deleted":
      return text(`preparation.is_${status}`);
  }
}

function cancel(state: InstanceState, preparation: Preparation, at: number, because: string): InstanceState {
  return record(endPreparation(state, preparation, "cancelled", at), {
    at,
    kind: "preparation_cancelled",
    severity: "info",
    message: phrase("preparation.called_off", { because }),
    detail: {
      ...detailOf(preparation, preparation.heard),
      ...(because === LEFT_AWAKE ? { by_person: true } : {}),
    },
  });
}
