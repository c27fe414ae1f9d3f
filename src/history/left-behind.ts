import { z } from "zod";
import type { Aged } from "./retention.ts";
import type { WalkedTo } from "./walk.ts";

/**
 * What is left of users whose deletion is finished: a release before this one does not know the tables below, so a deletion that
 * it carried out leaves their rows. What was still on its way into them when the last row of a user went is found, too.
 */

const USERS_PER_PAGE = 100;

/** Of one table. A page that finds more is taken again. */
export const LEFT_ROWS_PER_PAGE = 500;

const goneRow = z.object({ user_id: z.string() });

/** Deletes what is left of the next users who are gone. */
export async function deleteLeftBehindPage(db: D1Database, from: WalkedTo): Promise<Aged> {
  const { results } = await db
    .prepare(
      `SELECT user_id FROM user_deletions
       WHERE user_id > ? AND finished_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM users WHERE users.id = user_id)
       ORDER BY user_id LIMIT ?`,
    )
    .bind(from.userId, USERS_PER_PAGE)
    .all();
  const gone = z
    .array(goneRow)
    .parse(results)
    .map((row) => row.user_id);
  const last = gone.at(-1);
  if (last === undefined) return { next: null, rows: 0, unreadable: 0, calls: 1 };
  const deleted = await db.batch(deletions(db, JSON.stringify(gone)));
  const counts = deleted.map(({ meta }) => meta.changes);
  const isMore = counts.some((count) => count >= LEFT_ROWS_PER_PAGE);
  const walkedTo = { userId: last, instanceId: null, at: 0 };
  return {
    next: isMore ? from : gone.length < USERS_PER_PAGE ? null : walkedTo,
    rows: counts.reduce((sum, count) => sum + count, 0),
    unreadable: 0,
    calls: 2,
  };
}

/** Of each table, in one transaction. `ids`: whose rows, in JSON. */
function deletions(db: D1Database, ids: string): D1PreparedStatement[] {
  return [
    db
      .prepare(`DELETE FROM sessions WHERE digest IN (
     SELECT sessions.digest FROM json_each(?1) AS gone CROSS JOIN sessions ON sessions.user_id = gone.value LIMIT ?2)`)
      .bind(ids, LEFT_ROWS_PER_PAGE),
    db
      .prepare(`DELETE FROM sign_in_links WHERE digest IN (
     SELECT sign_in_links.digest FROM json_each(?1) AS gone
     CROSS JOIN sign_in_links ON sign_in_links.user_id = gone.value LIMIT ?2)`)
      .bind(ids, LEFT_ROWS_PER_PAGE),
    db
      .prepare(`DELETE FROM identities WHERE (issuer, subject, user_id) IN (
     SELECT identities.issuer, identities.subject, identities.user_id FROM json_each(?1) AS gone
     CROSS JOIN identities ON identities.user_id = gone.value LIMIT ?2)`)
      .bind(ids, LEFT_ROWS_PER_PAGE),
    db
      .prepare(`DELETE FROM people WHERE id IN (
     SELECT people.id FROM json_each(?1) AS gone CROSS JOIN people ON people.user_id = gone.value LIMIT ?2)`)
      .bind(ids, LEFT_ROWS_PER_PAGE),
    db
      .prepare(`DELETE FROM audit WHERE (user_id, at, id) IN (
     SELECT audit.user_id, audit.at, audit.id FROM json_each(?1) AS gone
     CROSS JOIN audit ON audit.user_id = gone.value LIMIT ?2)`)
      .bind(ids, LEFT_ROWS_PER_PAGE),
  ];
}
