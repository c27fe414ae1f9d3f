import { z } from "zod";
import {
  COST_KEYS,
  type CostGroup,
  type CostGrouping,
  type DayRange,
  type GroupPage,
} from "../../history/costs.ts";
import { LEAST_DOLLARS } from "../../lifecycle/model/dollars.ts";
import type { CostTotals, Use } from "../../lifecycle/model/ledger.ts";
import { columnOf, type Found, openEnum, readableRows, readFound } from "../../lifecycle/model/stored.ts";
import { DAY_MS, HOUR_MS, startOfUtcDay } from "../../lifecycle/model/time.ts";
import type { InstanceCosts } from "../rules/habits.ts";
import {
  COST_COLUMNS,
  COSTS_OF_TIME,
  DOLLARS_OF_TIME,
  REPLACED_COSTS,
  type TotalsRow,
  totalsRow,
} from "./cost-columns.ts";

/** What all instances of a fleet cost, by what `InstanceCosts` knows of each: sums that SQLite makes. */

/** What a wasting instance costs for nothing. */
export interface WastingRow {
  readonly instance_id: string;
  readonly name: string;
  /** Dollars an hour; null while it is unknown. */
  readonly rate: number | null;
  readonly use: Use;
  readonly wasted_today: number;
}

const wastingRow: z.ZodType<WastingRow> = z.object({
  instance_id: z.string(),
  name: z.string(),
  rate: z.number().nullable(),
  use: openEnum<Use>(),
  wasted_today: z.number(),
});

const TOTALS = `
  TOTAL(working_ms) AS working_ms, TOTAL(working) AS working, TOTAL(idle_ms) AS idle_ms, TOTAL(idle) AS idle,
  TOTAL(silent_ms) AS silent_ms, TOTAL(silent) AS silent,
  TOTAL(hibernated_ms) AS hibernated_ms, TOTAL(hibernated) AS hibernated,
  TOTAL(wasted) AS wasted, TOTAL(saved) AS saved, TOTAL(reported) AS reported, TOTAL(unpriced_ms) AS unpriced_ms`;

/** What was reported of the days whose first instants are listed in ?1. */
const REPORTED = `
  SELECT instance_id, day, ${COST_COLUMNS} FROM instance_days WHERE day IN (SELECT value FROM json_each(?1))`;

/** What each of those days has come to since the last report, up to ?2. A row that is out of date says no price: only the time counts. */
const SINCE = `
  SELECT instance_id, day, ${COSTS_OF_TIME}
  FROM (
    SELECT *, ${DOLLARS_OF_TIME} AS dollars
    FROM (
      SELECT c.instance_id, o.value AS day, iif(is_current, use, NULL) AS use, iif(is_current, rate, NULL) AS rate,
             is_current AND is_wasted AS is_wasted, iif(is_current, hourly_saving, 0) AS hourly_saving,
             MAX(0, MIN(?2, o.value + ${DAY_MS}) - MAX(c.until, o.value)) AS ms
      FROM json_each(?1) AS o CROSS JOIN instance_costs AS c
      WHERE c.use IS NOT NULL
        AND (is_current OR EXISTS (SELECT 1 FROM instances WHERE instance_id = c.instance_id))))
  WHERE ms > 0`;

const OF_DAYS = `${REPORTED} UNION ALL ${SINCE}`;

const groupKey = columnOf("key", z.string());
const groupRow = z
  .looseObject({ key: z.string() })
  .transform((row): CostGroup => ({ key: row.key, costs: totalsRow.parse(row) }));

const dayRow = z
  .looseObject({ day: z.number() })
  .transform((row) => ({ day: row.day, costs: totalsRow.parse(row) }));

export class CostsAt {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** What all cost together on these of the last days: their first instants. */
  on(days: readonly number[], now: number): CostTotals {
    const row = this.#sql
      .exec<TotalsRow>(`SELECT ${TOTALS} FROM (${OF_DAYS})`, JSON.stringify(days), now)
      .one();
    return totalsRow.parse(row);
  }

  /**
   * The same by groups, a page after `after` in the order of their keys, with the days of this range that are closed and kept here.
   */
  groups(
    days: readonly number[],
    closed: DayRange,
    now: number,
    grouping: CostGrouping,
    { after, limit }: GroupPage,
  ): Found<CostGroup, string> {
    const rows = this.#sql
      .exec(
        `SELECT key, ${TOTALS} FROM (
           SELECT ${COST_KEYS[grouping.by]} AS key, * FROM (
             SELECT a.*, COALESCE(c.provider, 'none') AS provider, COALESCE(c.tags, '{}') AS tags
             FROM (${OF_DAYS}) AS a LEFT JOIN instance_costs AS c ON c.instance_id = a.instance_id
             UNION ALL
             SELECT instance_id, day, ${COST_COLUMNS}, provider, tags
             FROM closed_costs WHERE day >= ?3 AND day < ?7))
         WHERE ?5 IS NULL OR key > ?5 GROUP BY key ORDER BY key LIMIT ?6`,
        JSON.stringify(days),
        now,
        closed.from,
        grouping.by === "tag" ? grouping.tag : "",
        after,
        limit,
        closed.before,
      )
      .toArray();
    return readFound(groupRow, groupKey, rows, limit);
  }

  /** What one instance has cost on each of these days, and on those of the range that are closed and kept here, oldest first. */
  ofInstance(
    instanceId: string,
    days: readonly number[],
    closed: DayRange,
    now: number,
  ): { readonly day: number; readonly costs: CostTotals }[] {
    const rows = this.#sql.exec(
      `SELECT day, ${TOTALS} FROM (
         ${OF_DAYS}
         UNION ALL
         SELECT instance_id, day, ${COST_COLUMNS}
         FROM closed_costs WHERE day >= ?3 AND day < ?4)
       WHERE instance_id = ?5 GROUP BY day ORDER BY day`,
      JSON.stringify(days),
      now,
      closed.from,
      closed.before,
      instanceId,
    );
    return readableRows(dayRow, rows.toArray());
  }

  /**
   * The same of these instances, and of so many others that cost the most without work, dearest first. The history sorts its own in the
   * same way (`readCostliest`).
   */
  costliest(
    days: readonly number[],
    closed: DayRange,
    now: number,
    ids: readonly string[],
    others: number,
  ): InstanceCosts[] {
    const rows = this.#sql.exec(
      `SELECT * FROM (
         SELECT instance_id AS key, ${TOTALS}, MIN(TOTAL(idle), MAX(0, TOTAL(wasted) - TOTAL(silent))) AS past_warning
         FROM (
           ${OF_DAYS}
           UNION ALL
           SELECT instance_id, day, ${COST_COLUMNS}
           FROM closed_costs WHERE day >= ?3 AND day < ?4)
         GROUP BY instance_id)
       ORDER BY key IN (SELECT value FROM json_each(?5)) DESC,
                MAX(past_warning, idle - past_warning, silent, hibernated) DESC, key
       LIMIT ?6`,
      JSON.stringify(days),
      now,
      closed.from,
      closed.before,
      JSON.stringify(ids),
      ids.length + others,
    );
    return readableRows(groupRow, rows.toArray()).map(({ key, costs }) => ({ instanceId: key, costs }));
  }

  /** What these are called, as far as they are in the fleet. */
  names(instanceIds: readonly string[]): Map<string, string> {
    const rows = this.#sql.exec<{ instance_id: string; name: string }>(
      "SELECT instance_id, name FROM instances WHERE instance_id IN (SELECT value FROM json_each(?))",
      JSON.stringify(instanceIds),
    );
    return new Map(rows.toArray().map(({ instance_id, name }) => [instance_id, name]));
  }

  /**
   * Puts down what each instance has cost on a day that is over, and all of them together. Closed again, only what differs is new to the
   * history.
   */
  close(day: number, now: number): void {
    this.#sql.exec(
      `INSERT INTO closed_costs (day, instance_id, ${COST_COLUMNS}, provider, tags, closed_at, is_kept)
       SELECT a.day, a.instance_id, ${TOTALS}, COALESCE(c.provider, 'none'), COALESCE(c.tags, '{}'), ?3, 0
       FROM (${OF_DAYS}) AS a LEFT JOIN instance_costs AS c ON c.instance_id = a.instance_id
       GROUP BY a.day, a.instance_id
       HAVING TOTAL(working_ms + idle_ms + silent_ms + hibernated_ms + unpriced_ms) > 0
         OR TOTAL(working + idle + silent + hibernated) <> 0
       ON CONFLICT (day, instance_id) DO UPDATE SET
         ${REPLACED_COSTS}, provider = excluded.provider, tags = excluded.tags,
         closed_at = excluded.closed_at, is_kept = 0
       WHERE ABS(working_ms - excluded.working_ms) + ABS(idle_ms - excluded.idle_ms)
               + ABS(silent_ms - excluded.silent_ms) + ABS(hibernated_ms - excluded.hibernated_ms)
               + ABS(unpriced_ms - excluded.unpriced_ms) >= 1
         OR ABS(working - excluded.working) + ABS(idle - excluded.idle) + ABS(silent - excluded.silent)
               + ABS(hibernated - excluded.hibernated) + ABS(wasted - excluded.wasted) + ABS(saved - excluded.saved)
               + ABS(reported - excluded.reported) > ${LEAST_DOLLARS}`,
      JSON.stringify([day]),
      Math.min(now, day + DAY_MS),
      now,
    );
    this.#sql.exec(
      `INSERT OR REPLACE INTO cost_totals (day, ${COST_COLUMNS})
       SELECT ?1, ${TOTALS} FROM closed_costs WHERE day = ?1 HAVING COUNT(*) > 0`,
      day,
    );
  }

  /** Dollars an hour of all instances together, of those that waste money, and of how many a rate is known. */
  rates(): { readonly rate: number; readonly wasted_rate: number; readonly known_rates: number } {
    return this.#sql
      .exec<{ rate: number; wasted_rate: number; known_rates: number }>(
        `SELECT TOTAL(rate) AS rate, TOTAL(iif(is_wasted, rate, 0)) AS wasted_rate, COUNT(rate) AS known_rates
         FROM instance_costs WHERE is_current AND use IS NOT NULL`,
      )
      .one();
  }

  /** Those that waste the most an hour. */
  wasting(now: number, limit: number): WastingRow[] {
    const rows = this.#sql.exec(
      `SELECT c.instance_id, i.name, c.rate, c.use,
              COALESCE((SELECT SUM(wasted) FROM instance_days WHERE day = ?1 AND instance_id = c.instance_id), 0)
                + COALESCE(c.rate, 0) * MAX(0, ?2 - MAX(c.until, ?1)) / ${HOUR_MS}.0 AS wasted_today
       FROM instance_costs AS c INDEXED BY instance_costs_wasted
         CROSS JOIN instances AS i ON i.instance_id = c.instance_id
       WHERE c.is_wasted AND c.is_current ORDER BY c.rate DESC LIMIT ?3`,
      startOfUtcDay(now),
      now,
      limit,
    );
    return readableRows(wastingRow, rows.toArray());
  }
}
