import { DAY_MS, MINUTE_MS } from "./time.ts";

/**
 * What clocks show in a time zone, and when. A clock's time is a number, too: the milliseconds from 1970-01-01 00:00 on that
 * clock. A zone that this runtime does not know counts as UTC, so that nothing stands still for it.
 */

/** When a clock shows a time: twice when clocks are set back over it. One that they skip counts as the moment of the skip. */
export interface Instants {
  readonly first: number;
  readonly last: number;
}

/** Whether this runtime knows a time zone of this name. */
export function isKnownZone(timezone: string): boolean {
  return timezone === "UTC" || zoneOf(timezone).format !== null;
}

/** What a clock in this zone shows. */
export function clockAt(timezone: string, at: number): number {
  return at + offsetIn(zoneOf(timezone), at);
}

/** When a clock in this zone shows this. */
export function instantsAt(timezone: string, clock: number): Instants {
  const zone = zoneOf(timezone);
  const before = clock - offsetIn(zone, clock - DAY_MS);
  const after = clock - offsetIn(zone, clock + DAY_MS);
  const shown = [before, after].filter((at) => at + offsetIn(zone, at) === clock);
  if (shown.length > 0) return { first: Math.min(...shown), last: Math.max(...shown) };
  const skipped = skipBetween(zone, after, before);
  return { first: skipped, last: skipped };
}

/** The next moment after `after` at which a clock in this zone shows this time, such as `18:00`. */
export function nextTimeOfDay(timezone: string, timeOfDay: string, after: number): number {
  const today = Math.floor(clockAt(timezone, after) / DAY_MS);
  const moments = [today, today + 1, today + 2].flatMap((day) => {
    const { first, last } = instantsAt(timezone, day * DAY_MS + sinceMidnight(timeOfDay));
    return [first, last];
  });
  return Math.min(...moments.filter((moment) => moment > after));
}

/** Of a time of day, such as `09:30`: the milliseconds from midnight on the clock. */
export function sinceMidnight(timeOfDay: string): number {
  const [hours, minutes] = timeOfDay.split(":");
  return (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
}

interface Zone {
  /** Null for UTC. */
  readonly format: Intl.DateTimeFormat | null;
  /** How far its clocks are ahead of UTC, at the beginnings of days of UTC. */
  readonly offsets: Map<number, number>;
}

/** All kept in memory, of all users, and of one zone: three years of days. */
const MAXIMUM_ZONES = 64;
const MAXIMUM_OFFSETS = 1_100;

const zones = new Map<string, Zone>();

function zoneOf(timezone: string): Zone {
  const known = zones.get(timezone);
  if (known !== undefined) return known;
  if (zones.size >= MAXIMUM_ZONES) zones.clear();
  const zone = { format: formatOf(timezone), offsets: new Map<number, number>() };
  zones.set(timezone, zone);
  return zone;
}

function formatOf(timezone: string): Intl.DateTimeFormat | null {
  if (timezone === "UTC") return null;
  const numbers = { year: "numeric", month: "numeric", day: "numeric" } as const;
  const times = { hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23" } as const;
  try {
    return new Intl.DateTimeFormat("en-US", { ...numbers, ...times, timeZone: timezone });
  } catch {
    return null;
  }
}

/** How far clocks are ahead of UTC. On a day that begins and ends with the same, they are not changed. */
function offsetIn(zone: Zone, at: number): number {
  const day = Math.floor(at / DAY_MS);
  const [begin, end] = [offsetAtStartOf(zone, day), offsetAtStartOf(zone, day + 1)];
  return begin === end ? begin : readOffset(zone, at);
}

function offsetAtStartOf(zone: Zone, day: number): number {
  const known = zone.offsets.get(day);
  if (known !== undefined) return known;
  if (zone.offsets.size >= MAXIMUM_OFFSETS) zone.offsets.clear();
  const offset = readOffset(zone, day * DAY_MS);
  zone.offsets.set(day, offset);
  return offset;
}

function readOffset({ format }: Zone, at: number): number {
  if (format === null) return 0;
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
}

/** The moment at which clocks are set forward, after `before` and not after `after`. */
function skipBetween(zone: Zone, before: number, after: number): number {
  const offset = offsetIn(zone, after);
  let [earlier, later] = [before, after];
  while (later - earlier > 1) {
    const middle = Math.floor((earlier + later) / 2);
    if (offsetIn(zone, middle) === offset) later = middle;
    else earlier = middle;
  }
  return later;
}
