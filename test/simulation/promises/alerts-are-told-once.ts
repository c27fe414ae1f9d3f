import type { Notice } from "../../../src/alerts/notice.ts";
import {
  type HistoryEvent,
  historyEventKindSchema,
  isAlert,
} from "../../../src/lifecycle/model/history-event.ts";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/model/policy-settings.ts";
import type { Happening } from "../happenings.ts";
import type { Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

type Alert = Pick<HistoryEvent, "id" | "at" | "kind"> & { readonly instanceId: string };

const { reminderMs } = compilePolicy(DEFAULT_POLICY, 1);

/** What one message about a mass outage tells for all of its instances. */
const TOLD_BY_THE_GUARD: ReadonlySet<string> = new Set(["orphaned", "silent", "abandoned", "recovered"]);

/** More than lies between the first orphan of an outage and the closing of the guard, to which some report late. */
const OUTAGE_LEAD_MS = 30 * 60_000;

/**
 * In the end each event that is an alert has been told, by one message and no other: unless the guard's own message
 * told it, or the same was told a while ago and lasts. A message may come again, with the same id and the same words: whoever
 * sent it crashed before that was noted, or never heard the answer. What waits is sent in the end, and the channel says so.
 */
export class AlertsAreToldOnce implements Promised {
  readonly #platform: Platform;
  readonly #userId: string;
  readonly #say: Say;
  readonly #alerts = new Map<string, Alert>();
  readonly #nextEffectId = new Map<string, number>();
  readonly #messages = new Map<string, Notice>();

  /** `former`: alerts that waited in D1 before there was a fleet. */
  constructor(platform: Platform, userId: string, former: readonly Alert[], say: Say) {
    this.#platform = platform;
    this.#userId = userId;
    this.#say = say;
    for (const alert of former) this.#alerts.set(keyOf(alert), alert);
  }

  observe(happening: Happening): void {
    if (happening.type === "told") {
      const { messageId, notice } = happening;
      const known = this.#messages.get(messageId);
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(notice))
        this.#say(`message ${messageId} came twice with different words`);
      if (known !== undefined) this.#platform.count("messages that came again");
      this.#messages.set(messageId, notice);
    }
    if (happening.type !== "saved" || happening.state === null) return;
    const [userId, instanceId = ""] = happening.instance.split("/");
    if (userId !== this.#userId) return;
    const { outbox, nextEffectId } = happening.state;
    const known = this.#nextEffectId.get(instanceId) ?? 0;
    if (nextEffectId === known) return;
    this.#nextEffectId.set(instanceId, nextEffectId);
    for (const { id, effect } of outbox) {
      if (id < known || effect.type !== "event" || !isAlert(effect.event)) continue;
      const alert = { ...effect.event, instanceId };
      this.#alerts.set(keyOf(alert), alert);
    }
  }

  atRest(): void {
    const fleet = this.#platform.fleet(this.#userId);
    for (const { id } of fleet.rows("SELECT id FROM deliveries")) this.#say(`delivery ${id} was never made`);
    const [channel] = fleet.rows("SELECT last_delivery FROM channels");
    if (this.#messages.size > 0 && channel?.last_delivery === null)
      this.#say("the channel shows no delivery");
    const guard = this.#ownEvents("kind LIKE 'guard_%'");
    // That a channel did not take a message is told once until it takes one.
    const givenUp = this.#ownEvents("kind = 'alert_not_delivered' AND detail NOT LIKE '%\"repeated\":true%'");
    for (const alert of [...guard, ...givenUp]) this.#alerts.set(keyOf(alert), alert);
    const told = new Map<string, string>();
    const cutShort = new Set<string>();
    for (const [messageId, { groups }] of this.#messages) {
      for (const { kind, lines, more } of groups) {
        if (more > 0) cutShort.add(kind);
        for (const line of lines) {
          const key = keyOf({ ...line, id: line.eventId });
          const other = told.get(key);
          if (other !== undefined) this.#say(`${key} was told by ${other} and by ${messageId}`);
          told.set(key, messageId);
          if (!this.#alerts.has(key)) this.#say(`${key} was told, and nobody raised it`);
        }
      }
    }
    const alerts = [...this.#alerts.values()];
    const isRepeat = ({ instanceId, kind, at }: Alert) =>
      alerts.some(
        (other) =>
          other.instanceId === instanceId &&
          other.kind === kind &&
          other.at < at &&
          at - other.at < reminderMs &&
          told.has(keyOf(other)),
      );
    for (const alert of alerts) {
      if (told.has(keyOf(alert)) || cutShort.has(alert.kind)) continue;
      if (isOfAnOutage(alert, guard) || isRepeat(alert)) continue;
      this.#say(`${alert.kind} ${keyOf(alert)} was never told`);
    }
  }

  /** Events of the fleet itself. */
  #ownEvents(which: string): Alert[] {
    return this.#platform
      .fleet(this.#userId)
      .rows(`SELECT id, at, kind FROM events WHERE instance_id = '' AND ${which} ORDER BY at`)
      .map(({ id, at, kind }) => ({
        id: String(id),
        at: Number(at),
        kind: historyEventKindSchema.parse(kind),
        instanceId: "",
      }));
  }
}

function keyOf({ instanceId, id, at }: Pick<Alert, "instanceId" | "id" | "at">): string {
  return `${instanceId}/${id} of ${at}`;
}

function isOfAnOutage({ kind, at }: Alert, guard: readonly Alert[]): boolean {
  if (!TOLD_BY_THE_GUARD.has(kind)) return false;
  // Whoever came back from an outage may do so long after the guard has opened.
  const until = kind === "recovered" ? Number.POSITIVE_INFINITY : 0;
  return guard.some(
    (closed, index) =>
      closed.kind === "guard_closed" &&
      at >= closed.at - OUTAGE_LEAD_MS &&
      at <= Math.max(until, guard[index + 1]?.at ?? Number.POSITIVE_INFINITY),
  );
}
