import { z } from "zod";
import type { CostDay } from "../../history/costs.ts";
import type { CostTotals } from "../../lifecycle/model/ledger.ts";
import { readableRows } from "../../lifecycle/model/stored.ts";
import { COST_COLUMNS, totalsColumns, totalsRow } from "./cost-columns.ts";

/**
 * The days that are over. What each instance has cost stands here until the history has it and no report may change it any more. It
 * was put down in one transaction with the total of the day: so both say the same, whenever the history takes it.
 */

const closedRow = z
  .looseObject({
    day: z.number(),
    instance_id: z.string(),
    provider: z.string(),
    tags: z.string(),
    closed_at: z.number(),
  })
  .transform(
    (row): CostDay => ({
      day: row.day,
      instanceId: row.instance_id,
      costs: totalsRow.parse(row),
      provider: row.provider,
      tags: row.tags,
      closedAt: row.closed_at,
    }),
  );

const totalRow = z
  .looseObject({ day: z.number() })
  .transform((row): DayTotal => ({ day: row.day, costs: totalsRow.parse(row) }));

/** What all instances together have cost on a day that is over. */
export interface DayTotal {
  readonly day: number;
  readonly costs: CostTotals;
}

export class ClosedCosts {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** What the history does not have yet, oldest day first. */
  unkept(limit: number): CostDay[] {
    const rows = this.#sql.exec(
      "SELECT * FROM closed_costs WHERE is_kept = 0 ORDER BY day, instance_id LIMIT ?",
      limit,
    );
    return readableRows(closedRow, rows.toArray());
  }

  /** The history has these, unless they were reckoned anew meanwhile. */
  noteKept(days: readonly CostDay[]): void {
    this.#sql.exec(
      `UPDATE closed_costs SET is_kept = 1
       WHERE (day, instance_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))
         AND closed_at <= ?2`,
      JSON.stringify(days.map(({ day, instanceId }) => [day, instanceId])),
      Math.max(...days.map(({ closedAt }) => closedAt)),
    );
  }

  /** From this day on the history does not have all; null when it does. */
  unkeptFrom(): number | null {
    const { day } = this.#sql
      .exec<{ day: number | null }>("SELECT MIN(day) AS day FROM closed_costs WHERE is_kept = 0")
      .one();
    return day;
  }

  /** Forgets what instances have cost before `before`. The totals stay. Returns of how many rows the history never heard. */
  forget(before: number): number {
    const { unkept } = this.#sql
      .exec<{ unkept: number }>(
        "SELECT COUNT(*) AS unkept FROM closed_costs WHERE is_kept = 0 AND day < ?",
        before,
      )
      .one();
    this.#sql.exec("DELETE FROM closed_costs WHERE day < ?", before);
    return unkept;
  }

  get isEmpty(): boolean {
    return this.#sql.exec("SELECT 1 FROM closed_costs LIMIT 1").toArray().length === 0;
  }

  /** The totals of days from `from` on, before `before`, oldest first. */
  totals(from: number, before: number): DayTotal[] {
    const rows = this.#sql.exec(
      "SELECT * FROM cost_totals WHERE day >= ? AND day < ? ORDER BY day",
      from,
      before,
    );
    return readableRows(totalRow, rows.toArray());
  }

  /** Takes totals over that the history tells. */
  takeTotals(totals: readonly DayTotal[]): void {
    for (const { day, costs } of totals) {
      this.#sql.exec(
        `INSERT OR REPLACE INTO cost_totals (day, ${COST_COLUMNS})
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        day,
        ...totalsColumns(costs),
      );
    }
  }

  forgetTotals(before: number): void {
    this.#sql.exec("DELETE FROM cost_totals WHERE day < ?", before);
  }
}
