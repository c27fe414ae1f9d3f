import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import { detailToStore } from "../lifecycle/model/stored.ts";
import { DAY_MS } from "../lifecycle/model/time.ts";
import { toSample } from "./sample.ts";

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

/**
 * An event, unless `perDay` of the instance happened in the 24 hours before it. The last one that is kept says instead that
 * what follows is not.
 */
export function appendEvent(
  db: D1Database,
  userId: string,
  instanceId: string,
  event: KeptEvent,
  perDay: number,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail)
       SELECT ?1, ?2, ?3, ?4, iif(n = ?9 - 1, 'history_lost', ?5), iif(n = ?9 - 1, 'warning', ?6),
              iif(n = ?9 - 1, ?10, ?7), ?8
       FROM (SELECT COUNT(*) AS n FROM (
               SELECT 1 FROM events
               WHERE user_id = ?1 AND instance_id = ?3 AND at > ?2 - ${DAY_MS} AND at <= ?2 LIMIT ?9))
       WHERE n < ?9
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
      detailToStore(event),
      perDay,
      `More than ${perDay} events within a day: what follows is not kept`,
    );
}

/** An event as the history keeps it; a newer version may know more kinds. */
export type KeptEvent = Omit<HistoryEvent, "kind"> & { readonly kind: string };

/** Events of a fleet itself, which are of no instance. */
export async function appendOwnEvents(
  db: D1Database,
  userId: string,
  events: readonly KeptEvent[],
  perDay: number,
): Promise<void> {
  if (events.length > 0) await db.batch(events.map((event) => appendEvent(db, userId, "", event, perDay)));
}
