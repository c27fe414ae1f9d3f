import { z } from "zod";
import type { PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import { type ConnectedProvider, connectionOf } from "../../lifecycle/model/provider.ts";
import {
  columnOf,
  type Found,
  jsonText,
  openEnum,
  readableRows,
  readFound,
  storedOverridesSchema,
} from "../../lifecycle/model/stored.ts";
import type { LiveView } from "../../lifecycle/views/instance-view.ts";
import { type SavingsBasis, type SavingsView, savingsAt } from "../../lifecycle/views/savings.ts";
import { completeView, type InstanceRow, type Listed, providerIn } from "../report.ts";
import type { CountedAs } from "../rules/state.ts";
import { type StoredWords, storedWords } from "../views/line-words.ts";
import { conditionOf, type ListFilter } from "../views/list-filter.ts";
import type { SilenceKeys } from "./silences.ts";

/** The registry: a row an instance, which only that instance's reports write. */

/** What is known of an instance before the next report of it is counted. */
export interface Known extends CountedAs, SilenceKeys {
  readonly revision: number;
  readonly asOf: number;
}

/** An instance as lists show it: as it was when it last reported. */
export interface ListedRow {
  readonly instanceId: string;
  /** The fleet's number of its last change. */
  readonly changed: number;
  readonly asOf: number;
  readonly view: LiveView;
  readonly words: StoredWords;
  readonly savings: SavingsBasis;
}

const knownRow = z
  .object({
    revision: z.number(),
    as_of: z.number(),
    status: z.string(),
    silent_since: z.number().nullable(),
    bucket: z.number().nullable(),
    guard_epoch: z.number().nullable(),
    vote_epoch: z.number().nullable(),
    silence_reported_at: z.number().nullable(),
  })
  .transform(
    (row): Known => ({
      revision: row.revision,
      asOf: row.as_of,
      status: row.status,
      silentSince: row.silent_since,
      bucket: row.bucket,
      guardEpoch: row.guard_epoch,
      voteEpoch: row.vote_epoch,
      reportedAt: row.silence_reported_at,
    }),
  );

/** What an instance of this very service reported. */
export const reportedView = z.custom<LiveView>((value) => typeof value === "object" && value !== null);

const listedRow = z
  .object({
    instance_id: z.string(),
    changed: z.number(),
    as_of: z.number(),
    view: jsonText(reportedView),
    words: storedWords,
    savings: jsonText(z.custom<SavingsBasis>((value) => typeof value === "object" && value !== null)),
  })
  .transform(
    (row): ListedRow => ({
      instanceId: row.instance_id,
      changed: row.changed,
      asOf: row.as_of,
      view: completeView(row.view),
      words: row.words,
      savings: row.savings,
    }),
  );

const LISTED = "instance_id, changed, as_of, view, words, savings";

/** The id of the instance of a row. */
export const instanceIdOf = columnOf("instance_id", z.string());

const changeOf = columnOf("changed", z.number());

/** What a visitor is told of an instance. */
export const visitRow = z
  .object({ instance_id: z.string(), revision: z.number().nullable() })
  .transform(({ instance_id, revision }): Listed => ({ instanceId: instance_id, revision }));

function idsIn(rows: SqlStorageCursor<Record<string, SqlStorageValue>>): string[] {
  return z.array(instanceIdOf).parse(rows.toArray());
}

const overridesRow = z
  .object({
    instance_id: z.string(),
    provider: openEnum<ConnectedProvider>(),
    overrides: jsonText(storedOverridesSchema),
  })
  .transform(({ instance_id, provider, overrides }) => ({ instanceId: instance_id, provider, overrides }));

/** So many removals are remembered. */
const REMOVALS_KEPT = 1000;

export class Registry {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(instanceId: string): Known | null {
    const [row] = this.#sql
      .exec(
        `SELECT revision, as_of, status, silent_since, bucket, guard_epoch, vote_epoch, silence_reported_at
         FROM instances WHERE instance_id = ?`,
        instanceId,
      )
      .toArray();
    return row === undefined ? null : knownRow.parse(row);
  }

  write(instanceId: string, changed: number, row: InstanceRow, keys: SilenceKeys): void {
    const { view } = row;
    this.#sql.exec(
      `INSERT INTO instances (instance_id, changed, revision, registered_at, as_of, name, provider, provider_ref,
                              status, health, orphaned_since, silent_since, overrides, view, words, savings,
                              bucket, guard_epoch, vote_epoch, silence_reported_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (instance_id) DO UPDATE SET
         changed = excluded.changed, revision = excluded.revision, registered_at = excluded.registered_at,
         as_of = excluded.as_of, name = excluded.name, provider = excluded.provider,
         provider_ref = excluded.provider_ref, status = excluded.status, health = excluded.health,
         orphaned_since = excluded.orphaned_since, silent_since = excluded.silent_since,
         overrides = excluded.overrides, view = excluded.view, words = excluded.words, savings = excluded.savings,
         bucket = excluded.bucket, guard_epoch = excluded.guard_epoch, vote_epoch = excluded.vote_epoch,
         silence_reported_at = excluded.silence_reported_at`,
      instanceId,
      changed,
      row.revision,
      row.registeredAt,
      row.asOf,
      view.name,
      providerIn(view),
      view.provider_ref,
      view.status,
      view.health,
      row.orphanedSince,
      row.silentSince,
      JSON.stringify(row.overrides),
      JSON.stringify(view),
      row.words === undefined ? null : JSON.stringify(row.words),
      JSON.stringify(row.savings),
      keys.bucket,
      keys.guardEpoch,
      keys.voteEpoch,
      keys.reportedAt,
    );
  }

  /** Takes an instance out. Its late reports, up to `revision`, come to nothing. */
  remove(instanceId: string, changed: number, revision: number): void {
    this.#sql.exec("DELETE FROM instances WHERE instance_id = ?", instanceId);
    this.#sql.exec(
      `INSERT INTO removals (instance_id, changed, revision) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET changed = excluded.changed, revision = MAX(removals.revision, excluded.revision)`,
      instanceId,
      changed,
      revision,
    );
    this.#sql.exec(
      `DELETE FROM removals WHERE changed <=
         (SELECT changed FROM removals ORDER BY changed DESC LIMIT 1 OFFSET ${REMOVALS_KEPT})`,
    );
  }

  /** What it has saved by `now`; null for one that is not listed, or can't be read. */
  savingsOf(instanceId: string, now: number): SavingsView | null {
    const rows = this.#sql.exec(`SELECT ${LISTED} FROM instances WHERE instance_id = ?`, instanceId);
    const [row] = readableRows(listedRow, rows.toArray());
    return row === undefined ? null : savingsAt(row.savings, now);
  }

  /** The revision with which an instance of this id was removed; null for one that was not, or long ago. */
  removedRevision(instanceId: string): number | null {
    const [row] = this.#sql
      .exec<{ revision: number }>("SELECT revision FROM removals WHERE instance_id = ?", instanceId)
      .toArray();
    return row?.revision ?? null;
  }

  /** The highest revision of whoever has had this id, as far as is known. */
  lastRevision(instanceId: string): number {
    return Math.max(this.removedRevision(instanceId) ?? 0, this.find(instanceId)?.revision ?? 0);
  }

  /** Ids of instances removed after the fleet's revision. */
  removedAfter(changed: number): string[] {
    return idsIn(this.#sql.exec("SELECT instance_id FROM removals WHERE changed > ?", changed));
  }

  /** Removals before this revision may have been forgotten. */
  get removalsKnownFrom(): number {
    const [row] = this.#sql
      .exec<{ kept: number; oldest: number | null }>(
        "SELECT COUNT(*) AS kept, MIN(changed) AS oldest FROM removals",
      )
      .toArray();
    return row === undefined || row.kept < REMOVALS_KEPT ? 0 : (row.oldest ?? 0);
  }

  has(instanceId: string): boolean {
    return this.#sql.exec("SELECT 1 FROM instances WHERE instance_id = ?", instanceId).toArray().length > 0;
  }

  /** Ids after `after`, in order; at most `limit`. A filter finds all that match, however far apart they stand. */
  idsAfter(after: string, limit: number, filter: ListFilter = {}): string[] {
    const { condition, values } = conditionOf(filter);
    const rows = this.#sql.exec(
      `SELECT instance_id FROM instances WHERE instance_id > ? ${condition} ORDER BY instance_id LIMIT ?`,
      after,
      ...values,
      limit,
    );
    return idsIn(rows);
  }

  /** Instances after `after`, for whoever visits them all. */
  listedAfter(after: string, limit: number): Listed[] {
    const rows = this.#sql.exec(
      "SELECT instance_id, revision FROM instances WHERE instance_id > ? ORDER BY instance_id LIMIT ?",
      after,
      limit,
    );
    return z.array(visitRow).parse(rows.toArray());
  }

  /** Those of these instances that are still listed. */
  listedAmong(instanceIds: readonly string[]): Listed[] {
    const rows = this.#sql.exec(
      `SELECT instance_id, revision FROM instances
       WHERE instance_id IN (SELECT value FROM json_each(?)) ORDER BY instance_id`,
      JSON.stringify(instanceIds),
    );
    return z.array(visitRow).parse(rows.toArray());
  }

  /** A page of rows in the order of their ids. */
  list(after: string, limit: number, filter: ListFilter = {}): Found<ListedRow, string> {
    const { condition, values } = conditionOf(filter);
    const rows = this.#sql.exec(
      `SELECT ${LISTED} FROM instances WHERE instance_id > ? ${condition} ORDER BY instance_id LIMIT ?`,
      after,
      ...values,
      limit,
    );
    return readFound(listedRow, instanceIdOf, rows.toArray(), limit);
  }

  /** Rows that changed after the fleet's revision, oldest change first. */
  changedAfter(revision: number, limit: number): Found<ListedRow, number> {
    const rows = this.#sql.exec(
      `SELECT ${LISTED} FROM instances
       WHERE changed > ? ORDER BY changed LIMIT ?`,
      revision,
      limit,
    );
    return readFound(listedRow, changeOf, rows.toArray(), limit);
  }

  /** Each combination of provider and own overrides, with one instance that has it. */
  overrides(): { instanceId: string; provider: ConnectedProvider; overrides: PolicyOverrides }[] {
    const rows = this.#sql.exec(
      `SELECT MIN(instance_id) AS instance_id, provider, overrides FROM instances
       WHERE status <> 'deleted' GROUP BY provider, overrides`,
    );
    return readableRows(overridesRow, rows.toArray());
  }

  /** A fleet of the former release has written the kind alone beside a view that says the connection. */
  hasInstanceOf(provider: ConnectedProvider): boolean {
    const rows = this.#sql.exec(
      `SELECT 1 FROM instances
       WHERE (provider = ? OR json_extract(view, '$.connection') = ?) AND status <> 'deleted' LIMIT 1`,
      provider,
      connectionOf(provider),
    );
    return rows.toArray().length > 0;
  }
}
