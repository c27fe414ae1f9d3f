import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Statement } from "./statements.ts";

/** The databases that statements run in, made as the service makes them, and how SQLite would carry each statement out. */

const MIGRATIONS = join(import.meta.dirname, "../../migrations");

export class Databases {
  readonly #byName = new Map<string, DatabaseSync>();

  /** `statements`: all of the service. Those that create something make the databases of the objects. */
  constructor(statements: readonly Statement[]) {
    const d1 = this.#database("D1");
    // Wrangler's own, which it makes before the first migration.
    d1.exec("CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY, name TEXT UNIQUE, applied_at TEXT)");
    for (const file of readdirSync(MIGRATIONS).sort()) d1.exec(readFileSync(join(MIGRATIONS, file), "utf8"));
    const created = statements.flatMap(({ database, sql }) =>
      severalIn(sql)
        .filter(isMaking)
        .map((each) => ({ database, sql: each })),
    );
    // Tables first, with their columns: what stands on them may be found before them.
    const rankOf = ({ sql }: { sql: string }) =>
      sql.startsWith("CREATE TABLE") ? 0 : sql.startsWith("ALTER TABLE") ? 1 : 2;
    for (const { database, sql } of created.toSorted((a, b) => rankOf(a) - rankOf(b))) {
      this.#database(database).exec(sql);
    }
  }

  #database(name: string): DatabaseSync {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const made = new DatabaseSync(":memory:");
    this.#byName.set(name, made);
    return made;
  }

  /** The steps of a statement's plan, of all statements if its text holds several. What only creates something has none. */
  planOf({ database, sql }: Statement): string[] {
    return severalIn(sql)
      .filter((each) => !isMaking(each))
      .flatMap((each) => this.#database(database).prepare(`EXPLAIN QUERY PLAN ${each}`).all())
      .map(({ detail }) => String(detail));
  }

  /** The names by which a statement can call what is stored: tables, and views over them. */
  isStored(database: string, name: string): boolean {
    const found = this.#database(database)
      .prepare("SELECT 1 FROM sqlite_schema WHERE name = ? AND type IN ('table', 'view')")
      .get(name);
    return found !== undefined;
  }

  hasColumn(database: string, table: string, column: string): boolean {
    const found = this.#database(database)
      .prepare("SELECT 1 FROM pragma_table_info(?) WHERE name = ?")
      .get(table, column);
    return found !== undefined;
  }
}

/** Whether it makes something, or adds to it. */
function isMaking(sql: string): boolean {
  return sql.startsWith("CREATE") || sql.startsWith("ALTER TABLE");
}

/** The statements of a text. One that creates a trigger holds others, and is one. */
function severalIn(sql: string): string[] {
  return sql
    .split(/;(?=\s*(?:CREATE|INSERT|SELECT|UPDATE|DELETE))(?![^;]*;\s*END)/)
    .map((each) => each.trim())
    .filter((each) => each !== "");
}
