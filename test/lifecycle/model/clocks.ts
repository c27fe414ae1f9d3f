import fc from "fast-check";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../src/lifecycle/model/time.ts";
import { instantsAt } from "../../../src/lifecycle/model/zone.ts";

/** Time zones and moments for properties, among them those at which clocks are changed. */

/** Zones that change their clocks by an hour, half an hour, at midnight, or never, and with odd offsets. */
export const TIMEZONES = [
  "UTC",
  "America/Sao_Paulo",
  "America/New_York",
  "America/Havana",
  "Europe/Berlin",
  "Africa/Cairo",
  "Africa/Casablanca",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Chatham",
  "Pacific/Kiritimati",
] as const;

export const arbitraryTimezone = fc.constantFrom(...TIMEZONES);

/** In and around the hours of 2026 in which some of these zones change their clocks. */
const CHANGES = [
  "2026-03-08T07:00:00Z",
  "2026-03-08T05:00:00Z",
  "2026-03-29T01:00:00Z",
  "2026-04-04T15:00:00Z",
  "2026-04-04T14:00:00Z",
  "2026-04-23T22:00:00Z",
  "2026-09-26T14:00:00Z",
  "2026-10-03T15:30:00Z",
  "2026-10-25T01:00:00Z",
  "2026-10-29T21:00:00Z",
  "2026-11-01T05:00:00Z",
  "2026-11-01T06:00:00Z",
].map((iso) => Date.parse(iso));

const nearChange = fc
  .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -26 * HOUR_MS, max: 26 * HOUR_MS }))
  .map(([change, offset]) => change + offset);

const anytime = fc.integer({ min: Date.parse("2025-01-01"), max: Date.parse("2029-01-01") });

export const arbitraryInstant = fc.oneof(nearChange, anytime);

export const arbitraryTimeOfDay = fc
  .integer({ min: 0, max: DAY_MS / MINUTE_MS - 1 })
  .map((minutes) => timeOfDay(minutes));

function timeOfDay(minutes: number): string {
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60];
  return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clock shows, as milliseconds since 1970-01-01 00:00 on it, read from Intl each time. */
export function readingAt(timezone: string, at: number): number {
  const format =
    formats.get(timezone) ??
    new Intl.DateTimeFormat("sv-SE", { timeZone: timezone, dateStyle: "short", timeStyle: "medium" });
  formats.set(timezone, format);
  const seconds = Date.parse(`${format.format(at).replace(" ", "T")}Z`);
  return seconds + (((at % 1_000) + 1_000) % 1_000);
}

/** A time that a clock shows. `month` is 1 to 12. */
export interface ClockTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

/** When a clock in this zone first shows this time. */
export function instantAt(timezone: string, { year, month, day, hour, minute }: ClockTime): number {
  return instantsAt(timezone, Date.UTC(year, month - 1, day, hour, minute)).first;
}
