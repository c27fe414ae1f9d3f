import type { KeyedRow } from "./answers.ts";

export type CostColumn = "key" | "cost" | "wasted" | "saved";

/** Rows in the order of a column; what is alike by their keys. Pure. */
export function sortedRows(
  rows: readonly KeyedRow[],
  { column, isDescending }: { readonly column: CostColumn; readonly isDescending: boolean },
): KeyedRow[] {
  const order = COMPARE[column];
  return [...rows].sort((a, b) => (isDescending ? order(b, a) : order(a, b)) || COMPARE.key(a, b));
}

const COMPARE: Record<CostColumn, (a: KeyedRow, b: KeyedRow) => number> = {
  key: (a, b) => a.key.localeCompare(b.key, undefined, { numeric: true }) || (a.key < b.key ? -1 : 1),
  cost: (a, b) => a.cost - b.cost,
  // What is not known comes after all that is.
  wasted: (a, b) => (a.wasted ?? -1) - (b.wasted ?? -1),
  saved: (a, b) => a.saved - b.saved,
};
