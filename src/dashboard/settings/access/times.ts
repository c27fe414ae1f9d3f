import { now } from "../../clock.ts";
import { language } from "../../words.ts";

/** The coarsest that says enough: nobody needs to know of a browser to the second. */
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** How long ago, or in how long: "3 hours ago", "in 12 days", "now". */
export function agoOf(iso: string): string {
  return relative(Date.parse(iso) - now.value, language.value);
}

/** A span of time from now, in words; negative: the past. Pure. */
export function relative(spanMs: number, locale: string): string {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  for (const [unit, unitMs] of UNITS) {
    if (Math.abs(spanMs) >= unitMs) return format.format(Math.trunc(spanMs / unitMs), unit);
  }
  return format.format(0, "second");
}
