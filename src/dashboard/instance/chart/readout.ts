import { language, words } from "../../words.ts";
import { instanceWords } from "../words.ts";
import { standingAt } from "./bands.ts";
import { type Line, type Pane, USES } from "./panes.ts";
import type { Past } from "./past.ts";
import { nearestIndex } from "./scale.ts";
import { momentText, valueText } from "./texts.ts";

/** What the charts say of one moment, in words. */

const HALF_DAY_SECONDS = 43_200;

export interface Readout {
  readonly time: string;
  /** Names and values. */
  readonly values: readonly (readonly [string, string])[];
  readonly standing: string | null;
  readonly event: string | null;
}

export function readoutAt(past: Past, panes: readonly Pane[], seconds: number): Readout {
  const { readings, bands, events, fromMs, toMs } = past;
  const { chart, standings } = instanceWords.value;
  const reach = Math.max(readings.stepSeconds * 1.25, (toMs - fromMs) / 1000 / 200);
  const values = panes.flatMap((pane) => {
    const index = nearestIndex(pane.at, seconds, pane.name === "days" ? HALF_DAY_SECONDS : reach);
    if (index === null) return [];
    return pane.lines.flatMap((line) => lineValue(pane, line, index));
  });
  const standing = standingAt(bands, seconds * 1000);
  const nearMs = (toMs - fromMs) / 150;
  const event = events.findLast(({ at }) => Math.abs(Date.parse(at) - seconds * 1000) <= nearMs);
  return {
    time: momentText(seconds * 1000, false),
    values: values.length === 0 ? [[chart.nothingHeard, ""]] : values,
    standing: standing === null ? null : standings[standing],
    event: event === undefined ? null : words.value.event(event.kind),
  };
}

function lineValue({ unit, name }: Pane, line: Line, index: number): (readonly [string, string])[] {
  const value = line.values[index];
  if (value == null) return [];
  const isUse = USES.some((use) => use === line.name);
  // What a day has not cost goes without saying.
  if (isUse && value === 0 && name === "days") return [];
  return [[instanceWords.value.lines[line.name], valueText(unit, value)]];
}

/** All of it in one sentence, for those who hear it. */
export function spokenReadout({ time, values, standing, event }: Readout): string {
  const list = new Intl.ListFormat(language.value, { type: "unit" });
  const said = values.map(([name, value]) => (value === "" ? name : `${name} ${value}`));
  return list.format([
    time,
    ...said,
    ...(standing === null ? [] : [standing]),
    ...(event === null ? [] : [event]),
  ]);
}
