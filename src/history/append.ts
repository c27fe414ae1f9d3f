import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { HistoryEvent } from "../lifecycle/model/history-event.ts";

/** Statements that write the history. Each may run twice and then changes nothing more. */

/**
 * One chunk of consecutive heartbeats, oldest first, as one row. Of two with the same first heartbeat the longer one
 * stays: it holds all of the other.
 */
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
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET last_at = excluded.last_at, samples = excluded.samples
         WHERE json_array_length(excluded.samples) > json_array_length(heartbeat_chunks.samples)`,
    )
    .bind(userId, instanceId, first.at, first.sequence, last.at, JSON.stringify(heartbeats.map(toSample)));
}

/** The columns of a sample, in the order that the `heartbeats` view reads. */
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

export function appendEvent(
  db: D1Database,
  userId: string,
  instanceId: string,
  event: KeptEvent,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
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
    );
}

/** An event as the history keeps it; a newer version may know more kinds. */
export type KeptEvent = Omit<HistoryEvent, "kind"> & { readonly kind: string };

/** Events of a fleet itself, which are of no instance. */
export async function appendOwnEvents(
  db: D1Database,
  userId: string,
  events: readonly KeptEvent[],
): Promise<void> {
  if (events.length > 0) await db.batch(events.map((event) => appendEvent(db, userId, "", event)));
}
