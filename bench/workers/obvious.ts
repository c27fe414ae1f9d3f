import { DurableObject } from "cloudflare:workers";
import type { HeartbeatOutcome, Registration } from "../../src/instance/outcomes.ts";
import type { HeartbeatReport } from "../../src/lifecycle/model/heartbeat.ts";
import { unlimitedWorker } from "./unlimited.ts";

/** The obvious design: each heartbeat writes the actor's row, arms its alarm, and inserts into the database. */
export class InstanceActor extends DurableObject<Env> {
  async register(registration: Registration) {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS instance (id INTEGER PRIMARY KEY, json TEXT NOT NULL)");
    sql.exec("INSERT OR IGNORE INTO instance (id, json) VALUES (1, ?)", JSON.stringify(registration));
    await this.env.DB.batch(
      [
        `CREATE TABLE IF NOT EXISTS obvious_heartbeats (id INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, at INTEGER NOT NULL,
           gpu_utilization REAL, vram_used_gb REAL, cpu_utilization REAL, ram_used_gb REAL, disk_used_gb REAL,
           cost_accumulated REAL, uptime_seconds REAL, status TEXT)`,
        "CREATE INDEX IF NOT EXISTS obvious_heartbeats_by_time ON obvious_heartbeats (instance_id, at)",
      ].map((sql) => this.env.DB.prepare(sql)),
    );
    return { outcome: "registered" as const, tokenGeneration: 1 };
  }

  async heartbeat(_: number, report: HeartbeatReport): Promise<HeartbeatOutcome> {
    const now = Date.now();
    const { storage } = this.ctx;
    const json = JSON.stringify({ ...report, at: now, id: crypto.randomUUID() });
    storage.sql.exec("UPDATE instance SET json = ? WHERE id = 1", json);
    await storage.setAlarm(now + 300_000);
    await this.env.DB.prepare(
      `INSERT INTO obvious_heartbeats (instance_id, at, gpu_utilization, vram_used_gb, cpu_utilization, ram_used_gb,
                                       disk_used_gb, cost_accumulated, uptime_seconds, status)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
      .bind(
        this.ctx.id.toString(),
        now,
        report.gpu_utilization ?? null,
        report.vram_used_gb ?? null,
        report.cpu_utilization ?? null,
        report.ram_used_gb ?? null,
        report.disk_used_gb ?? null,
        report.cost_accumulated ?? null,
        report.uptime_seconds ?? null,
        report.status ?? null,
      )
      .run();
    return {
      outcome: "accepted",
      answer: { message: "Heartbeat received", nextHeartbeatInSeconds: 60, actions: [] },
    };
  }

  /** Never due while the load runs; without it no alarm can be armed. */
  override async alarm(): Promise<void> {}
}

// The configuration names them; no load reaches them.
export * from "../../src/worker.ts";

export default unlimitedWorker;
