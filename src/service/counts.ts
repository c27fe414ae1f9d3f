import { z } from "zod";
import { jsonText } from "../lifecycle/model/stored.ts";
import { logError } from "../platform/log.ts";
import { addTally, type Tally } from "./aggregate.ts";
import type { Counts } from "./meter.ts";

/** Values that are no numbers are dropped. */
const storedTally = jsonText(z.record(z.string(), z.unknown())).transform(
  (stored): Tally =>
    Object.fromEntries(
      Object.entries(stored).flatMap(([key, count]) => (typeof count === "number" ? [[key, count]] : [])),
    ),
);

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

  /** Counters that can't be read begin anew, as after any reset: whoever reads them expects that now and then. */
  read(): Tally {
    const row = this.#sql.exec<{ json: string }>("SELECT json FROM meter WHERE id = 1").toArray()[0];
    if (row === undefined) return {};
    const read = storedTally.safeParse(row.json);
    if (read.success) return read.data;
    logError("the counters can't be read, and begin anew", { row: row.json });
    return {};
  }
}
