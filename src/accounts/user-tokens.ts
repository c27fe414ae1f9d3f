import { z } from "zod";
import { type Role, roleSchema } from "./roles.ts";
import { USE_NOTED_EVERY_MS } from "./sessions.ts";

/** The records of user tokens, in D1: what each may do, and until when. */

export interface UserToken {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  /** Null: it does not end. */
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

const tokenRow = z
  .object({
    id: z.string(),
    name: z.string(),
    // One that a newer version gave lets nobody in.
    role: roleSchema.catch("metrics"),
    created_at: z.number(),
    expires_at: z.number().nullable(),
    last_used_at: z.number().nullable(),
    revoked_at: z.number().nullable(),
  })
  .transform(
    (row): UserToken => ({
      id: row.id,
      name: row.name,
      role: row.role,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      lastUsedAt: row.last_used_at,
      revokedAt: row.revoked_at,
    }),
  );

/** So many tokens that are revoked or have ended are kept of a user: the newest. */
const ENDED_TOKENS_KEPT = 50;

export interface NewUserToken {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: number | null;
  /** The person or token that makes it; null: the operator. */
  readonly madeById: string | null;
  readonly now: number;
}

/** Creates the record of a user token, unless the user has `limit` that are good. */
export async function createUserToken(
  db: D1Database,
  { id, userId, name, role, expiresAt, madeById, now }: NewUserToken,
  limit: number,
): Promise<"created" | "unknown_user" | "too_many"> {
  const [made] = await db.batch([
    db
      .prepare(
        `INSERT INTO user_tokens (id, user_id, name, role, expires_at, created_at, made_by_id)
         SELECT ?1, id, ?3, ?4, ?5, ?6, ?8 FROM users
         WHERE id = ?2 AND (SELECT COUNT(*) FROM user_tokens
           WHERE user_id = ?2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?6)) < ?7`,
      )
      .bind(id, userId, name, role, expiresAt, now, limit, madeById),
    // Before they are forgotten: an import of an older export must not bring them back.
    db
      .prepare(
        `UPDATE users SET keys_forgotten_until = MAX(COALESCE(keys_forgotten_until, 0), COALESCE((
           SELECT COALESCE(revoked_at, expires_at) FROM user_tokens
           WHERE user_id = ?1 AND COALESCE(revoked_at, expires_at) <= ?2
           ORDER BY COALESCE(revoked_at, expires_at) DESC, id LIMIT 1 OFFSET ?3), 0)) WHERE id = ?1`,
      )
      .bind(userId, now, ENDED_TOKENS_KEPT),
    db
      .prepare(
        `DELETE FROM user_tokens WHERE user_id = ?1 AND id IN (
           SELECT id FROM user_tokens WHERE user_id = ?1 AND COALESCE(revoked_at, expires_at) <= ?2
           ORDER BY COALESCE(revoked_at, expires_at) DESC, id LIMIT -1 OFFSET ?3)`,
      )
      .bind(userId, now, ENDED_TOKENS_KEPT),
  ]);
  if ((made?.meta.changes ?? 0) > 0) return "created";
  const user = await db.prepare("SELECT id FROM users WHERE id = ?").bind(userId).first();
  return user === null ? "unknown_user" : "too_many";
}

/** The tokens of a user after the id `after`, in order of id, revoked ones included. */
export async function listUserTokens(
  db: D1Database,
  userId: string,
  after: string,
  limit: number,
): Promise<UserToken[]> {
  const { results } = await db
    .prepare(
      `SELECT id, name, role, created_at, expires_at, last_used_at, revoked_at FROM user_tokens
       WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?`,
    )
    .bind(userId, after, limit)
    .all();
  return z.array(tokenRow).parse(results);
}

const madeTokenRow = z.object({ id: z.string(), name: z.string() });

export type MadeToken = Readonly<z.infer<typeof madeTokenRow>>;

/** The tokens that somebody made, themselves or with a token that they made, and that are still good. The first one first. */
export async function tokensMadeBy(
  db: D1Database,
  userId: string,
  makerId: string,
  now: number,
): Promise<MadeToken[]> {
  const { results } = await db
    .prepare(
      `WITH RECURSIVE made (id) AS (
         SELECT ?2 UNION
         SELECT user_tokens.id FROM made JOIN user_tokens ON user_tokens.made_by_id = made.id
         WHERE user_tokens.user_id = ?1)
       SELECT id, name FROM user_tokens
       WHERE user_id = ?1 AND id IN (SELECT id FROM made)
         AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?3)
       ORDER BY created_at, id`,
    )
    .bind(userId, makerId, now)
    .all();
  return z.array(madeTokenRow).parse(results);
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

/**
 * The same as its account asks for it. `last_owner`: neither a person nor another token that does not end would be left who
 * holds the account's keys.
 */
export async function revokeOwnToken(
  db: D1Database,
  userId: string,
  tokenId: string,
  now: number,
): Promise<"revoked" | "unknown" | "last_owner"> {
  const { meta } = await db
    .prepare(
      `UPDATE user_tokens SET revoked_at = COALESCE(revoked_at, ?3)
       WHERE id = ?2 AND user_id = ?1 AND (
         role <> 'owner' OR revoked_at IS NOT NULL OR expires_at <= ?3
         OR EXISTS (SELECT 1 FROM people
                    WHERE people.user_id = ?1 AND people.role = 'owner' AND people.removed_at IS NULL)
         OR EXISTS (SELECT 1 FROM user_tokens AS other
                    WHERE other.user_id = ?1 AND other.id <> ?2 AND other.role = 'owner'
                      AND other.revoked_at IS NULL AND other.expires_at IS NULL))`,
    )
    .bind(userId, tokenId, now)
    .run();
  if (meta.changes > 0) return "revoked";
  const token = await db
    .prepare("SELECT 1 FROM user_tokens WHERE id = ? AND user_id = ?")
    .bind(tokenId, userId)
    .first();
  return token === null ? "unknown" : "last_owner";
}

/**
 * - `known`: there is one of this id;
 * - `over`: it was good when it was exported, but no record of it is left: so it was revoked since, or it ended.
 */
export type BroughtKey = "brought" | "known" | "over";

/** Makes the record of a user token of an export, revoked or not. */
export async function bringToken(
  db: D1Database,
  userId: string,
  token: {
    readonly id: string;
    readonly name: string;
    readonly role: Role;
    readonly created_at: number;
    readonly expires_at: number | null;
    readonly last_used_at: number | null;
    readonly revoked_at: number | null;
    readonly made_by_id: string | null;
  },
  exportedAt: number,
): Promise<BroughtKey> {
  const { meta } = await db
    .prepare(
      `INSERT INTO user_tokens (id, user_id, name, role, created_at, expires_at, last_used_at, revoked_at, made_by_id)
       SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM users
       WHERE id = ?2 AND (?8 IS NOT NULL OR ?10 > COALESCE(keys_forgotten_until, -1)) ON CONFLICT DO NOTHING`,
    )
    .bind(
      token.id,
      userId,
      token.name,
      token.role,
      token.created_at,
      token.expires_at,
      token.last_used_at,
      token.revoked_at,
      token.made_by_id,
      exportedAt,
    )
    .run();
  if (meta.changes > 0) return "brought";
  const known = await db.prepare("SELECT 1 FROM user_tokens WHERE id = ?").bind(token.id).first();
  return known === null ? "over" : "known";
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
