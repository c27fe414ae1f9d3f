import { z } from "zod";
import { jsonText, readableRows } from "../lifecycle/model/stored.ts";
import { DAY_MS } from "../lifecycle/model/time.ts";
import { logWarning } from "../platform/log.ts";

/** Who did what in an account, in D1. */

/** So long it is kept. */
export const AUDIT_KEPT_MS = 400 * DAY_MS;

/**
 * Acts of each sort are kept apart from the others, so that nobody who may do little drives out what weighs more:
 * - `owner`: what only owners may do;
 * - `machine`: everything else that changes something;
 * - `session`: signing in and out;
 * - `refused`: what somebody's role did not allow.
 */
export const ACT_SORTS = ["owner", "machine", "session", "refused"] as const;
export type ActSort = (typeof ACT_SORTS)[number];

/** Of each sort the newest are kept. */
export const ACTS_KEPT: Readonly<Record<ActSort, number>> = {
  owner: 5000,
  machine: 5000,
  session: 2000,
  refused: 500,
};

const actorSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.enum(["token", "person"]), id: z.string(), name: z.string() }),
  z.object({ kind: z.literal("operator") }),
]);

export type Actor = Readonly<z.infer<typeof actorSchema>>;

const detailSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** What of a request may be kept. Never a secret. */
export type ActDetail = Readonly<z.infer<typeof detailSchema>>;

export interface Act {
  readonly id: string;
  readonly at: number;
  readonly who: Actor;
  /** The operation's id in the API. */
  readonly act: string;
  /** What it was done to, by its id. */
  readonly subject: string | null;
  readonly detail: ActDetail;
}

/** Who acts, and in which account. */
export interface Who {
  readonly userId: string;
  readonly actor: Actor;
}

/** What a handler adds to the line that is written about its request. */
export interface NotedAct {
  /** What it was done to; else it is the id in the request's path. */
  readonly subject?: string;
  readonly detail?: ActDetail;
  /** Of a request that reads, but does something after all. */
  readonly isAct?: boolean;
  /** Who did it, where the request does not say. */
  readonly who?: Who;
  /** Where the route's role does not say what it weighs. */
  readonly sort?: ActSort;
}

/** Where an act stands in the list. */
export interface ActPlace {
  readonly at: number;
  readonly tie: string;
}

/** What is kept of one is bounded. */
const LONGEST_SUBJECT = 200;
const LONGEST_TEXT = 200;
const MOST_FIELDS = 12;

/** One in so many acts also deletes what is too much: so the table is read seldom, and holds hardly more than it should. */
const TRIM_ONE_IN = 100;

export type NewAct = Omit<Act, "id"> & { readonly sort: ActSort };

/** Writes an act down. `chance`, from 0 to 1, decides whether too old ones are deleted. */
export async function recordAct(
  db: D1Database,
  userId: string,
  act: NewAct,
  chance = Math.random(),
): Promise<void> {
  const { sort, at, who, act: operation, subject, detail } = act;
  await db
    .prepare(
      // Not of an account that was deleted meanwhile.
      `INSERT INTO audit (user_id, at, id, who, act, subject, detail)
       SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM users WHERE id = ?1`,
    )
    .bind(
      userId,
      at,
      `${sort}-${crypto.randomUUID()}`,
      JSON.stringify(who),
      operation,
      subject?.slice(0, LONGEST_SUBJECT) ?? null,
      JSON.stringify(bounded(detail)),
    )
    .run();
  if (chance >= 1 / TRIM_ONE_IN) return;
  // This one is written down all the same, and one of the next deletes what is too much.
  await trimActs(db, userId).catch((error) => {
    logWarning("acts beyond the newest were not deleted", { user_id: userId }, error);
  });
}

function bounded(detail: ActDetail): ActDetail {
  const fields = Object.entries(detail).slice(0, MOST_FIELDS);
  return Object.fromEntries(
    fields.map(([name, value]) => [name, typeof value === "string" ? value.slice(0, LONGEST_TEXT) : value]),
  );
}

/** Deletes what is beyond the newest of each sort. */
export async function trimActs(db: D1Database, userId: string): Promise<void> {
  await db.batch(
    ACT_SORTS.map((sort) =>
      db
        .prepare(
          `DELETE FROM audit WHERE user_id = ?1 AND id GLOB ?2 AND (at, id) <=
             (SELECT at, id FROM audit WHERE user_id = ?1 AND id GLOB ?2 ORDER BY at DESC, id DESC LIMIT 1 OFFSET ?3)`,
        )
        .bind(userId, `${sort}-*`, ACTS_KEPT[sort]),
    ),
  );
}

const actRow = z
  .object({
    id: z.string(),
    at: z.number(),
    who: jsonText(actorSchema),
    act: z.string(),
    subject: z.string().nullable(),
    detail: jsonText(detailSchema),
  })
  .readonly();

const placeRow = z
  .object({ at: z.number(), id: z.string() })
  .transform((row): ActPlace => ({ at: row.at, tie: row.id }));

/** What was done, the newest first. What can't be read is left out. */
export async function listActs(
  db: D1Database,
  userId: string,
  page: { readonly before: ActPlace | null; readonly limit: number; readonly since: number },
): Promise<{ readonly acts: readonly Act[]; readonly next: ActPlace | null }> {
  const { before, limit, since } = page;
  const { results } = await db
    .prepare(
      `SELECT id, at, who, act, subject, detail FROM audit
       WHERE user_id = ?1 AND at >= ?2 AND (at, id) < (?3, ?4) ORDER BY at DESC, id DESC LIMIT ?5`,
    )
    .bind(userId, since, before?.at ?? Number.MAX_SAFE_INTEGER, before?.tie ?? "", limit + 1)
    .all();
  const shown = results.slice(0, limit);
  return {
    acts: readableRows(actRow, shown),
    next: results.length > limit ? placeRow.parse(shown.at(-1)) : null,
  };
}

/** Keeps an act of an export, unless it is here. */
export function bringAct(
  db: D1Database,
  userId: string,
  row: {
    readonly id: string;
    readonly at: number;
    readonly who: string;
    readonly act: string;
    readonly subject: string | null;
    readonly detail: string;
  },
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit (user_id, at, id, who, act, subject, detail) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    )
    .bind(userId, row.at, row.id, row.who, row.act, row.subject, row.detail);
}
