import { MINUTE_MS } from "../../lifecycle/model/time.ts";

/** Instances that a new policy did not reach, and when each is tried again. One row an instance at most. */

/** After the first failure; each further one doubles it. */
const FIRST_RETRY_MS = 5 * MINUTE_MS;

/** Within about ten hours. Whoever is out of reach even then takes the policy on with its next report. */
const TRIES = 8;

export class Retries {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Those whose time has come, at most `limit`. */
  due(now: number, limit: number): string[] {
    return this.#sql
      .exec<{ instance_id: string }>(
        "SELECT instance_id FROM policy_retries WHERE retry_at <= ? ORDER BY retry_at LIMIT ?",
        now,
        limit,
      )
      .toArray()
      .map(({ instance_id }) => instance_id);
  }

  /** When the next one is due; null when none waits. */
  get nextAt(): number | null {
    const [first] = this.#sql
      .exec<{ retry_at: number }>("SELECT retry_at FROM policy_retries ORDER BY retry_at LIMIT 1")
      .toArray();
    return first?.retry_at ?? null;
  }

  /** These were out of reach. */
  failed(instanceIds: readonly string[], now: number): void {
    if (instanceIds.length === 0) return;
    const ids = JSON.stringify(instanceIds);
    this.#sql.exec(
      `INSERT INTO policy_retries (instance_id, failures, retry_at)
       SELECT value, 1, ?2 + ?3 FROM json_each(?1) WHERE true
       ON CONFLICT DO UPDATE SET failures = failures + 1, retry_at = ?2 + ?3 * (1 << failures)`,
      ids,
      now,
      FIRST_RETRY_MS,
    );
    this.#sql.exec(
      "DELETE FROM policy_retries WHERE instance_id IN (SELECT value FROM json_each(?)) AND failures >= ?",
      ids,
      TRIES,
    );
  }

  /** These need not be tried again. */
  settled(instanceIds: readonly string[]): void {
    this.#sql.exec(
      "DELETE FROM policy_retries WHERE instance_id IN (SELECT value FROM json_each(?))",
      JSON.stringify(instanceIds),
    );
  }

  /** A new policy is on its way to all. */
  clear(): void {
    this.#sql.exec("DELETE FROM policy_retries");
  }
}
