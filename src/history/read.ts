import { z } from "zod";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { Severity } from "../lifecycle/model/history-event.ts";
import { jsonText, openEnum } from "../lifecycle/model/stored.ts";
import { HOUR_MS, toIso } from "../lifecycle/model/time.ts";
import { type EventView, eventView } from "../lifecycle/views/event-view.ts";
import { type HeartbeatView, heartbeatView } from "../lifecycle/views/heartbeat-view.ts";
import { type Page, type Position, pageOf, placedRows } from "./page.ts";
import { IS_QUIET } from "./quiet.ts";
import { fromSample } from "./sample.ts";

/** Reads the history a page at a time, newest first. */

interface HeartbeatRange {
  readonly userId: string;
  readonly instanceId: string;
  /** Both ends included, in ms. */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly before: Position | null;
}

const keyColumns = z.object({ at: z.number(), sequence: z.number() });

const heartbeatRow = keyColumns
  .extend({ sample: jsonText(z.unknown()) })
  .transform(({ sequence, sample }, context) => {
    const heartbeat = fromSample(sample, sequence);
    if (heartbeat !== null) return heartbeat;
    context.addIssue("expected a sample");
    return z.NEVER;
  });

const heartbeatPosition = keyColumns.transform(positionOf);

/** The heartbeats of a range: those in the database, and those that still wait in the actor (`waiting`), each of them once. */
export async function readHeartbeats(
  db: D1Database,
  range: HeartbeatRange,
  waiting: readonly Heartbeat[],
): Promise<Page<HeartbeatView>> {
  const before = range.before ?? { at: range.to, tie: String(Number.MAX_SAFE_INTEGER) };
  const sequenceBefore = Number(before.tie);
  const { results } = await db
    .prepare(
      // A chunk spans at most an hour, so the key limits which chunks must be unpacked. Of these, only as many as it takes: the
      // newest chunks that lie wholly in the range are counted until they hold enough heartbeats.
      `WITH page (oldest_at) AS (
         SELECT COALESCE((
           SELECT first_at FROM (
             SELECT first_at,
                    SUM(json_array_length(samples)) OVER (ORDER BY first_at DESC, first_sequence DESC) AS heartbeats
             FROM heartbeat_chunks
             WHERE user_id = ?1 AND instance_id = ?2 AND first_at BETWEEN ?3 AND ?4 AND last_at < ?4)
           WHERE heartbeats >= ?6 LIMIT 1), ?3))
       SELECT at, sequence, sample
       FROM page CROSS JOIN heartbeats
       WHERE user_id = ?1 AND instance_id = ?2
         AND chunk_first_at BETWEEN oldest_at - ${HOUR_MS} AND ?4
         AND at >= oldest_at AND (at < ?4 OR (at = ?4 AND sequence < ?5))
       ORDER BY at DESC, sequence DESC LIMIT ?6`,
    )
    .bind(range.userId, range.instanceId, range.from, before.at, sequenceBefore, range.limit + 1)
    .all();
  const kept = placedRows(heartbeatRow, heartbeatPosition, results);
  const keptKeys = new Set(kept.map(({ position }) => keyOf(position)));
  const fresh = waiting
    .filter(
      ({ at, sequence }) =>
        at >= range.from && (at < before.at || (at === before.at && sequence < sequenceBefore)),
    )
    .map((entry) => ({ entry, position: positionOf(entry) }))
    .filter(({ position }) => !keptKeys.has(keyOf(position)));
  const all = [...kept, ...fresh].sort(
    ({ position: a }, { position: b }) => b.at - a.at || Number(b.tie) - Number(a.tie),
  );
  const { entries, next } = pageOf(all, range.limit);
  return { entries: entries.map(heartbeatView), next };
}

function positionOf({ at, sequence }: Pick<Heartbeat, "at" | "sequence">): Position {
  return { at, tie: String(sequence) };
}

function keyOf({ at, tie }: Position): string {
  return `${at}/${tie}`;
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
  readonly work_heartbeats: number | null;
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
  work_heartbeats: z.number().nullable(),
});

const hourPosition = hourRow.pick({ hour: true }).transform(({ hour }): Position => ({ at: hour, tie: "" }));

/**
 * One entry for each hour that has heartbeats in the database, rolled up or not, newest first. Hours are whole, also those in
 * which the range begins and ends. `before` is the hour with which the last page ended.
 */
export async function readHours(db: D1Database, range: HeartbeatRange): Promise<Page<HourView>> {
  const from = startOfHour(range.from);
  const end = startOfHour(range.to) + HOUR_MS - 1;
  const to = range.before === null ? end : Math.min(end, range.before.at - 1);
  const { results } = await db
    .prepare(
      // Only as many hours as the page shows are read: those in which the newest chunks begin, and the newest rolled-up ones.
      `WITH page (oldest_at) AS (
         SELECT COALESCE((
           SELECT DISTINCT first_at - first_at % ${HOUR_MS} FROM heartbeat_chunks
           WHERE user_id = ?1 AND instance_id = ?2 AND first_at BETWEEN ?3 AND ?4
           ORDER BY first_at DESC LIMIT 1 OFFSET ?5 - 1), ?3))
       SELECT hour, SUM(heartbeats) AS heartbeats,
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
           ORDER BY hour DESC LIMIT ?5)
         UNION ALL
         SELECT at - at % ${HOUR_MS} AS hour, COUNT(*), TOTAL(gpu_utilization), COUNT(gpu_utilization),
                MAX(MAX(COALESCE(gpu_utilization, gpu_utilization_max), COALESCE(gpu_utilization_max, gpu_utilization))),
                TOTAL(cpu_utilization), COUNT(cpu_utilization), MAX(vram_used_gb),
                MAX(cost_accumulated), MAX(ram_used_gb), COUNT(*) - SUM(${IS_QUIET})
         FROM page CROSS JOIN heartbeats
         WHERE user_id = ?1 AND instance_id = ?2
           AND chunk_first_at BETWEEN oldest_at - ${HOUR_MS} AND ?4 AND at BETWEEN oldest_at AND ?4
         GROUP BY 1)
       GROUP BY hour ORDER BY hour DESC LIMIT ?5`,
    )
    .bind(range.userId, range.instanceId, from, to, range.limit + 1)
    .all();
  const { entries, next } = pageOf(placedRows(hourRow, hourPosition, results), range.limit);
  return { entries: entries.map((row) => ({ ...row, hour: toIso(row.hour) })), next };
}

function startOfHour(moment: number): number {
  return moment - (moment % HOUR_MS);
}

const eventRow = z.object({
  id: z.string(),
  at: z.number(),
  kind: z.string(),
  severity: openEnum<Severity>(),
  message: z.string(),
  detail: jsonText(z.record(z.string(), z.unknown())).catch({}),
});

const eventPosition = eventRow
  .pick({ at: true, id: true })
  .transform(({ at, id }): Position => ({ at, tie: id }));

/** Events of one instance, newest first, from all databases that may hold some. */
export async function readEvents(
  databases: readonly D1Database[],
  query: {
    readonly userId: string;
    readonly instanceId: string;
    readonly limit: number;
    readonly before: Position | null;
  },
): Promise<Page<EventView>> {
  const before = query.before ?? { at: Number.MAX_SAFE_INTEGER, tie: "" };
  const found = await Promise.all(
    databases.map(async (database) => {
      const { results } = await database
        .prepare(
          `SELECT id, at, kind, severity, message, detail FROM events
           WHERE user_id = ?1 AND instance_id = ?2 AND (at, id) < (?3, ?4)
           ORDER BY at DESC, id DESC LIMIT ?5`,
        )
        .bind(query.userId, query.instanceId, before.at, before.tie, query.limit + 1)
        .all();
      return placedRows(eventRow, eventPosition, results);
    }),
  );
  const rows = found
    .flat()
    .sort(({ position: a }, { position: b }) => b.at - a.at || (a.tie < b.tie ? 1 : -1));
  const { entries, next } = pageOf(rows, query.limit);
  return {
    entries: entries.map((row) => eventView({ ...row, instanceId: query.instanceId })),
    next,
  };
}
