import { mayBeTold } from "../../alerts/channels/record.ts";
import { keepsIncidents } from "../../alerts/channels/settings.ts";
import { composeIncidents } from "../../alerts/incidents.ts";
import { type Alert, composeNotice, type Notice } from "../../alerts/notice.ts";
import { endsOf } from "../../alerts/problems.ts";
import { type Outage, withoutOutage, withoutRepeats } from "../../alerts/told-before.ts";
import { ANYBODY, type Reader } from "../../lifecycle/model/words/said.ts";
import type { Urgency } from "../rules/digest-window.ts";
import type { Channels } from "../tables/channels.ts";
import type { Deliveries } from "../tables/deliveries.ts";
import type { RecentEvents } from "../tables/events.ts";
import type { OpenAlerts } from "../tables/open-alerts.ts";
import type { Snoozes } from "../tables/snoozes.ts";

/** What is told at the end of a digest's window. */

/** Letters, digits, `-` and `_`, and with a channel's id at most 100, as the ids of workflows must be. */
export function digestIdOf(userId: string, of: string): string {
  return `${userId.replaceAll(/[^A-Za-z0-9-]/g, "_").slice(0, 38)}-${of}`;
}

/** Of a digest's message to this channel, or of a part of it. */
export function deliveryIdOf(digestId: string, channelId: string, part = 0): string {
  return `${digestId}-${channelId.slice(0, 40)}${part === 0 ? "" : `-${part}`}`;
}

/** What a digest is made of, and where it goes. */
interface Tables {
  readonly events: RecentEvents;
  readonly channels: Channels;
  readonly deliveries: Deliveries;
  readonly openAlerts: OpenAlerts;
  readonly snoozes: Snoozes;
}

export class Digests {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /**
   * Takes the alerts of this urgency that wait, composes one message for each channel that wants it, and queues them. Leaves
   * out what the outage guard's own message has told, what was told less than `reminderMs` ago and has lasted since, what somebody
   * has acknowledged, and what is not critical of an instance whose alerts are snoozed. True when more wait than one digest tells.
   */
  compose(
    digestId: string,
    urgency: Urgency,
    outage: Outage | null,
    reminderMs: number,
    now: number,
    reader: Reader = ANYBODY,
  ): boolean {
    const { events, channels, deliveries } = this.#tables;
    const isMore = events.take(digestId, urgency);
    const alerts = events.alertsOf(digestId);
    const [oldest] = alerts;
    if (oldest === undefined) return false;
    const news = withoutOutage(alerts, outage);
    const earlier = events.earlierThan(digestId, news, oldest.at - reminderMs);
    const unsaid = withoutRepeats(news, earlier, reminderMs);
    const told = unsaid.filter((alert) => !this.#isSilenced(alert, now));
    const isTold = new Set(told);
    // An incident that was opened before is resolved all the same, though the guard's message has told that it is over.
    const ended = alerts.filter((alert) => isTold.has(alert) || endsOf(alert.kind).length > 0);
    events.leaveOut(alerts.filter((alert) => !isTold.has(alert)));
    const notices = new Map<string, readonly Notice[]>();
    for (const channel of channels.list()) {
      if (!mayBeTold(channel)) continue;
      const incidents = keepsIncidents(channel.kind);
      const { id: channelId, minimumSeverity } = channel;
      const key = `${minimumSeverity}/${incidents}`;
      if (!notices.has(key)) {
        const composed = incidents
          ? composeIncidents(ended, minimumSeverity, reader)
          : [composeNotice(told, minimumSeverity, false, reader) ?? []].flat();
        notices.set(key, composed);
      }
      for (const [part, notice] of (notices.get(key) ?? []).entries()) {
        const id = deliveryIdOf(digestId, channelId, part);
        deliveries.add({ id, channelId, digestId, notice }, now);
      }
    }
    return isMore;
  }

  #isSilenced(alert: Alert, now: number): boolean {
    const { openAlerts, snoozes } = this.#tables;
    if (openAlerts.isAcknowledged(alert)) return true;
    return (
      alert.severity !== "critical" && alert.instanceId !== "" && snoozes.isSnoozed(alert.instanceId, now)
    );
  }
}
