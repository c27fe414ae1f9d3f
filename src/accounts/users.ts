import { z } from "zod";
import { type Role, roleSchema } from "./roles.ts";
import { USE_NOTED_EVERY_MS } from "./sessions.ts";

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

const profileRow = z.object({
  name: z.string(),
  language: z.string().nullable(),
  time_zone: z.string().nullable(),
});

/** What an account is called, and how it is told. */
export interface Profile {
  readonly name: string;
  readonly language: string | null;
  readonly timeZone: string | null;
}

/** Throws for an account that is gone. */
export async function findProfile(db: D1Database, userId: string): Promise<Profile> {
  const found = await db
    .prepare("SELECT name, language, time_zone FROM users WHERE id = ?")
    .bind(userId)
    .first();
  const row = profileRow.parse(found);
  return { name: row.name, language: row.language, timeZone: row.time_zone };
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

export type TokenStanding =
  | { readonly outcome: "valid"; readonly name: string; readonly role: Role; readonly isUseDue: boolean }
  | { readonly outcome: "suspended" }
  | { readonly outcome: "not_valid" };

const standingRow = z.object({
  name: z.string(),
  role: roleSchema,
  last_used_at: z.number().nullable(),
  suspended_at: z.number().nullable(),
});

/**
 * How a user token stands. Who is being deleted counts as suspended. A token whose role this version does not know lets nobody
 * in.
 */
export async function tokenStanding(
  db: D1Database,
  userId: string,
  tokenId: string,
  now: number,
): Promise<TokenStanding> {
  const found = await db
    .prepare(
      `SELECT user_tokens.name, role, last_used_at, suspended_at
       FROM user_tokens JOIN users ON users.id = user_tokens.user_id
       WHERE user_tokens.id = ? AND user_tokens.user_id = ? AND user_tokens.revoked_at IS NULL
         AND (user_tokens.expires_at IS NULL OR user_tokens.expires_at > ?)`,
    )
    .bind(tokenId, userId, now)
    .first();
  const row = standingRow.safeParse(found).data;
  if (row === undefined) return { outcome: "not_valid" };
  if (row.suspended_at !== null) return { outcome: "suspended" };
  const isUseDue = row.last_used_at === null || now - row.last_used_at >= USE_NOTED_EVERY_MS;
  return { outcome: "valid", name: row.name, role: row.role, isUseDue };
}

/** Notes that the token is in use. */
export async function noteTokenUse(db: D1Database, tokenId: string, now: number): Promise<void> {
  await db
    .prepare(
      "UPDATE user_tokens SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at <= ?3)",
    )
    .bind(tokenId, now, now - USE_NOTED_EVERY_MS)
    .run();
}
