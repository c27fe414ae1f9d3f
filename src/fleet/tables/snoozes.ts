import { DAY_MS } from "../../lifecycle/model/time.ts";

/** Instances of which only critical alerts are told until a moment. */

export const LONGEST_SNOOZE_MS = 7 * DAY_MS;

export interface Snooze {
  readonly instanceId: string;
  readonly until: number;
  readonly at: number;
  readonly by: string;
}

export class Snoozes {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  set({ instanceId, until, at, by }: Snooze): void {
    this.#sql.exec(
      `INSERT INTO snoozes (instance_id, until, at, by) VALUES (?, ?, ?, ?)
       ON CONFLICT (instance_id) DO UPDATE SET until = excluded.until, at = excluded.at, by = excluded.by`,
      instanceId,
      until,
      at,
      by,
    );
  }

  /** False when there was none. */
  end(instanceId: string): boolean {
    const ended = this.#sql.exec("DELETE FROM snoozes WHERE instance_id = ? RETURNING until", instanceId);
    return ended.toArray().length > 0;
  }

  /** Those that last, the first to end first. */
  list(now: number, limit: number): Snooze[] {
    return this.#sql
      .exec<{ instance_id: string; until: number; at: number; by: string }>(
        "SELECT instance_id, until, at, by FROM snoozes WHERE until > ? ORDER BY until, instance_id LIMIT ?",
        now,
        limit,
      )
      .toArray()
      .map(({ instance_id, ...snooze }) => ({ instanceId: instance_id, ...snooze }));
  }

  isSnoozed(instanceId: string, now: number): boolean {
    const found = this.#sql.exec(
      "SELECT 1 FROM snoozes WHERE instance_id = ? AND until > ?",
      instanceId,
      now,
    );
    return found.toArray().length > 0;
  }

  /** Forgets those that are over. Returns of which instances they were. */
  takeEnded(now: number): string[] {
    return this.#sql
      .exec<{ instance_id: string }>("DELETE FROM snoozes WHERE until <= ? RETURNING instance_id", now)
      .toArray()
      .map(({ instance_id }) => instance_id);
  }

  /** When the first of them ends; null when there is none. */
  nextEnd(): number | null {
    return this.#sql.exec<{ until: number | null }>("SELECT MIN(until) AS until FROM snoozes").one().until;
  }
}
