import { composeNotice, type Notice, type Outage, withoutOutage, withoutRepeats } from "../alerts/notice.ts";
import { type Severity, severitySchema } from "../lifecycle/model/history-event.ts";
import type { Channels } from "./channels.ts";
import type { Urgency } from "./digest-window.ts";
import type { RecentEvents } from "./events.ts";

/** What is told at the end of a digest's window, and the deliveries of it that wait for their workflows. */

export interface WaitingDelivery {
  /** Of its workflow, unique for good. */
  readonly id: string;
  readonly channelId: string;
  readonly digestId: string;
  readonly notice: Notice;
}

export class Digests {
  readonly #sql: SqlStorage;
  readonly #events: RecentEvents;
  readonly #channels: Channels;

  constructor(sql: SqlStorage, events: RecentEvents, channels: Channels) {
    this.#sql = sql;
    this.#events = events;
    this.#channels = channels;
  }

  /**
   * Takes the alerts of this urgency that wait, composes one message for each channel that wants it, and queues them. Leaves
   * out what the outage guard's own message has told, and what was told less than `reminderMs` ago and has lasted since. True
   * when more wait than one digest tells.
   */
  compose(digestId: string, urgency: Urgency, outage: Outage | null, reminderMs: number): boolean {
    const isMore = this.#events.take(digestId, urgency);
    const alerts = this.#events.alertsOf(digestId);
    const [oldest] = alerts;
    if (oldest === undefined) return false;
    const news = withoutOutage(alerts, outage);
    const earlier = this.#events.earlierThan(digestId, news, oldest.at - reminderMs);
    const told = withoutRepeats(news, earlier, reminderMs);
    const isTold = new Set(told);
    this.#events.leaveOut(alerts.filter((alert) => !isTold.has(alert)));
    const notices = new Map(
      severitySchema.options.map((minimum): [Severity, Notice | null] => [
        minimum,
        composeNotice(told, minimum),
      ]),
    );
    for (const channel of this.#channels.list()) {
      const notice = notices.get(channel.minimumSeverity) ?? null;
      if (notice === null) continue;
      this.#sql.exec(
        "INSERT OR IGNORE INTO deliveries (id, channel_id, digest_id, notice) VALUES (?, ?, ?, ?)",
        `${digestId}-${channel.id.slice(0, 40)}`,
        channel.id,
        digestId,
        JSON.stringify(notice),
      );
    }
    return isMore;
  }

  waiting(limit: number): WaitingDelivery[] {
    return this.#sql
      .exec<{ id: string; channel_id: string; digest_id: string; notice: string }>(
        "SELECT id, channel_id, digest_id, notice FROM deliveries LIMIT ?",
        limit,
      )
      .toArray()
      .map((row) => ({
        id: row.id,
        channelId: row.channel_id,
        digestId: row.digest_id,
        notice: JSON.parse(row.notice),
      }));
  }

  started(id: string): void {
    this.#sql.exec("DELETE FROM deliveries WHERE id = ?", id);
  }
}
