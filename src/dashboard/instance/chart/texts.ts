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

const HALF_DAY_SECONDS = 43_200;
const MINUTE_SECONDS = 60;

/** Times of day, and the day where a new one begins or where only days matter. */
export function timeTexts(splits: readonly number[], step: number): string[] {
  const of = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(language.value, options);
  const time = of(
    step < MINUTE_SECONDS
      ? { hour: "2-digit", minute: "2-digit", second: "2-digit" }
      : { hour: "2-digit", minute: "2-digit" },
  );
  const day = of({ day: "numeric", month: "short" });
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    const midnight = at.getHours() === 0 && at.getMinutes() === 0;
    return midnight || step >= HALF_DAY_SECONDS ? day.format(at) : time.format(at);
  });
}

export function momentText(atMs: number, isOfDays: boolean): string {
  return new Intl.DateTimeFormat(
    language.value,
    isOfDays ? { dateStyle: "medium" } : { dateStyle: "medium", timeStyle: "medium" },
  ).format(atMs);
}
