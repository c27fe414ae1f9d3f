/** Less than this comes of rounding. */
export const LEAST_DOLLARS = 1e-9;

/** Dollars as the API and the history show them. */
export function roundDollars(dollars: number): number {
  return Math.round(dollars * 10_000) / 10_000;
}

/** Dollars as a sentence says them: `$0.40`, `$0.0021`. */
export function spokenDollars(dollars: number): string {
  // What is not nothing is never said to be.
  return `$${dollars >= 0.1 ? dollars.toFixed(2) : roundDollars(dollars) || Number(dollars.toPrecision(1))}`;
}
