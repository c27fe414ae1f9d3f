import { z } from "zod";
import { toIso } from "../../lifecycle/model/time.ts";

/** A moment, as every answer writes it. */
export const instant = z.string().describe("ISO 8601, UTC, whole seconds");

/** One that is asked for, in ms. */
export const instantQuery = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .describe("ISO 8601 with time zone");

/** A moment that there may not have been. */
export function instantOrNull(momentMs: number | null): string | null {
  return momentMs === null ? null : toIso(momentMs);
}
