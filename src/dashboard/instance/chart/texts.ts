import { money, number } from "../../format.ts";
import { language } from "../../words.ts";
import type { Unit } from "./panes.ts";

/** Values and times of the charts, in the reader's language. */

export function valueText(unit: Unit, value: number): string {
  const locale = language.value;
  switch (unit) {
    case "percent":
      return `${number(value, locale)}%`;
    case "gigabytes":
      return `${number(value, locale)} GB`;
    case "dollars":
      return money(value, locale, value !== 0 && value < 0.1 ? 3 : 2);
  }
}

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3600;
const MINUTE_SECONDS = 60;

/** A value beside an axis, which has little room: no cents where there are none. */
export function axisText(unit: Unit, value: number): string {
  return unit === "dollars"
    ? new Intl.NumberFormat(language.value, {
        style: "currency",
        currency: "USD",
        trailingZeroDisplay: "stripIfInteger",
        maximumFractionDigits: value < 0.1 ? 3 : 2,
      }).format(value)
    : valueText(unit, value);
}

/** Times of day, and the day where a new one begins or where only days matter. Null stays. */
export function timeTexts(splits: readonly (number | null)[], step: number): (string | null)[] {
  const of = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(language.value, options);
  const seconds = step < MINUTE_SECONDS ? ({ second: "2-digit" } as const) : {};
  const ofHalves = of({ hour: "numeric" }).resolvedOptions().hour12 === true;
  // "6 AM" is read at once, and "06" by a clock of 24 hours is not.
  const time =
    ofHalves && step % HOUR_SECONDS === 0
      ? of({ hour: "numeric" })
      : of({ hour: ofHalves ? "numeric" : "2-digit", minute: "2-digit", ...seconds });
  const day = of({ day: "numeric", month: "short" });
  return splits.map((seconds) => {
    if (seconds === null) return null;
    const at = new Date(seconds * 1000);
    const midnight = at.getHours() === 0 && at.getMinutes() === 0;
    return midnight || step >= DAY_SECONDS ? day.format(at) : time.format(at);
  });
}

export function momentText(atMs: number, isOfDays: boolean): string {
  return new Intl.DateTimeFormat(
    language.value,
    isOfDays ? { dateStyle: "medium" } : { dateStyle: "medium", timeStyle: "medium" },
  ).format(atMs);
}
