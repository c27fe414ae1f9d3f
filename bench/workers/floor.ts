import { DurableObject } from "cloudflare:workers";
import type { HeartbeatOutcome, Registration } from "../../src/instance/outcomes.ts";
import type { HeartbeatReport } from "../../src/lifecycle/model/heartbeat.ts";
import { unlimitedWorker } from "./unlimited.ts";

/**
 * The floor: the same router before an actor that writes one row a heartbeat and does nothing else. The row differs each
 * time, for SQLite skips a write that changes nothing.
 */
export class InstanceActor extends DurableObject<Env> {
  async register(_: Registration) {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS instance (id INTEGER PRIMARY KEY, json TEXT NOT NULL)");
    sql.exec("INSERT OR IGNORE INTO instance (id, json) VALUES (1, '{}')");
    return { outcome: "registered" as const, tokenGeneration: 1 };
  }

  async heartbeat(_: number, report: HeartbeatReport): Promise<HeartbeatOutcome> {
    this.ctx.storage.sql.exec(
      "UPDATE instance SET json = ? WHERE id = 1",
      JSON.stringify({ ...report, at: Date.now(), id: crypto.randomUUID() }),
    );
    return {
      outcome: "accepted",
      answer: { message: "Heartbeat received", nextHeartbeatInSeconds: 60, actions: [] },
    };
  }
}

// The configuration names them; no load reaches them.
export * from "../../src/worker.ts";

export default unlimitedWorker;
