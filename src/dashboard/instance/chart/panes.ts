import { growth, type Prices, priced } from "./costs.ts";
import type { DayCost, Past } from "./past.ts";
import { highestOf, topOf } from "./scale.ts";

/** What is drawn below each other, from the past that was read. Pure. */

export type PaneName = "gpu" | "memory" | "cpu" | "cost" | "days";

export type Unit = "percent" | "gigabytes" | "dollars";

export const LINES = ["gpu", "gpuHighest", "vram", "ram", "cpu", "reported", "priced"] as const;

export const USES = ["working", "idle", "silent", "hibernated"] as const;

export type LineName = (typeof LINES)[number] | (typeof USES)[number];

export interface Line {
  readonly name: LineName;
  readonly values: readonly (number | null)[];
}

export interface Pane {
  readonly name: PaneName;
  readonly unit: Unit;
  /** Seconds since epoch. */
  readonly at: readonly number[];
  /** Those of bars lie upon each other, in this order. */
  readonly lines: readonly Line[];
  readonly top: number;
  /** Where idleness begins, by the policy of today; null where this pane decides nothing. */
  readonly threshold: number | null;
}

export interface Rules {
  /** Percent; null where its policy judges no idleness by it. */
  readonly gpuThreshold: number | null;
  readonly cpuThreshold: number | null;
  /** Null while they are not known. */
  readonly prices: Prices | null;
}

export function panesOf(past: Past, rules: Rules): readonly Pane[] {
  const { readings } = past;
  const { at } = readings;
  const pane = (
    name: PaneName,
    unit: Unit,
    lines: readonly Line[],
    threshold: number | null = null,
  ): Pane | null => {
    const known = lines.filter(({ values }) => values.some((value) => value !== null));
    const highest = highestOf(known.map(({ values }) => values));
    if (highest === null) return null;
    const needed = threshold === null ? highest : Math.max(highest, threshold * 1.5);
    return {
      name,
      unit,
      at,
      lines: known,
      threshold,
      top: topOf(needed, unit === "percent" ? 100 : undefined),
    };
  };
  const panes = [
    pane(
      "gpu",
      "percent",
      [
        { name: "gpu", values: readings.gpu },
        { name: "gpuHighest", values: readings.gpuHighest },
      ],
      rules.gpuThreshold,
    ),
    pane("memory", "gigabytes", [
      { name: "vram", values: readings.vram },
      { name: "ram", values: readings.ram },
    ]),
    pane("cpu", "percent", [{ name: "cpu", values: readings.cpu }], rules.cpuThreshold),
    past.days === null ? pane("cost", "dollars", [costLine(past, rules.prices)]) : barsOf(past.days),
  ];
  return panes.filter((each) => each !== null);
}

/** By what it reports, where it does, else by its price. */
function costLine({ readings, bands, fromMs }: Past, prices: Prices | null): Line {
  if (readings.cost.some((value) => value !== null)) {
    return { name: "reported", values: growth(readings.cost) };
  }
  if (prices === null) return { name: "priced", values: [] };
  const { at } = readings;
  const line = priced(at, bands, Math.max(fromMs / 1000, at[0] ?? 0), prices);
  // A hole stays a hole, though the time in it is counted.
  return { name: "priced", values: line.map((value, index) => (isHole(readings, index) ? null : value)) };
}

function isHole({ gpu, cpu, ram, vram }: Past["readings"], index: number): boolean {
  return [gpu, cpu, ram, vram].every((values) => values[index] == null);
}

function barsOf(days: readonly DayCost[]): Pane | null {
  if (days.length === 0) return null;
  const NOON_SECONDS = 43_200;
  const lines = USES.map((name): Line => ({ name, values: days.map((day) => day.cost_by_use[name]) }));
  return {
    name: "days",
    unit: "dollars",
    at: days.map(({ day }) => Date.parse(day) / 1000 + NOON_SECONDS),
    lines,
    threshold: null,
    top: topOf(highestOf([days.map(({ cost }) => cost)]) ?? 0),
  };
}

/** Bars upon each other, as lines that are drawn before each other: the highest first. */
export function stacked(lines: readonly Line[]): readonly Line[] {
  let below: readonly number[] = [];
  const sums = lines.map(({ name, values }): Line => {
    below = values.map((value, index) => (value ?? 0) + (below[index] ?? 0));
    return { name, values: below };
  });
  return sums.reverse();
}
