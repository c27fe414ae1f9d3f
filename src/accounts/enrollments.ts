import { z } from "zod";
import { jsonText } from "../lifecycle/model/stored.ts";
import type { BroughtKey } from "./user-tokens.ts";

/** Enrollment tokens, with which machines register themselves, and what was registered with each. In D1. */

/** What is registered of a machine that enrolls. */
const defaultsSchema = z.object({
  /** The instance's name begins with it. */
  namePrefix: z.string(),
  /** Whether its provider is called, where one of the user's connections shows the machine. */
  callProvider: z.boolean(),
  hourlyCost: z.number().nullable(),
  hibernatedHourlyCost: z.number().nullable(),
  /** Absent is none. */
  tags: z.record(z.string(), z.string()).optional().catch(undefined),
});

export type EnrollmentDefaults = Readonly<z.infer<typeof defaultsSchema>>;

export interface NewEnrollment {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  /** How many machines may be registered with it. */
  readonly uses: number;
  readonly expiresAt: number;
  readonly defaults: EnrollmentDefaults;
  readonly createdAt: number;
}

export interface Enrollment extends NewEnrollment {
  readonly usesLeft: number;
  readonly lastUsedAt: number | null;
}

/** So many has a user at most: expired and used-up ones count until they are deleted. */
export const ENROLLMENTS_PER_USER = 50;

const enrollmentRow = z
  .object({
    id: z.string(),
    user_id: z.string(),
    name: z.string(),
    uses: z.number(),
    taken: z.number(),
    expires_at: z.number(),
    defaults: jsonText(defaultsSchema),
    created_at: z.number(),
    last_used_at: z.number().nullable(),
  })
  .transform(
    (row): Enrollment => ({
      id: row.id,
      userId: row.user_id,
      name: row.name,
      uses: row.uses,
      usesLeft: Math.max(0, row.uses - row.taken),
      expiresAt: row.expires_at,
      defaults: row.defaults,
      createdAt: row.created_at,
      lastUsedAt: row.last_used_at,
    }),
  );

const SELECT = `SELECT id, user_id, name, uses, expires_at, defaults, created_at, last_used_at,
  (SELECT COUNT(*) FROM enrolled_machines WHERE enrollment_id = enrollments.id) AS taken FROM enrollments`;

/** Makes the record of an enrollment token; false when the user has as many as may be. */
export async function createEnrollment(db: D1Database, enrollment: NewEnrollment): Promise<boolean> {
  const { id, userId, name, uses, expiresAt, defaults, createdAt } = enrollment;
  const { meta } = await db
    .prepare(
      `INSERT INTO enrollments (id, user_id, name, uses, expires_at, defaults, created_at)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE (SELECT COUNT(*) FROM enrollments WHERE user_id = ?2) < ?8`,
    )
    .bind(id, userId, name, uses, expiresAt, JSON.stringify(defaults), createdAt, ENROLLMENTS_PER_USER)
    .run();
  return meta.changes > 0;
}

/** All of a user's, the newest first. */
export async function listEnrollments(db: D1Database, userId: string): Promise<Enrollment[]> {
  const { results } = await db
    .prepare(`${SELECT} WHERE user_id = ? ORDER BY created_at DESC, id DESC LIMIT ?`)
    .bind(userId, ENROLLMENTS_PER_USER)
    .all();
  return z.array(enrollmentRow).parse(results);
}

/** Null when the user has no such one. */
export async function findEnrollment(db: D1Database, userId: string, id: string): Promise<Enrollment | null> {
  const row = await db.prepare(`${SELECT} WHERE id = ? AND user_id = ?`).bind(id, userId).first();
  return row === null ? null : enrollmentRow.parse(row);
}

/** Revokes it: nothing is left of it. Instances that were registered with it stay. False when the user has no such one. */
export async function deleteEnrollment(
  db: D1Database,
  userId: string,
  id: string,
  now: number,
): Promise<boolean> {
  const [, deleted] = await db.batch([
    // An import of an older export must not bring it back.
    db
      .prepare(
        `UPDATE users SET keys_forgotten_until = MAX(COALESCE(keys_forgotten_until, 0), ?3)
         WHERE id = ?2 AND EXISTS (SELECT 1 FROM enrollments WHERE id = ?1 AND user_id = ?2)`,
      )
      .bind(id, userId, now),
    db.prepare("DELETE FROM enrollments WHERE id = ? AND user_id = ?").bind(id, userId),
    db.prepare("DELETE FROM enrolled_machines WHERE enrollment_id = ? AND user_id = ?").bind(id, userId),
  ]);
  return (deleted?.meta.changes ?? 0) > 0;
}

export type EnrollmentStanding = "valid" | "suspended" | "not_valid";

/** Whether such a token stands, expired or not. Who is being deleted counts as suspended. */
export async function enrollmentStanding(
  db: D1Database,
  userId: string,
  id: string,
): Promise<EnrollmentStanding> {
  const row = await db
    .prepare(
      `SELECT users.suspended_at AS suspendedAt FROM enrollments JOIN users ON users.id = enrollments.user_id
       WHERE enrollments.id = ? AND enrollments.user_id = ?`,
    )
    .bind(id, userId)
    .first<{ suspendedAt: number | null }>();
  if (row === null) return "not_valid";
  return row.suspendedAt === null ? "valid" : "suspended";
}

/** A use that one machine asks for. */
export interface Use {
  readonly enrollmentId: string;
  readonly machine: string;
  /** Of this request alone. */
  readonly takenBy: string;
}

/**
 * - `taken`: the machine may be registered. It has a use, be it from a request before that came to nothing.
 * - `registered_before`: it was, with this very token.
 */
export type Taking = "taken" | "registered_before" | "expired" | "used_up" | "not_valid";

/** Takes a use for the machine, in one statement, so that there are never more than there may be. */
export async function takeUse(db: D1Database, use: Use, now: number): Promise<Taking> {
  const { enrollmentId, machine, takenBy } = use;
  const [taken, standing] = await db.batch([
    db
      .prepare(
        `INSERT INTO enrolled_machines (enrollment_id, machine, user_id, taken_by, taken_at)
         SELECT id, ?2, user_id, ?3, ?4 FROM enrollments
         WHERE id = ?1 AND expires_at > ?4 AND (
           EXISTS (SELECT 1 FROM enrolled_machines WHERE enrollment_id = ?1 AND machine = ?2)
           OR (SELECT COUNT(*) FROM enrolled_machines WHERE enrollment_id = ?1) < uses)
         ON CONFLICT DO UPDATE SET taken_by = excluded.taken_by, taken_at = excluded.taken_at
         WHERE registered_at IS NULL`,
      )
      .bind(enrollmentId, machine, takenBy, now),
    db
      .prepare(
        `SELECT expires_at, EXISTS (
           SELECT 1 FROM enrolled_machines WHERE enrollment_id = ?1 AND machine = ?2 AND registered_at IS NOT NULL
         ) AS registered FROM enrollments WHERE id = ?1`,
      )
      .bind(enrollmentId, machine),
  ]);
  if ((taken?.meta.changes ?? 0) > 0) return "taken";
  const row = standingRow.safeParse(standing?.results[0]).data;
  if (row === undefined) return "not_valid";
  if (row.expires_at <= now) return "expired";
  return row.registered > 0 ? "registered_before" : "used_up";
}

const standingRow = z.object({ expires_at: z.number(), registered: z.number() });

/** The machine is registered: its use stays taken, whatever another request of it makes of that. */
export async function noteRegistered(db: D1Database, use: Use, userId: string, now: number): Promise<void> {
  await db.batch([
    db
      .prepare(
        `INSERT INTO enrolled_machines (enrollment_id, machine, user_id, taken_by, taken_at, registered_at)
         SELECT id, ?2, user_id, ?3, ?4, ?4 FROM enrollments WHERE id = ?1 AND user_id = ?5
         ON CONFLICT DO UPDATE SET registered_at = COALESCE(registered_at, excluded.registered_at)`,
      )
      .bind(use.enrollmentId, use.machine, use.takenBy, now, userId),
    db
      .prepare("UPDATE enrollments SET last_used_at = ? WHERE id = ? AND user_id = ?")
      .bind(now, use.enrollmentId, userId),
  ]);
}

/** The registration came to nothing. A use that another request of the machine has taken since stays. */
export async function giveBackUse(db: D1Database, { enrollmentId, machine, takenBy }: Use): Promise<void> {
  await db
    .prepare(
      `DELETE FROM enrolled_machines
       WHERE enrollment_id = ? AND machine = ? AND taken_by = ? AND registered_at IS NULL`,
    )
    .bind(enrollmentId, machine, takenBy)
    .run();
}

/** Makes the record of an enrollment token of an export. */
export async function bringEnrollment(
  db: D1Database,
  userId: string,
  row: {
    readonly id: string;
    readonly name: string;
    readonly uses: number;
    readonly expires_at: number;
    readonly defaults: string;
    readonly created_at: number;
    readonly last_used_at: number | null;
  },
  exportedAt: number,
): Promise<BroughtKey> {
  const { meta } = await db
    .prepare(
      `INSERT INTO enrollments (id, user_id, name, uses, expires_at, defaults, created_at, last_used_at)
       SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8 FROM users
       WHERE id = ?2 AND ?9 > COALESCE(keys_forgotten_until, -1) ON CONFLICT DO NOTHING`,
    )
    .bind(
      row.id,
      userId,
      row.name,
      row.uses,
      row.expires_at,
      row.defaults,
      row.created_at,
      row.last_used_at,
      exportedAt,
    )
    .run();
  if (meta.changes > 0) return "brought";
  const known = await db.prepare("SELECT 1 FROM enrollments WHERE id = ?").bind(row.id).first();
  return known === null ? "over" : "known";
}

/** The same of a use of one; false also where there is no such token. */
export async function bringEnrolledMachine(
  db: D1Database,
  userId: string,
  row: {
    readonly enrollment_id: string;
    readonly machine: string;
    readonly taken_at: number;
    readonly registered_at: number | null;
  },
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `INSERT INTO enrolled_machines (enrollment_id, machine, user_id, taken_by, taken_at, registered_at)
       SELECT id, ?2, user_id, 'import', ?3, ?4 FROM enrollments WHERE id = ?1 AND user_id = ?5
       ON CONFLICT DO NOTHING`,
    )
    .bind(row.enrollment_id, row.machine, row.taken_at, row.registered_at, userId)
    .run();
  return meta.changes > 0;
}

/** What a row of an export says is registered of each machine; false where this version can't read it. */
export function areDefaults(json: string): boolean {
  return jsonText(defaultsSchema).safeParse(json).success;
}
