/** Every instance that there is or was, as far as is known: also those that have not reported yet, or were removed and may still deliver something. */
export class Everyone {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** At most `limit` ids. */
  first(limit: number): string[] {
    const ids = [
      ...this.#ids("SELECT instance_id FROM instances WHERE instance_id > '' LIMIT ?", limit),
      ...this.#ids("SELECT instance_id FROM admissions WHERE instance_id > '' LIMIT ?", limit),
      ...this.#ids("SELECT instance_id FROM removals LIMIT ?", limit),
    ];
    return [...new Set(ids)].slice(0, limit);
  }

  #ids(query: string, limit: number): string[] {
    return this.#sql
      .exec<{ instance_id: string }>(query, limit)
      .toArray()
      .map(({ instance_id }) => instance_id);
  }

  /** Forgets that an instance was admitted, or removed. */
  forget(instanceId: string): void {
    this.#sql.exec("DELETE FROM admissions WHERE instance_id = ?", instanceId);
    this.#sql.exec("DELETE FROM removals WHERE instance_id = ?", instanceId);
  }
}
