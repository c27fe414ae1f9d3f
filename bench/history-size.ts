import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { toSample } from "../src/history/sample.ts";
import { heartbeatFrom, heartbeatSchema } from "../src/lifecycle/model/heartbeat.ts";
import { CHUNK_HEARTBEATS } from "../src/lifecycle/model/state.ts";

/**
 * What rows of the history take in their database, pages and indexes included: some are written in the order in which a service would
 * write them, many instances by turns, and the pages of the database are counted.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2030, 0, 7);
const MIGRATIONS = join(import.meta.dirname, "../migrations");

const INSTANCES = Array.from({ length: 100 }, (_, index) => ({
  userId: `u-0b8c2f5e-1d3a-4c6b-8e7f-${String(index % 10).padStart(12, "0")}`,
  instanceId: String(28_864_630 + index),
}));

export interface HistoryBytes {
  /** Of a sample, as text. */
  readonly sample: number;
  /** Of a full chunk: a row. */
  readonly chunk: number;
  readonly hour: number;
  readonly event: number;
  readonly costDay: number;
}

/** What an agent of this release reports of a machine at work, with its counters to three decimals. */
function fullReport(at: number) {
  const wave = (scale: number) => Number((scale * (1 + Math.sin(at / MINUTE)) + 0.001).toFixed(3));
  return heartbeatSchema.parse({
    gpu_utilization: 87,
    gpu_utilization_max: 96,
    vram_used_gb: 18.42,
    cpu_utilization: 45.3,
    ram_used_gb: 12.04,
    disk_used_gb: 45.21,
    cost_accumulated: Number(((at - START) / HOUR).toFixed(4)),
    uptime_seconds: Math.floor((at - START) / 1000),
    status: "running",
    sources: [
      { name: "ssh_connections", value: 1 },
      { name: "notebook_connections", value: 0 },
      { name: "busy_kernels", value: 0 },
      { name: "cpu_cores", value: wave(2) },
      { name: "network_kb_per_second", value: wave(60) },
      { name: "disk_kb_per_second", value: wave(400) },
      { name: "compute_processes", value: 1 },
      { name: "work_vllm", value: 12 },
    ],
  });
}

/** The samples of a chunk, which here all instances have alike. */
const chunkTexts = new Map<number, string>();

function chunkText(at: number): string {
  const known = chunkTexts.get(at);
  if (known !== undefined) return known;
  const samples = Array.from({ length: CHUNK_HEARTBEATS }, (_, index) => sampleAt(at + index * MINUTE));
  const text = JSON.stringify(samples);
  chunkTexts.set(at, text);
  return text;
}

function sampleAt(at: number) {
  return toSample(heartbeatFrom(fullReport(at), at, 1));
}

export function historyBytes(): HistoryBytes {
  return {
    sample: JSON.stringify(sampleAt(START + HOUR)).length + 1,
    chunk: bytesARow(
      "INSERT INTO heartbeat_chunks (user_id, instance_id, first_at, first_sequence, last_at, samples) VALUES (?, ?, ?, ?, ?, ?)",
      7 * 48,
      1,
      ({ userId, instanceId }, index) => {
        const at = START + index * CHUNK_HEARTBEATS * MINUTE;
        return [userId, instanceId, at, index * CHUNK_HEARTBEATS, at + HOUR / 2, chunkText(at)];
      },
    ),
    // The cleanup writes those of a day together.
    hour: bytesARow(
      `INSERT INTO heartbeat_hours (user_id, instance_id, hour, heartbeats, gpu_sum, gpu_heartbeats, gpu_max, cpu_sum,
                                    cpu_heartbeats, vram_max, cost_max, ram_max, quiet_heartbeats)
       VALUES (?, ?, ?, 60, 5220.5, 60, 98.5, 2718.3, 60, 18.42, ?, 12.04, 3)`,
      24 * 30,
      24,
      ({ userId, instanceId }, index) => [userId, instanceId, START + index * HOUR, index / 3],
    ),
    event: bytesARow(
      "INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      300,
      1,
      ({ userId, instanceId }, index) => [
        userId,
        START + index * HOUR + Number(instanceId),
        instanceId,
        (START + index).toString(36),
        "hibernate_warning",
        "warning",
        "GPU <5% utilization for 3min. Hibernating in 2min",
        JSON.stringify({
          rule: "idle",
          threshold_percent: 5,
          idle_since: "2030-01-07T00:00:00Z",
          evidence: "GPU at 1%",
        }),
      ],
    ),
    costDay: bytesARow(
      `INSERT INTO cost_days (user_id, day, instance_id, working_seconds, working, idle_seconds, idle, silent_seconds, silent,
                              hibernated_seconds, hibernated, wasted, saved, reported, unpriced_seconds, provider, tags,
                              closed_at)
       VALUES (?, ?, ?, 50000.5, 12.3456, 3600.5, 0.4, 0, 0, 30000.25, 0.1234, 0.2345, 3.4567, 1.5, 0, 'vast', '{"team":"vision"}', ?)`,
      400,
      1,
      ({ userId, instanceId }, index) => [userId, START + index * DAY, instanceId, START + (index + 1) * DAY],
    ),
  };
}

/** Writes `rows` an instance, `together` at a time, and counts what a row has taken. */
function bytesARow(
  sql: string,
  rows: number,
  together: number,
  valuesOf: (instance: (typeof INSTANCES)[number], index: number) => (string | number)[],
): number {
  const database = new DatabaseSync(":memory:");
  for (const file of readdirSync(MIGRATIONS).sort())
    database.exec(readFileSync(join(MIGRATIONS, file), "utf8"));
  const pages = () => Number(Object.values(database.prepare("PRAGMA page_count").get() ?? {})[0]);
  const empty = pages();
  const insert = database.prepare(sql);
  database.exec("BEGIN");
  for (let from = 0; from < rows; from += together) {
    for (const instance of INSTANCES) {
      for (let index = from; index < from + together; index++) insert.run(...valuesOf(instance, index));
    }
  }
  database.exec("COMMIT");
  const pageBytes = Number(Object.values(database.prepare("PRAGMA page_size").get() ?? {})[0]);
  const bytes = (pages() - empty) * pageBytes;
  database.close();
  return bytes / (rows * INSTANCES.length);
}
