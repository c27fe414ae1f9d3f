import { z } from "zod";
import type { PendingEffect } from "../lifecycle/model/effects.ts";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import { BACKLOG_MS, countHeartbeats, heartbeatsOf } from "../lifecycle/model/outbox.ts";
import { columnOf, type Found, jsonText, readFound } from "../lifecycle/model/stored.ts";
import { HOUR_MS } from "../lifecycle/model/time.ts";
import { logError } from "../platform/log.ts";
import { type DeliveryTarget, type WaitingEffect, waitsFor } from "./attempts.ts";
import { pendingEffectSchema } from "./stored/effect-schema.ts";
import { progressSchema } from "./stored/stored-instance.ts";

/**
 * Effects in rows of their own, so that the row of the state stays small: those that wait for a target that is down, and
 * parked ones. Each row names the time at which it is given up, so that none stays for good. The table comes with the first
 * of them, so an instance whose deliveries succeed never has it.
 */

/** An effect that failed too often. */
export interface ParkedEffect extends WaitingEffect {
  readonly parkedAt: number;
}

type HeldEffect = WaitingEffect & { readonly parkedAt: number | null };

const pendingText = jsonText(pendingEffectSchema);

const heldRow = z.object({
  pending: pendingText,
  progress: jsonText(progressSchema),
  parked_at: z.number().nullable(),
});

type HeldRow = z.output<typeof heldRow>;

const heldPlace = columnOf("id", z.number());

/** An effect that was given up: its row is gone. */
export interface GivenUp {
  /** Null for one that this release can't read. */
  readonly pending: PendingEffect | null;
  readonly heartbeats: number;
  /** Since when it could not be delivered. */
  readonly since: number;
  /** Who did not take it. Of several the one that acts upon it: an order before a report, a report before the history. */
  readonly target: DeliveryTarget;
}

/** What is known of a parked effect whether it can be read or not. */
export interface ParkedRow {
  readonly id: number;
  readonly bytes: number;
  readonly giveUpAt: number;
}

/** What there is, unreadable effects included. */
interface HeldCount {
  readonly waiting: number;
  /** Of those that wait. */
  readonly chunks: number;
  readonly parked: number;
  readonly heartbeats: number;
}

/** Which of the heartbeats on their way to the history are wanted. */
export interface WaitingRange {
  readonly from: number;
  /** Those before this one, which may be none. */
  readonly before: { readonly at: number; readonly sequence: number };
  readonly limit: number;
}

const ROWS_PER_PAGE = 100;

export class HeldEffects {
  readonly #sql: SqlStorage;
  #isUnreadableLogged = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Holds effects that wait for a target, as they are now. */
  hold(effects: readonly WaitingEffect[], now: number): void {
    if (effects.length > 0) this.#createTable();
    for (const one of effects) {
      const heldFrom = heartbeatsOf(one.pending).at(-1)?.at ?? now;
      this.#write(one, null, heldFrom + BACKLOG_MS);
    }
  }

  /** The oldest of those that wait for this target, at most `limit`. */
  waitingFor(target: DeliveryTarget, limit: number): WaitingEffect[] {
    return this.#read(`parked_at IS NULL AND ${FOR[target]} = 1`, limit);
  }

  /** Whether any waits for this target. */
  isWaitingFor(target: DeliveryTarget): boolean {
    const condition = `parked_at IS NULL AND ${FOR[target]} = 1`;
    return this.#sql.exec(`SELECT 1 FROM held WHERE ${condition} LIMIT 1`).toArray().length > 0;
  }

  /** The newest heartbeats of a range, parked ones included. It reads no more of the others than it must. */
  newest({ from, before, limit }: WaitingRange): Heartbeat[] {
    const isWanted = ({ at, sequence }: Heartbeat) =>
      at >= from && (at < before.at || (at === before.at && sequence < before.sequence));
    const found: Heartbeat[] = [];
    let below = Number.MAX_SAFE_INTEGER;
    while (found.length < limit) {
      // A chunk waits until a week after its last heartbeat, and spans an hour at most.
      const rows = this.#sql
        .exec<{ id: number; pending: string }>(
          `SELECT id, pending FROM held
           WHERE id < ? AND heartbeats > 0 AND (parked_at IS NOT NULL OR give_up_at BETWEEN ? AND ?)
           ORDER BY id DESC LIMIT ?`,
          below,
          from + BACKLOG_MS,
          before.at + BACKLOG_MS + HOUR_MS,
          ROWS_PER_PAGE,
        )
        .toArray();
      for (const { id, pending } of rows) {
        const read = pendingText.safeParse(pending).data;
        if (read !== undefined) found.push(...heartbeatsOf(read).filter(isWanted).toReversed());
        below = id;
        if (found.length >= limit) break;
      }
      if (rows.length < ROWS_PER_PAGE) break;
    }
    return found.slice(0, limit);
  }

  park(effects: readonly ParkedEffect[]): void {
    if (effects.length > 0) this.#createTable();
    for (const one of effects) this.#write(one, one.parkedAt, one.parkedAt + BACKLOG_MS);
  }

  parked(): ParkedEffect[] {
    return this.#read("parked_at IS NOT NULL").flatMap((one) =>
      one.parkedAt === null ? [] : [{ ...one, parkedAt: one.parkedAt }],
    );
  }

  /** Oldest first. */
  parkedRows(): ParkedRow[] {
    return this.#sql
      .exec<{ id: number; bytes: number; giveUpAt: number }>(
        `SELECT id, LENGTH(CAST(pending AS BLOB)) AS bytes, give_up_at AS giveUpAt
         FROM held WHERE parked_at IS NOT NULL ORDER BY parked_at, id`,
      )
      .toArray();
  }

  remove(effects: readonly WaitingEffect[]): void {
    for (const { pending } of effects) this.#sql.exec("DELETE FROM held WHERE id = ?", pending.id);
  }

  count(): HeldCount {
    return this.#sql
      .exec<{ waiting: number; chunks: number; parked: number; heartbeats: number }>(
        `SELECT COUNT(*) - COUNT(parked_at) AS waiting, COUNT(parked_at) AS parked,
                COUNT(CASE WHEN parked_at IS NULL AND heartbeats > 0 THEN 1 END) AS chunks,
                COALESCE(SUM(heartbeats), 0) AS heartbeats
         FROM held`,
      )
      .one();
  }

  /** When the first of those that wait must be given up; null when none waits. */
  giveUpAt(): number | null {
    return this.#sql
      .exec<{ first: number | null }>("SELECT MIN(give_up_at) AS first FROM held WHERE parked_at IS NULL")
      .one().first;
  }

  /** Those that wait and failed by themselves are due at once. */
  retryAll(now: number): void {
    const failing = this.#read(`parked_at IS NULL AND progress NOT LIKE '%"failing":[]%'`);
    for (const one of failing) {
      this.#write({ ...one, failing: one.failing.map((each) => ({ ...each, retryAt: now })) }, null, now);
    }
  }

  /** Gives up those that have waited for too long. */
  giveUpWaiting(now: number): GivenUp[] {
    return this.#giveUp("parked_at IS NULL AND give_up_at <= ?", now);
  }

  /** Gives up the oldest of those that wait, until the others take no more than `maximum` characters. */
  giveUpSurplus(maximum: number): GivenUp[] {
    const { total } = this.#sql
      .exec<{ total: number | null }>(
        "SELECT SUM(LENGTH(pending)) AS total FROM held WHERE parked_at IS NULL",
      )
      .one();
    if (total === null || total <= maximum) return [];
    return this.#giveUp(
      `id IN (SELECT id FROM (SELECT id, SUM(LENGTH(pending)) OVER (ORDER BY id DESC) AS total
                              FROM held WHERE parked_at IS NULL) WHERE total > ?)`,
      maximum,
    );
  }

  giveUp(ids: readonly number[]): GivenUp[] {
    return ids.flatMap((id) => this.#giveUp("id = ?", id));
  }

  #giveUp(condition: string, value: number): GivenUp[] {
    return this.#sql
      .exec<{ pending: string; heartbeats: number; give_up_at: number; target: DeliveryTarget }>(
        `DELETE FROM held WHERE ${condition} RETURNING pending, heartbeats, give_up_at,
           CASE WHEN for_order = 1 THEN 'order' WHEN for_fleet = 1 THEN 'fleet' ELSE 'history' END AS target`,
        value,
      )
      .toArray()
      .map((row) => ({
        pending: pendingText.safeParse(row.pending).data ?? null,
        heartbeats: row.heartbeats,
        since: row.give_up_at - BACKLOG_MS,
        target: row.target,
      }));
  }

  /** Those that can be read, in their order. The others are passed over, so that they keep nothing else from being read. */
  #read(condition: string, limit = Number.POSITIVE_INFINITY): HeldEffect[] {
    const read: HeldEffect[] = [];
    let after: number | null = Number.MIN_SAFE_INTEGER;
    while (after !== null && read.length < limit) {
      const found = this.#sql
        .exec(
          `SELECT id, pending, progress, parked_at FROM held WHERE ${condition} AND id > ? ORDER BY id LIMIT ?`,
          after,
          ROWS_PER_PAGE,
        )
        .toArray();
      const { rows, end }: Found<HeldRow, number> = readFound(heldRow, heldPlace, found, ROWS_PER_PAGE);
      if (rows.length < found.length) this.#logUnreadable(found.length - rows.length);
      for (const { pending, progress, parked_at } of rows) {
        read.push({ pending, ...progress, parkedAt: parked_at });
      }
      after = end;
    }
    return read.slice(0, limit);
  }

  /** Once as long as the object is in memory: they are read again and again. */
  #logUnreadable(count: number): void {
    if (this.#isUnreadableLogged) return;
    this.#isUnreadableLogged = true;
    logError("held effects are unreadable, and stay until they are given up", { effects: count });
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
         give_up_at  INTEGER NOT NULL,     -- delivered or not, and whether it can be read or not
         parked_at   INTEGER);             -- null for one that waits for a target that is down
       CREATE INDEX IF NOT EXISTS held_by_end ON held (give_up_at) WHERE parked_at IS NULL;
       CREATE INDEX IF NOT EXISTS held_for_fleet ON held (id) WHERE parked_at IS NULL AND for_fleet = 1;
       CREATE INDEX IF NOT EXISTS held_for_order ON held (id) WHERE parked_at IS NULL AND for_order = 1;
       -- What is counted: to read it from the rows would be to read all of them.
       CREATE INDEX IF NOT EXISTS held_counted ON held (LENGTH(pending), parked_at, heartbeats)`,
    );
  }

  /** A row that is written again keeps its end. */
  #write(one: WaitingEffect, parkedAt: number | null, giveUpAt: number): void {
    const { pending, delivered, failing } = one;
    const isFor = (target: DeliveryTarget) => (waitsFor(one, target) ? 1 : 0);
    this.#sql.exec(
      `INSERT INTO held (id, pending, progress, for_history, for_fleet, for_order, heartbeats, give_up_at, parked_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET progress = excluded.progress, for_history = excluded.for_history,
         for_fleet = excluded.for_fleet, for_order = excluded.for_order`,
      pending.id,
      JSON.stringify(pending),
      JSON.stringify({ delivered, failing }),
      isFor("history"),
      isFor("fleet"),
      isFor("order"),
      countHeartbeats([pending]),
      giveUpAt,
      parkedAt,
    );
  }
}

const FOR = { history: "for_history", fleet: "for_fleet", order: "for_order" } as const satisfies Record<
  DeliveryTarget,
  string
>;
