import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

/** Runs statements of a database, each prepared once. */
export class Statements {
  readonly #sqlite: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();

  constructor(sqlite: DatabaseSync) {
    this.#sqlite = sqlite;
  }

  /** The rows that it brings. Several statements in one text bring none, and take no values. */
  execute(sql: string, values: readonly SQLInputValue[]): Record<string, unknown>[] {
    const { statement, isNumbered } = this.#prepare(sql);
    if (statement === null) {
      this.#sqlite.exec(sql);
      return [];
    }
    // Node binds numbered parameters by their names alone.
    return isNumbered
      ? statement.all(Object.fromEntries(values.map((value, index) => [`?${index + 1}`, value])))
      : statement.all(...values);
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const isSeveral = /;\s*\S/.test(sql);
    const made = {
      statement: isSeveral ? null : this.#sqlite.prepare(sql),
      isNumbered: /\?\d/.test(sql),
    };
    this.#prepared.set(sql, made);
    return made;
  }
}

interface Prepared {
  /** Null for several in one text. */
  readonly statement: StatementSync | null;
  readonly isNumbered: boolean;
}
