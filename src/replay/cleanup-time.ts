import { DAY_MS, HOUR_MS, MINUTE_MS, startOfUtcDay } from "../lifecycle/model/time.ts";

/** The daily cleanup runs at 03:17 UTC. */
const CLEANUP_MS = 3 * HOUR_MS + 17 * MINUTE_MS;

export function nextCleanup(after: number): number {
  const today = startOfUtcDay(after) + CLEANUP_MS;
  return today > after ? today : today + DAY_MS;
}
