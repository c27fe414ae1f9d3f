import { spokenDollars } from "../dollars.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, shortDuration, spokenDuration, toIso } from "../time.ts";
import { clockAt } from "../zone.ts";
import type { Language } from "./said.ts";

/** How a language says numbers, moments and sums. */
export interface Speech {
  readonly number: (value: number) => string;
  /** On the clocks of this zone; null: in UTC. */
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

const MONTH = { month: "long", timeZone: "UTC" } as const;
const MONTH_NAMES = {
  en: /* @__PURE__ */ new Intl.DateTimeFormat("en-US", MONTH),
  "pt-BR": /* @__PURE__ */ new Intl.DateTimeFormat("pt-BR", MONTH),
} as const;
const MONTHS = {
  en: /* @__PURE__ */ new Intl.DateTimeFormat("en-US", { ...MONTH, year: "numeric" }),
  "pt-BR": /* @__PURE__ */ new Intl.DateTimeFormat("pt-BR", { ...MONTH, year: "numeric" }),
} as const;

const english: Speech = {
  number: String,
  time: (atMs, timeZone) => {
    const shown = shownIn(timeZone, atMs);
    return shown === null ? toIso(atMs) : toIso(shown.clock).replace("Z", shown.ahead);
  },
  day: (atMs) => toIso(atMs).slice(0, 10),
  month: (atMs) => MONTHS.en.format(atMs),
  monthname: (atMs) => MONTH_NAMES.en.format(atMs),
  short: shortDuration,
  long: spokenDuration,
  dollars: spokenDollars,
  isOne: (count) => count === 1,
  and: "and",
};

const NUMBER = /* @__PURE__ */ new Intl.NumberFormat("pt-BR", { maximumFractionDigits: 4 });
const MOMENT = /* @__PURE__ */ new Intl.DateTimeFormat("pt-BR", {
  dateStyle: "short",
  timeStyle: "medium",
  timeZone: "UTC",
});
const DAY = /* @__PURE__ */ new Intl.DateTimeFormat("pt-BR", { dateStyle: "short", timeZone: "UTC" });
const PLURALS = /* @__PURE__ */ new Intl.PluralRules("pt-BR");
const UNIT_FORMATS = /* @__PURE__ */ new Map(
  (["second", "minute", "hour", "day"] as const).map((unit) => [
    unit,
    new Intl.NumberFormat("pt-BR", { style: "unit", unit, unitDisplay: "long" }),
  ]),
);

const portuguese: Speech = {
  number: (value) => NUMBER.format(value),
  time: (atMs, timeZone) => {
    const shown = shownIn(timeZone, atMs);
    return `${MOMENT.format(shown?.clock ?? atMs)} UTC${shown?.ahead ?? ""}`;
  },
  day: (atMs) => DAY.format(atMs),
  month: (atMs) => MONTHS["pt-BR"].format(atMs),
  monthname: (atMs) => MONTH_NAMES["pt-BR"].format(atMs),
  short: (durationMs) => shortDuration(durationMs).replaceAll(/(\d)(h|min|s)/g, "$1 $2"),
  long: spokenInPortuguese,
  dollars: (dollars) => `US$ ${spokenDollars(dollars).slice(1).replace(".", ",")}`,
  isOne: (count) => PLURALS.select(count) === "one",
  and: "e",
};

/** What a clock in the zone shows, and how far it is ahead of UTC, such as `-03:00`; null where that is UTC. */
function shownIn(
  timeZone: string | null,
  atMs: number,
): { readonly clock: number; readonly ahead: string } | null {
  const clock = timeZone === null ? atMs : clockAt(timeZone, atMs);
  if (clock === atMs) return null;
  const ahead = new Date(Math.abs(clock - atMs)).toISOString().slice(11, 16);
  return { clock, ahead: `${clock < atMs ? "-" : "+"}${ahead}` };
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
  return UNIT_FORMATS.get(unit)?.format(count) ?? String(count);
}

export const SPEECH: Readonly<Record<Language, Speech>> = { en: english, "pt-BR": portuguese };
