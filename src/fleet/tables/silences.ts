import { MINUTE_MS } from "../../lifecycle/model/time.ts";
import type { OutageSpan } from "../../lifecycle/rules/outage-guard.ts";
import type { InstanceRow } from "../report.ts";
import type { FleetState } from "../rules/state.ts";

/**
 * How many instances were last heard when. A mass outage is found by adding a few of these counts up: to count the
 * instances themselves would cost most in the very outage that the guard is for.
 *
 * An instance is counted in the epoch of its guard: when the guard opens a new epoch begins, and whoever fell silent
 * before belongs to an outage that is over.
 */

export type Counted = "guard" | "vote";

const EPOCH_COLUMN = { guard: "guard_epoch", vote: "vote_epoch" } as const satisfies Record<Counted, string>;

/** Where an instance is counted; null where it is not. */
export interface SilenceKeys {
  readonly bucket: number | null;
  readonly guardEpoch: number | null;
  readonly voteEpoch: number | null;
  /** When this silence was first reported. */
  readonly reportedAt: number | null;
}

export const NOT_COUNTED: SilenceKeys = { bucket: null, guardEpoch: null, voteEpoch: null, reportedAt: null };

export class Silences {
  readonly #sql: SqlStorage;
  /** A minute of the policies' time. */
  readonly #bucketMs: number;

  constructor(sql: SqlStorage, speed: number) {
    this.#sql = sql;
    this.#bucketMs = Math.max(1, MINUTE_MS / speed);
  }

  /**
   * Counts an instance that is silent, in each epoch in which it became an orphan. Gives back where it is counted. One that was
   * never heard is known, and counted nowhere: it did not fall silent.
   */
  add(
    { guard, vote, epochs }: FleetState,
    { silentSince, orphanedSince }: Pick<InstanceRow, "silentSince" | "orphanedSince">,
    now: number,
  ): SilenceKeys {
    if (silentSince === null) return NOT_COUNTED;
    if (orphanedSince === null) return { ...NOT_COUNTED, reportedAt: now };
    const keys = {
      bucket: this.#bucketOf(silentSince),
      guardEpoch: orphanedSince > (guard.openedAt ?? 0) ? epochs.guard : null,
      voteEpoch: orphanedSince > (vote.openedAt ?? 0) ? epochs.vote : null,
      reportedAt: now,
    };
    this.#each(keys, (counted, epoch, bucket) => {
      this.#sql.exec(
        `INSERT INTO silences (counted, epoch, bucket, instances, first_orphaned_since) VALUES (?1, ?2, ?3, 1, ?4)
         ON CONFLICT DO UPDATE SET instances = instances + 1,
                                   first_orphaned_since = MIN(first_orphaned_since, ?4)`,
        counted,
        epoch,
        bucket,
        orphanedSince,
      );
    });
    return keys;
  }

  remove(keys: SilenceKeys): void {
    this.#each(keys, (counted, epoch, bucket) => {
      const key = [counted, epoch, bucket];
      this.#sql.exec(
        "UPDATE silences SET instances = instances - 1 WHERE counted = ? AND epoch = ? AND bucket = ?",
        ...key,
      );
      this.#sql.exec(
        "DELETE FROM silences WHERE counted = ? AND epoch = ? AND bucket = ? AND instances <= 0",
        ...key,
      );
    });
  }

  #bucketOf(moment: number): number {
    return Math.floor(moment / this.#bucketMs);
  }

  #each(keys: SilenceKeys, act: (counted: Counted, epoch: number, bucket: number) => void): void {
    if (keys.bucket === null) return;
    if (keys.guardEpoch !== null) act("guard", keys.guardEpoch, keys.bucket);
    if (keys.voteEpoch !== null) act("vote", keys.voteEpoch, keys.bucket);
  }

  /**
   * How many fell silent within the span, and when the first of them became an orphan. It counts whole buckets: rather a few
   * too many than too few.
   */
  count(
    counted: Counted,
    epoch: number,
    { seenFrom, seenUntil }: Pick<OutageSpan, "seenFrom" | "seenUntil">,
  ): { readonly silent: number; readonly silentFrom: number | null } {
    const found = this.#sql
      .exec<{ silent: number; silent_from: number | null }>(
        `SELECT COALESCE(SUM(instances), 0) AS silent, MIN(first_orphaned_since) AS silent_from FROM silences
         WHERE counted = ? AND epoch = ? AND bucket BETWEEN ? AND ?`,
        counted,
        epoch,
        this.#bucketOf(seenFrom),
        this.#bucketOf(seenUntil),
      )
      .one();
    return { silent: found.silent, silentFrom: found.silent_from };
  }

  /** An instance that is silent since then has reported late. What is older than `keptMs` is forgotten. */
  noteLateReport(silentSince: number, now: number, keptMs: number): void {
    this.#sql.exec("DELETE FROM late_reports WHERE at <= ?", now - keptMs);
    this.#sql.exec(
      "INSERT INTO late_reports (bucket, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
      this.#bucketOf(silentSince),
      now,
    );
  }

  /** When somebody last reported late who fell silent at most so long before or after; null if nobody has. */
  lateReportNear(silentSince: number, withinMs: number): number | null {
    return this.#sql
      .exec<{ at: number | null }>(
        "SELECT MAX(at) AS at FROM late_reports WHERE bucket BETWEEN ? AND ?",
        this.#bucketOf(silentSince - withinMs),
        this.#bucketOf(silentSince + withinMs),
      )
      .one().at;
  }

  /**
   * Begins an epoch. Instances that became orphans after the guard opened are counted in it. There may be some, since the
   * guard may have been due to open some time ago.
   */
  beginEpoch(counted: Counted, epoch: number, openedAt: number): void {
    this.#sql.exec("DELETE FROM silences WHERE counted = ? AND epoch < ?", counted, epoch);
    this.#sql.exec(
      `UPDATE instances SET ${EPOCH_COLUMN[counted]} = ? WHERE silent_since IS NOT NULL AND orphaned_since > ?`,
      epoch,
      openedAt,
    );
    this.#sql.exec(
      `INSERT INTO silences (counted, epoch, bucket, instances, first_orphaned_since)
       SELECT ?1, ?2, bucket, COUNT(*), MIN(orphaned_since) FROM instances
       WHERE silent_since IS NOT NULL AND orphaned_since > ?3 GROUP BY bucket`,
      counted,
      epoch,
      openedAt,
    );
  }

  /** Counts the epoch anew from the rows, and keeps that where it differs. Says whether it did. */
  recount(counted: Counted, epoch: number, openedAt: number): boolean {
    const kept = this.#sql
      .exec(
        "SELECT bucket, instances FROM silences WHERE counted = ? AND epoch = ? ORDER BY bucket",
        counted,
        epoch,
      )
      .toArray();
    const found = this.#sql
      .exec(
        `SELECT CAST(silent_since / ? AS INTEGER) AS bucket, COUNT(*) AS instances FROM instances
         WHERE silent_since IS NOT NULL AND orphaned_since > ? GROUP BY 1 ORDER BY 1`,
        this.#bucketMs,
        openedAt,
      )
      .toArray();
    if (JSON.stringify(kept) === JSON.stringify(found)) return false;
    this.#sql.exec(
      `UPDATE instances SET bucket = CAST(silent_since / ? AS INTEGER)
       WHERE silent_since IS NOT NULL AND orphaned_since > ?`,
      this.#bucketMs,
      openedAt,
    );
    this.#sql.exec("DELETE FROM silences WHERE counted = ? AND epoch = ?", counted, epoch);
    this.beginEpoch(counted, epoch, openedAt);
    return true;
  }
}
