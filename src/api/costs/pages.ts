import type { CostGroup } from "../../history/costs.ts";
import { sumOf } from "../../lifecycle/model/ledger.ts";
import type { Found } from "../../lifecycle/model/stored.ts";

/** The same page of two lists of groups as one page: both are in the order of their keys, and begin after the same key. */
export function mergedPage(
  one: Found<CostGroup, string>,
  other: Found<CostGroup, string>,
  limit: number,
): Found<CostGroup, string> {
  const sums = new Map<string, CostGroup>();
  for (const { key, costs } of [...one.rows, ...other.rows]) {
    const known = sums.get(key);
    sums.set(key, { key, costs: known === undefined ? costs : sumOf(known.costs, costs) });
  }
  const end = firstOf(one.end, other.end);
  // What one list has beyond the other's end may have more in the other.
  const whole = [...sums.values()]
    .filter(({ key }) => end === null || compareKeys(key, end) <= 0)
    .sort((a, b) => compareKeys(a.key, b.key));
  const rows = whole.slice(0, limit);
  return { rows, end: whole.length > limit ? (rows.at(-1)?.key ?? null) : end };
}

function firstOf(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other;
  return compareKeys(one, other) <= 0 ? one : other;
}

/** As SQLite orders texts: by their code points, and not by UTF-16 as JavaScript does. */
export function compareKeys(one: string, other: string): number {
  const [points, others] = [[...one], [...other]];
  for (const [index, letter] of points.entries()) {
    const difference = (letter.codePointAt(0) ?? 0) - (others[index]?.codePointAt(0) ?? -1);
    if (difference !== 0) return difference;
  }
  return points.length - others.length;
}
