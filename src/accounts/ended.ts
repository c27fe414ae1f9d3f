import { DAY_MS } from "../lifecycle/model/time.ts";
import { IDLE_END_MS } from "./sessions.ts";

/** A link is kept for so long after it has expired, to be told apart from one that never was. */
const LINKS_KEPT_MS = 30 * DAY_MS;

/** One that was mailed only for as long as it counts: it holds an address. */
const MAILED_KEPT_MS = DAY_MS;

/** Deletes an account's sessions and links that let nobody in any more. */
export async function deleteEndedAccess(db: D1Database, userId: string, now: number): Promise<void> {
  await db.batch([
    db
      .prepare("DELETE FROM sessions WHERE user_id = ?1 AND (expires_at <= ?2 OR last_used_at <= ?3)")
      .bind(userId, now, now - IDLE_END_MS),
    db
      .prepare(
        `DELETE FROM sign_in_links WHERE user_id = ?1
           AND (expires_at <= ?2 OR (role IS NULL AND email IS NOT NULL AND expires_at <= ?3))`,
      )
      .bind(userId, now - LINKS_KEPT_MS, now - MAILED_KEPT_MS),
  ]);
}
