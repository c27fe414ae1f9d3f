import { z } from "zod";
import { DAY_MS } from "../lifecycle/model/time.ts";
import { sha256Hex } from "./digest.ts";
import type { Role } from "./roles.ts";
import { roleSchema } from "./roles.ts";

/** Links by which somebody new comes into an account. They are sign-in links that no person has yet. */

export interface Invitation {
  readonly id: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly role: Role;
  /** Who invites, by name. */
  readonly madeBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Open ones of an account. */
export const INVITATIONS_PER_ACCOUNT = 100;

export const INVITATION_LASTS_MS = 7 * DAY_MS;

const invitationRow = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
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

/** 256 bits that nobody can guess, as part of an address. */
export function newLinkSecret(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true });
}

export type Invited =
  | { readonly outcome: "invited"; readonly invitation: Invitation; readonly secret: string }
  | { readonly outcome: "too_many" }
  /** Somebody with this e-mail address is in the account. */
  | { readonly outcome: "known" };

/** Makes an invitation, whose secret only its answer holds. */
export async function createInvitation(
  db: D1Database,
  userId: string,
  asked: Pick<Invitation, "name" | "email" | "role" | "madeBy">,
  now: number,
): Promise<Invited> {
  const secret = newLinkSecret();
  const invitation: Invitation = {
    id: `i-${crypto.randomUUID()}`,
    ...asked,
    createdAt: now,
    expiresAt: now + INVITATION_LASTS_MS,
  };
  const { meta } = await db
    .prepare(
      `INSERT INTO sign_in_links (digest, id, user_id, role, name, email, made_by, created_at, expires_at)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
       WHERE (SELECT COUNT(*) FROM sign_in_links
              WHERE user_id = ?3 AND person_id IS NULL AND used_at IS NULL AND expires_at > ?8) < ?10
         AND NOT EXISTS (SELECT 1 FROM people WHERE user_id = ?3 AND removed_at IS NULL AND email = ?6)`,
    )
    .bind(
      await sha256Hex(secret),
      invitation.id,
      userId,
      invitation.role,
      invitation.name,
      invitation.email,
      invitation.madeBy,
      now,
      invitation.expiresAt,
      INVITATIONS_PER_ACCOUNT,
    )
    .run();
  if (meta.changes > 0) return { outcome: "invited", invitation, secret };
  const open = await listInvitations(db, userId, now);
  return { outcome: open.length < INVITATIONS_PER_ACCOUNT ? "known" : "too_many" };
}

/** Those that somebody may still follow, the newest first. */
export async function listInvitations(db: D1Database, userId: string, now: number): Promise<Invitation[]> {
  const { results } = await db
    .prepare(
      `SELECT id, name, email, role, made_by, created_at, expires_at FROM sign_in_links
       WHERE user_id = ? AND person_id IS NULL AND role IS NOT NULL AND used_at IS NULL AND expires_at > ?
       ORDER BY created_at DESC, id DESC LIMIT ?`,
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
