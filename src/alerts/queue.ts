import type { HistoryEventKind } from "../lifecycle/model/history-event.ts";
import { readableRows } from "../lifecycle/model/stored.ts";
import { alertRow } from "./alert-row.ts";
import type { Alert } from "./notice.ts";
import { type EarlierEvent, type Outage, withoutOutage, withoutRepeats } from "./told-before.ts";

/**
 * The alerts that wait in D1 to be told, each taken by one digest. Only a former version of the service put them there: see
 * `digest.ts`.
 */

/** `critical` alerts go at once and apart; the others wait for what else happens. */
export type Urgency = "critical" | "ordinary";

// By themselves these statements would go through all events of the user, since those stand in the order of time.

/** Takes the user's pending alerts for this digest. Safe to repeat: what it has taken stays its own. */
export async function takeAlerts(
  db: D1Database,
  userId: string,
  digestId: string,
  urgency: Urgency,
): Promise<void> {
  await db
    .prepare(
      `UPDATE events INDEXED BY events_by_notice SET notice = ?2
       WHERE user_id = ?1 AND notice = 'pending' AND (severity = 'critical') = ?3`,
    )
    .bind(userId, digestId, urgency === "critical" ? 1 : 0)
    .run();
}

/** When the newest alert that still waits happened; null when none waits. */
export async function newestPendingAt(db: D1Database, userId: string): Promise<number | null> {
  const row = await db
    .prepare("SELECT MAX(at) AS at FROM events WHERE user_id = ? AND notice = 'pending'")
    .bind(userId)
    .first<{ at: number | null }>();
  return row?.at ?? null;
}

/** What this digest has to tell, oldest first: without what a guard's message or an earlier digest has told. */
export async function readAlerts(
  db: D1Database,
  userId: string,
  digestId: string,
  reminderMs: number,
): Promise<Alert[]> {
  const { results } = await db
    .prepare(
      `SELECT event.id, event.instance_id, instance.name, instance.registered_at, event.kind, event.severity,
              event.message, event.at, event.detail
       FROM events AS event INDEXED BY events_by_notice
       LEFT JOIN instances AS instance
         ON instance.user_id = event.user_id AND instance.instance_id = event.instance_id
       WHERE event.user_id = ? AND event.notice = ? ORDER BY event.at, event.id`,
    )
    .bind(userId, digestId)
    .all();
  const alerts = readableRows(alertRow, results);
  const news = withoutOutage(alerts, await readOutage(db, userId));
  return withoutRepeats(news, await readEarlier(db, userId, digestId, news, reminderMs), reminderMs);
}

async function readOutage(db: D1Database, userId: string): Promise<Outage | null> {
  const row = await db
    .prepare("SELECT closed_at, opened_at, silent_from FROM guards WHERE user_id = ?")
    .bind(userId)
    .first<{ closed_at: number | null; opened_at: number | null; silent_from: number }>();
  return row && { closedAt: row.closed_at, openedAt: row.opened_at, silentFrom: row.silent_from };
}

async function readEarlier(
  db: D1Database,
  userId: string,
  digestId: string,
  alerts: readonly Alert[],
  reminderMs: number,
): Promise<EarlierEvent[]> {
  const [oldest] = alerts;
  if (oldest === undefined) return [];
  const { results } = await db
    .prepare(
      `SELECT instance_id, kind, at, notice FROM events
       WHERE user_id = ?1 AND instance_id IN (SELECT value FROM json_each(?2)) AND at > ?3
         AND notice IS NOT ?4`,
    )
    .bind(
      userId,
      JSON.stringify([...new Set(alerts.map((alert) => alert.instanceId))]),
      oldest.at - reminderMs,
      digestId,
    )
    .all<{ instance_id: string; kind: HistoryEventKind; at: number; notice: string | null }>();
  return results.map((row) => ({
    instanceId: row.instance_id,
    kind: row.kind,
    at: row.at,
    told: row.notice !== null && row.notice !== "pending",
  }));
}
