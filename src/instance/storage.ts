import type { PolicyOverrides } from "../lifecycle/policy.ts";
import type { InstanceState } from "../lifecycle/state.ts";

/** Everything an actor keeps, as one JSON row. */
export interface StoredInstance {
  readonly userId: string;
  readonly instanceId: string;
  /** Instance tokens of another generation are refused. It grows, also over removal and new registration. */
  readonly tokenGeneration: number;
  /** Which database keeps its heartbeats: see `history/shards.ts`. */
  readonly historyShard: number;
  /** The instance's own overrides, and the user's as last read from the database. */
  readonly overrides: PolicyOverrides;
  readonly userPolicy: PolicyOverrides;
  readonly userPolicyVersion: number;
  /** Links of alerts that were used, for as long as they would be good. */
  readonly usedLinks: readonly { readonly id: string; readonly expiresAt: number }[];
  readonly state: InstanceState;
}

/** The actor's one row. A save writes one row and nothing else. */
export class InstanceStorage {
  readonly #sql: SqlStorage;
  /** Undefined until first read: an object that leaves memory starts anew. */
  #cached: StoredInstance | null | undefined;
  #tableKnown = false;
  /** Rows written since the object came to memory, as the platform bills them. */
  rowsWritten = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The stored instance, or null for one that is not registered. */
  load(): StoredInstance | null {
    this.#cached ??= this.#read();
    return this.#cached;
  }

  save(stored: StoredInstance): void {
    const json = JSON.stringify(stored);
    const cursor = this.#hasTable()
      ? this.#sql.exec("UPDATE instance SET json = ? WHERE id = 1", json)
      : this.#sql.exec(
          `CREATE TABLE instance (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
           INSERT INTO instance (id, json) VALUES (1, ?)`,
          json,
        );
    this.rowsWritten += cursor.rowsWritten;
    this.#tableKnown = true;
    this.#cached = stored;
  }

  #read(): StoredInstance | null {
    if (!this.#hasTable()) return null;
    const row = this.#sql.exec<{ json: string }>("SELECT json FROM instance WHERE id = 1").toArray()[0];
    if (row === undefined) return null;
    // The row is only ever written by `save`, perhaps before these two were added.
    const stored: StoredInstance = JSON.parse(row.json);
    const { historyShard = 0, state } = stored;
    return { ...stored, historyShard, state: { ...state, gpuTrend: state.gpuTrend ?? [] } };
  }

  /** The table comes with the first save: asking an object that was never registered writes nothing. */
  #hasTable(): boolean {
    this.#tableKnown ||=
      this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'instance'").toArray().length > 0;
    return this.#tableKnown;
  }

  /** The storage was emptied. */
  forget(): void {
    this.#cached = null;
    this.#tableKnown = false;
  }
}
