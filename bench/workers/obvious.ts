import { DurableObject } from "cloudflare:workers";
import { createRouter } from "../../src/api/router.ts";
import { appendChunk } from "../../src/history/append.ts";
import type { HeartbeatOutcome, Registration } from "../../src/instance/outcomes.ts";
import { type HeartbeatReport, heartbeatFrom } from "../../src/lifecycle/heartbeat.ts";

/** The obvious design: each heartbeat writes the actor's row, arms its alarm, and inserts into the database. */
export class InstanceActor extends DurableObject<Env> {
  async register(registration: Registration) {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS instance (id INTEGER PRIMARY KEY, json TEXT NOT NULL)");
    sql.exec("INSERT OR IGNORE INTO instance (id, json) VALUES (1, ?)", JSON.stringify(registration));
    return { outcome: "registered" as const, tokenGeneration: 1 };
  }

  async heartbeat(_: number, report: HeartbeatReport): Promise<HeartbeatOutcome> {
    const now = Date.now();
    const { storage } = this.ctx;
    const json = JSON.stringify({ ...report, at: now, id: crypto.randomUUID() });
    storage.sql.exec("UPDATE instance SET json = ? WHERE id = 1", json);
    await storage.setAlarm(now + 300_000);
    const heartbeat = heartbeatFrom(report, now, 1);
    await appendChunk(this.env.DB, "user", this.ctx.id.toString(), [heartbeat]).run();
    return {
      outcome: "accepted",
      answer: { message: "Heartbeat received", nextHeartbeatInSeconds: 60, actions: [] },
    };
  }

  /** Never due while the load runs; without it no alarm can be armed. */
  override async alarm(): Promise<void> {}
}

// The configuration names them; no load reaches them.
export { AlertDigest, DailyCleanup, InstanceAction, ServiceMeter } from "../../src/worker.ts";

export default { fetch: createRouter().fetch } satisfies ExportedHandler<Env>;
