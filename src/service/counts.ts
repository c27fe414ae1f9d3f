import { addTally, type Tally } from "./aggregate.ts";
import type { Counts } from "./meter.ts";

/** Counters of one object, in one row. They only ever grow. */
export class CountStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS meter (id INTEGER PRIMARY KEY, json TEXT NOT NULL)");
  }

  add(counts: Counts): void {
    this.#sql.exec(
      "INSERT INTO meter (id, json) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json",
      JSON.stringify(addTally(this.read(), counts)),
    );
  }

  read(): Tally {
    const row = this.#sql.exec<{ json: string }>("SELECT json FROM meter WHERE id = 1").toArray()[0];
    return row === undefined ? {} : JSON.parse(row.json);
  }
}
