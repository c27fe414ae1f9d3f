import { z } from "zod";

/** Links that sign in once, in D1: those of a person, and invitations, whose first follower becomes a person of the account. */

const takenRow = z.object({ user_id: z.string(), person_id: z.string() });

export interface TakenLink {
  readonly userId: string;
  readonly personId: string;
}

/**
 * Uses a link up. Null when there is none, or it was used, has expired, or is of an account or a person that may not sign in. Of
 * two who follow it at once, one gets in.
 */
export async function takeLink(db: D1Database, digest: string, now: number): Promise<TakenLink | null> {
  const newPersonId = `p-${crypto.randomUUID()}`;
  const [taken] = await db.batch([
    db
      .prepare(
        `UPDATE sign_in_links SET used_at = ?2, person_id = COALESCE(person_id, ?3)
         WHERE digest = ?1 AND used_at IS NULL AND expires_at > ?2
           AND EXISTS (SELECT 1 FROM users WHERE id = sign_in_links.user_id AND suspended_at IS NULL)
           AND (CASE WHEN person_id IS NULL THEN role IS NOT NULL AND name IS NOT NULL
                ELSE EXISTS (SELECT 1 FROM people WHERE id = sign_in_links.person_id
                  AND user_id = sign_in_links.user_id AND removed_at IS NULL) END)
         RETURNING user_id, person_id`,
      )
      .bind(digest, now, newPersonId),
    db
      .prepare(
        `INSERT INTO people (id, user_id, name, email, role, created_at)
         SELECT ?2, user_id, name, email, role, ?3 FROM sign_in_links WHERE digest = ?1 AND person_id = ?2`,
      )
      .bind(digest, newPersonId, now),
  ]);
  const row = takenRow.safeParse(taken?.results[0]).data;
  return row === undefined ? null : { userId: row.user_id, personId: row.person_id };
}
