import { z } from "zod";
import { DAY_MS, MINUTE_MS } from "../lifecycle/model/time.ts";
import { proveEmail } from "./identities.ts";
import { MAKER_STANDS } from "./makers.ts";
import { issueSecret } from "./secrets.ts";

/** Links that sign in once, in D1: those of a person, and invitations, whose first follower becomes a person of the account. */

/** The kind of maker of a link that was sent to an address, and its name. */
const MAILED = "e-mail";

const takenRow = z.object({
  user_id: z.string(),
  person_id: z.string(),
  role: z.string().nullable(),
  email: z.string().nullable(),
  made_by_kind: z.string(),
});

export interface TakenLink {
  readonly userId: string;
  readonly personId: string;
}

/**
 * Uses a link up. Null when there is none, or it was used, has expired, is of an account or a person that may not sign in, or was
 * made by somebody who may not make it any more. Of two who follow it at once, one gets in.
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
           AND ${MAKER_STANDS}
         RETURNING user_id, person_id, role, email, made_by_kind`,
      )
      .bind(digest, now, newPersonId),
    db
      .prepare(
        `INSERT INTO people (id, user_id, name, email, role, created_at)
         SELECT ?2, user_id, name,
           iif(EXISTS (SELECT 1 FROM people WHERE people.user_id = sign_in_links.user_id
                 AND people.removed_at IS NULL AND people.email = sign_in_links.email), NULL, email),
           role, ?3
         FROM sign_in_links WHERE digest = ?1 AND person_id = ?2`,
      )
      .bind(digest, newPersonId, now),
  ]);
  const row = takenRow.safeParse(taken?.results[0]).data;
  if (row === undefined) return null;
  const person = { userId: row.user_id, personId: row.person_id };
  // Whoever follows a link that was mailed reads what is sent there.
  const { role, made_by_kind: maker, email } = row;
  if (role === null && maker === MAILED && email !== null) await proveEmail(db, person, email, now);
  return person;
}

/** Whose a link is, used or not; null for none of this service. */
export async function accountOfLink(db: D1Database, digest: string): Promise<string | null> {
  const row = await db
    .prepare("SELECT user_id FROM sign_in_links WHERE digest = ?")
    .bind(digest)
    .first<{ user_id: string }>();
  return row?.user_id ?? null;
}

/** A link that is mailed is good for so long. */
const MAILED_LASTS_MS = 15 * MINUTE_MS;

/** So many are mailed to an address within that time, and within a day, whoever of the account has it. */
const MAILED_AT_ONCE = 3;
const MAILED_PER_DAY = 10;

/** So many an account has mailed within a day to addresses that nobody has proven: they may be a stranger's. */
const MAILED_TO_STRANGERS_PER_DAY = 50;

/** Somebody of an account who has an address. */
export interface Addressee {
  readonly userId: string;
  readonly personId: string;
  /** The account's name; null where the person has not yet shown that the address is theirs. */
  readonly account: string | null;
}

/** So many accounts are named in a message. */
const ADDRESSEES = 5;

const addresseeRow = z
  .object({ user_id: z.string(), person_id: z.string(), account: z.string().nullable() })
  .transform((row): Addressee => ({ userId: row.user_id, personId: row.person_id, account: row.account }));

/** Who has this address, in accounts that are not suspended. Those who have proven it come first. */
export async function addresseesOf(db: D1Database, email: string): Promise<Addressee[]> {
  const { results } = await db
    .prepare(
      `SELECT people.user_id, people.id AS person_id, iif(identities.person_id IS NULL, NULL, users.name) AS account
       FROM people JOIN users ON users.id = people.user_id
       LEFT JOIN identities ON identities.issuer = 'mailto:' AND identities.subject = people.email
         AND identities.user_id = people.user_id AND identities.person_id = people.id
       WHERE people.email = ? AND people.removed_at IS NULL AND users.suspended_at IS NULL
       ORDER BY identities.person_id IS NULL, people.created_at LIMIT ?`,
    )
    .bind(email, ADDRESSEES)
    .all();
  return z.array(addresseeRow).parse(results);
}

/** Makes a link to be mailed to a person's address. Returns its secret; null when enough was sent there. */
export async function createMailedLink(
  env: Pick<Env, "DB" | "TOKEN_KEY">,
  { userId, personId, account }: Addressee,
  email: string,
  now: number,
): Promise<string | null> {
  const { secret, digest } = await issueSecret(env.TOKEN_KEY, "link");
  const { meta } = await env.DB.prepare(
    `INSERT INTO sign_in_links (digest, id, user_id, person_id, email, made_by, made_by_kind, created_at, expires_at)
     SELECT ?1, ?2, ?3, ?4, ?5, '${MAILED}', '${MAILED}', ?6, ?7
     FROM (SELECT COUNT(*) FILTER (WHERE email = ?5) AS today,
             COUNT(*) FILTER (WHERE email = ?5 AND created_at > ?8) AS lately,
             COUNT(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM identities
               WHERE issuer = 'mailto:' AND subject = sign_in_links.email AND user_id = ?3)) AS strangers
           FROM sign_in_links
           WHERE user_id = ?3 AND role IS NULL AND made_by_kind = '${MAILED}' AND created_at > ?9)
     WHERE lately < ?10 AND today < ?11 AND (?12 OR strangers < ?13)`,
  )
    .bind(
      digest,
      `l-${crypto.randomUUID()}`,
      userId,
      personId,
      email,
      now,
      now + MAILED_LASTS_MS,
      now - MAILED_LASTS_MS,
      now - DAY_MS,
      MAILED_AT_ONCE,
      MAILED_PER_DAY,
      account === null ? 0 : 1,
      MAILED_TO_STRANGERS_PER_DAY,
    )
    .run();
  return meta.changes > 0 ? secret : null;
}
