import { z } from "zod";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import {
  type HistoryEvent,
  isAlert,
  type Severity,
  severitySchema,
} from "../lifecycle/model/history-event.ts";

/** Statements that write the history. Each may run twice, and then changes nothing more. */

/** One chunk of consecutive heartbeats, oldest first, as one row. */
export function appendChunk(
  db: D1Database,
  userId: string,
  instanceId: string,
  heartbeats: readonly [Heartbeat, ...Heartbeat[]],
): D1PreparedStatement {
  const [first] = heartbeats;
  const last = heartbeats.at(-1) ?? first;
  return db
    .prepare(
      `INSERT INTO heartbeat_chunks (user_id, instance_id, first_at, first_sequence, last_at, samples)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    )
    .bind(userId, instanceId, first.at, first.sequence, last.at, JSON.stringify(heartbeats.map(toSample)));
}

/** A sample's columns, in the order in which the `heartbeats` view reads them. */
function toSample(heartbeat: Heartbeat): readonly (number | string | null)[] {
  return [
    heartbeat.at,
    heartbeat.gpuPercent,
    heartbeat.vramUsedGb,
    heartbeat.cpuPercent,
    heartbeat.ramUsedGb,
    heartbeat.diskUsedGb,
    heartbeat.costAccumulated,
    heartbeat.uptimeSeconds,
    heartbeat.status,
  ];
}

/** One event. If it is a notice and its user has a channel, it waits for a digest. */
export function appendEvent(
  db: D1Database,
  userId: string,
  instanceId: string,
  event: HistoryEvent,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail, notice)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
               CASE WHEN ?9 AND EXISTS (SELECT 1 FROM channels WHERE user_id = ?1) THEN 'pending' END)
       ON CONFLICT DO NOTHING`,
    )
    .bind(
      userId,
      event.at,
      instanceId,
      event.id,
      event.kind,
      event.severity,
      event.message,
      JSON.stringify(event.detail),
      isAlert(event) ? 1 : 0,
    );
}

const severityRow = z.object({ severity: severitySchema.catch("warning") });

/** The severities of the user's events that still wait for a digest. */
export async function pendingSeverities(db: D1Database, userId: string): Promise<Severity[]> {
  const { results } = await db
    .prepare("SELECT DISTINCT severity FROM events WHERE user_id = ? AND notice = 'pending'")
    .bind(userId)
    .all();
  return z
    .array(severityRow)
    .parse(results)
    .map((row) => row.severity);
}
