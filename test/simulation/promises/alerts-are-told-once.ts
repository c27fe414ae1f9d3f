import { historyEventKindSchema, isAlert } from "../../../src/lifecycle/model/history-event.ts";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/model/policy-settings.ts";
import { orphanedSinceOf, type RaisedAlert, Told } from "../../checks/alerts-told.ts";
import type { Happening } from "../happenings.ts";
import type { Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

const { reminderMs } = compilePolicy(DEFAULT_POLICY, 1);

/** More than lies between the first orphan of an outage and the closing of the guard, to which some report late. */
const OUTAGE_LEAD_MS = 30 * 60_000;

/**
 * In the end each event that is an alert has been told, by one message and no other. A message may come again, with the same
 * id and the same words: whoever sent it crashed before that was noted, or never heard the answer. What waits is sent in the
 * end, and the channel says so.
 */
export class AlertsAreToldOnce implements Promised {
  readonly #platform: Platform;
  readonly #userId: string;
  readonly #say: Say;
  readonly #alerts: RaisedAlert[];
  readonly #nextEffectId = new Map<string, number>();
  readonly #told: Told;

  /** `former`: alerts that waited in D1 before there was a fleet. */
  constructor(
    platform: Platform,
    userId: string,
    former: readonly Omit<RaisedAlert, "raisedAt" | "orphanedSince">[],
    say: Say,
  ) {
    this.#platform = platform;
    this.#userId = userId;
    this.#say = say;
    this.#told = new Told(say);
    this.#alerts = former.map((alert) => ({ ...alert, raisedAt: alert.at, orphanedSince: null }));
  }

  observe(happening: Happening): void {
    if (happening.type === "told") {
      const { messageId, notice } = happening;
      const { again } = this.#told;
      this.#told.hear(messageId, JSON.stringify(notice), notice.groups);
      if (this.#told.again > again) this.#platform.count("messages that came again");
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
      const { event } = effect;
      const orphanedSince = orphanedSinceOf(event.detail);
      this.#alerts.push({ ...event, raisedAt: happening.at, instanceId, orphanedSince });
    }
  }

  atRest(): void {
    const fleet = this.#platform.fleet(this.#userId);
    for (const { id } of fleet.rows("SELECT id FROM deliveries")) this.#say(`delivery ${id} was never made`);
    const [channel] = fleet.rows("SELECT last_delivery FROM channels");
    if (this.#told.messages > 0 && channel?.last_delivery === null)
      this.#say("the channel shows no delivery");
    this.#told.judge([...this.#alerts, ...this.#ownAlerts()], reminderMs, OUTAGE_LEAD_MS);
  }

  /** Those of the fleet itself. That a channel did not take a message is told once until it takes one. */
  #ownAlerts(): RaisedAlert[] {
    return this.#platform
      .fleet(this.#userId)
      .rows(
        `SELECT id, at, kind FROM events WHERE instance_id = ''
           AND (kind LIKE 'guard_%' OR kind = 'unwatched' OR (kind = 'alert_not_delivered' AND detail NOT LIKE '%"repeated":true%'))
         ORDER BY at`,
      )
      .map(({ id, at, kind }) => ({
        id: String(id),
        at: Number(at),
        raisedAt: Number(at),
        kind: historyEventKindSchema.parse(kind),
        instanceId: "",
        orphanedSince: null,
      }));
  }
}
