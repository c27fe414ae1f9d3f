import { DurableObject } from "cloudflare:workers";
import type { Counts } from "./meter.ts";

/** The service's counters, in one row. They only ever grow. */
export class ServiceMeter extends DurableObject<Env> {
  async add(counts: Counts): Promise<void> {
    const total = { ...this.#read() };
    for (const [key, by] of Object.entries(counts)) total[key] = (total[key] ?? 0) + by;
    this.ctx.storage.sql.exec(
      "INSERT INTO meter (id, json) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json",
      JSON.stringify(total),
    );
  }

  async read(): Promise<Counts> {
    return this.#read();
  }

  #read(): Counts {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS meter (id INTEGER PRIMARY KEY, json TEXT NOT NULL)");
    const row = sql.exec<{ json: string }>("SELECT json FROM meter WHERE id = 1").toArray()[0];
    return row === undefined ? {} : JSON.parse(row.json);
  }
}
