import { BACKLOG_MS, isLeaving } from "../lifecycle/model/outbox.ts";
import { isDone, type WaitingEffect, withProgress } from "./attempts.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** How an instance that was removed goes. Pure. */

export function isForget({ pending }: WaitingEffect): boolean {
  return pending.effect.type === "forget";
}

/** Marks since when an instance that was removed is on its way out. */
export function withLeaving(stored: StoredInstance, now: number): StoredInstance {
  const { delivery } = stored;
  if (!isLeaving(stored.state) || delivery.leavingSince !== null) return stored;
  return { ...stored, delivery: { ...delivery, leavingSince: now } };
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
  return held === 0 && parked === null && waiting.every((one) => isForget(one) && isDone(one));
}
