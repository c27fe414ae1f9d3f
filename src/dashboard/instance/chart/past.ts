import type { Band, PastEvent } from "./bands.ts";
import type { Readings } from "./columns.ts";
import type { Period } from "./period.ts";

/** All that the charts of a time are drawn from. */
export interface Past {
  readonly period: Period;
  readonly fromMs: number;
  readonly toMs: number;
  readonly readings: Readings;
  readonly bands: readonly Band[];
  /** Those that are marked, oldest first. */
  readonly events: readonly PastEvent[];
  /** What each day has cost, oldest first; null where the time is too short for days. */
  readonly days: readonly DayCost[] | null;
}

export interface DayCost {
  readonly day: string;
  readonly cost: number;
  readonly cost_by_use: Readonly<Record<"working" | "idle" | "silent" | "hibernated", number>>;
}
