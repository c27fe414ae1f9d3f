import { z } from "zod";
import type { ConnectedProvider } from "../../lifecycle/model/provider.ts";
import { type Found, readableRows, readFound } from "../../lifecycle/model/stored.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import { type Connection, REFUSALS_IN_A_ROW } from "../../providers/connections.ts";
import { entriesOf } from "../rules/entries.ts";
import type { InventoryMachine } from "../rules/inventory.ts";
import { REGISTERED_WITHIN_MS } from "./admissions.ts";
import { type InventoryRow, inventoryRow, type ListingRow, listingRow } from "./inventory-rows.ts";

/** The machines that a user's connections have listed, and how the listings go. */

/** The providers that list no machines. */
const LISTS_NONE = "(provider IN ('agent', 'none', 'webhook') OR provider GLOB 'webhook@*')";

/**
 * The instance that watches a machine: whoever has claimed it, or one whose provider lists none and that goes by the same reference,
 * such as one that its own agent hibernates. A claim alone watches nothing: its instance may never have come to be.
 */
const WATCHER = `COALESCE(
  (SELECT instance_id FROM machines WHERE provider = inventory.provider AND ref = inventory.ref
     AND (claimed_at > ?
       OR EXISTS (SELECT 1 FROM instances WHERE instances.instance_id = machines.instance_id))),
  (SELECT instance_id FROM instances WHERE instance_id = inventory.ref AND provider_ref IS NULL
     AND ${LISTS_NONE} AND status <> 'deleted'),
  (SELECT instance_id FROM instances WHERE provider_ref = inventory.ref
     AND ${LISTS_NONE} AND status <> 'deleted' LIMIT 1))`;

/** What `WATCHER` is asked with: claims since then may be of a registration under way. */
function youngSince(): number {
  return Date.now() - REGISTERED_WITHIN_MS;
}

/** Whether the connection's present credentials have shown the machine, and are not refused. */
const IS_CURRENT = `EXISTS (
  SELECT 1 FROM credentials LEFT JOIN connections ON connections.id = credentials.kind
  WHERE credentials.kind = inventory.connection AND credentials.set_at <= inventory.last_seen_at
    AND NOT COALESCE(connections.noted_of = credentials.set_at AND connections.refusals >= ${REFUSALS_IN_A_ROW}, 0))`;

const COLUMNS = `connection, ref, provider, name, state, gpu, gpus, region, created_at, hourly_cost, stopped_hourly_cost,
  member_of, first_seen_at, last_seen_at, state_since, told_at, vanished_at, witness, ${WATCHER} AS watched_by,
  ${IS_CURRENT} AS is_current`;

const LISTING = "connection, due_at, tried_at, listed_at, is_complete, failures, problem";

const watcherRow = z
  .object({ instance_id: z.string(), status: z.string() })
  .transform(({ instance_id, status }): [string, string] => [instance_id, status]);

/** A machine as one of the connections lists it. */
export interface InventoryPlace {
  readonly connection: string;
  readonly ref: string;
}

/** Where a page of the inventory ends. */
export interface EntryPlace {
  readonly provider: string;
  readonly ref: string;
}

const placeRow: z.ZodType<EntryPlace> = z.object({ provider: z.string(), ref: z.string() });

export class Inventory {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** All that is kept of a connection. */
  of(connection: string): InventoryRow[] {
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM inventory WHERE connection = ?`,
      youngSince(),
      connection,
    );
    return readableRows(inventoryRow, rows.toArray());
  }

  /** All machines that a connection has listed, each as one. */
  entriesOf(connection: string): InventoryRow[] {
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM inventory
       WHERE (provider, ref) IN (SELECT provider, ref FROM inventory WHERE connection = ?)`,
      youngSince(),
      connection,
    );
    return entriesOf(readableRows(inventoryRow, rows.toArray()));
  }

  /** A page in the order of providers and references. `watched`: only those that are, or are not; null for all. */
  page(after: EntryPlace, watched: boolean | null, limit: number): Found<InventoryRow, EntryPlace> {
    const wanted = watched === null ? null : Number(watched);
    const rows = this.#sql.exec(
      `SELECT DISTINCT provider, ref FROM inventory
       WHERE (provider, ref) > (?, ?) AND (? IS NULL OR (${WATCHER} IS NOT NULL) = ?)
       ORDER BY provider, ref LIMIT ?`,
      after.provider,
      after.ref,
      wanted,
      youngSince(),
      wanted,
      limit,
    );
    const { rows: places, end } = readFound(placeRow, placeRow, rows.toArray(), limit);
    return { rows: places.flatMap((place) => this.#entry(place) ?? []), end };
  }

  /** The machine that stands there, as all connections that list it see it. The named one speaks for it, if it can. */
  find(place: InventoryPlace): InventoryRow | null {
    const rows = this.#sql.exec(
      "SELECT provider, ref FROM inventory WHERE connection = ? AND ref = ?",
      place.connection,
      place.ref,
    );
    const [found] = readableRows(placeRow, rows.toArray());
    return found === undefined ? null : this.#entry(found, place.connection);
  }

  #entry({ provider, ref }: EntryPlace, connection?: string): InventoryRow | null {
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM inventory WHERE provider = ? AND ref = ?`,
      youngSince(),
      provider,
      ref,
    );
    return entriesOf(readableRows(inventoryRow, rows.toArray()), connection)[0] ?? null;
  }

  write({ id, kind }: Pick<Connection, "id" | "kind">, machine: InventoryMachine): void {
    this.#sql.exec(
      `INSERT INTO inventory (connection, ref, provider, name, state, gpu, gpus, region, created_at, hourly_cost,
                              stopped_hourly_cost, member_of, first_seen_at, last_seen_at, state_since, told_at, vanished_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (provider, ref, connection) DO UPDATE SET
         name = excluded.name, state = excluded.state, gpu = excluded.gpu,
         gpus = excluded.gpus, region = excluded.region, created_at = excluded.created_at,
         hourly_cost = excluded.hourly_cost, stopped_hourly_cost = excluded.stopped_hourly_cost,
         member_of = excluded.member_of, last_seen_at = excluded.last_seen_at, state_since = excluded.state_since,
         told_at = excluded.told_at, vanished_at = excluded.vanished_at`,
      id,
      machine.ref,
      kind,
      machine.name,
      machine.state,
      machine.gpu,
      machine.gpus,
      machine.region,
      machine.createdAt,
      machine.hourlyCost,
      machine.stoppedHourlyCost,
      machine.memberOf,
      machine.firstSeenAt,
      machine.lastSeenAt,
      machine.stateSince,
      machine.toldAt,
      machine.vanishedAt,
    );
  }

  /** What those who watch machines by this connection are, as they last reported. */
  watchers(provider: ConnectedProvider, instanceIds: readonly string[]): Map<string, string> {
    const rows = this.#sql.exec(
      `SELECT instance_id, status FROM instances
       WHERE instance_id IN (SELECT value FROM json_each(?)) AND provider = ?`,
      JSON.stringify(instanceIds),
      provider,
    );
    return new Map(readableRows(watcherRow, rows.toArray()));
  }

  /** Of these instances, those that no list speaks to, and that count as hibernated since then or before. */
  asleepSince(instanceIds: readonly string[], at: number): Set<string> {
    const rows = this.#sql.exec(
      `SELECT instance_id, status FROM instances
       WHERE instance_id IN (SELECT value FROM json_each(?)) AND status = 'hibernated' AND ${LISTS_NONE}
         AND json_extract(view, '$.hibernated_since') <= ?`,
      JSON.stringify(instanceIds),
      toIso(at),
    );
    return new Set(readableRows(watcherRow, rows.toArray()).map(([instanceId]) => instanceId));
  }

  noteWitness({ connection, ref }: InventoryPlace, witness: string): void {
    this.#sql.exec(
      "UPDATE inventory SET witness = ? WHERE connection = ? AND ref = ?",
      witness,
      connection,
      ref,
    );
  }

  /** The owner was told of the machine, by whichever connection. */
  noteTold({ provider, ref }: EntryPlace, toldAt: number): void {
    this.#sql.exec("UPDATE inventory SET told_at = ? WHERE provider = ? AND ref = ?", toldAt, provider, ref);
  }

  forget({ connection, ref }: InventoryPlace): void {
    this.#sql.exec("DELETE FROM inventory WHERE connection = ? AND ref = ?", connection, ref);
  }

  /** Its credentials are gone. */
  forgetConnection(connection: string): void {
    this.#sql.exec("DELETE FROM inventory WHERE connection = ?", connection);
    this.#sql.exec("DELETE FROM listings WHERE connection = ?", connection);
  }

  /** How the connection's listing goes; null before its first one. */
  listing(connection: string): ListingRow | null {
    const rows = this.#sql.exec(`SELECT ${LISTING} FROM listings WHERE connection = ?`, connection);
    return readableRows(listingRow, rows.toArray())[0] ?? null;
  }

  /** When the first of these connections is to be listed; null without any. One that never was is to be at once. */
  nextAt(connections: readonly Pick<Connection, "id">[], now: number): number | null {
    const due = connections.map(({ id }) => this.listing(id)?.dueAt ?? now);
    return due.length === 0 ? null : Math.min(...due);
  }

  makeDue(connection: string, at: number): void {
    this.#sql.exec(
      `INSERT INTO listings (connection, due_at) VALUES (?, ?)
       ON CONFLICT (connection) DO UPDATE SET due_at = excluded.due_at`,
      connection,
      at,
    );
  }

  /** Whatever failed before counts no more. */
  beginAnew(connection: string, at: number): void {
    this.makeDue(connection, at);
    this.#sql.exec("UPDATE listings SET failures = 0, problem = NULL WHERE connection = ?", connection);
  }

  /** A listing begins. Should nobody say how it ended, another one begins at `againAt`. */
  begin(connection: string, now: number, againAt: number): void {
    this.makeDue(connection, againAt);
    this.#sql.exec("UPDATE listings SET tried_at = ? WHERE connection = ?", now, connection);
  }

  noteListed(connection: string, listedAt: number, isComplete: boolean, dueAt: number): void {
    this.makeDue(connection, dueAt);
    this.#sql.exec(
      `UPDATE listings SET listed_at = ?, is_complete = ?, failures = 0, problem = NULL WHERE connection = ?`,
      listedAt,
      Number(isComplete),
      connection,
    );
  }

  noteFailed(connection: string, failures: number, problem: string, dueAt: number): void {
    this.makeDue(connection, dueAt);
    this.#sql.exec(
      "UPDATE listings SET failures = ?, problem = ? WHERE connection = ?",
      failures,
      problem,
      connection,
    );
  }
}
