import { z } from "zod";
import type { Alert, EarlierEvent } from "../alerts/notice.ts";
import type { KeptEvent } from "../history/append.ts";
import { type Page, type Position, pageOf, placedRows } from "../history/page.ts";
import {
  type HistoryEvent,
  type HistoryEventKind,
  type Severity,
  severitySchema,
} from "../lifecycle/model/history-event.ts";
import {
  type Found,
  jsonText,
  openEnum,
  readableRows,
  readFound,
  storedDetail,
} from "../lifecycle/model/stored.ts";
import { DAY_MS } from "../lifecycle/model/time.ts";
import type { Urgency } from "./digest-window.ts";

/**
 * The recent events of a fleet, and which of them somebody must be told of. All events of an instance are also in the
 * history, where they stay longer.
 */

/** Events are kept here so long, and so many of them. */
export const EVENTS_KEPT_MS = 30 * DAY_MS;
const EVENTS_KEPT = 20_000;

/** Far more than a digest shows; what lies beyond is told by the next one. */
const ALERTS_PER_DIGEST = 2000;

/** An event of the fleet itself is of no instance. */
const OWN = "";

export interface FleetEvent extends KeptEvent {
  /** The fleet's number of it: later events have higher ones. */
  readonly number: number;
  readonly instanceId: string | null;
}

const eventRow = z
  .object({
    number: z.number(),
    at: z.number(),
    instance_id: z.string(),
    id: z.string(),
    kind: z.string(),
    severity: openEnum<Severity>(),
    message: z.string(),
    detail: storedDetail,
  })
  .transform(
    (row): FleetEvent => ({
      number: row.number,
      at: row.at,
      instanceId: row.instance_id === OWN ? null : row.instance_id,
      id: row.id,
      kind: row.kind,
      severity: row.severity,
      message: row.message,
      detail: row.detail,
    }),
  );

/** The tie names instance and event, since many instances may have an event in the same millisecond. */
const positionRow = z
  .object({ at: z.number(), instance_id: z.string(), id: z.string() })
  .transform(({ at, instance_id, id }): Position => ({ at, tie: `${instance_id}/${id}` }));

const numberRow = z.object({ number: z.number() }).transform(({ number }) => number);

const COLUMNS = "number, at, instance_id, id, kind, severity, message, detail";

const alertRow = z
  .object({
    id: z.string(),
    instance_id: z.string(),
    name: z.string().nullable(),
    registered_at: z.number().nullable(),
    kind: openEnum<HistoryEventKind>(),
    // One of a newer version is told as what most channels want to hear.
    severity: severitySchema.catch("warning"),
    message: z.string(),
    at: z.number(),
    detail: jsonText(z.record(z.string(), z.unknown())).catch({}),
  })
  .transform(
    (row): Alert => ({
      eventId: row.id,
      instanceId: row.instance_id,
      name: row.name ?? row.instance_id,
      registeredAt: row.registered_at,
      kind: row.kind,
      severity: row.severity,
      message: row.message,
      at: row.at,
      detail: row.detail,
    }),
  );

export class RecentEvents {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Adds an event; false when it is known already. `isAlert`: it waits to be told. */
  add(number: number, instanceId: string | null, event: HistoryEvent, isAlert: boolean): boolean {
    const inserted = this.#sql.exec(
      `INSERT INTO events (number, at, instance_id, id, kind, severity, message, detail, told)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING number`,
      number,
      event.at,
      instanceId ?? OWN,
      event.id,
      event.kind,
      event.severity,
      event.message,
      JSON.stringify(event.detail),
      isAlert ? "pending" : null,
    );
    return inserted.toArray().length > 0;
  }

  /** A page, newest first. */
  page(before: Position | null, limit: number): Page<FleetEvent> {
    const [instanceBefore = "", idBefore = ""] = before?.tie.split("/") ?? [];
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM events WHERE (at, instance_id, id) < (?, ?, ?)
       ORDER BY at DESC, instance_id DESC, id DESC LIMIT ?`,
      before?.at ?? Number.MAX_SAFE_INTEGER,
      instanceBefore,
      idBefore,
      limit + 1,
    );
    return pageOf(placedRows(eventRow, positionRow, rows.toArray()), limit);
  }

  /** Events with a higher number, in the order of their numbers. */
  after(number: number, limit: number): Found<FleetEvent, number> {
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM events WHERE number > ? ORDER BY number LIMIT ?`,
      number,
      limit,
    );
    return readFound(eventRow, numberRow, rows.toArray(), limit);
  }

  /** The fleet's own events with a higher number: only it can bring them to the history. */
  ownAfter(number: number, limit: number): Found<FleetEvent, number> {
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM events WHERE instance_id = '${OWN}' AND number > ? ORDER BY number LIMIT ?`,
      number,
      limit,
    );
    return readFound(eventRow, numberRow, rows.toArray(), limit);
  }

  /** Gives the alerts of this urgency that wait to this digest. Returns whether there may be more than one digest tells. */
  take(digestId: string, urgency: Urgency): boolean {
    const taken = this.#sql
      .exec(
        `UPDATE events SET told = ?
         WHERE number IN (SELECT number FROM events WHERE told = 'pending' AND (severity = 'critical') = ?
                          ORDER BY at LIMIT ${ALERTS_PER_DIGEST}) RETURNING number`,
        digestId,
        urgency === "critical" ? 1 : 0,
      )
      .toArray();
    return taken.length === ALERTS_PER_DIGEST;
  }

  /** The alerts of a digest, oldest first. */
  alertsOf(digestId: string): Alert[] {
    const rows = this.#sql.exec(
      `SELECT event.id, event.instance_id, instance.name, instance.registered_at, event.kind, event.severity,
              event.message, event.at, event.detail
       FROM events AS event LEFT JOIN instances AS instance ON instance.instance_id = event.instance_id
       WHERE event.told = ? ORDER BY event.at, event.id`,
      digestId,
    );
    return readableRows(alertRow, rows.toArray());
  }

  /** Nobody was told of these after all, so none of them makes a later alert a repetition. */
  leaveOut(alerts: readonly Alert[]): void {
    this.#sql.exec(
      `UPDATE events SET told = NULL WHERE (at, instance_id, id) IN
         (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))`,
      JSON.stringify(alerts.map(({ at, instanceId, eventId }) => [at, instanceId, eventId])),
    );
  }

  /** What happened to the same instances since `since`, apart from what this digest tells. */
  earlierThan(digestId: string, alerts: readonly Alert[], since: number): EarlierEvent[] {
    const ids = JSON.stringify([...new Set(alerts.map(({ instanceId }) => instanceId))]);
    return this.#sql
      .exec<{ instance_id: string; kind: HistoryEventKind; at: number; told: string | null }>(
        `SELECT instance_id, kind, at, told FROM events
         WHERE at > ? AND instance_id IN (SELECT value FROM json_each(?)) AND told IS NOT ?`,
        since,
        ids,
        digestId,
      )
      .toArray()
      .map((row) => ({
        instanceId: row.instance_id,
        kind: row.kind,
        at: row.at,
        told: row.told !== null && row.told !== "pending",
      }));
  }

  /** Deletes events that are too old or too many, but no alert that waits. Returns when the next one will be too old, or null. */
  prune(now: number): number | null {
    this.#sql.exec("DELETE FROM events WHERE at < ? AND told IS NOT 'pending'", now - EVENTS_KEPT_MS);
    this.#sql.exec(
      `DELETE FROM events WHERE told IS NOT 'pending'
         AND number <= (SELECT number FROM events ORDER BY number DESC LIMIT 1 OFFSET ${EVENTS_KEPT})`,
    );
    const [oldest] = this.#sql
      .exec<{ at: number }>("SELECT at FROM events WHERE told IS NOT 'pending' ORDER BY at LIMIT 1")
      .toArray();
    return oldest === undefined ? null : oldest.at + EVENTS_KEPT_MS;
  }
}
