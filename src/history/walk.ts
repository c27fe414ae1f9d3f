/**
 * What is old in a database of the history, page by page: the places (an instance of a user, or a user) in the order of the
 * table's key, and of each the rows that are older than a moment. A seek finds the next place, so no page scans what is young:
 * of the user's next instance, else of the next user, since SQLite does not seek by both at once here.
 */

/** Where a walk has come to: past all places before, and in this one past all up to `at`. */
export interface WalkedTo {
  readonly userId: string;
  /** Null: past all instances of this user. */
  readonly instanceId: string | null;
  readonly at: number;
}

export const WALK_START: WalkedTo = { userId: "", instanceId: "", at: -1 };

/** A page holds the old rows of so many places at most, where a user's begin and end counted too, and so many rows. */
const PLACES_PER_PAGE = 400;
export const ROWS_PER_PAGE = 500;

/** A row as the pages below list it. One without `at` says that its place holds nothing old. */
interface WalkedRow {
  readonly n: number;
  readonly user_id: string;
  readonly instance_id: string | null;
  readonly at: number | null;
  /** What else names a row beside its place and moment. */
  readonly rest: string | number | null;
}

export interface WalkPage {
  /** The keys of what is old, in the order of the table. */
  readonly keys: readonly Key[];
  /** Null at the end. */
  readonly next: WalkedTo | null;
}

export type Key = readonly [userId: string, instanceId: string, at: number, rest: string | number | null];

/** Heartbeats in chunks that began before `before`. */
export async function oldChunks(db: D1Database, from: WalkedTo, before: number): Promise<WalkPage> {
  return page(
    db.prepare(
      `WITH RECURSIVE place (user_id, instance_id, n) AS (
         SELECT ?1, ?2, 0
         UNION ALL
         SELECT
           iif(place.instance_id IS NULL,
               (SELECT user_id FROM heartbeat_chunks WHERE user_id > place.user_id ORDER BY user_id LIMIT 1),
               place.user_id),
           iif(place.instance_id IS NULL, '',
               (SELECT instance_id FROM heartbeat_chunks
                WHERE user_id = place.user_id AND instance_id > place.instance_id ORDER BY instance_id LIMIT 1)),
           n + 1
         FROM place WHERE n < ${PLACES_PER_PAGE} AND place.user_id IS NOT NULL)
       SELECT n, place.user_id, place.instance_id, old.first_at AS at, old.first_sequence AS rest
       FROM place LEFT JOIN heartbeat_chunks AS old
         ON old.user_id = place.user_id AND old.instance_id = place.instance_id
           AND old.first_at > iif(n = 0, ?3, -1) AND old.first_at < ?4
       WHERE place.user_id IS NOT NULL
       LIMIT ${ROWS_PER_PAGE}`,
    ),
    from,
    before,
  );
}

/** Hours before `before`. */
export async function oldHours(db: D1Database, from: WalkedTo, before: number): Promise<WalkPage> {
  return page(
    db.prepare(
      `WITH RECURSIVE place (user_id, instance_id, n) AS (
         SELECT ?1, ?2, 0
         UNION ALL
         SELECT
           iif(place.instance_id IS NULL,
               (SELECT user_id FROM heartbeat_hours WHERE user_id > place.user_id ORDER BY user_id LIMIT 1),
               place.user_id),
           iif(place.instance_id IS NULL, '',
               (SELECT instance_id FROM heartbeat_hours
                WHERE user_id = place.user_id AND instance_id > place.instance_id ORDER BY instance_id LIMIT 1)),
           n + 1
         FROM place WHERE n < ${PLACES_PER_PAGE} AND place.user_id IS NOT NULL)
       SELECT n, place.user_id, place.instance_id, old.hour AS at, NULL AS rest
       FROM place LEFT JOIN heartbeat_hours AS old
         ON old.user_id = place.user_id AND old.instance_id = place.instance_id
           AND old.hour > iif(n = 0, ?3, -1) AND old.hour < ?4
       WHERE place.user_id IS NOT NULL
       LIMIT ${ROWS_PER_PAGE}`,
    ),
    from,
    before,
  );
}

/** Events before `before`. Their place is the user. */
export async function oldEvents(db: D1Database, from: WalkedTo, before: number): Promise<WalkPage> {
  return page(
    db.prepare(
      `WITH RECURSIVE place (user_id, n) AS (
         SELECT ?1, 0
         UNION ALL
         SELECT (SELECT user_id FROM events WHERE user_id > place.user_id ORDER BY user_id LIMIT 1), n + 1
         FROM place WHERE n < ${PLACES_PER_PAGE} AND place.user_id IS NOT NULL)
       SELECT n, place.user_id, COALESCE(old.instance_id, ?2) AS instance_id, old.at AS at, old.id AS rest
       FROM place LEFT JOIN events AS old
         ON old.user_id = place.user_id AND old.at > iif(n = 0, ?3, -1) AND old.at < ?4
       WHERE place.user_id IS NOT NULL
       LIMIT ${ROWS_PER_PAGE}`,
    ),
    from,
    before,
  );
}

/** Days of costs before `before`. Their place is the user. */
export async function oldCostDays(db: D1Database, from: WalkedTo, before: number): Promise<WalkPage> {
  return page(
    db.prepare(
      `WITH RECURSIVE place (user_id, n) AS (
         SELECT ?1, 0
         UNION ALL
         SELECT (SELECT user_id FROM cost_days WHERE user_id > place.user_id ORDER BY user_id LIMIT 1), n + 1
         FROM place WHERE n < ${PLACES_PER_PAGE} AND place.user_id IS NOT NULL)
       SELECT n, place.user_id, COALESCE(old.instance_id, ?2) AS instance_id, old.day AS at, NULL AS rest
       FROM place LEFT JOIN cost_days AS old
         ON old.user_id = place.user_id AND old.day >= iif(n = 0, ?3, -1) AND old.day < ?4
       WHERE place.user_id IS NOT NULL
       LIMIT ${ROWS_PER_PAGE}`,
    ),
    from,
    before,
  );
}

/** What somebody did before `before`. Its place is the account. */
export async function oldActs(db: D1Database, from: WalkedTo, before: number): Promise<WalkPage> {
  return page(
    db.prepare(
      `WITH RECURSIVE place (user_id, n) AS (
         SELECT ?1, 0
         UNION ALL
         SELECT (SELECT user_id FROM audit WHERE user_id > place.user_id ORDER BY user_id LIMIT 1), n + 1
         FROM place WHERE n < ${PLACES_PER_PAGE} AND place.user_id IS NOT NULL)
       SELECT n, place.user_id, ?2 AS instance_id, old.at AS at, old.id AS rest
       FROM place LEFT JOIN audit AS old
         ON old.user_id = place.user_id AND old.at > iif(n = 0, ?3, -1) AND old.at < ?4
       WHERE place.user_id IS NOT NULL
       LIMIT ${ROWS_PER_PAGE}`,
    ),
    from,
    before,
  );
}

async function page(statement: D1PreparedStatement, from: WalkedTo, before: number): Promise<WalkPage> {
  const { results } = await statement.bind(from.userId, from.instanceId, from.at, before).all<WalkedRow>();
  const keys = results.flatMap(({ user_id, instance_id, at, rest }): Key[] =>
    at === null || instance_id === null ? [] : [[user_id, instance_id, at, rest]],
  );
  return { keys, next: walkedTo(results) };
}

/** Rows of the last moment that no longer fitted wait for the next walk. */
function walkedTo(rows: readonly WalkedRow[]): WalkedTo | null {
  const last = rows.at(-1);
  if (last === undefined) return null;
  const { user_id: userId, instance_id: instanceId } = last;
  const isFull = rows.length === ROWS_PER_PAGE;
  if (!isFull && last.n < PLACES_PER_PAGE) return null;
  return { userId, instanceId, at: isFull && last.at !== null ? last.at : Number.MAX_SAFE_INTEGER };
}
