import type { Use } from "../../lifecycle/model/ledger.ts";

/** What the API says of costs, as far as the page shows it. All amounts are dollars. */

export interface CostRow {
  readonly cost: number;
  readonly wasted: number;
  readonly saved: number;
  readonly hours: Readonly<Record<Use, number>>;
  readonly cost_by_use: Readonly<Record<Use, number>>;
  /** Time whose price nobody knows: what it cost is not in `cost`. */
  readonly unpriced_hours: number;
}

export interface KeyedRow extends CostRow {
  /** A day, an id, a provider, a tag's value, or a use. */
  readonly key: string | null;
}

export interface CostsAnswer {
  readonly rows: readonly KeyedRow[];
  readonly total: CostRow;
  readonly now: { readonly at: string };
  readonly forecast: { readonly cost: number; readonly method: string } | null;
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
  const isMore = unpriced_hours > 0;
  return { dollars: isMore && cost === 0 ? null : cost, isMore };
}
