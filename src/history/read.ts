import { z } from "zod";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import { jsonText } from "../lifecycle/model/stored.ts";
import { HOUR_MS, toIso } from "../lifecycle/model/time.ts";
import { type HeartbeatView, heartbeatView } from "../lifecycle/views/instance-view.ts";

/** Reads the history a page at a time, newest first. */

/** Where a page ended: the next one holds what lies before it. */
export interface Position {
  readonly at: number;
  readonly tie: string;
}

interface HeartbeatRange {
  readonly userId: string;
  readonly instanceId: string;
  /** Both ends included, in ms. */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly before: Position | null;
}

const heartbeatRow = z.object({
  at: z.number(),
  sequence: z.number(),
  gpu_utilization: z.number().nullable(),
  vram_used_gb: z.number().nullable(),
  cpu_utilization: z.number().nullable(),
  ram_used_gb: z.number().nullable(),
  disk_used_gb: z.number().nullable(),
  cost_accumulated: z.number().nullable(),
  uptime_seconds: z.number().nullable(),
  status: z.string().nullable(),
});

/**
 * The heartbeats of a range: those in the database, and those that still wait in the actor (`waiting`), each of them once.
 * `next` is null on the last page.
 */
export async function readHeartbeats(
  db: D1Database,
  range: HeartbeatRange,
  waiting: readonly Heartbeat[],
): Promise<{ heartbeats: HeartbeatView[]; next: Position | null }> {
  const before = range.before ?? { at: range.to, tie: String(Number.MAX_SAFE_INTEGER) };
  const sequenceBefore = Number(before.tie);
  const { results } = await db
    .prepare(
      // A chunk spans at most an hour, so the key limits which chunks must be unpacked.
      `SELECT at, sequence, gpu_utilization, vram_used_gb, cpu_utilization, ram_used_gb, disk_used_gb,
              cost_accumulated, uptime_seconds, status
       FROM heartbeats
       WHERE user_id = ?1 AND instance_id = ?2
         AND chunk_first_at BETWEEN ?3 - ${HOUR_MS} AND ?4
         AND at >= ?3 AND (at < ?4 OR (at = ?4 AND sequence < ?5))
       ORDER BY at DESC, sequence DESC LIMIT ?6`,
    )
    .bind(range.userId, range.instanceId, range.from, before.at, sequenceBefore, range.limit + 1)
    .all();
  const kept = z.array(heartbeatRow).parse(results).map(fromRow);
  const keptKeys = new Set(kept.map(keyOf));
  const fresh = waiting.filter(
    (heartbeat) =>
      heartbeat.at >= range.from &&
      (heartbeat.at < before.at || (heartbeat.at === before.at && heartbeat.sequence < sequenceBefore)) &&
      !keptKeys.has(keyOf(heartbeat)),
  );
  const all = [...kept, ...fresh].sort((a, b) => b.at - a.at || b.sequence - a.sequence);
  const page = all.slice(0, range.limit);
  const last = page.at(-1);
  return {
    heartbeats: page.map(heartbeatView),
    next: all.length > page.length && last !== undefined ? { at: last.at, tie: String(last.sequence) } : null,
  };
}

function keyOf(heartbeat: Heartbeat): string {
  return `${heartbeat.at}/${heartbeat.sequence}`;
}

function fromRow(row: z.infer<typeof heartbeatRow>): Heartbeat {
  return {
    at: row.at,
    sequence: row.sequence,
    gpuPercent: row.gpu_utilization,
    vramUsedGb: row.vram_used_gb,
    cpuPercent: row.cpu_utilization,
    ramUsedGb: row.ram_used_gb,
    diskUsedGb: row.disk_used_gb,
    costAccumulated: row.cost_accumulated,
    uptimeSeconds: row.uptime_seconds,
    status: row.status,
    activity: null,
  };
}

interface HourView {
  readonly hour: string;
  readonly heartbeats: number;
  readonly avg_gpu_utilization: number | null;
  readonly max_gpu_utilization: number | null;
  readonly avg_cpu_utilization: number | null;
  readonly max_vram_used_gb: number | null;
  readonly max_ram_used_gb: number | null;
  readonly max_cost_accumulated: number | null;
}

const hourRow = z.object({
  hour: z.number(),
  heartbeats: z.number(),
  avg_gpu_utilization: z.number().nullable(),
  max_gpu_utilization: z.number().nullable(),
  avg_cpu_utilization: z.number().nullable(),
  max_vram_used_gb: z.number().nullable(),
  max_ram_used_gb: z.number().nullable(),
  max_cost_accumulated: z.number().nullable(),
});

/**
 * One entry for each hour that has heartbeats in the database, rolled up or not, newest first. `before` is the hour with
 * which the last page ended.
 */
export async function readHours(
  db: D1Database,
  range: HeartbeatRange,
): Promise<{ hours: HourView[]; next: Position | null }> {
  const to = range.before === null ? range.to : Math.min(range.to, range.before.at - 1);
  const { results } = await db
    .prepare(
      `SELECT hour, SUM(heartbeats) AS heartbeats,
              ROUND(SUM(gpu_sum) / NULLIF(SUM(gpu_heartbeats), 0), 1) AS avg_gpu_utilization,
              MAX(gpu_max) AS max_gpu_utilization,
              ROUND(SUM(cpu_sum) / NULLIF(SUM(cpu_heartbeats), 0), 1) AS avg_cpu_utilization,
              MAX(vram_max) AS max_vram_used_gb,
              MAX(ram_max) AS max_ram_used_gb,
              MAX(cost_max) AS max_cost_accumulated
       FROM (
         SELECT hour, heartbeats, gpu_sum, gpu_heartbeats, gpu_max, cpu_sum, cpu_heartbeats, vram_max, cost_max,
                ram_max
         FROM heartbeat_hours WHERE user_id = ?1 AND instance_id = ?2 AND hour BETWEEN ?3 AND ?4
         UNION ALL
         SELECT at - at % ${HOUR_MS} AS hour, COUNT(*), TOTAL(gpu_utilization), COUNT(gpu_utilization),
                MAX(gpu_utilization), TOTAL(cpu_utilization), COUNT(cpu_utilization), MAX(vram_used_gb),
                MAX(cost_accumulated), MAX(ram_used_gb)
         FROM heartbeats
         WHERE user_id = ?1 AND instance_id = ?2
           AND chunk_first_at BETWEEN ?3 - ${HOUR_MS} AND ?4 AND at BETWEEN ?3 AND ?4
         GROUP BY 1)
       GROUP BY hour ORDER BY hour DESC LIMIT ?5`,
    )
    .bind(range.userId, range.instanceId, range.from, to, range.limit + 1)
    .all();
  const rows = z.array(hourRow).parse(results);
  const page = rows.slice(0, range.limit);
  const last = page.at(-1);
  return {
    hours: page.map((row) => ({ ...row, hour: toIso(row.hour) })),
    next: rows.length > page.length && last !== undefined ? { at: last.hour, tie: "" } : null,
  };
}

interface EventView {
  readonly id: string;
  readonly at: string;
  readonly instance_id: string | null;
  readonly kind: string;
  readonly severity: string;
  readonly message: string;
  readonly detail: Record<string, unknown>;
}

const eventRow = z.object({
  id: z.string(),
  at: z.number(),
  instance_id: z.string(),
  kind: z.string(),
  severity: z.string(),
  message: z.string(),
  detail: jsonText(z.record(z.string(), z.unknown())).catch({}),
});

/** Events of a user, or of one of the user's instances, newest first. */
export async function readEvents(
  db: D1Database,
  query: {
    readonly userId: string;
    readonly instanceId: string | null;
    readonly limit: number;
    readonly before: Position | null;
  },
): Promise<{ events: EventView[]; next: Position | null }> {
  const before = query.before ?? { at: Number.MAX_SAFE_INTEGER, tie: "" };
  // Many instances may have an event in the same millisecond, so the tie names both the instance and the event.
  const [instanceBefore = "", idBefore = ""] = before.tie.split("/");
  const columns = "id, at, instance_id, kind, severity, message, detail";
  const statement =
    query.instanceId === null
      ? db
          .prepare(
            `SELECT ${columns} FROM events
             WHERE user_id = ?1 AND (at, instance_id, id) < (?2, ?3, ?4)
             ORDER BY at DESC, instance_id DESC, id DESC LIMIT ?5`,
          )
          .bind(query.userId, before.at, instanceBefore, idBefore, query.limit + 1)
      : db
          .prepare(
            `SELECT ${columns} FROM events
             WHERE user_id = ?1 AND instance_id = ?2 AND (at, id) < (?3, ?4)
             ORDER BY at DESC, id DESC LIMIT ?5`,
          )
          .bind(query.userId, query.instanceId, before.at, idBefore, query.limit + 1);
  const rows = z.array(eventRow).parse((await statement.all()).results);
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return {
    events: page.map((row) => ({ ...row, at: toIso(row.at), instance_id: row.instance_id || null })),
    next:
      rows.length > page.length && last !== undefined
        ? { at: last.at, tie: `${last.instance_id}/${last.id}` }
        : null,
  };
}
