import { duration, number } from "../format.ts";

/** Times of machines and of work, written out. Pure. */

export const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3600;

/** In hours from one on: "30 h" of machines is told more easily from "36 h" than a day and six hours from a day and a half. */
export function timeText(seconds: number, locale: string): string {
  if (seconds < MINUTE_SECONDS / 2) return "0 min";
  if (seconds < HOUR_SECONDS) return duration(Math.max(MINUTE_SECONDS, seconds));
  return `${number(seconds / HOUR_SECONDS, locale)} h`;
}

export function hoursIn(hours: number, locale: string): string {
  return timeText(hours * HOUR_SECONDS, locale);
}

/** Whether hours are written as more than nothing. */
export function isSeen(hours: number): boolean {
  return hours * HOUR_SECONDS >= MINUTE_SECONDS / 2;
}
