import { clockAt, instantsAt } from "../../lifecycle/model/zone.ts";

/** Moments as the clocks of a time zone show them, as the fields of a form have them: "2026-11-27T09:30". Pure. */

export function inZone(iso: string, timezone: string): string {
  const instantMs = Date.parse(iso);
  return Number.isNaN(instantMs) ? "" : new Date(clockAt(timezone, instantMs)).toISOString().slice(0, 16);
}

/** The moment at which they first show it; null for what is no date. */
export function fromZone(text: string, timezone: string): string | null {
  const clock = Date.parse(`${text}Z`);
  return Number.isNaN(clock) ? null : isoOf(instantsAt(timezone, clock).first);
}

/** As the API has it. */
export function isoOf(instantMs: number): string {
  return new Date(instantMs).toISOString().replace(/\.\d{3}Z$/, "Z");
}
