import { duration, number, price } from "../format.ts";
import { language, words } from "../words.ts";
import type { Figures } from "./answers.ts";
import { type Difference, figureOf, type MeasureUnit, type Value } from "./comparing.ts";
import { replayWords } from "./words.ts";

/** What policies came to, written out. */

/** What nobody knows is never shown as nothing. */
export function valueText({ value, isMore }: Value, unit: MeasureUnit): string {
  const { costs } = words.value;
  if (value === null) return costs.notKnown;
  const text = amountText(value, unit);
  return isMore ? costs.orMore(text) : text;
}

/** What a policy came to, in a few words. */
export function resultText(figures: Figures): string {
  const saved = figureOf(figures, "saved");
  const text = saved.value === null ? null : valueText(saved, "dollars");
  return replayWords.value.kept.result(text, figures.interruptions);
}

function amountText(value: number, unit: MeasureUnit): string {
  switch (unit) {
    case "dollars":
      return price(value, language.value);
    case "times":
      return number(value, language.value, 0);
    case "seconds":
      return timeText(value);
  }
}

/** With its sign; null where there is none that anybody would see. */
export function differenceText(difference: Difference | null, unit: MeasureUnit): string | null {
  if (difference === null || difference.by === 0) return null;
  const { by } = difference;
  return `${by > 0 ? "+" : "−"}${amountText(Math.abs(by), unit)}`;
}

export function percentText(percent: number): string {
  return `${number(percent, language.value, 2)}%`;
}

export function hoursText(hours: number): string {
  return timeText(hours * HOUR_SECONDS);
}

export function minutesText(minutes: number): string {
  return timeText(minutes * MINUTE_SECONDS);
}

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3600;

/** In hours from one on: "30 h" of machines is told more easily from "36 h" than a day and six hours from a day and a half. */
function timeText(seconds: number): string {
  if (seconds < MINUTE_SECONDS / 2) return "0 min";
  if (seconds < HOUR_SECONDS) return duration(Math.max(MINUTE_SECONDS, seconds));
  return `${number(seconds / HOUR_SECONDS, language.value)} h`;
}
