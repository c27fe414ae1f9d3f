import type { CostTotals } from "../../lifecycle/model/ledger.ts";
import { type TotalsRow, totalsRow } from "./cost-columns.ts";

/** What all instances of a fleet cost together on each day that is over. */
export class CostTotalsByDay {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Of all days that are known from `from` on, before `to`. */
  sum(from: number, to: number): CostTotals {
    const row = this.#sql
      .exec<TotalsRow>(
        `SELECT TOTAL(working_ms) AS working_ms, TOTAL(working) AS working, TOTAL(idle_ms) AS idle_ms, TOTAL(idle) AS idle,
                TOTAL(silent_ms) AS silent_ms, TOTAL(silent) AS silent,
                TOTAL(hibernated_ms) AS hibernated_ms, TOTAL(hibernated) AS hibernated,
                TOTAL(wasted) AS wasted, TOTAL(saved) AS saved, TOTAL(reported) AS reported,
                TOTAL(unpriced_ms) AS unpriced_ms
         FROM cost_totals WHERE day >= ? AND day < ?`,
        from,
        to,
      )
      .one();
    return totalsRow.parse(row);
  }

  has(day: number): boolean {
    return this.#sql.exec("SELECT 1 FROM cost_totals WHERE day = ?", day).toArray().length > 0;
  }
}
