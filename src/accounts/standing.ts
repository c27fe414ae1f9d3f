import { z } from "zod";
import { jsonText } from "../lifecycle/model/stored.ts";

/** How a user stands: active, suspended, or on the way out. In D1, where each request of a user token finds it. */

export interface Account {
  readonly id: string;
  /** Null once the user is deleted. */
  readonly user: { readonly name: string; readonly createdAt: number } | null;
  readonly suspendedAt: number | null;
  readonly deletion: Deletion | null;
}

export interface Deletion {
  readonly requestedAt: number;
  readonly finishedAt: number | null;
  readonly progress: DeletionProgress;
}

export interface DeletionProgress {
  /** How many workflows it has taken so far: a long one goes on in another. */
  readonly turn: number;
  readonly instances: number;
  readonly rows: number;
}

const NOT_BEGUN: DeletionProgress = { turn: 1, instances: 0, rows: 0 };

const accountRow = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    created_at: z.number().nullable(),
    suspended_at: z.number().nullable(),
    requested_at: z.number().nullable(),
    finished_at: z.number().nullable(),
    progress: jsonText(z.object({ turn: z.number(), instances: z.number(), rows: z.number() })).nullable(),
  })
  .transform(
    (row): Account => ({
      id: row.id,
      user:
        row.name === null || row.created_at === null ? null : { name: row.name, createdAt: row.created_at },
      suspendedAt: row.suspended_at,
      deletion:
        row.requested_at === null
          ? null
          : {
              requestedAt: row.requested_at,
              finishedAt: row.finished_at,
              progress: row.progress ?? NOT_BEGUN,
            },
    }),
  );

/** Null for a user whom there never was. */
export async function findAccount(db: D1Database, userId: string): Promise<Account | null> {
  const row = await db
    .prepare(
      `SELECT asked.id, users.name, users.created_at, users.suspended_at,
              gone.requested_at, gone.finished_at, gone.progress
       FROM (SELECT ?1 AS id) AS asked
       LEFT JOIN users ON users.id = asked.id
       LEFT JOIN user_deletions AS gone ON gone.user_id = asked.id`,
    )
    .bind(userId)
    .first();
  const account = accountRow.parse(row);
  return account.user === null && account.deletion === null ? null : account;
}

/** Users after the id `after`, in order of id, those included that are on their way out. */
export async function listAccounts(db: D1Database, after: string, limit: number): Promise<Account[]> {
  const { results } = await db
    .prepare(
      `SELECT users.id, users.name, users.created_at, users.suspended_at,
              gone.requested_at, gone.finished_at, gone.progress
       FROM users LEFT JOIN user_deletions AS gone ON gone.user_id = users.id
       WHERE users.id > ?1 ORDER BY users.id LIMIT ?2`,
    )
    .bind(after, limit)
    .all();
  return z.array(accountRow).parse(results);
}

/** The user's tokens are refused from now on. Done again, it changes nothing. */
export async function suspendUser(db: D1Database, userId: string, now: number): Promise<void> {
  await db
    .prepare("UPDATE users SET suspended_at = COALESCE(suspended_at, ?2) WHERE id = ?1")
    .bind(userId, now)
    .run();
}

/** False for a user who is being deleted: there is no way back. */
export async function resumeUser(db: D1Database, userId: string): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `UPDATE users SET suspended_at = NULL
       WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM user_deletions WHERE user_id = ?1)`,
    )
    .bind(userId)
    .run();
  return meta.changes > 0;
}

/** Notes that the user is to be deleted, which suspends as well. Done again, it changes nothing. */
export async function requestDeletion(db: D1Database, userId: string, now: number): Promise<void> {
  await db.batch([
    db.prepare("UPDATE users SET suspended_at = COALESCE(suspended_at, ?2) WHERE id = ?1").bind(userId, now),
    db
      .prepare(
        `INSERT INTO user_deletions (user_id, requested_at, progress)
         SELECT id, ?2, ?3 FROM users WHERE id = ?1 ON CONFLICT DO NOTHING`,
      )
      .bind(userId, now, JSON.stringify(NOT_BEGUN)),
  ]);
}

/** Unless a later workflow has noted its own: a step that comes too late changes nothing. */
export async function noteProgress(
  db: D1Database,
  userId: string,
  progress: DeletionProgress,
): Promise<void> {
  await db
    .prepare(
      `UPDATE user_deletions SET progress = ?2
       WHERE user_id = ?1 AND COALESCE(progress ->> 'turn', 0) <= ?3`,
    )
    .bind(userId, JSON.stringify(progress), progress.turn)
    .run();
}

/** The last of it: the user's own row goes. */
export async function finishDeletion(db: D1Database, userId: string, now: number): Promise<void> {
  await db.batch([
    db.prepare("DELETE FROM users WHERE id = ?").bind(userId),
    db
      .prepare("UPDATE user_deletions SET finished_at = COALESCE(finished_at, ?2) WHERE user_id = ?1")
      .bind(userId, now),
  ]);
}
