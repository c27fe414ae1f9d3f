import { spokenDollars } from "../dollars.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, shortDuration, spokenDuration, toIso } from "../time.ts";
import { clockAt } from "../zone.ts";
import type { Language } from "./said.ts";

/** How a language says numbers, moments and sums. */
export interface Speech {
  readonly number: (value: number) => string;
  /** On the clocks of this zone; null: in UTC, in English as ISO 8601, which is what programs read. */
  readonly time: (atMs: number, timeZone: string | null) => string;
  /** Days and months are those of UTC, by which money is reckoned. */
  readonly day: (atMs: number) => string;
  readonly month: (atMs: number) => string;
  readonly monthname: (atMs: number) => string;
  readonly short: (durationMs: number) => string;
  readonly long: (durationMs: number) => string;
  readonly dollars: (dollars: number) => string;
  readonly isOne: (count: number) => boolean;
  /** `a, b and c` */
  readonly and: string;
}

/** Made when first needed: all of them together would take longer than the rest of a page's beginning. */
function onFirstUse<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const dates = (locale: string, options: Intl.DateTimeFormatOptions) =>
  onFirstUse(() => new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" }));

const MONTH_NAMES = {
  en: /* @__PURE__ */ dates("en-US", { month: "long" }),
  "pt-BR": /* @__PURE__ */ dates("pt-BR", { month: "long" }),
} as const;
const MONTHS = {
  en: /* @__PURE__ */ dates("en-US", { month: "long", year: "numeric" }),
  "pt-BR": /* @__PURE__ */ dates("pt-BR", { month: "long", year: "numeric" }),
} as const;
const MOMENTS = {
  en: /* @__PURE__ */ dates("en-US", { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" }),
  "pt-BR": /* @__PURE__ */ dates("pt-BR", { dateStyle: "short", timeStyle: "medium" }),
} as const;

const english: Speech = {
  number: String,
  time: (atMs, timeZone) => (timeZone === null ? toIso(atMs) : momentIn(MOMENTS.en(), atMs, timeZone)),
  day: (atMs) => toIso(atMs).slice(0, 10),
  month: (atMs) => MONTHS.en().format(atMs),
  monthname: (atMs) => MONTH_NAMES.en().format(atMs),
  short: shortDuration,
  long: spokenDuration,
  dollars: spokenDollars,
  isOne: (count) => count === 1,
  and: "and",
};

const numbers = /* @__PURE__ */ onFirstUse(
  () => new Intl.NumberFormat("pt-BR", { maximumFractionDigits: 4 }),
);
const days = /* @__PURE__ */ dates("pt-BR", { dateStyle: "short" });
const plurals = /* @__PURE__ */ onFirstUse(() => new Intl.PluralRules("pt-BR"));

const units = (unit: "second" | "minute" | "hour" | "day") =>
  onFirstUse(() => new Intl.NumberFormat("pt-BR", { style: "unit", unit, unitDisplay: "long" }));
const UNITS = {
  second: /* @__PURE__ */ units("second"),
  minute: /* @__PURE__ */ units("minute"),
  hour: /* @__PURE__ */ units("hour"),
  day: /* @__PURE__ */ units("day"),
} as const;

const portuguese: Speech = {
  number: (value) => numbers().format(value),
  time: (atMs, timeZone) => momentIn(MOMENTS["pt-BR"](), atMs, timeZone),
  day: (atMs) => days().format(atMs),
  month: (atMs) => MONTHS["pt-BR"]().format(atMs),
  monthname: (atMs) => MONTH_NAMES["pt-BR"]().format(atMs),
  short: (durationMs) => shortDuration(durationMs).replaceAll(/(\d)(h|min|s)/g, "$1 $2"),
  long: spokenInPortuguese,
  dollars: (dollars) => `US$ ${spokenDollars(dollars).slice(1).replace(".", ",")}`,
  isOne: (count) => plurals().select(count) === "one",
  and: "e",
};

/** What a clock in the zone shows, and how far it is ahead of UTC, such as `UTC-03:00`. */
function momentIn(format: Intl.DateTimeFormat, atMs: number, timeZone: string | null): string {
  const clock = timeZone === null ? atMs : clockAt(timeZone, atMs);
  if (clock === atMs) return `${format.format(atMs)} UTC`;
  const ahead = new Date(Math.abs(clock - atMs)).toISOString().slice(11, 16);
  return `${format.format(clock)} UTC${clock < atMs ? "-" : "+"}${ahead}`;
}

/** In one whole unit, rounded down, as in English. */
function spokenInPortuguese(durationMs: number): string {
  const [unitMs, unit] =
    durationMs < MINUTE_MS
      ? ([SECOND_MS, "second"] as const)
      : durationMs < 2 * HOUR_MS
        ? ([MINUTE_MS, "minute"] as const)
        : durationMs < 2 * DAY_MS
          ? ([HOUR_MS, "hour"] as const)
          : ([DAY_MS, "day"] as const);
  const count = Math.floor(durationMs / unitMs);
  return UNITS[unit]().format(count);
}

export const SPEECH: Readonly<Record<Language, Speech>> = { en: english, "pt-BR": portuguese };
