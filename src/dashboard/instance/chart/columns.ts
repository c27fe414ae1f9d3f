/** The history as charts want it: columns, oldest first, with a hole where nothing was heard. Pure. */

export const MEASURES = ["gpu", "gpuHighest", "vram", "ram", "cpu", "cost"] as const;

export type Measure = (typeof MEASURES)[number];

export interface Readings extends Readonly<Record<Measure, readonly (number | null)[]>> {
  /** Seconds since epoch. */
  readonly at: readonly number[];
  /** How far apart they stand as a rule, in seconds. */
  readonly stepSeconds: number;
}

export type Reading = { readonly at: number } & Readonly<Record<Measure, number | null>>;

/** Silence of more than two and a half steps is a hole, not a straight line. Moments never go back. */
export function toColumns(readings: readonly Reading[], stepSeconds: number): Readings {
  const at: number[] = [];
  const columns: Record<Measure, (number | null)[]> = {
    gpu: [],
    gpuHighest: [],
    vram: [],
    ram: [],
    cpu: [],
    cost: [],
  };
  const push = (moment: number, reading: Reading | null) => {
    at.push(moment);
    for (const measure of MEASURES) columns[measure].push(reading?.[measure] ?? null);
  };
  let before: number | null = null;
  for (const reading of readings) {
    if (before !== null && reading.at <= before) continue;
    if (before !== null && reading.at - before > 2.5 * stepSeconds) push(before + stepSeconds, null);
    push(reading.at, reading);
    before = reading.at;
  }
  return { at, stepSeconds, ...columns };
}
