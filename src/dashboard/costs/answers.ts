import type { Use } from "../../lifecycle/model/ledger.ts";

/** What the API says of costs, as far as the page shows it. All amounts are dollars. */

export interface CostRow {
  readonly cost: number;
  /** This and `unpriced_hours`: null where it is not known apart. */
  readonly wasted: number | null;
  readonly saved: number;
  readonly hours: Readonly<Record<Use, number>>;
  readonly cost_by_use: Readonly<Record<Use, number>>;
  /** Time whose price nobody knows: what it cost is not in `cost`. */
  readonly unpriced_hours: number | null;
}

export interface KeyedRow extends CostRow {
  /** A day, an id, a provider, a tag's value (empty: without the tag), or a use. */
  readonly key: string;
}

export interface Forecast {
  readonly cost: number;
  /** What it goes by: dollars so far, and of each day that remains. */
  readonly spent: number;
  readonly daily: number;
  readonly days_left: number;
  /** Whose mean that is; with none, it is by the present rate. */
  readonly closed_days: number;
  readonly unknown_rates: number;
}

export interface CostsAnswer {
  /** The last day, itself included. */
  readonly to: string;
  /** None of what nothing is known. */
  readonly rows: readonly KeyedRow[];
  readonly total: CostRow;
  readonly now: { readonly at: string };
  readonly forecast: Forecast | null;
  readonly next_cursor: string | null;
}

/** Dollars; null where none of the prices is known. */
export interface Amount {
  readonly dollars: number | null;
  /** Some of the prices are not known, so it was more. */
  readonly isMore: boolean;
}

/** A price that nobody knows adds no dollars: then the sum says only what it was at least. */
export function amountOf({ cost, unpriced_hours }: Pick<CostRow, "cost" | "unpriced_hours">): Amount {
  const isMore = unpriced_hours === null || unpriced_hours > 0;
  return { dollars: isMore && cost === 0 ? null : cost, isMore };
}

/** A part of a row's dollars, over so many hours; null where nobody knows it. That a part is nothing says nothing while a price is not known. */
export function partOf(
  dollars: number | null,
  hours: number,
  { unpriced_hours }: Pick<CostRow, "unpriced_hours">,
): number | null {
  const mayBeMore = hours > 0 && (unpriced_hours === null || unpriced_hours > 0);
  return dollars === 0 && mayBeMore ? null : dollars;
}

export function wastedOf(row: CostRow): number | null {
  return partOf(row.wasted, row.hours.idle + row.hours.silent, row);
}

export function savedOf(row: CostRow): number | null {
  return partOf(row.saved, row.hours.hibernated, row);
}
