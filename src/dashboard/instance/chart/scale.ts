/** The scale of an upright axis, from zero to a round number, so that small values are seen. Pure. */

const STEPS = [1, 2, 2.5, 5, 10];

/** The next round number that leaves a little room above `highest`; `most`: never more than that. */
export function topOf(highest: number, most = Number.POSITIVE_INFINITY): number {
  if (!(highest > 0)) return Math.min(1, most);
  const wanted = highest * 1.05;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = STEPS.find((each) => each * power >= wanted) ?? 10;
  return Math.min(most, step * power);
}

/** The highest that is known; null where nothing is. */
export function highestOf(columns: readonly (readonly (number | null)[])[]): number | null {
  let highest: number | null = null;
  for (const column of columns) {
    for (const value of column) if (value !== null && (highest === null || value > highest)) highest = value;
  }
  return highest;
}

/** Where readings stand alone, with none before and none after: a line would not show them. */
export function alone(values: readonly (number | null | undefined)[]): number[] {
  const found: number[] = [];
  values.forEach((value, index) => {
    if (value != null && values[index - 1] == null && values[index + 1] == null) found.push(index);
  });
  return found;
}

/** The place of the nearest moment; null where there is none within reach. `at`: ascending. */
export function nearestIndex(at: readonly number[], moment: number, reach: number): number | null {
  let [low, high] = [0, at.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((at[middle] ?? 0) < moment) low = middle + 1;
    else high = middle;
  }
  const away = (index: number) => Math.abs((at[index] ?? Number.POSITIVE_INFINITY) - moment);
  const nearest = away(low - 1) <= away(low) ? low - 1 : low;
  return away(nearest) <= reach ? nearest : null;
}
