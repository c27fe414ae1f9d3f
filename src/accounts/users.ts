import { z } from "zod";

/** Users, in D1: accounts, to which people and tokens belong. */

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
  suspendedAt: number | null,
  {
    language,
    timeZone,
    keysForgottenUntil,
  }: Omit<Profile, "name"> & { readonly keysForgottenUntil: number | null },
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `INSERT INTO users (id, name, created_at, suspended_at, language, time_zone, keys_forgotten_until)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    )
    .bind(user.id, user.name, user.createdAt, suspendedAt, language, timeZone, keysForgottenUntil)
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

/** Changes what an account is called, and how it is told. What is undefined stays as it is; null takes a choice back. */
export async function changeProfile(
  db: D1Database,
  userId: string,
  { name, language, timeZone }: ProfileChange,
): Promise<void> {
  await db
    .prepare(
      `UPDATE users SET name = COALESCE(?2, name), language = CASE WHEN ?3 THEN ?4 ELSE language END,
         time_zone = CASE WHEN ?5 THEN ?6 ELSE time_zone END WHERE id = ?1`,
    )
    .bind(
      userId,
      name ?? null,
      language === undefined ? 0 : 1,
      language ?? null,
      timeZone === undefined ? 0 : 1,
      timeZone ?? null,
    )
    .run();
}

export interface ProfileChange {
  readonly name?: string | undefined;
  readonly language?: string | null | undefined;
  readonly timeZone?: string | null | undefined;
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
  const profile = await lookUpProfile(db, userId);
  if (profile === null) throw new Error("there is no such account any more");
  return profile;
}

/** Null for an account that is gone. */
export async function lookUpProfile(db: D1Database, userId: string): Promise<Profile | null> {
  const found = await db
    .prepare("SELECT name, language, time_zone FROM users WHERE id = ?")
    .bind(userId)
    .first();
  const row = profileRow.nullable().parse(found);
  return row && { name: row.name, language: row.language, timeZone: row.time_zone };
}
