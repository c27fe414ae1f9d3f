import type { Position } from "../history/page.ts";
import { CHANGED, READY } from "./keeper.ts";
import { FleetReader } from "./reader.ts";
import type { Acknowledged } from "./tables/open-alerts.ts";
import type { Snooze } from "./tables/snoozes.ts";
import { doubtAddressee } from "./tasks/addressee.ts";
import { endSnooze, snooze } from "./tasks/snoozes.ts";
import { type AlertPage, type AlertQuery, type ListedAlert, readAlert, readAlerts } from "./views/alerts.ts";

export type AcknowledgeOutcome =
  | { readonly outcome: "acknowledged"; readonly alert: ListedAlert }
  | { readonly outcome: "over" | "unknown" };

/** The alerts of a fleet, and what people do about them. */
export abstract class FleetAlerts extends FleetReader {
  async alerts(query: AlertQuery, before: Position | null, limit: number): Promise<AlertPage> {
    const fleet = await this[READY]();
    return readAlerts(fleet, this.ctx.storage.sql, query, { before, limit }, Date.now());
  }

  /** Somebody has seen the alert: it is not told again while nothing worse happens. Safe to repeat. */
  async acknowledgeAlert(number: number, acknowledged: Acknowledged): Promise<AcknowledgeOutcome> {
    const fleet = await this[READY]();
    const { sql } = this.ctx.storage;
    const known = readAlert(fleet, sql, number);
    if (known === null) return { outcome: "unknown" };
    if (known.status === "over" && known.acknowledged === null) return { outcome: "over" };
    if (known.acknowledged === null) {
      fleet.change((state) => ({ state, result: fleet.openAlerts.acknowledge(number, acknowledged) }));
    }
    return { outcome: "acknowledged", alert: readAlert(fleet, sql, number) ?? known };
  }

  /** Until then only critical alerts of the instance are told. False when there is no such instance. */
  async snoozeAlerts(asked: Snooze): Promise<boolean> {
    const fleet = await this[READY]();
    if (!fleet.registry.has(asked.instanceId)) return false;
    snooze(fleet, asked);
    this[CHANGED](fleet);
    return true;
  }

  /** The account has another language, or another time zone. */
  async accountChanged(): Promise<void> {
    doubtAddressee(await this[READY]());
  }

  /** What is so still is told now. False when there was no snooze. */
  async endSnooze(instanceId: string): Promise<boolean> {
    const fleet = await this[READY]();
    const wasThere = endSnooze(fleet, instanceId, Date.now());
    this[CHANGED](fleet);
    return wasThere;
  }
}
