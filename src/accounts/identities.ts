import { z } from "zod";
import { emailSchema } from "./people.ts";

/**
 * How people are known when they sign in: by the name that an OpenID provider has for them, or by an e-mail address of which they
 * have proven that they read it. What an owner has typed proves nothing: else anybody could draw others into an account.
 */

export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

/** Of an address that is proven. */
export const byEmail = (email: string): Identity => ({ issuer: "mailto:", subject: email });

export interface KnownPerson {
  readonly userId: string;
  readonly personId: string;
}

/** Somebody may be a person of several accounts, but hardly of more. */
const ACCOUNTS = 20;

const knownRow = z
  .object({ user_id: z.string(), person_id: z.string() })
  .transform((row): KnownPerson => ({ userId: row.user_id, personId: row.person_id }));

/** Whom an identity stands for: in each account one person at most. The account where they were last comes first, and suspended ones last. */
export async function peopleKnownBy(db: D1Database, { issuer, subject }: Identity): Promise<KnownPerson[]> {
  const { results } = await db
    .prepare(
      `SELECT identities.user_id, identities.person_id FROM identities
       JOIN people ON people.id = identities.person_id AND people.user_id = identities.user_id
       JOIN users ON users.id = identities.user_id
       WHERE identities.issuer = ? AND identities.subject = ? AND people.removed_at IS NULL
       ORDER BY users.suspended_at IS NOT NULL, people.last_seen_at DESC, people.created_at DESC LIMIT ?`,
    )
    .bind(issuer, subject, ACCOUNTS)
    .all();
  return z.array(knownRow).parse(results);
}

/** A person proves few, but no list grows without end. */
const PER_PERSON = 20;

/**
 * From now on the identity stands for this person in the account. False when it stands for somebody else there, or the person
 * was removed meanwhile, or has too many.
 */
export async function bindIdentity(
  db: D1Database,
  { userId, personId }: KnownPerson,
  { issuer, subject }: Identity,
  now: number,
): Promise<boolean> {
  const [, bound] = await db.batch([
    db
      .prepare(
        `INSERT INTO identities (issuer, subject, user_id, person_id, bound_at)
         SELECT ?3, ?4, user_id, id, ?5 FROM people
         WHERE id = ?2 AND user_id = ?1 AND removed_at IS NULL
           AND (SELECT COUNT(*) FROM identities WHERE person_id = ?2) < ?6
         ON CONFLICT DO NOTHING`,
      )
      .bind(userId, personId, issuer, subject, now, PER_PERSON),
    db
      .prepare("SELECT person_id FROM identities WHERE issuer = ? AND subject = ? AND user_id = ?")
      .bind(issuer, subject, userId),
  ]);
  const row = z.object({ person_id: z.string() }).safeParse(bound?.results[0]).data;
  return row?.person_id === personId;
}

/**
 * The person has shown that this address is theirs. It becomes the person's own, unless another one of the account has it, or the
 * person has one already.
 */
export async function proveEmail(
  db: D1Database,
  person: KnownPerson,
  email: string,
  now: number,
): Promise<void> {
  const address = emailSchema.safeParse(email).data;
  if (address === undefined || !(await bindIdentity(db, person, byEmail(address), now))) return;
  await db
    .prepare(
      `UPDATE people SET email = ?3 WHERE id = ?2 AND user_id = ?1 AND removed_at IS NULL AND email IS NULL
         AND NOT EXISTS (SELECT 1 FROM people AS other
                         WHERE other.user_id = ?1 AND other.removed_at IS NULL AND other.email = ?3)`,
    )
    .bind(person.userId, person.personId, address)
    .run();
}

/** Binds an identity of an export; false when it is known here, or its person is not. */
export async function bringIdentity(
  db: D1Database,
  userId: string,
  row: Identity & { readonly person_id: string; readonly bound_at: number },
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `INSERT INTO identities (issuer, subject, user_id, person_id, bound_at)
       SELECT ?1, ?2, user_id, id, ?3 FROM people WHERE id = ?4 AND user_id = ?5 AND removed_at IS NULL
       ON CONFLICT DO NOTHING`,
    )
    .bind(row.issuer, row.subject, row.bound_at, row.person_id, userId)
    .run();
  return meta.changes > 0;
}
