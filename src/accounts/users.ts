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

/** Creates the record of a user token; false when there is no such user. */
export async function createUserToken(
  db: D1Database,
  token: {
    readonly id: string;
    readonly userId: string;
    readonly name: string;
    readonly now: number;
  },
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `INSERT INTO user_tokens (id, user_id, name, created_at)
       SELECT ?1, id, ?3, ?4 FROM users WHERE id = ?2`,
    )
    .bind(token.id, token.userId, token.name, token.now)
    .run();
  return meta.changes > 0;
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
