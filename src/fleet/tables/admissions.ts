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

/**
 * `withdrawBy`: what the admission is withdrawn by; null while an earlier one of this id may go on. `formerAt`: when the one was
 * admitted that it moved on, and that comes back with a withdrawal; null where there was none.
 */
type Noted = "too many" | { readonly withdrawBy: number | null; readonly formerAt: number | null };

/** Of one that is listed: there is nothing to note. */
export const NOT_ADMITTED = { withdrawBy: null, formerAt: null } as const;

export class Admissions {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * Notes an admission, unless with this one there would be more than `limit` that count. Several of one id share a row, and each
   * moves it on: so none can withdraw what another one needs.
   */
  admit(instanceId: string, limit: number, now: number): Noted {
    if (this.#othersThatCount(instanceId, now) >= limit) return "too many";
    const former = this.#admittedAt(instanceId);
    const isCounted = former !== null && former > now - COUNTS_MS;
    const admittedAt = isCounted ? former + 1 : now;
    this.#sql.exec(
      `INSERT INTO admissions (instance_id, admitted_at) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET admitted_at = excluded.admitted_at`,
      instanceId,
      admittedAt,
    );
    this.#sql.exec("DELETE FROM admissions WHERE admitted_at <= ?", now - KEPT_MS);
    const mayGoOn = former !== null && former > now - REGISTERED_WITHIN_MS;
    return { withdrawBy: mayGoOn ? null : admittedAt, formerAt: former };
  }

  #admittedAt(instanceId: string): number | null {
    const [row] = this.#sql
      .exec<{ admitted_at: number }>("SELECT admitted_at FROM admissions WHERE instance_id = ?", instanceId)
      .toArray();
    return row?.admitted_at ?? null;
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

  /**
   * The registration has come to nothing: all is as it was before it, so that the daily look still finds whoever was admitted
   * then. Nothing is withdrawn that another registration of this id shares.
   */
  withdraw(instanceId: string, withdrawBy: number, formerAt: number | null): void {
    if (formerAt === null) {
      this.#sql.exec(
        "DELETE FROM admissions WHERE instance_id = ? AND admitted_at = ?",
        instanceId,
        withdrawBy,
      );
    } else {
      this.#sql.exec(
        "UPDATE admissions SET admitted_at = ? WHERE instance_id = ? AND admitted_at = ?",
        formerAt,
        instanceId,
        withdrawBy,
      );
    }
  }

  /** It has reported, was removed, or never was: whoever was admitted up to then is settled. */
  settle(instanceId: string, admittedUpTo = Number.MAX_SAFE_INTEGER): void {
    this.#sql.exec(
      "DELETE FROM admissions WHERE instance_id = ? AND admitted_at <= ?",
      instanceId,
      admittedUpTo,
    );
  }
}
