import type { z } from "zod";

/** Single values that an object keeps, by name. */
export class Kept {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID");
  }

  /** Undefined if there is none. Throws if `schema` can't read it. */
  read<T>(name: string, schema: z.ZodType<T>): T | undefined {
    const row = this.#sql.exec<{ json: string }>("SELECT json FROM kept WHERE name = ?", name).toArray()[0];
    return row === undefined ? undefined : schema.parse(JSON.parse(row.json));
  }

  write(name: string, value: unknown): void {
    this.#sql.exec(
      "INSERT INTO kept (name, json) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET json = excluded.json",
      name,
      JSON.stringify(value),
    );
  }
}
