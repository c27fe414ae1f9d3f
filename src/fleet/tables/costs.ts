import { z } from "zod";
import { type CostTotals, type DayCosts, NO_COSTS, sumOf, type Use } from "../../lifecycle/model/ledger.ts";
import { jsonText, openEnum, readableRows } from "../../lifecycle/model/stored.ts";
import { DAY_MS, startOfUtcDay } from "../../lifecycle/model/time.ts";
import { type CostsBasis, costsOn } from "../../lifecycle/views/costs.ts";
import type { LiveView } from "../../lifecycle/views/instance-view.ts";
import type { InstanceRow } from "../report.ts";
import { type TotalsRow, totalsColumns, totalsRow } from "./cost-columns.ts";

/**
 * What the instances cost: a row an instance, which its reports write beside the registry's. A row says what the instance has cost
 * up to its last report, and what it costs an hour from then on. So what all cost together at any later moment is one sum, and
 * nothing is added up over time. A row that does not go with its instance's in the registry is out of date: a report said nothing
 * of costs, or a former release took it. What such an instance costs from then on is unknown.
 */

const jsonBasis = jsonText(z.custom<CostsBasis>((value) => typeof value === "object" && value !== null));
const jsonDays = jsonText(z.custom<readonly DayCosts[]>((value) => Array.isArray(value)));

const knownRow = z
  .object({
    registered_at: z.number(),
    basis: jsonBasis,
    carried: jsonDays.nullable(),
    is_current: z.number().nullable(),
  })
  .transform(({ registered_at, basis, carried, is_current }) => ({
    registeredAt: registered_at,
    basis: is_current === 1 ? basis : { ...basis, usage: null },
    carried: carried ?? [],
  }));
type Known = z.infer<typeof knownRow>;

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

/** Each row with what has passed since, on the day that begins at ?1, up to ?2. Nobody knows what one out of date has done. */
const SINCE = `
  MAX(0, MIN(?2, ?1 + ${DAY_MS}) - MAX(c.until, ?1)) AS since_ms,
  iif(i.instance_id IS NULL, NULL, c.use) AS use_since,
  iif(i.instance_id IS NULL, NULL, c.rate) AS rate_since,
  CASE
    WHEN c.use IS NULL THEN 0
    WHEN i.instance_id IS NOT NULL THEN c.rate IS NULL
    ELSE EXISTS (SELECT 1 FROM instances WHERE instance_id = c.instance_id)
  END AS is_unpriced, c.is_wasted, c.hourly_saving`;

const WITH_INSTANCE = `instance_costs AS c LEFT JOIN instances AS i INDEXED BY instances_by_change
  ON i.changed = c.changed AND i.instance_id = c.instance_id`;

const HOURS_SINCE = "since_ms / 3600000.0";
const DOLLARS_SINCE = `COALESCE(rate_since, 0) * ${HOURS_SINCE}`;

const SUMS = `
  TOTAL(working_ms + iif(use_since = 'working', since_ms, 0)) AS working_ms,
  TOTAL(working + iif(use_since = 'working', ${DOLLARS_SINCE}, 0)) AS working,
  TOTAL(idle_ms + iif(use_since = 'idle', since_ms, 0)) AS idle_ms,
  TOTAL(idle + iif(use_since = 'idle', ${DOLLARS_SINCE}, 0)) AS idle,
  TOTAL(silent_ms + iif(use_since = 'silent', since_ms, 0)) AS silent_ms,
  TOTAL(silent + iif(use_since = 'silent', ${DOLLARS_SINCE}, 0)) AS silent,
  TOTAL(hibernated_ms + iif(use_since = 'hibernated', since_ms, 0)) AS hibernated_ms,
  TOTAL(hibernated + iif(use_since = 'hibernated', ${DOLLARS_SINCE}, 0)) AS hibernated,
  TOTAL(wasted + iif(is_wasted, ${DOLLARS_SINCE}, 0)) AS wasted,
  TOTAL(saved + iif(use_since IS NULL, 0, hourly_saving * ${HOURS_SINCE})) AS saved,
  TOTAL(reported) AS reported,
  TOTAL(unpriced_ms + iif(is_unpriced, since_ms, 0)) AS unpriced_ms`;

/** The amounts of the day of the last report, if that is the day asked for: so no JSON is read for today. */
const OF_LAST_REPORT = `
  iif(c.until >= ?1, c.working_ms, 0) AS working_ms, iif(c.until >= ?1, c.working, 0) AS working,
  iif(c.until >= ?1, c.idle_ms, 0) AS idle_ms, iif(c.until >= ?1, c.idle, 0) AS idle,
  iif(c.until >= ?1, c.silent_ms, 0) AS silent_ms, iif(c.until >= ?1, c.silent, 0) AS silent,
  iif(c.until >= ?1, c.hibernated_ms, 0) AS hibernated_ms, iif(c.until >= ?1, c.hibernated, 0) AS hibernated,
  iif(c.until >= ?1, c.wasted, 0) AS wasted, iif(c.until >= ?1, c.saved, 0) AS saved,
  iif(c.until >= ?1, c.reported, 0) AS reported, iif(c.until >= ?1, c.unpriced_ms, 0) AS unpriced_ms`;

const OF_A_DAY = `
  COALESCE(d.value ->> '$.working.ms', 0) AS working_ms, COALESCE(d.value ->> '$.working.dollars', 0) AS working,
  COALESCE(d.value ->> '$.idle.ms', 0) AS idle_ms, COALESCE(d.value ->> '$.idle.dollars', 0) AS idle,
  COALESCE(d.value ->> '$.silent.ms', 0) AS silent_ms, COALESCE(d.value ->> '$.silent.dollars', 0) AS silent,
  COALESCE(d.value ->> '$.hibernated.ms', 0) AS hibernated_ms,
  COALESCE(d.value ->> '$.hibernated.dollars', 0) AS hibernated,
  COALESCE(d.value ->> '$.wasted', 0) AS wasted, COALESCE(d.value ->> '$.saved', 0) AS saved,
  COALESCE(d.value ->> '$.reported', 0) AS reported, COALESCE(d.value ->> '$.unpricedMs', 0) AS unpriced_ms`;

export class InstanceCosts {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Takes what an instance reports, with the change of the registry's row that goes with it. */
  write(instanceId: string, changed: number, { registeredAt, costs, view }: InstanceRow): void {
    // The row stays as it is, and is out of date from now on.
    if (costs === undefined) return;
    const carried = carriedBy(this.#find(instanceId), { registeredAt, costs });
    const { provider, tags = {} }: Partial<LiveView> & Pick<LiveView, "provider"> = view;
    const place = { instanceId, changed, registeredAt, provider, tags };
    this.#write({ ...place, basis: withDays(costs, carried), carried });
  }

  /** A removed instance costs nothing from now on. Its days stay. */
  remove(instanceId: string, now: number): void {
    const known = this.#find(instanceId);
    if (known === null) return;
    const ended = endedAt(known.basis, now);
    const columns = totalsColumns(lastDayOf(ended));
    this.#sql.exec(
      `UPDATE instance_costs SET until = ?, working_ms = ?, working = ?, idle_ms = ?, idle = ?, silent_ms = ?, silent = ?,
         hibernated_ms = ?, hibernated = ?, wasted = ?, saved = ?, reported = ?, unpriced_ms = ?,
         use = NULL, rate = NULL, is_wasted = 0, hourly_saving = 0, basis = ?
       WHERE instance_id = ?`,
      ended.until,
      ...columns,
      JSON.stringify(ended),
      instanceId,
    );
  }

  #find(instanceId: string): Known | null {
    const rows = this.#sql.exec(
      `SELECT registered_at, basis, carried,
              changed = (SELECT changed FROM instances WHERE instance_id = ?1) AS is_current
       FROM instance_costs WHERE instance_id = ?1`,
      instanceId,
    );
    return readableRows(knownRow, rows.toArray())[0] ?? null;
  }

  #write({
    instanceId,
    changed,
    registeredAt,
    provider,
    tags,
    basis,
    carried,
  }: Omit<Known, "registeredAt"> & {
    readonly instanceId: string;
    readonly changed: number;
    readonly registeredAt: number;
    readonly provider: string;
    readonly tags: Readonly<Record<string, string>>;
  }): void {
    const { until, usage } = basis;
    this.#sql.exec(
      `INSERT OR REPLACE INTO instance_costs (instance_id, changed, registered_at, until,
         working_ms, working, idle_ms, idle, silent_ms, silent, hibernated_ms, hibernated,
         wasted, saved, reported, unpriced_ms, use, rate, is_wasted, hourly_saving, provider, tags, basis, carried)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      instanceId,
      changed,
      registeredAt,
      until,
      ...totalsColumns(lastDayOf(basis)),
      usage?.use ?? null,
      usage?.hourlyCost ?? null,
      Number(usage?.isWasted ?? false),
      usage?.hourlySaving ?? 0,
      provider,
      JSON.stringify(tags),
      JSON.stringify(basis),
      carried.length === 0 ? null : JSON.stringify(carried),
    );
  }

  /** What all cost together on the day that holds `now`, so far. */
  today(now: number): CostTotals {
    const row = this.#sql
      .exec<TotalsRow>(
        `SELECT ${SUMS} FROM (SELECT ${OF_LAST_REPORT}, ${SINCE} FROM ${WITH_INSTANCE})`,
        startOfUtcDay(now),
        now,
      )
      .one();
    return totalsRow.parse(row);
  }

  /** What all cost together on a day of the last ones: its first instant. */
  on(day: number, now: number): CostTotals {
    const row = this.#sql
      .exec<TotalsRow>(
        `SELECT ${SUMS} FROM (
           SELECT ${OF_A_DAY}, ${SINCE} FROM ${WITH_INSTANCE}
             LEFT JOIN json_each(c.basis, '$.days') AS d ON d.value ->> '$.day' = ?1)`,
        day,
        now,
      )
      .one();
    return totalsRow.parse(row);
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

/** The amounts of the day of the last report. */
function lastDayOf({ days, until }: CostsBasis): CostTotals {
  return days.find(({ day }) => day === startOfUtcDay(until)) ?? NO_COSTS;
}

/** A basis with all time up to `end` in its days, after which nothing more comes. Nothing has come since where it has no use. */
function endedAt(basis: CostsBasis, end: number): CostsBasis {
  const now = basis.usage === null ? basis.until : Math.max(end, basis.until);
  const first = Math.min(basis.days[0]?.day ?? now, startOfUtcDay(basis.until));
  const days: DayCosts[] = [];
  for (let day = Math.max(first, startOfUtcDay(now) - LAST_DAYS * DAY_MS); day <= now; day += DAY_MS) {
    days.push({ ...costsOn(basis, day, now), day });
  }
  return { ...basis, until: now, usage: null, days };
}

/** Days before the last of a basis that are of interest. */
const LAST_DAYS = 3;

/**
 * What is to be carried over from the row of before: the days of another instance that had the id, and those of a ledger that a former
 * release has dropped. The new one says itself what was reported on its first day.
 */
function carriedBy(
  known: Known | null,
  { registeredAt, costs }: { readonly registeredAt: number; readonly costs: CostsBasis },
): readonly DayCosts[] {
  if (known === null) return [];
  const firstDay = startOfUtcDay(costs.until) - LAST_DAYS * DAY_MS;
  const kept = (days: readonly DayCosts[]) => days.filter(({ day }) => day >= firstDay);
  if (known.registeredAt !== registeredAt) return kept(endedAt(known.basis, costs.since).days);
  return costs.since > known.basis.since
    ? kept(known.basis.days.filter(({ day }) => day < startOfUtcDay(costs.since)))
    : kept(known.carried);
}

function withDays(basis: CostsBasis, carried: readonly DayCosts[]): CostsBasis {
  const both = carried.reduce<readonly DayCosts[]>((days, each) => {
    const same = days.find(({ day }) => day === each.day) ?? NO_COSTS;
    return [...days.filter(({ day }) => day !== each.day), { ...sumOf(same, each), day: each.day }];
  }, basis.days);
  return { ...basis, days: [...both].sort((one, other) => one.day - other.day) };
}
