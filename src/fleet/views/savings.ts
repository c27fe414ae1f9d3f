import { type SavingsView, savingsAt } from "../../lifecycle/views/savings.ts";
import type { ListedRow, Registry } from "../tables/registry.ts";

/** What hibernation has saved, of all instances of a fleet. */

/** How many rows are read at a time. */
const ROWS_PER_READ = 1000;

interface SavedInstance extends SavingsView {
  readonly instance_id: string;
  readonly name: string;
}

export interface FleetSavings {
  readonly total: SavingsView;
  readonly instances: SavedInstance[];
  /** The id with which the page ends; null on the last one. */
  readonly end: string | null;
}

/** What each instance of a page has saved, and all of them together. */
export function readSavings(registry: Registry, after: string, limit: number, now: number): FleetSavings {
  const saved = ({ instanceId, view, savings }: ListedRow): SavedInstance => ({
    instance_id: instanceId,
    name: view.name,
    ...savingsAt(savings, now),
  });
  const total = {
    saved_this_month: 0,
    saved_total: 0,
    hibernated_seconds_this_month: 0,
    hibernated_seconds_total: 0,
  };
  let read = "";
  for (;;) {
    const { rows, end } = registry.list(read, ROWS_PER_READ);
    for (const row of rows) {
      const one = saved(row);
      total.saved_this_month += one.saved_this_month;
      total.saved_total += one.saved_total;
      total.hibernated_seconds_this_month += one.hibernated_seconds_this_month;
      total.hibernated_seconds_total += one.hibernated_seconds_total;
    }
    if (end === null) break;
    read = end;
  }
  const { rows, end } = registry.list(after, limit);
  return { total, instances: rows.map(saved), end };
}
