import { HOUR_MS, MINUTE_MS } from "../../lifecycle/model/time.ts";

/** To a few seconds. */
export function hours(ms: number): number {
  return Math.round((ms / HOUR_MS) * 1000) / 1000;
}

export function minutes(ms: number): number {
  return Math.round((ms / MINUTE_MS) * 10) / 10;
}
