import { z } from "zod";
import { DAY_MS } from "../lifecycle/model/time.ts";
import { type Role, roleSchema } from "./roles.ts";

/** Those who sign in to an account, in D1. */

export interface Person {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  /** In lower case. Entered by an owner or told by a provider: only an identity proves that it is the person's. */
  readonly email: string | null;
  readonly role: Role;
  readonly createdAt: number;
  readonly lastSeenAt: number | null;
}

/** So many has an account at most, together with those who are invited. */
export const PEOPLE_PER_ACCOUNT = 200;

/** With those who were removed: an import must not bring them back, so their ids are kept for a while. */
export const PEOPLE_EVER_PER_ACCOUNT = 2000;
const REMOVED_KEPT_MS = 400 * DAY_MS;

export const personNameSchema = z.string().trim().min(1).max(200);

/** As it is kept. */
export const emailSchema = z.email().max(254).toLowerCase();

/** What may be given to a person: `metrics` is for scrapers. */
export const personRoleSchema = roleSchema.exclude(["metrics"]);

const personRow = z
  .object({
    id: z.string(),
    user_id: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    role: roleSchema,
    created_at: z.number(),
    last_seen_at: z.number().nullable(),
  })
  .transform(
    (row): Person => ({
      id: row.id,
      userId: row.user_id,
      name: row.name,
      email: row.email,
      role: row.role,
      createdAt: row.created_at,
      lastSeenAt: row.last_seen_at,
    }),
  );

/** Somebody else of the account (`?1`) than this person (`?2`) who is an owner. */
const OTHER = "other.user_id = ?1 AND other.removed_at IS NULL AND other.role = 'owner' AND other.id <> ?2";

const ENDLESS_TOKEN = `EXISTS (
  SELECT 1 FROM user_tokens
  WHERE user_tokens.user_id = ?1 AND user_tokens.revoked_at IS NULL
    AND user_tokens.role = 'owner' AND user_tokens.expires_at IS NULL)`;

/** Whether there is another owner, or a token of one that never ends. */
const ANOTHER_OWNER = `(EXISTS (SELECT 1 FROM people AS other WHERE ${OTHER}) OR ${ENDLESS_TOKEN})`;

/** The same, of an owner who is known by something: whoever is not can't sign in again. */
export const ANOTHER_KNOWN_OWNER = `(
  EXISTS (SELECT 1 FROM people AS other WHERE ${OTHER}
    AND EXISTS (SELECT 1 FROM identities WHERE identities.user_id = ?1 AND identities.person_id = other.id))
  OR ${ENDLESS_TOKEN})`;

/** All of an account who may sign in, the first one first. */
export async function listPeople(db: D1Database, userId: string): Promise<Person[]> {
  const { results } = await db
    .prepare(
      `SELECT id, user_id, name, email, role, created_at, last_seen_at FROM people
       WHERE user_id = ? AND removed_at IS NULL ORDER BY created_at, id`,
    )
    .bind(userId)
    .all();
  return z.array(personRow).parse(results);
}

/** Null for somebody whom the account does not have, or no longer. */
export async function findPerson(db: D1Database, userId: string, id: string): Promise<Person | null> {
  const row = await db
    .prepare(
      `SELECT id, user_id, name, email, role, created_at, last_seen_at FROM people
       WHERE id = ? AND user_id = ? AND removed_at IS NULL`,
    )
    .bind(id, userId)
    .first();
  return row === null ? null : personRow.parse(row);
}

export type PersonChange = "done" | "unknown" | "last_owner";

/** Gives the person another name or role. `last_owner`: the account would have nobody left who holds its keys. */
export async function changePerson(
  db: D1Database,
  userId: string,
  id: string,
  change: { readonly name?: string | undefined; readonly role?: Role | undefined },
): Promise<PersonChange> {
  const { meta } = await db
    .prepare(
      `UPDATE people SET name = COALESCE(?3, name), role = COALESCE(?4, role)
       WHERE id = ?2 AND user_id = ?1 AND removed_at IS NULL
         AND (role <> 'owner' OR COALESCE(?4, role) = 'owner' OR ${ANOTHER_OWNER})`,
    )
    .bind(userId, id, change.name ?? null, change.role ?? null)
    .run();
  return meta.changes > 0 ? "done" : whyNot(db, userId, id);
}

/** The person may sign in no longer, and is forgotten but for the name. */
export async function removePerson(
  db: D1Database,
  userId: string,
  id: string,
  now: number,
): Promise<PersonChange> {
  const [removed] = await db.batch([
    db
      .prepare(
        `UPDATE people SET removed_at = ?3, email = NULL
         WHERE id = ?2 AND user_id = ?1 AND removed_at IS NULL AND (role <> 'owner' OR ${ANOTHER_OWNER})`,
      )
      .bind(userId, id, now),
    // Whoever is removed is known by no identity, and no link lets them in. Those that were mailed still count for a while: else
    // an address could be sent any number, of one person after the other.
    db
      .prepare(
        `DELETE FROM identities WHERE person_id = ?2 AND user_id = ?1
           AND EXISTS (SELECT 1 FROM people WHERE id = ?2 AND user_id = ?1 AND removed_at IS NOT NULL)`,
      )
      .bind(userId, id),
    db
      .prepare(
        `DELETE FROM sign_in_links WHERE user_id = ?1 AND person_id = ?2
           AND NOT (role IS NULL AND email IS NOT NULL)
           AND EXISTS (SELECT 1 FROM people WHERE id = ?2 AND user_id = ?1 AND removed_at IS NOT NULL)`,
      )
      .bind(userId, id),
    db.prepare("DELETE FROM people WHERE user_id = ? AND removed_at < ?").bind(userId, now - REMOVED_KEPT_MS),
  ]);
  return (removed?.meta.changes ?? 0) > 0 ? "done" : whyNot(db, userId, id);
}

async function whyNot(db: D1Database, userId: string, id: string): Promise<PersonChange> {
  return (await findPerson(db, userId, id)) === null ? "unknown" : "last_owner";
}

/** Makes a person of an export, removed or not; false when there is one of this id. */
export async function bringPerson(
  db: D1Database,
  userId: string,
  row: {
    readonly id: string;
    readonly name: string;
    readonly email: string | null;
    readonly role: Role;
    readonly created_at: number;
    readonly last_seen_at: number | null;
    readonly removed_at: number | null;
  },
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `INSERT INTO people (id, user_id, name, email, role, created_at, last_seen_at, removed_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    )
    .bind(row.id, userId, row.name, row.email, row.role, row.created_at, row.last_seen_at, row.removed_at)
    .run();
  return meta.changes > 0;
}
