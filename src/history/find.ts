/** What one database keeps of an instance. */
interface Kept {
  readonly database: D1Database;
  /** When its newest heartbeat or hour began; null without any. */
  readonly heartbeat_at: number | null;
  readonly event_at: number | null;
}

/**
 * The database that keeps the newest heartbeats of an instance whose own word is missing: it was removed. Null when none of
 * the databases keeps anything of it, not even an event.
 */
export async function findHistory(
  databases: readonly D1Database[],
  userId: string,
  instanceId: string,
): Promise<D1Database | null> {
  const found = await Promise.all(databases.map((database) => keptIn(database, userId, instanceId)));
  const kept = found.filter((one) => one.heartbeat_at !== null || one.event_at !== null);
  const [newest] = kept.sort((a, b) => (b.heartbeat_at ?? 0) - (a.heartbeat_at ?? 0));
  return newest?.database ?? null;
}

async function keptIn(database: D1Database, userId: string, instanceId: string): Promise<Kept> {
  const row = await database
    .prepare(
      `SELECT COALESCE(
                (SELECT MAX(first_at) FROM heartbeat_chunks WHERE user_id = ?1 AND instance_id = ?2),
                (SELECT MAX(hour) FROM heartbeat_hours WHERE user_id = ?1 AND instance_id = ?2)) AS heartbeat_at,
              (SELECT MAX(at) FROM events WHERE user_id = ?1 AND instance_id = ?2) AS event_at`,
    )
    .bind(userId, instanceId)
    .first<Pick<Kept, "heartbeat_at" | "event_at">>();
  return { database, heartbeat_at: row?.heartbeat_at ?? null, event_at: row?.event_at ?? null };
}
