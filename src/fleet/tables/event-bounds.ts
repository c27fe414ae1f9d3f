import { BACKLOG_MS } from "../../lifecycle/model/outbox.ts";
import { DAY_MS } from "../../lifecycle/model/time.ts";

/** How many events a fleet keeps, and for how long. */

/** Events are kept here so long, and of each sort so many. */
export const EVENTS_KEPT_MS = 30 * DAY_MS;
export const EVENTS_KEPT = 20_000;

/** Those that bear on alerts are not counted before they are older than a report can be, or than a reminder's time. */
const BEARING_KEPT_MS = BACKLOG_MS;

/** Far more than a week of a large fleet brings. Beyond it the oldest go, but none that waits to be told. */
const BEARING_AT_MOST = 500_000;

/** The two sorts of events, as conditions on rows: those that bear on alerts, and the others. */
export const QUIET = "told IS NULL";
export const BEARING = "told IS NOT NULL";

export class EventBounds {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Deletes events that are too old or too many, but no alert that waits. Returns when to do so again, or null. */
  prune(now: number): number | null {
    const tooOld = now - EVENTS_KEPT_MS - 1;
    const surplus = this.#newestOfOldest(QUIET, this.#count("quiet") - EVENTS_KEPT);
    this.#sql.exec(`DELETE FROM events WHERE ${QUIET} AND at <= ?`, Math.max(tooOld, surplus));
    const bearing = this.#count("bearing");
    const old = this.#newestOfOldest(BEARING, bearing - EVENTS_KEPT, now - BEARING_KEPT_MS);
    const tooMany = this.#newestOfOldest(BEARING, bearing - BEARING_AT_MOST);
    this.#forget(Math.max(tooOld, old, tooMany));
    const [oldest] = this.#sql
      .exec<{ at: number }>("SELECT at FROM events WHERE told IS NOT 'pending' ORDER BY at LIMIT 1")
      .toArray();
    if (oldest === undefined) return null;
    return this.#count("bearing") > EVENTS_KEPT ? now + DAY_MS : oldest.at + EVENTS_KEPT_MS;
  }

  #count(sort: "quiet" | "bearing"): number {
    const found = this.#sql.exec<{ events: number }>("SELECT events FROM event_counts WHERE sort = ?", sort);
    return found.one().events;
  }

  /** When the newest of the `count` oldest events of this sort, up to `until`, happened; 0 without any. Reads no more rows than that. */
  #newestOfOldest(sort: string, count: number, until = Number.MAX_SAFE_INTEGER): number {
    if (count <= 0) return 0;
    const { newest } = this.#sql
      .exec<{ newest: number | null }>(
        `SELECT MAX(at) AS newest FROM (SELECT at FROM events WHERE ${sort} AND at <= ? ORDER BY at LIMIT ?)`,
        until,
        count,
      )
      .one();
    return newest ?? 0;
  }

  /** Deletes what bears on alerts and happened by then, and notes up to when there was any. */
  #forget(upTo: number): void {
    const which = `${BEARING} AND told <> 'pending' AND at <= ?`;
    this.#sql.exec(
      `INSERT INTO forgotten (id, at) SELECT 1, newest FROM (SELECT MAX(at) AS newest FROM events WHERE ${which})
       WHERE newest IS NOT NULL ON CONFLICT (id) DO UPDATE SET at = MAX(forgotten.at, excluded.at)`,
      upTo,
    );
    this.#sql.exec(`DELETE FROM events WHERE ${which}`, upTo);
  }

  /** Events up to then that bore on alerts may have been forgotten. */
  forgottenUpTo(): number {
    const [row] = this.#sql.exec<{ at: number }>("SELECT at FROM forgotten").toArray();
    return row?.at ?? 0;
  }
}
