import { z } from "zod";
import { DAY_MS, MINUTE_MS } from "../lifecycle/model/time.ts";
import { type Role, roleSchema } from "./roles.ts";

/**
 * Browsers that are signed in, in D1. A session stems from a token or a person: it does what that may do now, and ends with it.
 */

/** A session that nobody uses ends after so long, and any session after the second. */
export const IDLE_END_MS = 14 * DAY_MS;
export const SESSION_MS = 90 * DAY_MS;

/** When something was last used is written at most so often. */
export const USE_NOTED_EVERY_MS = 10 * MINUTE_MS;

/**
 * So many has an account at most. A further one ends one of whoever has the most, the one that they have not used for longest: so
 * nobody signs others out by signing in often.
 */
export const SESSIONS_PER_USER = 200;

/** What a session stems from. */
export type Stem =
  | { readonly kind: "token"; readonly id: string }
  | { readonly kind: "person"; readonly id: string };

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly stem: Stem;
  readonly digest: string;
  readonly device: string;
  readonly now: number;
}

/** Opens a session. Where the account has too many, some of whoever has the most go. */
export async function createSession(
  db: D1Database,
  { id, userId, stem, digest, device, now }: NewSession,
): Promise<void> {
  const tokenId = stem.kind === "token" ? stem.id : null;
  const personId = stem.kind === "person" ? stem.id : null;
  await db.batch([
    db
      .prepare(
        `INSERT INTO sessions (digest, id, user_id, token_id, person_id, device, created_at, last_used_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)`,
      )
      .bind(digest, id, userId, tokenId, personId, device, now, now + SESSION_MS),
    db
      .prepare(
        `DELETE FROM sessions WHERE user_id = ?1 AND id IN (
           SELECT id FROM (
             SELECT id, last_used_at, ROW_NUMBER() OVER (
               PARTITION BY token_id, person_id ORDER BY last_used_at DESC, id = ?2 DESC, id) AS nth
             FROM sessions WHERE user_id = ?1)
           ORDER BY nth, last_used_at DESC, id = ?2 DESC, id LIMIT -1 OFFSET ?3)`,
      )
      .bind(userId, id, SESSIONS_PER_USER),
    db
      .prepare("UPDATE people SET last_seen_at = ?3 WHERE id = ?2 AND user_id = ?1")
      .bind(userId, personId, now),
  ]);
}

export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly stem: Stem & { readonly name: string };
  readonly role: Role;
  readonly lastUsedAt: number;
}

export type SessionStanding =
  | { readonly outcome: "valid"; readonly session: Session }
  | { readonly outcome: "suspended" }
  | { readonly outcome: "not_valid" };

const standingRow = z.object({
  id: z.string(),
  user_id: z.string(),
  token_id: z.string().nullable(),
  person_id: z.string().nullable(),
  name: z.string(),
  role: roleSchema,
  last_used_at: z.number(),
  suspended_at: z.number().nullable(),
});

/** Sessions that stand at `?1`, each with what it stems from. */
const STANDING = `SELECT s.id, s.user_id, s.token_id, s.person_id, s.device, s.created_at, s.last_used_at, s.expires_at,
    u.suspended_at,
    COALESCE(t.name, p.name) AS name, COALESCE(t.role, p.role) AS role
  FROM sessions AS s
  JOIN users AS u ON u.id = s.user_id
  LEFT JOIN user_tokens AS t ON t.id = s.token_id AND t.user_id = s.user_id
    AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > ?1)
  LEFT JOIN people AS p ON p.id = s.person_id AND p.user_id = s.user_id AND p.removed_at IS NULL
  WHERE s.revoked_at IS NULL AND s.expires_at > ?1 AND s.last_used_at > ?2 AND COALESCE(t.id, p.id) IS NOT NULL`;

/** How the session of a browser's cookie stands. */
export async function sessionOfDigest(db: D1Database, digest: string, now: number): Promise<SessionStanding> {
  const row = await db
    .prepare(`${STANDING} AND s.digest = ?3`)
    .bind(now, now - IDLE_END_MS, digest)
    .first();
  return standingOf(row);
}

/** The same of a session that is known by its id. */
export async function sessionOfId(
  db: D1Database,
  userId: string,
  id: string,
  now: number,
): Promise<SessionStanding> {
  const row = await db
    .prepare(`${STANDING} AND s.user_id = ?3 AND s.id = ?4`)
    .bind(now, now - IDLE_END_MS, userId, id)
    .first();
  return standingOf(row);
}

/** A row that this version cannot read lets nobody in. */
function standingOf(found: unknown): SessionStanding {
  const row = standingRow.safeParse(found).data;
  const stem = row === undefined ? null : stemOf(row.token_id, row.person_id);
  if (row === undefined || stem === null) return { outcome: "not_valid" };
  if (row.suspended_at !== null) return { outcome: "suspended" };
  return {
    outcome: "valid",
    session: {
      id: row.id,
      userId: row.user_id,
      stem: { ...stem, name: row.name },
      role: row.role,
      lastUsedAt: row.last_used_at,
    },
  };
}

function stemOf(tokenId: string | null, personId: string | null): Stem | null {
  if (tokenId !== null && personId === null) return { kind: "token", id: tokenId };
  if (personId !== null && tokenId === null) return { kind: "person", id: personId };
  return null;
}

export interface ListedSession extends Session {
  /** As the browser names itself. */
  readonly device: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

const listedRow = z.looseObject({ device: z.string(), created_at: z.number(), expires_at: z.number() });

/** All that stand in an account, the last used first. */
export async function listSessions(db: D1Database, userId: string, now: number): Promise<ListedSession[]> {
  const { results } = await db
    .prepare(`${STANDING} AND s.user_id = ?3 ORDER BY s.last_used_at DESC, s.id LIMIT ?4`)
    .bind(now, now - IDLE_END_MS, userId, SESSIONS_PER_USER)
    .all();
  return results.flatMap((found) => {
    const standing = standingOf(found);
    if (standing.outcome !== "valid") return [];
    const { device, created_at: createdAt, expires_at: expiresAt } = listedRow.parse(found);
    return [{ ...standing.session, device, createdAt, expiresAt }];
  });
}

/** Notes that the session is in use. */
export async function noteSessionUse(db: D1Database, userId: string, id: string, now: number): Promise<void> {
  await db
    .prepare("UPDATE sessions SET last_used_at = ?3 WHERE user_id = ?1 AND id = ?2 AND last_used_at <= ?4")
    .bind(userId, id, now, now - USE_NOTED_EVERY_MS)
    .run();
}

/** Ends a session for good; false when the account has no such one. */
export async function endSession(db: D1Database, userId: string, id: string): Promise<boolean> {
  const { meta } = await db
    .prepare("DELETE FROM sessions WHERE user_id = ? AND id = ?")
    .bind(userId, id)
    .run();
  return meta.changes > 0;
}
