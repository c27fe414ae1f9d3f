import { z } from "zod";
import { type Notice, noticeSchema } from "../../alerts/notice.ts";
import { BACKLOG_MS } from "../../lifecycle/model/outbox.ts";
import { jsonText } from "../../lifecycle/model/stored.ts";
import { DAY_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { logError } from "../../platform/log.ts";

/** The messages of a fleet that are still to be sent, one a channel and digest. */

export interface WaitingDelivery {
  /** Unique for good. */
  readonly id: string;
  readonly channelId: string;
  readonly digestId: string;
  readonly notice: Notice;
}

/** A message that can't be read, and is to be given up. */
type TooOld = Pick<WaitingDelivery, "id" | "channelId">;

interface Taken {
  readonly next: WaitingDelivery[];
  readonly tooOld: readonly TooOld[];
}

/** How many there are that something is wrong with. */
interface Overdue {
  /** Should have been tried long ago. */
  readonly late: number;
  /** Would be tried later than any may: the clock was set back since. */
  readonly far: number;
}

/** What failed is tried again after this long; what can't be read, after a newer version may have come. */
export const RETRY_MS = 30 * SECOND_MS;
const UNREADABLE_RETRY_MS = DAY_MS;

/** So many of a channel are taken at a time: should it prove to be away, the others wait for no more. */
const OF_A_CHANNEL = 5;

/** So many messages may wait for one channel. Whoever finds more than these at once reads none of them. */
export const WAITING_PER_CHANNEL = 500;

const deliveryRow = z
  .object({
    id: z.string(),
    channel_id: z.string(),
    digest_id: z.string(),
    notice: jsonText(noticeSchema),
  })
  .transform(
    (row): WaitingDelivery => ({
      id: row.id,
      channelId: row.channel_id,
      digestId: row.digest_id,
      notice: row.notice,
    }),
  );

export class Deliveries {
  readonly #sql: SqlStorage;
  /** What this process is sending, and need not begin again. */
  readonly #underWay = new Set<string>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add({ id, channelId, digestId, notice }: WaitingDelivery, now: number): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO deliveries (id, channel_id, digest_id, notice, retry_at) VALUES (?, ?, ?, ?, ?)",
      id,
      channelId,
      digestId,
      JSON.stringify(notice),
      now,
    );
  }

  /**
   * Those that are to be tried now: of each channel those that have waited longest, in turn. Of a channel that is `failing` only
   * one, and last: it may be slow to fail again. Each is under way until it is `settled`. One that can't be read is put aside.
   */
  take(now: number, limit: number, failing: readonly string[]): Taken {
    const rows = this.#sql
      .exec<{ id: string; channel_id: string }>(
        `SELECT id, channel_id, digest_id, notice
         FROM (SELECT id, retry_at, channel_id IN (SELECT value FROM json_each(?4)) AS is_failing,
                      ROW_NUMBER() OVER (PARTITION BY channel_id ORDER BY retry_at, id) AS turn
               FROM deliveries WHERE retry_at <= ?1 AND id NOT IN (SELECT value FROM json_each(?3))) AS next
         JOIN deliveries USING (id)
         WHERE turn <= iif(is_failing, 1, ${OF_A_CHANNEL})
         ORDER BY is_failing, turn, next.retry_at, id LIMIT ?2`,
        now,
        limit,
        JSON.stringify([...this.#underWay]),
        JSON.stringify(failing),
      )
      .toArray();
    const tooOld: TooOld[] = [];
    const next = rows.flatMap((row) => {
      const read = deliveryRow.safeParse(row);
      if (read.success) {
        this.#underWay.add(read.data.id);
        return [read.data];
      }
      logError(`the delivery ${row.id} can't be read, and is put aside`, { delivery_id: row.id }, read.error);
      const isTooOld = this.postpone(row.id, now, UNREADABLE_RETRY_MS);
      if (isTooOld) tooOld.push({ id: row.id, channelId: row.channel_id });
      return [];
    });
    return { next, tooOld };
  }

  /**
   * What waits for this channel beyond the bound: the oldest, and what was tried is older than what was not. What is under way or put
   * off counts and is left alone: a workflow may be delivering it.
   */
  surplus(channelId: string, now: number): Pick<WaitingDelivery, "id" | "channelId">[] {
    const { waiting } = this.#sql
      .exec<{ waiting: number }>("SELECT COUNT(*) AS waiting FROM deliveries WHERE channel_id = ?", channelId)
      .one();
    if (waiting <= WAITING_PER_CHANNEL) return [];
    return this.#sql
      .exec<{ id: string }>(
        `SELECT id FROM deliveries
         WHERE channel_id = ? AND retry_at <= ? AND id NOT IN (SELECT value FROM json_each(?))
         ORDER BY postponed_since IS NULL, COALESCE(postponed_since, retry_at), id LIMIT ?`,
        channelId,
        now,
        JSON.stringify([...this.#underWay]),
        waiting - WAITING_PER_CHANNEL,
      )
      .toArray()
      .map(({ id }) => ({ id, channelId }));
  }

  settled(id: string): void {
    this.#underWay.delete(id);
  }

  /** Makes the messages of this digest to this channel due that still wait. False when none does. */
  hasten(digestId: string, channelId: string, now: number): boolean {
    const hastened = this.#sql.exec(
      "UPDATE deliveries SET retry_at = MIN(retry_at, ?) WHERE channel_id = ? AND digest_id = ? RETURNING id",
      now,
      channelId,
      digestId,
    );
    return hastened.toArray().length > 0;
  }

  /** It was sent, or is given up. Returns whether it was there. */
  remove(id: string): boolean {
    return this.#sql.exec("DELETE FROM deliveries WHERE id = ? RETURNING id", id).toArray().length > 0;
  }

  /** It is tried again later. Returns whether that has been so for longer than anything may wait: then it is to be given up. */
  postpone(id: string, now: number, retryMs: number): boolean {
    const [row] = this.#sql
      .exec<{ since: number }>(
        `UPDATE deliveries SET postponed_since = COALESCE(postponed_since, ?2), retry_at = ?3 WHERE id = ?1
         RETURNING postponed_since AS since`,
        id,
        now,
        now + retryMs,
      )
      .toArray();
    return row !== undefined && row.since < now - BACKLOG_MS;
  }

  /** How many of them are amiss. Those that would be tried too far in the future are tried now. */
  mend(now: number, lateMs: number): Overdue {
    const { late } = this.#sql
      .exec<{ late: number }>(
        `SELECT COUNT(*) AS late FROM deliveries
         WHERE retry_at < ? AND id NOT IN (SELECT value FROM json_each(?))`,
        now - lateMs,
        JSON.stringify([...this.#underWay]),
      )
      .one();
    const far = this.#sql
      .exec(
        "UPDATE deliveries SET retry_at = ? WHERE retry_at > ? RETURNING id",
        now,
        now + UNREADABLE_RETRY_MS + lateMs,
      )
      .toArray().length;
    return { late, far };
  }

  /** When the next one is to be tried; null when none waits. */
  nextAt(now: number): number | null {
    const { at } = this.#sql
      .exec<{ at: number | null }>(
        `SELECT MIN(retry_at) AS at FROM deliveries WHERE id NOT IN (SELECT value FROM json_each(?))`,
        JSON.stringify([...this.#underWay]),
      )
      .one();
    // Were this process to end, what is under way would have to be begun again.
    const underWayAt = this.#underWay.size === 0 ? [] : [now + RETRY_MS];
    const waitingAt = at === null ? [] : [Math.max(at, now)];
    const moments = [...waitingAt, ...underWayAt];
    return moments.length === 0 ? null : Math.min(...moments);
  }
}
