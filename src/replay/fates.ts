import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { actionOf, takesOrdersByAnswer } from "../lifecycle/rules/order.ts";
import { momentIn, textIn } from "./detail.ts";
import type { PastEvent, Story } from "./story.ts";

/** What became of an order, as its events tell it. No event says when somebody took it: that follows from how it ended. */
export interface Fate {
  /** Null: it had not ended when the story did. */
  readonly end: PastEvent | null;
  /** When a sign of life came too late for it; null where none did. */
  readonly tooLateAt: number | null;
}

const BEGINNINGS: ReadonlySet<string> = new Set(["hibernating", "waking", "deleting"]);

const ENDS: ReadonlySet<string> = new Set([
  "hibernated",
  "hibernate_failed",
  "hibernate_cancelled",
  "woken",
  "wake_failed",
  "deleted",
  "delete_failed",
  "delete_cancelled",
  "gone",
  "found_running",
  "resumed",
  "orphaned",
]);

/** The fate of each order, by the id of the event with which it began. */
export function fatesOf(events: readonly PastEvent[]): ReadonlyMap<string, Fate> {
  const fates = new Map<string, Fate>();
  let open: { readonly id: string; readonly tooLateAt: number | null } | null = null;
  for (const event of events) {
    if (BEGINNINGS.has(event.kind)) {
      open = { id: event.id, tooLateAt: null };
      fates.set(event.id, { end: null, tooLateAt: null });
    } else if (open !== null && event.kind === "accepted_too_late") {
      open = { id: open.id, tooLateAt: event.at };
      fates.set(open.id, { end: null, tooLateAt: event.at });
    } else if (open !== null && ENDS.has(event.kind)) {
      fates.set(open.id, { end: event, tooLateAt: open.tooLateAt });
      open = null;
    }
  }
  return fates;
}

/** How far the order has come on its way, so that it ends as it did. */
export function handoverOf(
  state: InstanceState,
  fate: Fate | undefined,
  story: Story,
): readonly InstanceEvent[] {
  const action = actionOf(state);
  if (action === null || fate === undefined || takesOrdersByAnswer(action.machine)) return [];
  const tried: InstanceEvent = { type: "action.tried", actionId: action.id };
  const accepted: InstanceEvent = { type: "action.accepted", actionId: action.id };
  const { end, tooLateAt } = fate;
  if (tooLateAt !== null) return [tried];
  if (action.kind === "wake") return wakeHandover(end, action.orderedAt, story, [tried, accepted]);
  if (end?.kind !== "hibernate_cancelled" && end?.kind !== "delete_cancelled") return [tried, accepted];
  // What sets it back ends an order however far it has come: one that is being tried is ended by nothing before.
  const isSetBack = story.events.some(({ at, kind }) => at === end.at && kind === "resumed");
  return isCauseAt(end.at, story) && !isSetBack ? [] : [tried];
}

/** A start that nobody took ends with the first heartbeat, and one that is just being tried once that is over. */
function wakeHandover(
  end: PastEvent | null,
  orderedAt: number,
  story: Story,
  [tried, accepted]: readonly [InstanceEvent, InstanceEvent],
): readonly InstanceEvent[] {
  const isHeardBefore = story.readings.some(
    ({ at, isLate }) => at > orderedAt && at < (end?.at ?? story.to) && isLate !== true,
  );
  const isConfirmed = end !== null && momentIn(end.detail, "confirmed_at") !== null;
  if (end === null || isConfirmed || end.kind === "orphaned") {
    return isHeardBefore ? [tried] : [tried, accepted];
  }
  if (end.kind === "wake_failed") return end.detail.may_start === true ? [tried] : [];
  if (textIn(end.detail, "action_id") !== null) return [tried, accepted];
  return isHeardBefore && !isCauseAt(end.at, story) ? [tried] : [tried, accepted];
}

const CAUSES: ReadonlySet<string> = new Set(["kept_alive", "policy_changed", "resumed", "operator_acted"]);

/** Whether something came from outside at that very moment that calls an order off. */
function isCauseAt(at: number, { readings, events }: Story): boolean {
  return (
    readings.some((reading) => reading.at === at) ||
    events.some((event) => event.at === at && CAUSES.has(event.kind))
  );
}

/**
 * When its provider said that it runs, by how its wake ended. Where silence does not count from then, a keep-alive lasted longer: any
 * moment from `orderedAt` on comes to the same.
 */
export function confirmedAt({ kind, at, detail }: PastEvent, orderedAt: number): number | null {
  const confirmed = momentIn(detail, "confirmed_at");
  if (kind === "woken") return confirmed !== null && at - confirmed < SECOND_MS ? at : confirmed;
  return kind === "orphaned" ? (momentIn(detail, "counts_from") ?? orderedAt) : null;
}
