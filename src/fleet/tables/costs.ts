import { z } from "zod";
import { type DayCosts, KEPT_DAYS } from "../../lifecycle/model/ledger.ts";
import { readableRows } from "../../lifecycle/model/stored.ts";
import { DAY_MS, startOfUtcDay } from "../../lifecycle/model/time.ts";
import type { LiveView } from "../../lifecycle/views/instance-view.ts";
import type { InstanceRow } from "../report.ts";
import { ClosedCosts } from "./closed-costs.ts";
import {
  COST_COLUMNS,
  COSTS_OF_TIME,
  DOLLARS_OF_TIME,
  REPLACED_COSTS,
  totalsColumns,
} from "./cost-columns.ts";
import { CostsAt } from "./costs-at.ts";

/**
 * What the instances cost, by their last reports: a row of what each costs from then on, and a row for each of its last days up to
 * then. What all cost together at any later moment is one sum over these rows (`CostsAt`); nothing is added up over time. Each ledger
 * has its own days: an instance that is registered anew under an old id adds to what the former one has cost.
 */

const knownRow = z.object({ registered_at: z.number(), since: z.number(), until: z.number() });

export class InstanceCosts {
  /** What all cost together. */
  readonly at: CostsAt;
  /** The days that are over. */
  readonly closed: ClosedCosts;
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.at = new CostsAt(sql);
    this.closed = new ClosedCosts(sql);
    this.#sql = sql;
  }

  /** Takes what an instance reports, with the change of the registry's row that goes with it. `openFrom`: the first open day. */
  write(
    instanceId: string,
    changed: number,
    { registeredAt, costs, view }: InstanceRow,
    openFrom: number,
  ): void {
    if (costs === undefined) {
      // The former release says nothing of costs: what it costs from now on is unknown.
      this.#sql.exec("UPDATE instance_costs SET is_current = 0 WHERE instance_id = ?", instanceId);
      return;
    }
    const { since, until, usage, days } = costs;
    const { provider, tags = {} }: Partial<LiveView> & Pick<LiveView, "provider"> = view;
    const known = this.#find(instanceId);
    if (known !== null && known.registered_at !== registeredAt)
      this.#settle(instanceId, since, Math.min(openFrom, startOfUtcDay(since) - KEPT_DAYS * DAY_MS));
    // The days before are open if the fleet was away: it goes by what it was told before.
    else if (known !== null && since === known.since)
      this.#settle(instanceId, startOfUtcDay(until) - (KEPT_DAYS - 1) * DAY_MS, openFrom);
    // A former release has dropped its ledger. The new one says itself what was reported on its first day.
    else if (known !== null && since > known.since)
      this.#dropDay(instanceId, known.since, startOfUtcDay(since));
    this.#sql.exec(
      `INSERT INTO instance_costs (instance_id, changed, is_current, registered_at, since, until, use, rate, is_wasted,
                                   hourly_saving, provider, tags)
       VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (instance_id) DO UPDATE SET
         changed = excluded.changed, is_current = 1, registered_at = excluded.registered_at, since = excluded.since,
         until = excluded.until, use = excluded.use, rate = excluded.rate, is_wasted = excluded.is_wasted,
         hourly_saving = excluded.hourly_saving, provider = excluded.provider, tags = excluded.tags`,
      instanceId,
      changed,
      registeredAt,
      since,
      until,
      usage?.use ?? null,
      usage?.hourlyCost ?? null,
      Number(usage?.isWasted ?? false),
      usage?.hourlySaving ?? 0,
      provider,
      JSON.stringify(tags),
    );
    for (const day of days) this.#writeDay(instanceId, since, day);
  }

  /** A day that is as it was is not written again. */
  #writeDay(instanceId: string, since: number, costs: DayCosts): void {
    this.#sql.exec(
      `INSERT INTO instance_days (day, instance_id, since, ${COST_COLUMNS})
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET ${REPLACED_COSTS}
       WHERE (${COST_COLUMNS})
         <> (excluded.working_ms, excluded.working, excluded.idle_ms, excluded.idle, excluded.silent_ms, excluded.silent,
             excluded.hibernated_ms, excluded.hibernated, excluded.wasted, excluded.saved, excluded.reported,
             excluded.unpriced_ms)`,
      costs.day,
      instanceId,
      since,
      ...totalsColumns(costs),
    );
  }

  #find(instanceId: string): z.infer<typeof knownRow> | null {
    const rows = this.#sql.exec(
      "SELECT registered_at, since, until FROM instance_costs WHERE instance_id = ?",
      instanceId,
    );
    return readableRows(knownRow, rows.toArray())[0] ?? null;
  }

  /** A removed instance costs nothing from now on. Its days stay until they are in the history. */
  remove(instanceId: string, now: number, openFrom: number): void {
    this.#settle(instanceId, now, Math.min(openFrom, startOfUtcDay(now) - KEPT_DAYS * DAY_MS));
    this.#sql.exec(
      `UPDATE instance_costs SET use = NULL, rate = NULL, is_wasted = 0, hourly_saving = 0, until = MAX(until, ?)
       WHERE instance_id = ?`,
      now,
      instanceId,
    );
  }

  /** Puts down in its days, from `from` on, what it has cost since its last report, up to `now`. */
  #settle(instanceId: string, now: number, from: number): void {
    const known = this.#find(instanceId);
    if (known === null) return;
    const first = Math.max(startOfUtcDay(known.until), from);
    for (let day = first; day < now; day += DAY_MS) {
      this.#sql.exec(
        `INSERT INTO instance_days (day, instance_id, since, ${COST_COLUMNS})
         SELECT ?1, instance_id, since, ${COSTS_OF_TIME}
         FROM (
           SELECT *, ${DOLLARS_OF_TIME} AS dollars
           FROM (SELECT *, MAX(0, MIN(?2, ?1 + ${DAY_MS}) - MAX(until, ?1)) AS ms
                 FROM instance_costs WHERE instance_id = ?3 AND is_current AND use IS NOT NULL))
         WHERE true
         ON CONFLICT DO UPDATE SET
           working_ms = working_ms + excluded.working_ms, working = working + excluded.working,
           idle_ms = idle_ms + excluded.idle_ms, idle = idle + excluded.idle,
           silent_ms = silent_ms + excluded.silent_ms, silent = silent + excluded.silent,
           hibernated_ms = hibernated_ms + excluded.hibernated_ms, hibernated = hibernated + excluded.hibernated,
           wasted = wasted + excluded.wasted, saved = saved + excluded.saved,
           unpriced_ms = unpriced_ms + excluded.unpriced_ms`,
        day,
        now,
        instanceId,
      );
    }
  }

  #dropDay(instanceId: string, since: number, day: number): void {
    this.#sql.exec(
      "DELETE FROM instance_days WHERE day = ? AND instance_id = ? AND since = ?",
      day,
      instanceId,
      since,
    );
  }

  /** A former release has taken reports and removals, of which these rows know nothing: such rows are out of date. */
  markOutdated(): void {
    this.#sql.exec(
      `UPDATE instance_costs SET is_current = 0
       WHERE NOT EXISTS (SELECT 1 FROM instances INDEXED BY instances_by_change
                         WHERE changed = instance_costs.changed AND instance_id = instance_costs.instance_id)`,
    );
  }

  /** Forgets days before `before`, and removed instances that have no others. */
  forget(before: number): void {
    this.#sql.exec("DELETE FROM instance_days WHERE day < ?", before);
    this.#sql.exec(
      "DELETE FROM instance_costs WHERE until < ? AND instance_id NOT IN (SELECT instance_id FROM instances)",
      before,
    );
  }

  get isEmpty(): boolean {
    return this.#sql.exec("SELECT 1 FROM instance_costs LIMIT 1").toArray().length === 0;
  }
}
