import { logError } from "../platform/log.ts";
import { HeldEffects } from "./held.ts";
import { type Loaded, readRow, writeRow } from "./stored/row.ts";
import { isNothingWaiting, type StoredInstance } from "./stored/stored-instance.ts";

/** The actor's one row, read and checked once, and written as a whole. */
export class InstanceStorage {
  readonly #name: string | undefined;
  readonly #storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  readonly #sql: SqlStorage;
  /** Undefined until first read: an object that leaves memory starts anew. */
  #cached: Loaded | undefined;
  #tableKnown = false;
  /** Rows written since the object came to memory, as the platform bills them. */
  rowsWritten = 0;

  /** `name`: of the actor, to be told by the log. */
  constructor(storage: Pick<DurableObjectStorage, "sql" | "transactionSync">, name?: string) {
    this.#name = name;
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** Several writes: all of them or, if `work` throws, none. */
  transaction(work: () => void): void {
    const [cached, tableKnown] = [this.#cached, this.#tableKnown];
    try {
      this.#storage.transactionSync(work);
    } catch (error) {
      this.#cached = cached;
      this.#tableKnown = tableKnown;
      throw error;
    }
  }

  /** What is stored, read and checked once as long as the object is in memory. */
  load(): Loaded {
    this.#cached ??= this.#read();
    return this.#cached;
  }

  /** One row. Throws rather than write over a row that could not be read. */
  save(stored: StoredInstance): void {
    if (this.#cached?.kind === "unreadable") throw new Error("an unreadable row is left as it is");
    const json = writeRow(stored);
    const cursor = this.#hasTable()
      ? this.#sql.exec("UPDATE instance SET json = ? WHERE id = 1", json)
      : this.#sql.exec(
          `CREATE TABLE instance (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
           INSERT INTO instance (id, json) VALUES (1, ?)`,
          json,
        );
    this.rowsWritten += cursor.rowsWritten;
    this.#tableKnown = true;
    this.#cached = { kind: "stored", stored };
  }

  #read(): Loaded {
    if (!this.#hasTable()) return { kind: "none" };
    const row = this.#sql.exec<{ json: string }>("SELECT json FROM instance WHERE id = 1").toArray()[0];
    if (row === undefined) return { kind: "none" };
    const loaded = readRow(row.json);
    if (loaded.kind === "unreadable") {
      const [user_id, instance_id] = this.#name?.split("/") ?? [];
      logError("the stored instance is unreadable", { user_id, instance_id, because: loaded.because });
    }
    return loaded.kind === "stored" ? { kind: "stored", stored: this.#withHeld(loaded.stored) } : loaded;
  }

  /** The release before this one drops what the row says of held effects, and leaves their table alone. */
  #withHeld(stored: StoredInstance): StoredInstance {
    const { delivery } = stored;
    const isKnown = !isNothingWaiting(delivery);
    if (isKnown || !this.#isTable("held")) return stored;
    const { waiting, parked } = new HeldEffects(this.#sql).count();
    return {
      ...stored,
      delivery: { ...delivery, held: waiting, parked: parked === 0 ? null : { tryAt: 0 } },
    };
  }

  /** The table comes with the first save: asking an object that was never registered writes nothing. */
  #hasTable(): boolean {
    this.#tableKnown ||= this.#isTable("instance");
    return this.#tableKnown;
  }

  #isTable(name: string): boolean {
    return this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", name).toArray().length > 0;
  }

  /** The storage was emptied. */
  forget(): void {
    this.#cached = { kind: "none" };
    this.#tableKnown = false;
  }
}
