import { z } from "zod";
import { countHeartbeats, heartbeatsOf } from "../lifecycle/model/outbox.ts";
import { jsonText } from "../lifecycle/model/stored.ts";
import { type DeliveryTarget, type WaitingEffect, waitsFor } from "./attempts.ts";
import { pendingEffectSchema } from "./stored/state-schema.ts";
import { progressSchema } from "./stored/stored-instance.ts";

/**
 * Effects in rows of their own, so that the row of the state stays small: those that wait for a target that is down, and
 * parked ones. The table comes with the first of them, so an instance whose deliveries succeed never has it.
 */

/** An effect that failed too often. */
export interface ParkedEffect extends WaitingEffect {
  readonly parkedAt: number;
}

const heldRow = z.object({
  pending: jsonText(pendingEffectSchema),
  progress: jsonText(progressSchema),
  parked_at: z.number().nullable(),
});

/** How many effects wait for a target, and how many are parked. */
interface HeldCount {
  readonly waiting: number;
  /** Of those that wait. */
  readonly chunks: number;
  readonly parked: number;
}

/** More than one instance can hold: a week of the shortest chunks. */
const ALL = 1_000_000;

export class HeldEffects {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Holds effects that wait for a target, as they are now. */
  hold(effects: readonly WaitingEffect[]): void {
    if (effects.length > 0) this.#createTable();
    for (const one of effects) this.#write(one, null);
  }

  /** The oldest of those that wait for this target, at most `limit`. */
  waitingFor(target: DeliveryTarget, limit: number): WaitingEffect[] {
    return this.#read(`parked_at IS NULL AND ${FOR[target]} = 1 ORDER BY id LIMIT ?`, limit);
  }

  /** All that wait. */
  waiting(): WaitingEffect[] {
    return this.#read("parked_at IS NULL ORDER BY id LIMIT ?", ALL);
  }

  park(effects: readonly ParkedEffect[]): void {
    if (effects.length > 0) this.#createTable();
    for (const one of effects) this.#write(one, one.parkedAt);
  }

  /** Oldest first. */
  parked(): ParkedEffect[] {
    return this.#read("parked_at IS NOT NULL ORDER BY parked_at, id LIMIT ?", ALL).flatMap((one) =>
      one.parkedAt === null ? [] : [{ ...one, parkedAt: one.parkedAt }],
    );
  }

  remove(effects: readonly WaitingEffect[]): void {
    for (const { pending } of effects) this.#sql.exec("DELETE FROM held WHERE id = ?", pending.id);
  }

  count(): HeldCount {
    return this.#sql
      .exec<{ waiting: number; chunks: number; parked: number }>(
        `SELECT COUNT(*) - COUNT(parked_at) AS waiting, COUNT(parked_at) AS parked,
                COUNT(CASE WHEN parked_at IS NULL AND heartbeats > 0 THEN 1 END) AS chunks
         FROM held`,
      )
      .one();
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

  #read(condition: string, limit: number): (WaitingEffect & { readonly parkedAt: number | null })[] {
    return this.#sql
      .exec(`SELECT id, pending, progress, parked_at FROM held WHERE ${condition}`, limit)
      .toArray()
      .flatMap((row) => {
        const checked = heldRow.safeParse(row);
        if (!checked.success) {
          console.error("a held effect is unreadable and stays:", row.id, checked.error);
          return [];
        }
        const { pending, progress, parked_at } = checked.data;
        return [{ pending, ...progress, parkedAt: parked_at }];
      });
  }

  #createTable(): void {
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS held (
         id          INTEGER PRIMARY KEY,  -- of the effect: they are carried out in this order
         pending     TEXT NOT NULL,        -- JSON
         progress    TEXT NOT NULL,        -- JSON: what has become of it
         for_history INTEGER NOT NULL,     -- 1 while it waits for the history
         for_fleet   INTEGER NOT NULL,     -- 1 while it waits for the fleet
         for_order   INTEGER NOT NULL,     -- 1 while it is an order that is not started
         heartbeats  INTEGER NOT NULL,
         newest_at   INTEGER,              -- of its heartbeats
         parked_at   INTEGER)              -- null for one that waits for a target that is down`,
    );
  }

  #write(one: WaitingEffect, parkedAt: number | null): void {
    const { pending, delivered, failing } = one;
    const isFor = (target: DeliveryTarget) => (waitsFor(one, target) ? 1 : 0);
    this.#sql.exec(
      `INSERT OR REPLACE INTO held (id, pending, progress, for_history, for_fleet, for_order,
                                    heartbeats, newest_at, parked_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      pending.id,
      JSON.stringify(pending),
      JSON.stringify({ delivered, failing }),
      isFor("history"),
      isFor("fleet"),
      isFor("order"),
      countHeartbeats([pending]),
      heartbeatsOf(pending).at(-1)?.at ?? null,
      parkedAt,
    );
  }
}

const FOR = { history: "for_history", fleet: "for_fleet", order: "for_order" } as const satisfies Record<
  DeliveryTarget,
  string
>;
