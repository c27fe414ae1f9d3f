import { COST_DAYS_KEPT_MS } from "../../history/costs.ts";
import { DAY_MS, HOUR_MS, SECOND_MS, startOfUtcMonth } from "../../lifecycle/model/time.ts";
import { closingAfter } from "./cost-days.ts";

/** When a month's report is told: on the first of the next month, some hours after its last day was closed. */

/** The history takes a while to hear of a day that was closed. */
const AFTER_CLOSING_MS = 3 * HOUR_MS;

/** So long after the month's end it is told as it is known then. */
const WAITS_FOR_MS = 3 * DAY_MS;

/** Whether the last day is closed is looked up as often as this. */
export const LOOK_AGAIN_MS = HOUR_MS / 4;

const FIRST_RETRY_MS = 30 * SECOND_MS;
const LONGEST_RETRY_MS = HOUR_MS;

/** When the report of the month that ends with the first instant of another one is due. `spread`: of the fleet, from 0 to 1. */
export function reportDueAt(end: number, spread: number): number {
  return closingAfter(end, spread) + AFTER_CLOSING_MS;
}

/** Whether nothing is waited for any more. */
export function isToTellAnyhow(end: number, now: number): boolean {
  return now >= end + WAITS_FOR_MS;
}

/** When to try again after so many tries in a row that failed. */
export function retryReportAt(failures: number, end: number, now: number): number {
  const delay = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
  return Math.max(now + FIRST_RETRY_MS, Math.min(now + delay, end + WAITS_FOR_MS));
}

/** The first instant of the month after the one that holds `instantMs`. */
export function nextMonth(instantMs: number): number {
  return startOfUtcMonth(startOfUtcMonth(instantMs) + 31 * DAY_MS);
}

/** That of the month before it. */
export function monthBefore(instantMs: number): number {
  return startOfUtcMonth(startOfUtcMonth(instantMs) - 1);
}

/** The oldest month of which all days are kept. */
export function oldestMonth(now: number): number {
  const firstDay = now - COST_DAYS_KEPT_MS;
  const month = startOfUtcMonth(firstDay);
  return month >= firstDay ? month : nextMonth(month);
}
