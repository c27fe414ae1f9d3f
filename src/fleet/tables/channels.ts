import { z } from "zod";
import type { Delivery } from "../../alerts/channels/channel.ts";
import type { ChannelRecord, Pause } from "../../alerts/channels/record.ts";
import type { ChannelChanges, SealedChannel } from "../../alerts/channels/registry.ts";
import { KEEPS_INCIDENTS } from "../../alerts/channels/settings.ts";
import { severitySchema } from "../../lifecycle/model/history-event.ts";
import { jsonText, openEnum, readableRows } from "../../lifecycle/model/stored.ts";

/** The channels by which a user is told, their settings sealed. */

const channelRow = z
  .object({
    id: z.string(),
    kind: openEnum<ChannelRecord["kind"]>(),
    name: z.string(),
    // One of a newer version: rather too much is told than nothing.
    minimum_severity: severitySchema.catch("info"),
    created_at: z.number(),
    confirmed: z.number(),
    paused: jsonText(z.object({ at: z.number(), because: openEnum<Pause["because"]>() })).nullable(),
    last_delivery: jsonText(z.object({ at: z.number(), delivered: z.boolean(), detail: z.string() }))
      .nullable()
      .catch(null),
  })
  .transform(
    (row): ChannelRecord => ({
      id: row.id,
      kind: row.kind,
      name: row.name,
      minimumSeverity: row.minimum_severity,
      createdAt: row.created_at,
      confirmed: row.confirmed === 1,
      paused: row.paused,
      lastDelivery: row.last_delivery,
    }),
  );

/** A channel of a release that did not know of confirmations has no row there. */
const IS_CONFIRMED = "NOT EXISTS (SELECT 1 FROM unconfirmed_channels WHERE channel_id = channels.id)";

/** The same, for pauses. */
const PAUSE =
  "SELECT json_object('at', at, 'because', because) FROM paused_channels WHERE channel_id = channels.id";

export class Channels {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  list(): ChannelRecord[] {
    const rows = this.#sql.exec(
      `SELECT id, kind, name, minimum_severity, created_at, last_delivery, ${IS_CONFIRMED} AS confirmed, (${PAUSE}) AS paused
       FROM channels ORDER BY id`,
    );
    return readableRows(channelRow, rows.toArray());
  }

  /** Whether no channel may be told of anything. */
  get isEmpty(): boolean {
    const told = this.#sql.exec(
      `SELECT 1 FROM channels WHERE ${IS_CONFIRMED} AND NOT EXISTS (${PAUSE}) LIMIT 1`,
    );
    return told.toArray().length === 0;
  }

  /** Whether any that is told keeps incidents, and so must hear of the end of each. */
  get keepIncidents(): boolean {
    const keeping = this.#sql.exec(
      `SELECT 1 FROM channels WHERE kind IN (SELECT value FROM json_each(?)) AND ${IS_CONFIRMED}
         AND NOT EXISTS (${PAUSE}) LIMIT 1`,
      JSON.stringify([...KEEPS_INCIDENTS]),
    );
    return keeping.toArray().length > 0;
  }

  /** False when there are `limit` already. Nothing can come in between, so of two at once the second one counts the first. */
  add(
    channel: Omit<ChannelRecord, "lastDelivery" | "confirmed" | "paused">,
    sealed: SealedChannel,
    limit: number,
  ): boolean {
    if (this.#count() >= limit) return false;
    this.#sql.exec(
      `INSERT INTO channels (id, kind, name, minimum_severity, settings, origin, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      channel.id,
      channel.kind,
      channel.name,
      channel.minimumSeverity,
      sealed.settings,
      sealed.origin,
      channel.createdAt,
    );
    return true;
  }

  /** Also those that can't be read. */
  #count(): number {
    return this.#sql.exec<{ channels: number }>("SELECT COUNT(*) AS channels FROM channels").one().channels;
  }

  /** False when there is no such channel. What was said of former settings is not said of new ones. */
  change(id: string, changes: Omit<ChannelChanges, "paused">): boolean {
    const changed = this.#sql.exec(
      `UPDATE channels SET name = COALESCE(?2, name), minimum_severity = COALESCE(?3, minimum_severity),
         settings = COALESCE(?4, settings), last_delivery = iif(?4 IS NULL, last_delivery, NULL)
       WHERE id = ?1 RETURNING id`,
      id,
      changes.name ?? null,
      changes.minimumSeverity ?? null,
      changes.settings ?? null,
    );
    return changed.toArray().length > 0;
  }

  /** Nothing is told by it any more. One that is paused stays so since it was. */
  pause(id: string, { at, because }: Pause): void {
    this.#sql.exec(
      `INSERT INTO paused_channels (channel_id, at, because) SELECT id, ?2, ?3 FROM channels WHERE id = ?1
       ON CONFLICT (channel_id) DO NOTHING`,
      id,
      at,
      because,
    );
  }

  resume(id: string): void {
    this.#sql.exec("DELETE FROM paused_channels WHERE channel_id = ?", id);
  }

  isPaused(id: string): boolean {
    return this.#sql.exec("SELECT 1 FROM paused_channels WHERE channel_id = ?", id).toArray().length > 0;
  }

  delete(id: string): boolean {
    this.resume(id);
    this.#sql.exec("DELETE FROM unconfirmed_channels WHERE channel_id = ?", id);
    return this.#sql.exec("DELETE FROM channels WHERE id = ? RETURNING id", id).toArray().length > 0;
  }

  sealed(id: string): SealedChannel | null {
    const [row] = this.#sql
      .exec<{ settings: string; origin: string }>("SELECT settings, origin FROM channels WHERE id = ?", id)
      .toArray();
    return row ?? null;
  }

  /** Notes how the last try went. Whether a message was given up since one was taken is kept beside it. */
  noteDelivery(id: string, { delivered, detail }: Delivery, at: number): void {
    const last = delivered ? { at, delivered, detail, givenUp: false } : { at, delivered, detail };
    this.#patchLast(id, last);
  }

  /** A message to it was given up. Returns whether one was before, since it last took one. */
  noteGivenUp(id: string): boolean {
    const [row] = this.#sql
      .exec<{ before: number | null }>(
        `SELECT iif(json_valid(last_delivery), last_delivery ->> 'givenUp', 0) AS before FROM channels WHERE id = ?`,
        id,
      )
      .toArray();
    this.#patchLast(id, { givenUp: true });
    return row?.before === 1;
  }

  #patchLast(id: string, patch: object): void {
    this.#sql.exec(
      `UPDATE channels SET last_delivery = json_patch(iif(json_valid(last_delivery), last_delivery, '{}'), ?)
       WHERE id = ?`,
      JSON.stringify(patch),
      id,
    );
  }
}
