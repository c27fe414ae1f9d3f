import { z } from "zod";

/** Users and their tokens, in D1. */

export interface User {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
}

const userRow = z.object({ id: z.string(), name: z.string(), created_at: z.number() });

export async function createUser(db: D1Database, name: string, now: number): Promise<User> {
  const user = { id: `u-${crypto.randomUUID()}`, name, createdAt: now };
  await db
    .prepare("INSERT INTO users (id, name, created_at) VALUES (?, ?, ?)")
    .bind(user.id, user.name, user.createdAt)
    .run();
  return user;
}

/** Makes a user of an export, suspended or not; false when there is one of this id. */
export async function bringUser(
  db: D1Database,
  user: User,
  suspendedAt: number | null = null,
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      "INSERT INTO users (id, name, created_at, suspended_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(user.id, user.name, user.createdAt, suspendedAt)
    .run();
  return meta.changes > 0;
}

/** Makes the record of a user token of an export, revoked or not; false when there is one of this id. */
export async function bringToken(
  db: D1Database,
  userId: string,
  token: {
    readonly id: string;
    readonly name: string;
    readonly created_at: number;
    readonly revoked_at: number | null;
  },
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `INSERT INTO user_tokens (id, user_id, name, created_at, revoked_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    )
    .bind(token.id, userId, token.name, token.created_at, token.revoked_at)
    .run();
  return meta.changes > 0;
}

/** Whether a user of this id was deleted here, or is being deleted: then nothing of it comes back. */
export async function isUserDeleted(db: D1Database, userId: string): Promise<boolean> {
  return (await db.prepare("SELECT 1 FROM user_deletions WHERE user_id = ?").bind(userId).first()) !== null;
}

/** Users after the id `after`, in order of id. */
export async function listUsers(db: D1Database, after: string, limit: number): Promise<User[]> {
  const { results } = await db
    .prepare("SELECT id, name, created_at FROM users WHERE id > ? ORDER BY id LIMIT ?")
    .bind(after, limit)
    .all();
  return z
    .array(userRow)
    .parse(results)
    .map((row) => ({ id: row.id, name: row.name, createdAt: row.created_at }));
}

/** Creates the record of a user token, unless the user has `limit` that are not revoked. */
export async function createUserToken(
  db: D1Database,
  token: {
    readonly id: string;
    readonly userId: string;
    readonly name: string;
    readonly now: number;
  },
  limit: number,
): Promise<"created" | "unknown_user" | "too_many"> {
  const { meta } = await db
    .prepare(
      `INSERT INTO user_tokens (id, user_id, name, created_at)
       SELECT ?1, id, ?3, ?4 FROM users
       WHERE id = ?2 AND (SELECT COUNT(*) FROM user_tokens WHERE user_id = ?2 AND revoked_at IS NULL) < ?5`,
    )
    .bind(token.id, token.userId, token.name, token.now, limit)
    .run();
  if (meta.changes > 0) return "created";
  const user = await db.prepare("SELECT id FROM users WHERE id = ?").bind(token.userId).first();
  return user === null ? "unknown_user" : "too_many";
}

export async function userExists(db: D1Database, userId: string): Promise<boolean> {
  return (await db.prepare("SELECT 1 FROM users WHERE id = ?").bind(userId).first()) !== null;
}

const tokenRow = z
  .object({ id: z.string(), name: z.string(), created_at: z.number(), revoked_at: z.number().nullable() })
  .transform((row) => ({
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  }));

/** The tokens of a user after the id `after`, in order of id, revoked ones included. */
export async function listUserTokens(db: D1Database, userId: string, after: string, limit: number) {
  const { results } = await db
    .prepare(
      "SELECT id, name, created_at, revoked_at FROM user_tokens WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?",
    )
    .bind(userId, after, limit)
    .all();
  return z.array(tokenRow).parse(results);
}

/** Revokes a user token for good. Gives back whose it was, or null for no such token. Revoking it again changes nothing. */
export async function revokeUserToken(
  db: D1Database,
  tokenId: string,
  now: number,
): Promise<{ readonly userId: string } | null> {
  return db
    .prepare(
      "UPDATE user_tokens SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ? RETURNING user_id AS userId",
    )
    .bind(now, tokenId)
    .first<{ userId: string }>();
}

export type TokenStanding = "valid" | "suspended" | "not_valid";

/** How a user token stands. Who is being deleted counts as suspended. */
export async function tokenStanding(db: D1Database, userId: string, tokenId: string): Promise<TokenStanding> {
  const row = await db
    .prepare(
      `SELECT users.suspended_at AS suspendedAt FROM user_tokens JOIN users ON users.id = user_tokens.user_id
       WHERE user_tokens.id = ? AND user_tokens.user_id = ? AND user_tokens.revoked_at IS NULL`,
    )
    .bind(tokenId, userId)
    .first<{ suspendedAt: number | null }>();
  if (row === null) return "not_valid";
  return row.suspendedAt === null ? "valid" : "suspended";
}
