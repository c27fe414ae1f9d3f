import { z } from "zod";
import { jsonText } from "../lifecycle/model/stored.ts";
import { DAY_MS } from "../lifecycle/model/time.ts";
import { addTally, type Tally } from "./aggregate.ts";

/** What the parts of a cleanup have done, until their run tells of it. */

/** A run ends within a day. */
const KEPT_MS = 2 * DAY_MS;

const figuresText = jsonText(z.record(z.string(), z.number()));

export class CleanupParts {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS cleanup_parts (
         run TEXT NOT NULL, part TEXT NOT NULL, at INTEGER NOT NULL, figures TEXT NOT NULL, PRIMARY KEY (run, part)
       ) WITHOUT ROWID;
       CREATE INDEX IF NOT EXISTS cleanup_parts_by_time ON cleanup_parts (at)`,
    );
  }

  /** A part that says so twice counts once. */
  note(run: string, part: string, figures: Tally, now: number): void {
    this.#sql.exec(
      `INSERT INTO cleanup_parts (run, part, at, figures) VALUES (?, ?, ?, ?)
       ON CONFLICT (run, part) DO UPDATE SET figures = excluded.figures`,
      run,
      part,
      now,
      JSON.stringify(figures),
    );
  }

  /** Drops those of runs that are long over. */
  prune(now: number): void {
    this.#sql.exec("DELETE FROM cleanup_parts WHERE at < ?", now - KEPT_MS);
  }

  /** How many parts of a run have ended, and what they did together. */
  sum(run: string): { readonly parts: number; readonly figures: Tally } {
    const rows = this.#sql
      .exec<{ figures: string }>("SELECT figures FROM cleanup_parts WHERE run = ?", run)
      .toArray();
    const figures = rows.map((row) => figuresText.parse(row.figures)).reduce(addTally, {});
    return { parts: rows.length, figures };
  }
}
