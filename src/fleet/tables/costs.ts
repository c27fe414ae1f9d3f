import { z } from "zod";
import { type CostTotals, type DayCosts, NO_COSTS, sumOf } from "../../lifecycle/model/ledger.ts";
import { jsonText, readableRows } from "../../lifecycle/model/stored.ts";
import { DAY_MS, startOfUtcDay } from "../../lifecycle/model/time.ts";
import { type CostsBasis, costsOn } from "../../lifecycle/views/costs.ts";
import type { LiveView } from "../../lifecycle/views/instance-view.ts";
import type { InstanceRow } from "../report.ts";
import { totalsColumns } from "./cost-columns.ts";

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

  /** Forgets removed instances whose days are all before `before`. */
  forgetRemoved(before: number): void {
    this.#sql.exec(
      "DELETE FROM instance_costs WHERE until < ? AND instance_id NOT IN (SELECT instance_id FROM instances)",
      before,
    );
  }

  get isEmpty(): boolean {
    return this.#sql.exec("SELECT 1 FROM instance_costs LIMIT 1").toArray().length === 0;
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
