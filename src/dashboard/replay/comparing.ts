import { amountOf, partOf } from "../costs/answers.ts";
import type { Compared, Figures, Result } from "./answers.ts";

/** What policies came to, measure by measure, and how each differs from what really happened. Pure. */

export const MEASURES = [
  "saved",
  "cost",
  "wasted",
  "hibernations",
  "interruptions",
  "delayed",
  "work_cut",
  "regrets",
  "deletions",
  "working",
  "idle",
  "silent",
  "hibernated",
  "unpriced",
] as const;

export type Measure = (typeof MEASURES)[number];

/** What its numbers are. */
export type MeasureUnit = "dollars" | "times" | "seconds";

/** `none`: neither more nor less of it is good by itself. */
const WANTED: Readonly<Record<Measure, "more" | "less" | "none">> = {
  saved: "more",
  cost: "less",
  wasted: "less",
  hibernations: "none",
  interruptions: "less",
  delayed: "less",
  work_cut: "less",
  regrets: "less",
  deletions: "none",
  working: "none",
  idle: "less",
  silent: "none",
  hibernated: "none",
  unpriced: "none",
};

/** Those without which a row is left out where all of them are nothing. */
const ALWAYS: ReadonlySet<Measure> = new Set(["saved", "cost", "wasted", "hibernations", "interruptions"]);

/** What a measure came to; null where nobody knows. */
export interface Value {
  readonly value: number | null;
  /** Some prices are not known, so it is more. */
  readonly isMore: boolean;
}

export interface Difference {
  readonly by: number;
  readonly is: "better" | "worse" | "neither";
}

export interface Cell extends Value {
  readonly of: Compared;
  /** Against what really happened; null where nothing can be said, and there itself. */
  readonly difference: Difference | null;
}

export interface Row {
  readonly measure: Measure;
  readonly unit: MeasureUnit;
  readonly cells: readonly Cell[];
}

export function unitOf(measure: Measure): MeasureUnit {
  switch (measure) {
    case "saved":
    case "cost":
    case "wasted":
      return "dollars";
    case "hibernations":
    case "interruptions":
    case "regrets":
    case "deletions":
      return "times";
    case "delayed":
    case "work_cut":
    case "working":
    case "idle":
    case "silent":
    case "hibernated":
    case "unpriced":
      return "seconds";
  }
}

/** A price that nobody knows adds no dollars: what is nothing then is not known. */
export function figureOf(figures: Figures, measure: Measure): Value {
  const { hours } = figures;
  const known = (value: number): Value => ({ value, isMore: false });
  const part = (dollars: number, over: number): Value => {
    const value = partOf(dollars, over, figures);
    return { value, isMore: value !== null && over > 0 && figures.unpriced_hours > 0 };
  };
  switch (measure) {
    case "saved":
      return part(figures.saved, hours.hibernated);
    case "wasted":
      return part(figures.wasted, hours.idle + hours.silent);
    case "cost": {
      const { dollars, isMore } = amountOf(figures);
      return { value: dollars, isMore };
    }
    case "hibernations":
    case "interruptions":
    case "regrets":
    case "deletions":
      return known(figures[measure]);
    case "delayed":
      return known(figures.delayed_minutes * 60);
    case "work_cut":
      return known(figures.work_cut_hours * 3600);
    case "working":
    case "idle":
    case "silent":
    case "hibernated":
      return known(hours[measure] * 3600);
    case "unpriced":
      return known(figures.unpriced_hours * 3600);
  }
}

/** Less than this is no difference that anybody sees. */
const LEAST: Readonly<Record<MeasureUnit, number>> = { dollars: 0.005, times: 0.5, seconds: 60 };

/** How one differs from another; null where one of them is not known. Where they are alike it is 0. */
export function differenceOf(measure: Measure, one: Value, other: Value): Difference | null {
  if (one.value === null || other.value === null) return null;
  const by = one.value - other.value;
  if (Math.abs(by) < LEAST[unitOf(measure)]) return { by: 0, is: "neither" };
  const wanted = WANTED[measure];
  if (wanted === "none") return { by, is: "neither" };
  return { by, is: by > 0 === (wanted === "more") ? "better" : "worse" };
}

/** Whether these of a measure are worth a row. */
export function isShown(measure: Measure, values: readonly Value[]): boolean {
  return ALWAYS.has(measure) || !values.every((value) => isNothing(value, measure));
}

/** Whether it is nothing, or so little that it is written as nothing. */
function isNothing({ value }: Value, measure: Measure): boolean {
  return unitOf(measure) === "seconds" ? value !== null && value < LEAST.seconds / 2 : value === 0;
}

/** What is worth to be shown of these, in the order of `MEASURES`. */
export function rowsOf(results: readonly Result[]): Row[] {
  const actual = results.find((result) => result.of === "actual");
  return MEASURES.flatMap((measure) => {
    const values = results.map((result) => figureOf(result, measure));
    if (!isShown(measure, values)) return [];
    const base = actual === undefined ? null : figureOf(actual, measure);
    const cells = results.map((result, index): Cell => {
      const value = values[index] ?? { value: null, isMore: false };
      const isBase = base === null || result.of === "actual";
      return { ...value, of: result.of, difference: isBase ? null : differenceOf(measure, value, base) };
    });
    return [{ measure, unit: unitOf(measure), cells }];
  });
}

export function resultOf(results: readonly Result[], of: Compared): Result | null {
  return results.find((result) => result.of === of) ?? null;
}
