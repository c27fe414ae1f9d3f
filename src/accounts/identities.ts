import { z } from "zod";
import { ANOTHER_KNOWN_OWNER, emailSchema, PEOPLE_PER_ACCOUNT } from "./people.ts";
import type { BroughtKey } from "./user-tokens.ts";

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

/** How somebody of an account is known. */
export interface HeldIdentity extends Identity {
  readonly personId: string;
  readonly boundAt: number;
}

const heldRow = z
  .object({ issuer: z.string(), subject: z.string(), person_id: z.string(), bound_at: z.number() })
  .transform(
    (row): HeldIdentity => ({
      issuer: row.issuer,
      subject: row.subject,
      personId: row.person_id,
      boundAt: row.bound_at,
    }),
  );

/** How everybody of an account is known, the first one first. */
export async function identitiesOf(db: D1Database, userId: string): Promise<HeldIdentity[]> {
  const { results } = await db
    .prepare("SELECT issuer, subject, person_id, bound_at FROM identities WHERE user_id = ? LIMIT ?")
    .bind(userId, PEOPLE_PER_ACCOUNT * PER_PERSON)
    .all();
  const held = z.array(heldRow).parse(results);
  return held.toSorted((one, other) => one.boundAt - other.boundAt);
}

/** Whether an identity is an address that is proven, and no name of a provider. */
export const isAddress = ({ issuer }: Identity): boolean => issuer === byEmail("").issuer;

/** Names an identity of a person in an address. What the provider calls the person is nobody's business there. */
export async function idOfIdentity({ issuer, subject }: Identity): Promise<string> {
  const named = new TextEncoder().encode(JSON.stringify([issuer, subject]));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", named)).toHex().slice(0, 32);
}

/**
 * The identity no longer stands for the person. An address is then not the person's any more: no link is sent there, and those
 * that were are over. `last_owner`: no owner of the account would have a way to sign in.
 */
export async function disconnectIdentity(
  db: D1Database,
  { userId, personId }: KnownPerson,
  { issuer, subject }: Identity,
  now: number,
): Promise<"disconnected" | "last_owner"> {
  const [deleted] = await db.batch([
    db
      .prepare(
        `DELETE FROM identities WHERE user_id = ?1 AND person_id = ?2 AND issuer = ?3 AND subject = ?4
           AND (NOT EXISTS (SELECT 1 FROM people WHERE id = ?2 AND user_id = ?1 AND role = 'owner')
             OR EXISTS (SELECT 1 FROM identities AS kept WHERE kept.person_id = ?2 AND kept.user_id = ?1
                        AND (kept.issuer <> ?3 OR kept.subject <> ?4))
             OR ${ANOTHER_KNOWN_OWNER})`,
      )
      .bind(userId, personId, issuer, subject),
    db
      .prepare(
        `UPDATE people SET email = NULL WHERE id = ?2 AND user_id = ?1 AND ?3 = 'mailto:' AND email = ?4
           AND NOT EXISTS (SELECT 1 FROM identities WHERE issuer = ?3 AND subject = ?4 AND user_id = ?1)`,
      )
      .bind(userId, personId, issuer, subject),
    // An import of an older export must not bring it back.
    db
      .prepare(
        `UPDATE users SET keys_forgotten_until = MAX(COALESCE(keys_forgotten_until, 0), ?4)
         WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM identities WHERE issuer = ?2 AND subject = ?3 AND user_id = ?1)`,
      )
      .bind(userId, issuer, subject, now),
    // They still count among those that were sent there.
    db
      .prepare(
        `UPDATE sign_in_links SET used_at = ?5
         WHERE user_id = ?1 AND person_id = ?2 AND ?3 = 'mailto:' AND email = ?4 AND role IS NULL AND used_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM identities WHERE issuer = ?3 AND subject = ?4 AND user_id = ?1)`,
      )
      .bind(userId, personId, issuer, subject, now),
  ]);
  return (deleted?.meta.changes ?? 0) > 0 ? "disconnected" : "last_owner";
}

/** Binds an identity of an export, unless it stands for somebody here, or its person is not known. */
export async function bringIdentity(
  db: D1Database,
  userId: string,
  row: Identity & { readonly person_id: string; readonly bound_at: number },
  exportedAt: number,
): Promise<BroughtKey> {
  const { issuer, subject, person_id: personId } = row;
  const { meta } = await db
    .prepare(
      `INSERT INTO identities (issuer, subject, user_id, person_id, bound_at)
       SELECT ?1, ?2, people.user_id, people.id, ?3 FROM people JOIN users ON users.id = people.user_id
       WHERE people.id = ?4 AND people.user_id = ?5 AND people.removed_at IS NULL
         AND ?6 > COALESCE(users.keys_forgotten_until, -1)
       ON CONFLICT DO NOTHING`,
    )
    .bind(issuer, subject, row.bound_at, personId, userId, exportedAt)
    .run();
  if (meta.changes > 0) return "brought";
  const unbound = await db
    .prepare(
      `SELECT 1 FROM people WHERE id = ?1 AND user_id = ?2 AND removed_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM identities WHERE issuer = ?3 AND subject = ?4 AND user_id = ?2)`,
    )
    .bind(personId, userId, issuer, subject)
    .first();
  return unbound === null ? "known" : "over";
}
