import { DAY_MS, MINUTE_MS, SECOND_MS } from "../../lifecycle/model/time.ts";

/**
 * Which channels are not confirmed, and when their owners were asked to. A channel without a row is confirmed: only addresses
 * that anybody could enter must be, and those of before count as if they had been.
 */

/** A channel's owner is asked again after this long at the earliest. */
const AGAIN_AFTER_MS = MINUTE_MS;

export type Asking =
  /** The message is to be sent now. It counts already. */
  | { readonly outcome: "send" }
  | { readonly outcome: "confirmed" }
  | { readonly outcome: "too_many"; readonly retryAfterSeconds: number };

export class Confirmations {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The channel is told of nothing until it is confirmed. */
  await(channelId: string): void {
    this.#sql.exec("INSERT OR IGNORE INTO unconfirmed_channels (channel_id) VALUES (?)", channelId);
  }

  isConfirmed(channelId: string): boolean {
    const rows = this.#sql.exec("SELECT 1 FROM unconfirmed_channels WHERE channel_id = ?", channelId);
    return rows.toArray().length === 0;
  }

  confirm(channelId: string): void {
    this.#sql.exec("DELETE FROM unconfirmed_channels WHERE channel_id = ?", channelId);
  }

  /** Whether the channel's owner may be asked now. Of all channels together `perDay` are within a day, deleted ones included. */
  ask(channelId: string, perDay: number, now: number): Asking {
    if (this.isConfirmed(channelId)) return { outcome: "confirmed" };
    this.#sql.exec("DELETE FROM confirmations_asked WHERE at <= ?", now - DAY_MS);
    const asked = this.#sql
      .exec<{ channel_id: string; at: number }>(
        "SELECT channel_id, at FROM confirmations_asked WHERE at > ? ORDER BY at",
        now - DAY_MS,
      )
      .toArray();
    const last = asked.findLast(({ channel_id }) => channel_id === channelId)?.at ?? null;
    const nthLast = asked.at(-perDay)?.at ?? null;
    const mayFrom = Math.max(
      last === null ? 0 : last + AGAIN_AFTER_MS,
      nthLast === null ? 0 : nthLast + DAY_MS,
    );
    if (now < mayFrom) {
      return { outcome: "too_many", retryAfterSeconds: Math.ceil((mayFrom - now) / SECOND_MS) };
    }
    this.#sql.exec("INSERT INTO confirmations_asked (channel_id, at) VALUES (?, ?)", channelId, now);
    return { outcome: "send" };
  }
}
