/** Durations as people write them, in English and in Portuguese: "5 min", "1 h 30 min", "7 dias". Pure. */

export type DurationUnit = "seconds" | "minutes" | "hours" | "days";

export const SECONDS_IN: Readonly<Record<DurationUnit, number>> = {
  seconds: 1,
  minutes: 60,
  hours: 3600,
  days: 86_400,
};

const WEEK_SECONDS = 7 * SECONDS_IN.days;

/** Both languages are read, whichever the page is in: nobody should be refused "7 days" or "7 dias". */
const SPELLINGS: readonly (readonly [number, readonly string[]])[] = [
  [SECONDS_IN.seconds, ["s", "sec", "secs", "second", "seconds", "seg", "segs", "segundo", "segundos"]],
  [SECONDS_IN.minutes, ["m", "min", "mins", "minute", "minutes", "minuto", "minutos"]],
  [SECONDS_IN.hours, ["h", "hr", "hrs", "hour", "hours", "hora", "horas"]],
  [SECONDS_IN.days, ["d", "day", "days", "dia", "dias"]],
  [WEEK_SECONDS, ["w", "wk", "week", "weeks", "sem", "semana", "semanas"]],
];

const SECONDS_OF = new Map(
  SPELLINGS.flatMap(([seconds, spellings]) => spellings.map((spelling) => [spelling, seconds] as const)),
);

/** Nobody writes more, and what is read stays bounded. */
const LONGEST_TEXT = 60;

/** One amount with its unit. */
const PART = /\s*(\d+(?:[.,]\d+)?)\s*([a-z]+)\s*(?:,|e|and)?/y;

const BARE = /^\d+(?:[.,]\d+)?$/;

/**
 * Seconds, to a whole one; null where the text is no duration. A number without a unit is of the unit that the reader sees
 * beside it.
 */
export function readDuration(text: string, bare: DurationUnit): number | null {
  const written = text.trim().toLowerCase();
  if (written.length > LONGEST_TEXT) return null;
  if (BARE.test(written)) return Math.round(numberIn(written) * SECONDS_IN[bare]);
  let seconds = 0;
  let at = 0;
  while (at < written.length) {
    PART.lastIndex = at;
    const [, amount = "", unit = ""] = PART.exec(written) ?? [];
    const each = SECONDS_OF.get(unit);
    if (each === undefined) return null;
    seconds += numberIn(amount) * each;
    at = PART.lastIndex;
  }
  return written === "" ? null : Math.round(seconds);
}

function numberIn(text: string): number {
  return Number(text.replace(",", "."));
}

/** How each unit is written after its amount. */
export interface UnitWords {
  readonly seconds: string;
  readonly minutes: string;
  readonly hours: string;
  readonly days: (count: number) => string;
}

const LARGEST_FIRST = ["days", "hours", "minutes", "seconds"] as const;

/** All of it, to the second, so that it can be read again: "1 h 30 min". Days only from two on, as "24 h" is clearer. */
export function writeDuration(seconds: number, units: UnitWords): string {
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const unit of LARGEST_FIRST) {
    if (unit === "days" && rest < 2 * SECONDS_IN.days) continue;
    const count = Math.floor(rest / SECONDS_IN[unit]);
    if (count === 0) continue;
    rest -= count * SECONDS_IN[unit];
    parts.push(`${count} ${unit === "days" ? units.days(count) : units[unit]}`);
  }
  return parts.length === 0 ? `0 ${units.seconds}` : parts.join(" ");
}

/** The largest unit in which it is a whole number: that of a number written without one. */
export function fittingUnit(seconds: number): DurationUnit {
  if (seconds === 0) return "minutes";
  return LARGEST_FIRST.find((unit) => isWhole(seconds, unit)) ?? "seconds";
}

function isWhole(seconds: number, unit: DurationUnit): boolean {
  const least = SECONDS_IN[unit] * (unit === "days" ? 2 : 1);
  return seconds >= least && seconds % SECONDS_IN[unit] === 0;
}
