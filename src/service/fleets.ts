import { z } from "zod";
import { jsonText, readableRows } from "../lifecycle/model/stored.ts";
import { type Aggregate, aggregateOf, Sum } from "./aggregate.ts";
import { agedRow, type FleetRow, type FleetTotals, figuresSchema, rowAfter } from "./totals.ts";

/** A row that cannot be read counts nothing, and the fleet's next report replaces it. */
const storedRow = z
  .object({ user_id: z.string(), number: z.number(), day: z.number(), json: jsonText(figuresSchema) })
  .transform(({ user_id, json, ...row }) => ({ userId: user_id, row: { ...row, figures: json } }));

export type Change = "nothing" | "totals" | "vote";

export type Taken =
  | { readonly isTaken: true; readonly change: Change }
  /** The number of the newest report that is known. */
  | { readonly isTaken: false; readonly newest: number };

/**
 * The fleets of one shard, a row each, and their aggregate. That is made once from all rows when the object starts, and from
 * then on moves with each row that changes.
 */
export class Fleets {
  readonly #sql: SqlStorage;
  readonly #voteStepMs: number;
  readonly #sum = new Sum();
  /** The numbers of reports that changed nothing, and so were not written. */
  readonly #unwritten = new Map<string, number>();

  constructor(sql: SqlStorage, voteStepMs: number) {
    this.#sql = sql;
    this.#voteStepMs = voteStepMs;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS fleets (
         user_id TEXT PRIMARY KEY,
         number  INTEGER NOT NULL,  -- of the report, by the fleet's counter
         day     INTEGER NOT NULL,  -- the shard's day on which it came
         json    TEXT NOT NULL      -- the figures
       ) WITHOUT ROWID`,
    );
    for (const row of sql.exec("SELECT user_id, number, day, json FROM fleets")) {
      for (const { row: known } of readableRows(storedRow, [row])) this.#move(null, known);
    }
  }

  get aggregate(): Aggregate {
    return this.#sum.total;
  }

  /** Takes a report. One that changes nothing writes a row once a day, so that the fleet counts as present. */
  take(totals: FleetTotals, day: number): Taken {
    const { userId } = totals;
    const known = this.#find(userId);
    const newest = Math.max(known?.number ?? 0, this.#unwritten.get(userId) ?? 0);
    const row = rowAfter(newest, totals, day);
    if (row === null) return { isTaken: false, newest };
    return { isTaken: true, change: this.#replace(userId, known, row) };
  }

  #replace(userId: string, known: FleetRow | null, row: FleetRow): Change {
    const isSame = known !== null && JSON.stringify(row.figures) === JSON.stringify(known.figures);
    if (isSame && row.day === known.day) {
      this.#unwritten.set(userId, row.number);
      return "nothing";
    }
    this.#write(userId, known, row);
    if (isSame) return "nothing";
    return this.#isSameVote(known, row) ? "totals" : "vote";
  }

  /** Ages the rows of fleets that did not report for whole days before `today`. */
  age(today: number): Change {
    const rows = readableRows(
      storedRow,
      this.#sql.exec("SELECT user_id, number, day, json FROM fleets WHERE day < ?", today - 1).toArray(),
    );
    let change: Change = "nothing";
    for (const { userId, row } of rows) {
      const aged = agedRow(row, today - row.day - 1);
      if (aged !== null && JSON.stringify(aged) === JSON.stringify(row)) continue;
      this.#write(userId, row, aged);
      change = "vote";
    }
    return change;
  }

  #find(userId: string): FleetRow | null {
    const rows = this.#sql
      .exec("SELECT user_id, number, day, json FROM fleets WHERE user_id = ?", userId)
      .toArray();
    return readableRows(storedRow, rows)[0]?.row ?? null;
  }

  /** Writes the row before it counts it, so that a failed write is not counted. */
  #write(userId: string, known: FleetRow | null, row: FleetRow | null): void {
    if (row === null) this.#sql.exec("DELETE FROM fleets WHERE user_id = ?", userId);
    else {
      this.#sql.exec(
        `INSERT INTO fleets (user_id, number, day, json) VALUES (?, ?, ?, ?)
         ON CONFLICT (user_id) DO UPDATE SET number = excluded.number, day = excluded.day, json = excluded.json`,
        userId,
        row.number,
        row.day,
        JSON.stringify(row.figures),
      );
    }
    this.#unwritten.delete(userId);
    this.#move(known, row);
  }

  #move(from: FleetRow | null, to: FleetRow | null): void {
    this.#sum.replace(from && this.#part(from), to && this.#part(to));
  }

  #part(row: FleetRow): Aggregate {
    return aggregateOf(row.figures, this.#voteStepMs);
  }

  #isSameVote(known: FleetRow | null, row: FleetRow): boolean {
    const votes = (of: FleetRow | null) => JSON.stringify(of === null ? {} : this.#part(of).votes);
    return votes(known) === votes(row);
  }
}
