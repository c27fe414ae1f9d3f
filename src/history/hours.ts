import { z } from "zod";
import { DAY_MS, HOUR_MS, toIso, utcDay } from "../lifecycle/model/time.ts";
import { type Page, type Position, pageOf, placedRows } from "./page.ts";
import { IS_QUIET } from "./quiet.ts";
import type { HeartbeatRange } from "./read.ts";

/** Reads the history by whole hours or whole UTC days, a page at a time, newest first: rolled up or not. */

interface SpanView {
  readonly heartbeats: number;
  readonly avg_gpu_utilization: number | null;
  readonly max_gpu_utilization: number | null;
  readonly avg_cpu_utilization: number | null;
  readonly max_vram_used_gb: number | null;
  readonly max_ram_used_gb: number | null;
  readonly max_cost_accumulated: number | null;
  readonly work_heartbeats: number | null;
}

export interface HourView extends SpanView {
  readonly hour: string;
}

export interface DayView extends SpanView {
  readonly day: string;
}

const spanRow = z.object({
  began_at: z.number(),
  heartbeats: z.number(),
  avg_gpu_utilization: z.number().nullable(),
  max_gpu_utilization: z.number().nullable(),
  avg_cpu_utilization: z.number().nullable(),
  max_vram_used_gb: z.number().nullable(),
  max_ram_used_gb: z.number().nullable(),
  max_cost_accumulated: z.number().nullable(),
  work_heartbeats: z.number().nullable(),
});

const spanPosition = spanRow
  .pick({ began_at: true })
  .transform(({ began_at }): Position => ({ at: began_at, tie: "" }));

/**
 * One entry for each hour that has heartbeats in the database, newest first. Hours are whole, also those in which the range begins
 * and ends. `before` is the hour with which the last page ended.
 */
export async function readHours(db: D1Database, range: HeartbeatRange): Promise<Page<HourView>> {
  const { entries, next } = await readSpans(db, range, HOUR_MS);
  return { entries: entries.map(({ began_at, ...span }) => ({ hour: toIso(began_at), ...span })), next };
}

/** The same by UTC days. */
export async function readDays(db: D1Database, range: HeartbeatRange): Promise<Page<DayView>> {
  const { entries, next } = await readSpans(db, range, DAY_MS);
  return { entries: entries.map(({ began_at, ...span }) => ({ day: utcDay(began_at), ...span })), next };
}

async function readSpans(
  db: D1Database,
  range: HeartbeatRange,
  spanMs: number,
): Promise<Page<z.infer<typeof spanRow>>> {
  const startOf = (moment: number) => moment - (moment % spanMs);
  const end = startOf(range.to) + spanMs - 1;
  const to = range.before === null ? end : Math.min(end, range.before.at - 1);
  const spans = range.limit + 1;
  const { results } = await db
    .prepare(
      // Only as many hours as the page shows are read: those in which the newest chunks begin, and the newest rolled-up ones.
      `WITH page (oldest_at) AS (
         SELECT COALESCE((
           SELECT DISTINCT first_at - first_at % ?6 FROM heartbeat_chunks
           WHERE user_id = ?1 AND instance_id = ?2 AND first_at BETWEEN ?3 AND ?4
           ORDER BY first_at DESC LIMIT 1 OFFSET ?5 - 1), ?3))
       SELECT hour - hour % ?6 AS began_at, SUM(heartbeats) AS heartbeats,
              ROUND(SUM(gpu_sum) / NULLIF(SUM(gpu_heartbeats), 0), 1) AS avg_gpu_utilization,
              MAX(gpu_max) AS max_gpu_utilization,
              ROUND(SUM(cpu_sum) / NULLIF(SUM(cpu_heartbeats), 0), 1) AS avg_cpu_utilization,
              MAX(vram_max) AS max_vram_used_gb,
              MAX(ram_max) AS max_ram_used_gb,
              MAX(cost_max) AS max_cost_accumulated,
              iif(COUNT(work_heartbeats) = COUNT(*), SUM(work_heartbeats), NULL) AS work_heartbeats
       FROM (
         SELECT * FROM (
           SELECT hour, heartbeats, gpu_sum, gpu_heartbeats, gpu_max, cpu_sum, cpu_heartbeats, vram_max, cost_max,
                  ram_max, heartbeats - quiet_heartbeats AS work_heartbeats
           FROM heartbeat_hours WHERE user_id = ?1 AND instance_id = ?2 AND hour BETWEEN ?3 AND ?4
           ORDER BY hour DESC LIMIT ?7)
         UNION ALL
         SELECT at - at % ${HOUR_MS} AS hour, COUNT(*), TOTAL(gpu_utilization), COUNT(gpu_utilization),
                MAX(MAX(COALESCE(gpu_utilization, gpu_utilization_max), COALESCE(gpu_utilization_max, gpu_utilization))),
                TOTAL(cpu_utilization), COUNT(cpu_utilization), MAX(vram_used_gb),
                MAX(cost_accumulated), MAX(ram_used_gb), COUNT(*) - SUM(${IS_QUIET})
         FROM page CROSS JOIN heartbeats
         WHERE user_id = ?1 AND instance_id = ?2
           AND chunk_first_at BETWEEN oldest_at - ${HOUR_MS} AND ?4 AND at BETWEEN oldest_at AND ?4
         GROUP BY 1)
       GROUP BY 1 ORDER BY 1 DESC LIMIT ?5`,
    )
    .bind(range.userId, range.instanceId, startOf(range.from), to, spans, spanMs, spans * (spanMs / HOUR_MS))
    .all();
  return pageOf(placedRows(spanRow, spanPosition, results), range.limit);
}
