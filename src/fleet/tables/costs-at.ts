import { z } from "zod";
import type { CostGroup, CostGrouping } from "../../history/costs.ts";
import type { CostTotals, Use } from "../../lifecycle/model/ledger.ts";
import { columnOf, type Found, openEnum, readableRows, readFound } from "../../lifecycle/model/stored.ts";
import { DAY_MS, startOfUtcDay } from "../../lifecycle/model/time.ts";
import { type TotalsRow, totalsRow } from "./cost-columns.ts";

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

/** The days whose first instants are listed in ?1, or that one day. */
const DAYS = "json_each(?1) AS o CROSS JOIN";

const WITH_INSTANCE = `instance_costs AS c LEFT JOIN instances AS i INDEXED BY instances_by_change
  ON i.changed = c.changed AND i.instance_id = c.instance_id`;

/** What has passed on the day since the last report, up to ?2. Nobody knows what an instance has done whose row is out of date. */
const SINCE = `
  MAX(0, MIN(?2, o.value + ${DAY_MS}) - MAX(c.until, o.value)) AS since_ms,
  iif(i.instance_id IS NULL, NULL, c.use) AS use_since,
  iif(i.instance_id IS NULL, NULL, c.rate) AS rate_since,
  CASE
    WHEN c.use IS NULL THEN 0
    WHEN i.instance_id IS NOT NULL THEN c.rate IS NULL
    ELSE EXISTS (SELECT 1 FROM instances WHERE instance_id = c.instance_id)
  END AS is_unpriced, c.is_wasted, c.hourly_saving, c.instance_id, c.provider, c.tags, o.value AS day`;

const HOURS_SINCE = "since_ms / 3600000.0";
const DOLLARS_SINCE = `COALESCE(rate_since, 0) * ${HOURS_SINCE}`;

const AMOUNTS = `
  working_ms + iif(use_since = 'working', since_ms, 0) AS working_ms,
  working + iif(use_since = 'working', ${DOLLARS_SINCE}, 0) AS working,
  idle_ms + iif(use_since = 'idle', since_ms, 0) AS idle_ms,
  idle + iif(use_since = 'idle', ${DOLLARS_SINCE}, 0) AS idle,
  silent_ms + iif(use_since = 'silent', since_ms, 0) AS silent_ms,
  silent + iif(use_since = 'silent', ${DOLLARS_SINCE}, 0) AS silent,
  hibernated_ms + iif(use_since = 'hibernated', since_ms, 0) AS hibernated_ms,
  hibernated + iif(use_since = 'hibernated', ${DOLLARS_SINCE}, 0) AS hibernated,
  wasted + iif(is_wasted, ${DOLLARS_SINCE}, 0) AS wasted,
  saved + iif(use_since IS NULL, 0, hourly_saving * ${HOURS_SINCE}) AS saved,
  reported,
  unpriced_ms + iif(is_unpriced, since_ms, 0) AS unpriced_ms`;

const TOTALS = `
  TOTAL(working_ms) AS working_ms, TOTAL(working) AS working, TOTAL(idle_ms) AS idle_ms, TOTAL(idle) AS idle,
  TOTAL(silent_ms) AS silent_ms, TOTAL(silent) AS silent,
  TOTAL(hibernated_ms) AS hibernated_ms, TOTAL(hibernated) AS hibernated,
  TOTAL(wasted) AS wasted, TOTAL(saved) AS saved, TOTAL(reported) AS reported, TOTAL(unpriced_ms) AS unpriced_ms`;

/** Of today no JSON is read: the amounts of the day of the last report stand in columns. */
const TODAY = `SELECT ${AMOUNTS} FROM (
  SELECT
    iif(c.until >= ?1, c.working_ms, 0) AS working_ms, iif(c.until >= ?1, c.working, 0) AS working,
    iif(c.until >= ?1, c.idle_ms, 0) AS idle_ms, iif(c.until >= ?1, c.idle, 0) AS idle,
    iif(c.until >= ?1, c.silent_ms, 0) AS silent_ms, iif(c.until >= ?1, c.silent, 0) AS silent,
    iif(c.until >= ?1, c.hibernated_ms, 0) AS hibernated_ms, iif(c.until >= ?1, c.hibernated, 0) AS hibernated,
    iif(c.until >= ?1, c.wasted, 0) AS wasted, iif(c.until >= ?1, c.saved, 0) AS saved,
    iif(c.until >= ?1, c.reported, 0) AS reported, iif(c.until >= ?1, c.unpriced_ms, 0) AS unpriced_ms, ${SINCE}
  FROM ${DAYS} ${WITH_INSTANCE})`;

const OF_DAYS = `SELECT instance_id, provider, tags, day, ${AMOUNTS} FROM (
  SELECT
    COALESCE(d.value ->> '$.working.ms', 0) AS working_ms, COALESCE(d.value ->> '$.working.dollars', 0) AS working,
    COALESCE(d.value ->> '$.idle.ms', 0) AS idle_ms, COALESCE(d.value ->> '$.idle.dollars', 0) AS idle,
    COALESCE(d.value ->> '$.silent.ms', 0) AS silent_ms, COALESCE(d.value ->> '$.silent.dollars', 0) AS silent,
    COALESCE(d.value ->> '$.hibernated.ms', 0) AS hibernated_ms,
    COALESCE(d.value ->> '$.hibernated.dollars', 0) AS hibernated,
    COALESCE(d.value ->> '$.wasted', 0) AS wasted, COALESCE(d.value ->> '$.saved', 0) AS saved,
    COALESCE(d.value ->> '$.reported', 0) AS reported, COALESCE(d.value ->> '$.unpricedMs', 0) AS unpriced_ms, ${SINCE}
  FROM ${DAYS} ${WITH_INSTANCE}
    LEFT JOIN json_each(c.basis, '$.days') AS d ON d.value ->> '$.day' = o.value)`;

/** What of it is no nothing. */
const SOMETHING = `working_ms + idle_ms + silent_ms + hibernated_ms + unpriced_ms > 0
  OR working + idle + silent + hibernated <> 0`;

/** The groups' keys, as those of `readCostDays`. */
const KEYS = {
  day: "printf('%014d', day)",
  instance: "instance_id",
  provider: "provider",
  tag: `COALESCE(tags ->> ('$."' || ?4 || '"'), '')`,
} as const satisfies Record<CostGrouping["by"], string>;

const groupKey = columnOf("key", z.string());
const groupRow = z
  .looseObject({ key: z.string() })
  .transform((row): CostGroup => ({ key: row.key, costs: totalsRow.parse(row) }));

export class CostsAt {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** What all cost together on the day that holds `now`, so far. */
  today(now: number): CostTotals {
    const day = startOfUtcDay(now);
    const row = this.#sql.exec<TotalsRow>(`SELECT ${TOTALS} FROM (${TODAY})`, day, now).one();
    return totalsRow.parse(row);
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
    closed: { readonly from: number; readonly before: number },
    now: number,
    grouping: CostGrouping,
    { after, limit }: { readonly after: string | null; readonly limit: number },
  ): Found<CostGroup, string> {
    const rows = this.#sql
      .exec(
        `SELECT key, ${TOTALS} FROM (
           SELECT ${KEYS[grouping.by]} AS key, * FROM (
             SELECT * FROM (${OF_DAYS}) WHERE ${SOMETHING}
             UNION ALL
             SELECT instance_id, provider, tags, day, working_ms, working, idle_ms, idle, silent_ms, silent,
                    hibernated_ms, hibernated, wasted, saved, reported, unpriced_ms
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

  /**
   * Puts down what each instance has cost on a day that is over, and all of them together. Closed again, only what differs is new to the
   * history.
   */
  close(day: number, now: number): void {
    this.#sql.exec(
      `INSERT INTO closed_costs (day, instance_id, working_ms, working, idle_ms, idle, silent_ms, silent, hibernated_ms,
                                 hibernated, wasted, saved, reported, unpriced_ms, provider, tags, closed_at, is_kept)
       SELECT day, instance_id, working_ms, working, idle_ms, idle, silent_ms, silent, hibernated_ms,
              hibernated, wasted, saved, reported, unpriced_ms, provider, tags, ?2, 0
       FROM (${OF_DAYS}) WHERE ${SOMETHING}
       ON CONFLICT (day, instance_id) DO UPDATE SET
         working_ms = excluded.working_ms, working = excluded.working, idle_ms = excluded.idle_ms, idle = excluded.idle,
         silent_ms = excluded.silent_ms, silent = excluded.silent,
         hibernated_ms = excluded.hibernated_ms, hibernated = excluded.hibernated,
         wasted = excluded.wasted, saved = excluded.saved, reported = excluded.reported,
         unpriced_ms = excluded.unpriced_ms, provider = excluded.provider, tags = excluded.tags,
         closed_at = excluded.closed_at, is_kept = 0
       WHERE ABS(working_ms - excluded.working_ms) + ABS(idle_ms - excluded.idle_ms)
               + ABS(silent_ms - excluded.silent_ms) + ABS(hibernated_ms - excluded.hibernated_ms)
               + ABS(unpriced_ms - excluded.unpriced_ms) >= 1
         OR ABS(working - excluded.working) + ABS(idle - excluded.idle) + ABS(silent - excluded.silent)
               + ABS(hibernated - excluded.hibernated) + ABS(wasted - excluded.wasted) + ABS(saved - excluded.saved)
               + ABS(reported - excluded.reported) > 1e-9`,
      JSON.stringify([day]),
      now,
    );
    this.#sql.exec(
      `INSERT OR REPLACE INTO cost_totals (day, working_ms, working, idle_ms, idle, silent_ms, silent, hibernated_ms,
                                           hibernated, wasted, saved, reported, unpriced_ms)
       SELECT ?1, ${TOTALS} FROM closed_costs WHERE day = ?1 HAVING COUNT(*) > 0`,
      day,
    );
  }

  /** Dollars an hour of all instances together, of those that waste money, and how many have no known rate. */
  rates(): { readonly rate: number; readonly wasted_rate: number; readonly unknown_rates: number } {
    return this.#sql
      .exec<{ rate: number; wasted_rate: number; unknown_rates: number }>(
        `SELECT TOTAL(c.rate) AS rate, TOTAL(iif(c.is_wasted, c.rate, 0)) AS wasted_rate,
                COUNT(CASE
                  WHEN c.use IS NOT NULL AND c.rate IS NULL THEN 1
                  WHEN c.instance_id IS NULL
                    THEN (SELECT 1 FROM instances WHERE instance_id = i.instance_id AND status <> 'deleted')
                END) AS unknown_rates
         FROM instances AS i INDEXED BY instances_by_change
           LEFT JOIN instance_costs AS c ON c.instance_id = i.instance_id AND c.changed = i.changed`,
      )
      .one();
  }

  /** Those that waste the most an hour. */
  wasting(now: number, limit: number): WastingRow[] {
    const rows = this.#sql.exec(
      `SELECT c.instance_id, i.name, c.rate, c.use,
              iif(c.until >= ?1, c.wasted, 0)
                + COALESCE(c.rate, 0) * MAX(0, ?2 - MAX(c.until, ?1)) / 3600000.0 AS wasted_today
       FROM instance_costs AS c CROSS JOIN instances AS i ON i.instance_id = c.instance_id AND i.changed = c.changed
       WHERE c.is_wasted ORDER BY c.rate DESC, c.instance_id LIMIT ?3`,
      startOfUtcDay(now),
      now,
      limit,
    );
    return readableRows(wastingRow, rows.toArray());
  }
}
