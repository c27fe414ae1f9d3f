import { z } from "zod";
import type { PendingEffect } from "../lifecycle/model/effects.ts";
import { countHeartbeats, heartbeatsOf } from "../lifecycle/model/outbox.ts";
import { jsonText } from "../lifecycle/model/stored.ts";
import { TARGETS, type Target } from "./attempts.ts";
import { pendingEffectSchema } from "./stored/state-schema.ts";

/**
 * Effects in rows of their own, so that the row of the state stays small: those that wait for a target that is down, and
 * parked ones. The table comes with the first of them, so an instance whose deliveries succeed never has it.
 */

/** An effect that failed too often, with the targets that have it. */
export interface ParkedEffect {
  readonly pending: PendingEffect;
  readonly delivered: readonly Target[];
  readonly parkedAt: number;
}

const heldRow = z.object({
  pending: jsonText(pendingEffectSchema),
  delivered: jsonText(z.array(z.enum(TARGETS))),
  parked_at: z.number().nullable(),
});

export class HeldEffects {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Holds effects for a target that is down. */
  hold(effects: readonly PendingEffect[]): void {
    this.#createTable();
    for (const pending of effects) this.#insert(pending, [], null);
  }

  /** The oldest of those that wait for a target, at most `limit`. */
  oldest(limit: number): PendingEffect[] {
    return this.#read("WHERE parked_at IS NULL ORDER BY id LIMIT ?", limit).map(({ pending }) => pending);
  }

  park({ pending, delivered, parkedAt }: ParkedEffect): void {
    this.#createTable();
    this.#insert(pending, delivered, parkedAt);
  }

  /** Oldest first. */
  parked(): ParkedEffect[] {
    return this.#read("WHERE parked_at IS NOT NULL ORDER BY parked_at, id").flatMap(
      ({ pending, delivered, parked_at }) =>
        parked_at === null ? [] : [{ pending, delivered, parkedAt: parked_at }],
    );
  }

  remove(ids: Iterable<number>): void {
    for (const id of ids) this.#sql.exec("DELETE FROM held WHERE id = ?", id);
  }

  /** How many wait for a target, and how many are parked. */
  count(): { readonly waiting: number; readonly parked: number } {
    const { waiting, parked } = this.#sql
      .exec<{ waiting: number; parked: number }>(
        "SELECT COUNT(*) - COUNT(parked_at) AS waiting, COUNT(parked_at) AS parked FROM held",
      )
      .one();
    return { waiting, parked };
  }

  /** Gives up the chunks that wait for a target and are older than `before`. Returns how many heartbeats they held. */
  dropBefore(before: number): number {
    return this.#sql
      .exec<{ heartbeats: number }>(
        "DELETE FROM held WHERE parked_at IS NULL AND newest_at < ? RETURNING heartbeats",
        before,
      )
      .toArray()
      .reduce((sum, { heartbeats }) => sum + heartbeats, 0);
  }

  #read(clause: string, ...bindings: number[]): z.infer<typeof heldRow>[] {
    return this.#sql
      .exec(`SELECT id, pending, delivered, parked_at FROM held ${clause}`, ...bindings)
      .toArray()
      .flatMap((row) => {
        const checked = heldRow.safeParse(row);
        if (!checked.success) console.error("a held effect is unreadable and stays:", row.id, checked.error);
        return checked.success ? [checked.data] : [];
      });
  }

  #createTable(): void {
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS held (
         id         INTEGER PRIMARY KEY,  -- of the effect: they are carried out in this order
         pending    TEXT NOT NULL,        -- JSON
         delivered  TEXT NOT NULL,        -- JSON: the targets that have it, of a parked one
         heartbeats INTEGER NOT NULL,
         newest_at  INTEGER,              -- of its heartbeats
         parked_at  INTEGER)              -- null for one that waits for a target that is down`,
    );
  }

  #insert(pending: PendingEffect, delivered: readonly Target[], parkedAt: number | null): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO held (id, pending, delivered, heartbeats, newest_at, parked_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
      pending.id,
      JSON.stringify(pending),
      JSON.stringify(delivered),
      countHeartbeats([pending]),
      heartbeatsOf(pending).at(-1)?.at ?? null,
      parkedAt,
    );
  }
}
