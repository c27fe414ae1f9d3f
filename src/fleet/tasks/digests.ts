import { mayBeTold } from "../../alerts/channels/registry.ts";
import { keepsIncidents } from "../../alerts/channels/settings.ts";
import { composeNotice, type Notice } from "../../alerts/notice.ts";
import { type Outage, withoutOutage, withoutRepeats } from "../../alerts/told-before.ts";
import type { Urgency } from "../rules/digest-window.ts";
import type { Channels } from "../tables/channels.ts";
import type { Deliveries } from "../tables/deliveries.ts";
import type { RecentEvents } from "../tables/events.ts";

/** What is told at the end of a digest's window. */

/** Letters, digits, `-` and `_`, and with a channel's id at most 100, as the ids of workflows must be. */
export function digestIdOf(userId: string, of: string): string {
  return `${userId.replaceAll(/[^A-Za-z0-9-]/g, "_").slice(0, 38)}-${of}`;
}

/** Of a digest's message to this channel. */
export function deliveryIdOf(digestId: string, channelId: string): string {
  return `${digestId}-${channelId.slice(0, 40)}`;
}

export class Digests {
  readonly #events: RecentEvents;
  readonly #channels: Channels;
  readonly #deliveries: Deliveries;

  constructor(events: RecentEvents, channels: Channels, deliveries: Deliveries) {
    this.#events = events;
    this.#channels = channels;
    this.#deliveries = deliveries;
  }

  /**
   * Takes the alerts of this urgency that wait, composes one message for each channel that wants it, and queues them. Leaves
   * out what the outage guard's own message has told, and what was told less than `reminderMs` ago and has lasted since. True
   * when more wait than one digest tells.
   */
  compose(
    digestId: string,
    urgency: Urgency,
    outage: Outage | null,
    reminderMs: number,
    now: number,
  ): boolean {
    const isMore = this.#events.take(digestId, urgency);
    const alerts = this.#events.alertsOf(digestId);
    const [oldest] = alerts;
    if (oldest === undefined) return false;
    const news = withoutOutage(alerts, outage);
    const earlier = this.#events.earlierThan(digestId, news, oldest.at - reminderMs);
    const told = withoutRepeats(news, earlier, reminderMs);
    const isTold = new Set(told);
    this.#events.leaveOut(alerts.filter((alert) => !isTold.has(alert)));
    const notices = new Map<string, Notice | null>();
    for (const channel of this.#channels.list()) {
      if (!mayBeTold(channel)) continue;
      const incidents = keepsIncidents(channel.kind);
      const key = `${channel.minimumSeverity}/${incidents}`;
      if (!notices.has(key)) notices.set(key, composeNotice(told, channel.minimumSeverity, incidents));
      const notice = notices.get(key) ?? null;
      if (notice === null) continue;
      const id = deliveryIdOf(digestId, channel.id);
      this.#deliveries.add({ id, channelId: channel.id, digestId, notice }, now);
    }
    return isMore;
  }
}
