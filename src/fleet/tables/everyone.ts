/** Every instance that there is or was, as far as is known: also those that were removed and may still deliver something. */
export class Everyone {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The first `limit` ids. */
  first(limit: number): string[] {
    return this.#sql
      .exec<{ instance_id: string }>(
        `SELECT instance_id FROM instances UNION SELECT instance_id FROM removals ORDER BY instance_id LIMIT ?`,
        limit,
      )
      .toArray()
      .map(({ instance_id }) => instance_id);
  }

  /** Forgets that an instance was removed. */
  forget(instanceId: string): void {
    this.#sql.exec("DELETE FROM removals WHERE instance_id = ?", instanceId);
  }
}
