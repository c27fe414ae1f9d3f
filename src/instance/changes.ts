import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { actionOf } from "../lifecycle/rules/order.ts";
import { orderDeadline } from "../lifecycle/rules/order-end.ts";
import { type LogIds, logInfo } from "../platform/log.ts";

/** The kinds of the events that the outbox has from this id on. */
export function eventsIn({ outbox }: InstanceState, firstId: number): string[] {
  return outbox.flatMap(({ id, effect }) =>
    id >= firstId && effect.type === "event" ? [effect.event.kind] : [],
  );
}

/** Whether a decision failed an order because its end had not been told by its deadline. */
export function isOverdue(former: InstanceState, next: InstanceState, now: number): boolean {
  const deadline = orderDeadline(former);
  return deadline !== null && deadline <= now && actionOf(former)?.id !== actionOf(next)?.id;
}

/**
 * Logs what a decision changed: an order that was placed or that ended, or else the status, with the request that brought it
 * about. A decision that changes none of these, as upon a steady heartbeat, is not logged.
 */
export function logChanges(
  ids: LogIds,
  former: InstanceState,
  next: InstanceState,
  upon: InstanceEvent["type"],
  requestId: string | undefined,
): void {
  const [before, after] = [actionOf(former), actionOf(next)];
  const [from, to] = [former.phase.status, next.phase.status];
  const fields = { ...ids, request_id: requestId, upon, from, to };
  if (before !== null && before.id !== after?.id) {
    logInfo("order ended", { ...fields, order_id: before.id, kind: before.kind });
  }
  if (after !== null && after.id !== before?.id) {
    const { kind, machine } = after;
    logInfo("order placed", { ...fields, order_id: after.id, kind, provider: machine.provider });
  }
  if (before === null && after === null && from !== to) logInfo("status changed", fields);
}
