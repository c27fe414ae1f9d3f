import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { ObjectHost, type ObjectStorage } from "./object-host.ts";
import type { Platform } from "./platform.ts";
import { Statements } from "./statements.ts";

/** An object's own database. */
export class SqliteStorage implements ObjectStorage {
  readonly sql: SqlStorage;
  readonly #sqlite = new DatabaseSync(":memory:");
  readonly #statements = new Statements(this.#sqlite);
  #depth = 0;

  constructor() {
    const exec = (query: string, ...values: SQLInputValue[]) =>
      new Cursor(this.#statements.execute(query, values));
    this.sql = Object.assign(Object.create(null), { exec });
  }

  rows(query: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.#statements.execute(query, values);
  }

  transactionSync<T>(work: () => T): T {
    const name = `level_${this.#depth}`;
    this.rows(`SAVEPOINT ${name}`);
    this.#depth += 1;
    try {
      return work();
    } catch (error) {
      this.rows(`ROLLBACK TO ${name}`);
      throw error;
    } finally {
      this.#depth -= 1;
      this.rows(`RELEASE ${name}`);
    }
  }

  /** The tables stay, empty: to make them anew for each life would take longer than most lives. */
  deleteAll(): void {
    const tables = this.rows("SELECT name FROM sqlite_master WHERE type = 'table'");
    for (const { name } of tables) this.rows(`DELETE FROM ${String(name)}`);
  }
}

class Cursor {
  readonly rowsWritten = 1;
  readonly #found: Record<string, unknown>[];

  constructor(found: Record<string, unknown>[]) {
    this.#found = found;
  }

  get rowsRead(): number {
    return this.#found.length;
  }

  toArray(): Record<string, unknown>[] {
    return this.#found;
  }

  one(): Record<string, unknown> {
    const [row] = this.#found;
    if (row === undefined || this.#found.length > 1) throw new Error("one row was expected");
    return row;
  }

  [Symbol.iterator]() {
    return this.#found[Symbol.iterator]();
  }
}

/** One for each name, for all lives of a process. */
const STORAGES = new Map<string, SqliteStorage>();

/** An object with a database, of the class that `make` makes one of. */
export class SqliteHost extends ObjectHost {
  protected readonly storage: SqliteStorage;
  readonly #make: (context: object, bindings: object) => object;

  constructor(
    platform: Platform,
    namespace: string,
    name: string,
    make: (context: object, bindings: object) => object,
  ) {
    super(platform, name);
    const key = `${namespace}/${name}`;
    this.storage = STORAGES.get(key) ?? new SqliteStorage();
    STORAGES.set(key, this.storage);
    this.storage.deleteAll();
    this.#make = make;
  }

  /** What is stored. */
  rows(query: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.storage.rows(query, ...values);
  }

  protected create(context: object, bindings: object): object {
    return this.#make(context, bindings);
  }
}
