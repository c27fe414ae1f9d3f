import { MINUTE_MS } from "../lifecycle/model/time.ts";

/** An alarm that has not fired for this long after its time never will. */
export const OVERDUE_MS = 10 * MINUTE_MS;

/**
 * Whether an alarm fires at `moment` or before; it is set for `armedAt`, or not at all. Alarms are lazy: one that is set for
 * an earlier moment stays, and whoever it wakes sets it anew.
 */
export function firesBy(moment: number, armedAt: number | null, now: number): boolean {
  return armedAt !== null && armedAt <= moment && armedAt > now - OVERDUE_MS;
}
