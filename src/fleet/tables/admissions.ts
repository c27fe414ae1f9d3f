import { DAY_MS, MINUTE_MS } from "../../lifecycle/model/time.ts";

/**
 * Instances that were admitted and have not reported yet. Their registrations may have come to nothing. Or one came through,
 * its report did not, and the platform lost its alarm: then this row is all that tells of it, and leads the daily look to it.
 */

/** For this long an admission counts towards the user's limit. */
const COUNTS_MS = MINUTE_MS;

/** A registration has ended by then, one way or the other. */
export const REGISTERED_WITHIN_MS = 10 * MINUTE_MS;

/** One whose withdrawal failed, or that never reports, is looked for each day for so long. Then it goes. */
const KEPT_MS = 7 * DAY_MS;

export class Admissions {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Notes an admission, unless with this one there would be more than `limit` that count, or one of this id counts already. */
  admit(instanceId: string, limit: number, now: number): "new" | "known" | "too many" {
    if (this.#othersThatCount(instanceId, now) >= limit) return "too many";
    const noted = this.#sql.exec(
      `INSERT INTO admissions (instance_id, admitted_at) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET admitted_at = excluded.admitted_at WHERE admitted_at <= ? RETURNING 1`,
      instanceId,
      now,
      now - COUNTS_MS,
    );
    const isNew = noted.toArray().length > 0;
    this.#sql.exec("DELETE FROM admissions WHERE admitted_at <= ?", now - KEPT_MS);
    return isNew ? "new" : "known";
  }

  #othersThatCount(instanceId: string, now: number): number {
    return this.#sql
      .exec<{ admissions: number }>(
        "SELECT COUNT(*) AS admissions FROM admissions WHERE admitted_at > ? AND instance_id <> ?",
        now - COUNTS_MS,
        instanceId,
      )
      .one().admissions;
  }

  /** It has reported, was removed, or never was. */
  settle(instanceId: string): void {
    this.#sql.exec("DELETE FROM admissions WHERE instance_id = ?", instanceId);
  }
}
