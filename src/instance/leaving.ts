import type { PendingEffect } from "../lifecycle/model/effects.ts";
import { BACKLOG_MS, isForget, isLeaving } from "../lifecycle/model/outbox.ts";
import { isDone, withProgress } from "./attempts.ts";
import { type DeliveryStanding, NOTHING_WAITS, type StoredInstance } from "./stored/stored-instance.ts";

/** How an instance that was removed goes, and what it leaves behind. Pure. */

/** Marks since when an instance that was removed is on its way out. */
export function withLeaving(stored: StoredInstance, now: number): StoredInstance {
  const { delivery } = stored;
  if (!isLeaving(stored.state) || delivery.leavingSince !== null) return stored;
  return { ...stored, delivery: { ...delivery, leavingSince: now } };
}

/** Whether the registry has let go of an instance that was removed. */
export function isLetGo({ state, delivery }: StoredInstance): boolean {
  return withProgress(state.outbox, delivery.attempts.effects).every(
    (one) => !isForget(one.pending) || isDone(one),
  );
}

/** What is left to be delivered of an instance that was removed. */
interface Left {
  readonly outbox: readonly PendingEffect[];
  readonly delivery: DeliveryStanding;
}

export const NOTHING_LEFT: Left = { outbox: [], delivery: NOTHING_WAITS };

/** What an instance that was removed leaves to the next one of its id: whatever is to be kept, but no order and no question. */
export function leftBy({ state, delivery }: StoredInstance): Left {
  const outbox = state.outbox.filter(({ effect }) => effect.type === "chunk" || effect.type === "event");
  const isLeft = new Set(outbox.map(({ id }) => id));
  const effects = delivery.attempts.effects.filter(({ id }) => isLeft.has(id));
  // The next one tries every target at once.
  return { outbox, delivery: { ...delivery, attempts: { targets: [], effects }, leavingSince: null } };
}

/**
 * Whether nothing keeps a removed instance here any more: the registry has let go of it and all is delivered. What could not
 * be delivered for a week is given up.
 */
export function isGone({ state, delivery }: StoredInstance, now: number): boolean {
  const { attempts, held, parked, leavingSince } = delivery;
  if (!isLeaving(state)) return false;
  if (leavingSince !== null && now >= leavingSince + BACKLOG_MS) return true;
  const waiting = withProgress(state.outbox, attempts.effects);
  return held === 0 && parked === null && waiting.every((one) => isForget(one.pending) && isDone(one));
}
