import { HOUR_MS } from "../lifecycle/model/time.ts";

/** Ages the history: heartbeats are rolled up into one row an hour, and deleted in the same transaction. */

/** Whose history it is. The instance itself may no longer exist. */
export interface HistoryPlace {
  readonly userId: string;
  readonly instanceId: string;
}

/** At most this many chunks are moved in one transaction. */
const CHUNKS_PER_BATCH = 500;

/** Instances with heartbeats in this database, after `after` in the order of the key. One seek each, never a scan. */
export async function listHistories(
  db: D1Database,
  after: HistoryPlace | null,
  limit: number,
): Promise<HistoryPlace[]> {
  const { results } = await db
    .prepare(
      // Compared as pairs, SQLite would seek the user alone, and go through all chunks of the instances before.
      `WITH RECURSIVE place (user_id, instance_id, n) AS (
         SELECT * FROM (
           SELECT user_id, instance_id, 1 FROM heartbeat_chunks
           WHERE (user_id, instance_id) > (?1, ?2) ORDER BY user_id, instance_id LIMIT 1)
         UNION ALL
         SELECT next.user_id, next.instance_id, n + 1 FROM place JOIN heartbeat_chunks AS next
           ON (next.user_id, next.instance_id, next.first_at) = (
             SELECT * FROM (
               SELECT user_id, instance_id, first_at FROM heartbeat_chunks
               WHERE user_id = place.user_id AND instance_id > place.instance_id
               ORDER BY instance_id, first_at LIMIT 1)
             UNION ALL
             SELECT * FROM (
               SELECT user_id, instance_id, first_at FROM heartbeat_chunks
               WHERE user_id > place.user_id ORDER BY user_id, instance_id, first_at LIMIT 1)
             LIMIT 1)
         WHERE n < ?3)
       SELECT user_id, instance_id FROM place GROUP BY user_id, instance_id ORDER BY user_id, instance_id`,
    )
    .bind(after?.userId ?? "", after?.instanceId ?? "", limit)
    .all<{ user_id: string; instance_id: string }>();
  return results.map((row) => ({ userId: row.user_id, instanceId: row.instance_id }));
}

/**
 * Rolls an instance's chunks that began before `before` up into hours, and deletes hours before `hoursBefore`. Returns
 * how many chunks were rolled up. A heartbeat is always either in its chunk or in its hour.
 */
export async function rollUpAndDelete(
  db: D1Database,
  { userId, instanceId }: HistoryPlace,
  before: number,
  hoursBefore: number,
): Promise<number> {
  let moved = 0;
  for (;;) {
    const bound = await db
      .prepare(
        `SELECT first_at FROM heartbeat_chunks WHERE user_id = ? AND instance_id = ? AND first_at < ?
         ORDER BY first_at LIMIT 1 OFFSET ${CHUNKS_PER_BATCH}`,
      )
      .bind(userId, instanceId, before)
      .first<{ first_at: number }>();
    const upTo = bound?.first_at ?? before;
    const [, deleted] = await db.batch([
      rollUp(db, userId, instanceId, upTo),
      db
        .prepare("DELETE FROM heartbeat_chunks WHERE user_id = ? AND instance_id = ? AND first_at < ?")
        .bind(userId, instanceId, upTo),
    ]);
    moved += deleted?.meta.changes ?? 0;
    if (bound === null) break;
  }
  await db
    .prepare("DELETE FROM heartbeat_hours WHERE user_id = ? AND instance_id = ? AND hour < ?")
    .bind(userId, instanceId, hoursBefore)
    .run();
  return moved;
}

function rollUp(db: D1Database, userId: string, instanceId: string, upTo: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO heartbeat_hours (user_id, instance_id, hour, heartbeats, gpu_sum, gpu_heartbeats, gpu_max,
                                    cpu_sum, cpu_heartbeats, vram_max, cost_max, ram_max)
       SELECT user_id, instance_id, at - at % ${HOUR_MS}, COUNT(*),
              TOTAL(gpu_utilization), COUNT(gpu_utilization), MAX(gpu_utilization),
              TOTAL(cpu_utilization), COUNT(cpu_utilization), MAX(vram_used_gb), MAX(cost_accumulated),
              MAX(ram_used_gb)
       FROM heartbeats WHERE user_id = ? AND instance_id = ? AND chunk_first_at < ?
       GROUP BY at - at % ${HOUR_MS}
       ON CONFLICT DO UPDATE SET
         heartbeats = heartbeats + excluded.heartbeats,
         gpu_sum = gpu_sum + excluded.gpu_sum,
         gpu_heartbeats = gpu_heartbeats + excluded.gpu_heartbeats,
         gpu_max = MAX(COALESCE(gpu_max, excluded.gpu_max), COALESCE(excluded.gpu_max, gpu_max)),
         cpu_sum = cpu_sum + excluded.cpu_sum,
         cpu_heartbeats = cpu_heartbeats + excluded.cpu_heartbeats,
         vram_max = MAX(COALESCE(vram_max, excluded.vram_max), COALESCE(excluded.vram_max, vram_max)),
         cost_max = MAX(COALESCE(cost_max, excluded.cost_max), COALESCE(excluded.cost_max, cost_max)),
         ram_max = MAX(COALESCE(ram_max, excluded.ram_max), COALESCE(excluded.ram_max, ram_max))`,
    )
    .bind(userId, instanceId, upTo);
}

/**
 * Deletes at most `limit` events before `before` of the first user after `after`. Returns which user that was; null when
 * there was none left.
 */
export async function deleteOldEvents(
  db: D1Database,
  after: string | null,
  before: number,
  limit: number,
): Promise<{ readonly user: string | null; readonly deleted: number }> {
  // The service's own events belong to the empty user, which comes first.
  const row = await db
    .prepare(
      `SELECT user_id FROM events WHERE user_id ${after === null ? ">=" : ">"} ? ORDER BY user_id LIMIT 1`,
    )
    .bind(after ?? "")
    .first<{ user_id: string }>();
  if (row === null) return { user: null, deleted: 0 };
  const { meta } = await db
    .prepare(
      `DELETE FROM events WHERE user_id = ?1 AND (at, instance_id, id) IN (
         SELECT at, instance_id, id FROM events WHERE user_id = ?1 AND at < ?2 ORDER BY at LIMIT ?3)`,
    )
    .bind(row.user_id, before, limit)
    .run();
  return { user: row.user_id, deleted: meta.changes };
}
