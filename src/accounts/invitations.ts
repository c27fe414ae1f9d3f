import { z } from "zod";
import { DAY_MS } from "../lifecycle/model/time.ts";
import { MAKER_STANDS, type Maker } from "./makers.ts";
import { PEOPLE_EVER_PER_ACCOUNT, PEOPLE_PER_ACCOUNT } from "./people.ts";
import { type Role, roleSchema } from "./roles.ts";
import { issueSecret } from "./secrets.ts";

/** Links by which somebody new comes into an account. They are sign-in links that no person has yet. */

export interface Invitation {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  readonly role: Role;
  /** Who invites, by name. */
  readonly madeBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Open ones of an account. */
export const INVITATIONS_PER_ACCOUNT = 50;

export const INVITATION_LASTS_MS = 7 * DAY_MS;

const invitationRow = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    role: roleSchema,
    made_by: z.string(),
    created_at: z.number(),
    expires_at: z.number(),
  })
  .transform(
    (row): Invitation => ({
      id: row.id,
      name: row.name,
      email: row.email,
      role: row.role,
      madeBy: row.made_by,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
    }),
  );

export type Invited =
  | { readonly outcome: "invited"; readonly invitation: Invitation; readonly secret: string }
  | { readonly outcome: "too_many" }
  /** Somebody with this e-mail address is in the account. */
  | { readonly outcome: "known" };

/**
 * Makes an invitation, whose secret only its answer holds. Those that nobody can follow, since who made them may not any more, are
 * over for good: they take no place, and none of them comes back with its maker.
 */
export async function createInvitation(
  env: Pick<Env, "DB" | "TOKEN_KEY">,
  userId: string,
  asked: Pick<Invitation, "name" | "email" | "role"> & { readonly maker: Maker },
  now: number,
): Promise<Invited> {
  const { secret, digest } = await issueSecret(env.TOKEN_KEY, "link");
  const { name, email, role, maker } = asked;
  const invitation: Invitation = {
    id: `l-${crypto.randomUUID()}`,
    name,
    email,
    role,
    madeBy: maker.name,
    createdAt: now,
    expiresAt: now + INVITATION_LASTS_MS,
  };
  const [, made, known] = await env.DB.batch([
    env.DB.prepare(
      `DELETE FROM sign_in_links
       WHERE user_id = ?1 AND person_id IS NULL AND used_at IS NULL AND NOT (${MAKER_STANDS})`,
    ).bind(userId, now),
    env.DB.prepare(
      `INSERT INTO sign_in_links (digest, id, user_id, role, name, email, made_by, created_at, expires_at,
         made_by_kind, made_by_id)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?13, ?14
       FROM (SELECT COUNT(*) AS open FROM sign_in_links
             WHERE user_id = ?3 AND person_id IS NULL AND used_at IS NULL AND expires_at > ?8),
            (SELECT COUNT(*) AS ever, COUNT(*) - COUNT(removed_at) AS people FROM people WHERE user_id = ?3)
       WHERE open < ?10 AND people + open < ?11 AND ever + open < ?12
         AND NOT EXISTS (SELECT 1 FROM people WHERE user_id = ?3 AND removed_at IS NULL AND email = ?6)`,
    ).bind(
      digest,
      invitation.id,
      userId,
      role,
      name,
      email,
      maker.name,
      now,
      invitation.expiresAt,
      INVITATIONS_PER_ACCOUNT,
      PEOPLE_PER_ACCOUNT,
      PEOPLE_EVER_PER_ACCOUNT,
      maker.kind,
      maker.id,
    ),
    env.DB.prepare("SELECT 1 FROM people WHERE user_id = ? AND removed_at IS NULL AND email = ?").bind(
      userId,
      email,
    ),
  ]);
  if ((made?.meta.changes ?? 0) > 0) return { outcome: "invited", invitation, secret };
  return { outcome: (known?.results.length ?? 0) > 0 ? "known" : "too_many" };
}

/** Those that somebody may still follow, the newest first. */
export async function listInvitations(db: D1Database, userId: string, now: number): Promise<Invitation[]> {
  const { results } = await db
    .prepare(
      `SELECT id, name, email, role, made_by, created_at, expires_at FROM sign_in_links
       WHERE user_id = ?1 AND person_id IS NULL AND role IS NOT NULL AND used_at IS NULL AND expires_at > ?2
         AND ${MAKER_STANDS}
       ORDER BY created_at DESC, id DESC LIMIT ?3`,
    )
    .bind(userId, now, INVITATIONS_PER_ACCOUNT)
    .all();
  return z.array(invitationRow).parse(results);
}

/** Nobody follows it any more. Returns it; null when the account has no such one that is open. */
export async function deleteInvitation(
  db: D1Database,
  userId: string,
  id: string,
): Promise<Invitation | null> {
  const row = await db
    .prepare(
      `DELETE FROM sign_in_links
       WHERE user_id = ? AND id = ? AND person_id IS NULL AND role IS NOT NULL AND used_at IS NULL RETURNING *`,
    )
    .bind(userId, id)
    .first();
  return row === null ? null : invitationRow.parse(row);
}
