import { HOUR_MS } from "../lifecycle/model/time.ts";
import type { costFigures } from "./costs.ts";

/** Rows of a history that come from an export, each as it was exported. A row that is there already stays. */

export interface ExportedChunk {
  readonly instance_id: string;
  readonly first_at: number;
  readonly first_sequence: number;
  readonly last_at: number;
  readonly samples: string;
}

export interface ExportedHour {
  readonly instance_id: string;
  readonly hour: number;
  readonly heartbeats: number;
  readonly gpu_sum: number;
  readonly gpu_heartbeats: number;
  readonly gpu_max: number | null;
  readonly cpu_sum: number;
  readonly cpu_heartbeats: number;
  readonly vram_max: number | null;
  readonly cost_max: number | null;
  readonly ram_max: number | null;
  /** Unknown in exports of a former release. */
  readonly quiet_heartbeats?: number | null | undefined;
}

export interface ExportedEvent {
  readonly instance_id: string;
  readonly id: string;
  readonly at: number;
  readonly kind: string;
  readonly severity: string;
  readonly message: string;
  readonly detail: string;
}

export interface ExportedCostDay extends Readonly<Record<keyof typeof costFigures, number>> {
  readonly day: number;
  readonly instance_id: string;
  readonly provider: string;
  readonly tags: string;
  readonly closed_at: number;
}

/** A chunk whose hour has been rolled up since would count twice. An export has chunks before hours. */
export function bringChunk(db: D1Database, userId: string, chunk: ExportedChunk): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO heartbeat_chunks (user_id, instance_id, first_at, first_sequence, last_at, samples)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6
       WHERE NOT EXISTS (
         SELECT 1 FROM heartbeat_hours WHERE user_id = ?1 AND instance_id = ?2 AND hour = ?3 - ?3 % ${HOUR_MS})
       ON CONFLICT DO UPDATE SET last_at = excluded.last_at, samples = excluded.samples
         WHERE json_array_length(excluded.samples) > json_array_length(heartbeat_chunks.samples)`,
    )
    .bind(userId, chunk.instance_id, chunk.first_at, chunk.first_sequence, chunk.last_at, chunk.samples);
}

export function bringHour(db: D1Database, userId: string, hour: ExportedHour): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO heartbeat_hours (user_id, instance_id, hour, heartbeats, gpu_sum, gpu_heartbeats, gpu_max, cpu_sum,
                                    cpu_heartbeats, vram_max, cost_max, ram_max, quiet_heartbeats)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    )
    .bind(
      userId,
      hour.instance_id,
      hour.hour,
      hour.heartbeats,
      hour.gpu_sum,
      hour.gpu_heartbeats,
      hour.gpu_max,
      hour.cpu_sum,
      hour.cpu_heartbeats,
      hour.vram_max,
      hour.cost_max,
      hour.ram_max,
      hour.quiet_heartbeats ?? null,
    );
}

/** What is here already has been reckoned here, and stays. */
export function bringCostDay(db: D1Database, userId: string, day: ExportedCostDay): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO cost_days (user_id, day, instance_id, working_seconds, working, idle_seconds, idle, silent_seconds,
                              silent, hibernated_seconds, hibernated, wasted, saved, reported, unpriced_seconds, provider,
                              tags, closed_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    )
    .bind(
      userId,
      day.day,
      day.instance_id,
      day.working_seconds,
      day.working,
      day.idle_seconds,
      day.idle,
      day.silent_seconds,
      day.silent,
      day.hibernated_seconds,
      day.hibernated,
      day.wasted,
      day.saved,
      day.reported,
      day.unpriced_seconds,
      day.provider,
      day.tags,
      day.closed_at,
    );
}

export function bringEvent(db: D1Database, userId: string, event: ExportedEvent): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    )
    .bind(
      userId,
      event.at,
      event.instance_id,
      event.id,
      event.kind,
      event.severity,
      event.message,
      event.detail,
    );
}
