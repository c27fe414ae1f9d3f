import { number, price } from "../format.ts";
import { language, words } from "../words.ts";
import type { Figures } from "./answers.ts";
import { type Difference, figureOf, type MeasureUnit, type Value } from "./comparing.ts";
import { hoursIn, MINUTE_SECONDS, timeText } from "./times.ts";
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
      return timeText(value, language.value);
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
  return hoursIn(hours, language.value);
}

export function minutesText(minutes: number): string {
  return timeText(minutes * MINUTE_SECONDS, language.value);
}
