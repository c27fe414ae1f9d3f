import { z } from "zod";
import type { ConnectedProvider, ProviderKind } from "../../lifecycle/model/provider.ts";
import { type Found, openEnum, readableRows, readFound } from "../../lifecycle/model/stored.ts";
import type { Connection } from "../../providers/connections.ts";
import type { ListedMachine } from "../../providers/provider.ts";
import type { InventoryMachine } from "../rules/inventory.ts";

/** The machines that a user's connections have listed, and how the listings go. */

/** A machine of the inventory with who watches it. */
export interface InventoryRow extends InventoryMachine {
  readonly connection: string;
  readonly provider: ProviderKind;
  /** The instance that watches it; null when none does. */
  readonly watchedBy: string | null;
  /** What was last told to an instance of this machine: see `tasks/witness.ts`. */
  readonly witness: string | null;
}

/** How the listing of a connection goes. */
export interface ListingRow {
  readonly connection: string;
  readonly dueAt: number;
  readonly triedAt: number | null;
  /** When the last listing that succeeded began. */
  readonly listedAt: number | null;
  readonly isComplete: boolean | null;
  readonly failures: number;
  readonly problem: string | null;
}

const inventoryRow = z
  .object({
    connection: z.string(),
    ref: z.string(),
    provider: openEnum<ProviderKind>(),
    name: z.string().nullable(),
    state: openEnum<ListedMachine["state"]>(),
    gpu: z.string().nullable(),
    gpus: z.number().nullable(),
    region: z.string().nullable(),
    created_at: z.number().nullable(),
    hourly_cost: z.number().nullable(),
    stopped_hourly_cost: z.number().nullable(),
    member_of: z.string().nullable(),
    first_seen_at: z.number(),
    last_seen_at: z.number(),
    state_since: z.number(),
    told_at: z.number().nullable(),
    vanished_at: z.number().nullable(),
    witness: z.string().nullable(),
    watched_by: z.string().nullable(),
  })
  .transform(
    (row): InventoryRow => ({
      connection: row.connection,
      ref: row.ref,
      provider: row.provider,
      name: row.name,
      state: row.state,
      gpu: row.gpu,
      gpus: row.gpus,
      region: row.region,
      createdAt: row.created_at,
      hourlyCost: row.hourly_cost,
      stoppedHourlyCost: row.stopped_hourly_cost,
      memberOf: row.member_of,
      firstSeenAt: row.first_seen_at,
      lastSeenAt: row.last_seen_at,
      stateSince: row.state_since,
      toldAt: row.told_at,
      vanishedAt: row.vanished_at,
      witness: row.witness,
      watchedBy: row.watched_by,
    }),
  );

const listingRow = z
  .object({
    connection: z.string(),
    due_at: z.number(),
    tried_at: z.number().nullable(),
    listed_at: z.number().nullable(),
    is_complete: z.number().nullable(),
    failures: z.number(),
    problem: z.string().nullable(),
  })
  .transform(
    (row): ListingRow => ({
      connection: row.connection,
      dueAt: row.due_at,
      triedAt: row.tried_at,
      listedAt: row.listed_at,
      isComplete: row.is_complete === null ? null : row.is_complete === 1,
      failures: row.failures,
      problem: row.problem,
    }),
  );

/**
 * The instance that watches a machine: whoever has claimed it, or one whose provider is not called and that goes by the same
 * reference, such as one that its own agent hibernates.
 */
const WATCHER = `COALESCE(
  (SELECT instance_id FROM machines WHERE provider = inventory.provider AND ref = inventory.ref),
  (SELECT instance_id FROM instances WHERE instance_id = inventory.ref AND provider_ref IS NULL
     AND (provider IN ('agent', 'none', 'webhook') OR provider GLOB 'webhook@*') AND status <> 'deleted'),
  (SELECT instance_id FROM instances WHERE provider_ref = inventory.ref
     AND (provider IN ('agent', 'none', 'webhook') OR provider GLOB 'webhook@*') AND status <> 'deleted' LIMIT 1))`;

const COLUMNS = `connection, ref, provider, name, state, gpu, gpus, region, created_at, hourly_cost, stopped_hourly_cost,
  member_of, first_seen_at, last_seen_at, state_since, told_at, vanished_at, witness, ${WATCHER} AS watched_by`;

const LISTING = "connection, due_at, tried_at, listed_at, is_complete, failures, problem";

const watcherRow = z
  .object({ instance_id: z.string(), status: z.string() })
  .transform(({ instance_id, status }): [string, string] => [instance_id, status]);

/** Where a page of the inventory ends. */
export interface InventoryPlace {
  readonly connection: string;
  readonly ref: string;
}

const placeRow: z.ZodType<InventoryPlace> = z.object({ connection: z.string(), ref: z.string() });

export class Inventory {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** All that is kept of a connection. */
  of(connection: string): InventoryRow[] {
    const rows = this.#sql.exec(`SELECT ${COLUMNS} FROM inventory WHERE connection = ?`, connection);
    return readableRows(inventoryRow, rows.toArray());
  }

  /** A page in the order of connections and references. `watched`: only those that are, or are not; null for all. */
  page(after: InventoryPlace, watched: boolean | null, limit: number): Found<InventoryRow, InventoryPlace> {
    const wanted = watched === null ? null : Number(watched);
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM inventory
       WHERE (connection, ref) > (?, ?) AND (? IS NULL OR (${WATCHER} IS NOT NULL) = ?)
       ORDER BY connection, ref LIMIT ?`,
      after.connection,
      after.ref,
      wanted,
      wanted,
      limit,
    );
    return readFound(inventoryRow, placeRow, rows.toArray(), limit);
  }

  find({ connection, ref }: InventoryPlace): InventoryRow | null {
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM inventory WHERE connection = ? AND ref = ?`,
      connection,
      ref,
    );
    return readableRows(inventoryRow, rows.toArray())[0] ?? null;
  }

  write({ id, kind }: Pick<Connection, "id" | "kind">, machine: InventoryMachine): void {
    this.#sql.exec(
      `INSERT INTO inventory (connection, ref, provider, name, state, gpu, gpus, region, created_at, hourly_cost,
                              stopped_hourly_cost, member_of, first_seen_at, last_seen_at, state_since, told_at, vanished_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (connection, ref) DO UPDATE SET
         provider = excluded.provider, name = excluded.name, state = excluded.state, gpu = excluded.gpu,
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

  noteWitness({ connection, ref }: InventoryPlace, witness: string): void {
    this.#sql.exec(
      "UPDATE inventory SET witness = ? WHERE connection = ? AND ref = ?",
      witness,
      connection,
      ref,
    );
  }

  noteTold({ connection, ref }: InventoryPlace, toldAt: number): void {
    this.#sql.exec(
      "UPDATE inventory SET told_at = ? WHERE connection = ? AND ref = ?",
      toldAt,
      connection,
      ref,
    );
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
