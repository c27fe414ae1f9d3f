import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { Scheduler } from "./scheduler.ts";
import { Statements } from "./statements.ts";

/** D1 on SQLite itself, with the real migrations; each call goes through the scheduler, and may fail before or after. */

const MIGRATIONS = join(import.meta.dirname, "../../migrations");

/** One database for all lives of a process: `empty` makes it new for the next. */
export class Database {
  readonly #sqlite = new DatabaseSync(":memory:");
  readonly #statements = new Statements(this.#sqlite);
  readonly #tables: string[];

  constructor() {
    for (const file of readdirSync(MIGRATIONS).sort()) {
      this.#sqlite.exec(readFileSync(join(MIGRATIONS, file), "utf8"));
    }
    this.#tables = this.rows(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    ).map(({ name }) => String(name));
  }

  empty(): void {
    for (const table of this.#tables) this.#sqlite.exec(`DELETE FROM ${table}`);
  }

  rows(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.#statements.execute(sql, values);
  }

  /** All of them or none. */
  transact(
    statements: readonly Statement[],
  ): { results: Record<string, unknown>[]; meta: { changes: number } }[] {
    this.#sqlite.exec("BEGIN");
    try {
      const answers = statements.map(({ sql, values }) => ({
        results: this.#statements.execute(sql, values),
        meta: {
          changes: sql.startsWith("SELECT") ? 0 : Number(this.rows("SELECT changes() AS n")[0]?.n ?? 0),
        },
      }));
      this.#sqlite.exec("COMMIT");
      return answers;
    } catch (error) {
      this.#sqlite.exec("ROLLBACK");
      throw error;
    }
  }
}

export class Statement {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
  readonly #send: Send;

  constructor(sql: string, values: readonly SQLInputValue[], send: Send) {
    this.sql = sql;
    this.values = values;
    this.#send = send;
  }

  bind(...values: SQLInputValue[]): Statement {
    return new Statement(this.sql, values, this.#send);
  }

  async all() {
    return (await this.#send([this]))[0];
  }

  run = () => this.all();

  async first(): Promise<unknown> {
    return (await this.all())?.results[0] ?? null;
  }
}

type Send = (statements: readonly Statement[]) => Promise<ReturnType<Database["transact"]>>;

/** The binding as one caller has it: `call` carries it out in time, or never, if the caller is no more. */
export function databaseBinding(
  database: Database,
  scheduler: Scheduler,
  isDown: () => boolean,
  call: <T>(work: () => T) => Promise<T>,
) {
  const send: Send = (statements) =>
    call(() => {
      if (isDown() || scheduler.chance(0.01)) throw new Error("D1_ERROR: not reached");
      const answers = database.transact(statements);
      // Done, though the caller hears that it is not.
      if (scheduler.chance(0.01)) throw new Error("D1_ERROR: the answer was lost");
      return answers;
    });
  return {
    prepare: (sql: string) => new Statement(sql, [], send),
    batch: send,
  };
}
