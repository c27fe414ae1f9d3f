import { z } from "zod";
import { alertRow } from "../../alerts/alert-row.ts";
import type { Alert } from "../../alerts/notice.ts";
import { type EarlierEvent, mayEndAState } from "../../alerts/told-before.ts";
import type { KeptEvent } from "../../history/append.ts";
import { type Page, type Position, pageOf, placedRows } from "../../history/page.ts";
import {
  type HistoryEvent,
  type HistoryEventKind,
  isQuietKind,
  type Severity,
} from "../../lifecycle/model/history-event.ts";
import {
  columnOf,
  detailToStore,
  type Found,
  openEnum,
  readableRows,
  readFound,
  storedDetail,
} from "../../lifecycle/model/stored.ts";
import type { Pending, Urgency } from "../rules/digest-window.ts";
import { BEARING, EventBounds, QUIET } from "./event-bounds.ts";

/**
 * The recent events of a fleet, and which of them somebody must be told of. All events of an instance are also in the
 * history, where they stay longer.
 *
 * An event that bears on alerts is more than something to read. As long as its row is here, a report that repeats it is
 * ignored, and a state that lasts is not told again. So the events that don't bear on alerts have a bound of their own.
 */

/** Far more than a digest shows; what lies beyond is told by the next one. */
const ALERTS_PER_DIGEST = 2000;

/** An event of the fleet itself is of no instance. */
const OWN = "";

/** How an event stands that bears on alerts though nobody is told of it. */
const NOBODY = "nobody";

/** How an event stands that nobody is to be told of; null when it doesn't bear on alerts either. */
export function untold(kind: string): typeof NOBODY | null {
  return isQuietKind(kind) && !mayEndAState(kind) ? null : NOBODY;
}

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
      ...row.detail,
    }),
  );

/** The tie names instance and event, since many instances may have an event in the same millisecond. */
const positionRow = z
  .object({ at: z.number(), instance_id: z.string(), id: z.string() })
  .transform(({ at, instance_id, id }): Position => ({ at, tie: `${instance_id}/${id}` }));

const numberOf = columnOf("number", z.number());

const COLUMNS = "number, at, instance_id, id, kind, severity, message, detail";

export class RecentEvents {
  readonly #sql: SqlStorage;
  readonly #bounds: EventBounds;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#bounds = new EventBounds(sql);
  }

  /**
   * Adds an event; false when it is known already. `isAlert`: it waits to be told. One that bears on alerts and is as old as
   * those that were forgotten may be one of them: it is taken for known.
   */
  add(number: number, instanceId: string | null, event: HistoryEvent, isAlert: boolean): boolean {
    const told = isAlert ? "pending" : untold(event.kind);
    if (told !== null && event.at <= this.#bounds.forgottenUpTo()) return false;
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
      detailToStore(event),
      told,
    );
    return inserted.toArray().length > 0;
  }

  /** Whether the fleet has had an event of its own of this id since then. */
  hasOwn(id: string, since: number): boolean {
    const own = this.#sql.exec(
      `SELECT 1 FROM events WHERE instance_id = '${OWN}' AND id = ? AND at > ?`,
      id,
      since,
    );
    return own.toArray().length > 0;
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

  /** The events of these numbers, in no order. */
  numbered(numbers: readonly number[]): FleetEvent[] {
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM events WHERE number IN (SELECT value FROM json_each(?))`,
      JSON.stringify(numbers),
    );
    return readableRows(eventRow, rows.toArray());
  }

  /** Events with a higher number, in the order of their numbers. */
  after(number: number, limit: number): Found<FleetEvent, number> {
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM events WHERE number > ? ORDER BY number LIMIT ?`,
      number,
      limit,
    );
    return readFound(eventRow, numberOf, rows.toArray(), limit);
  }

  /** The fleet's own events with a higher number: only it can bring them to the history. */
  ownAfter(number: number, limit: number): Found<FleetEvent, number> {
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM events WHERE instance_id = '${OWN}' AND number > ? ORDER BY number LIMIT ?`,
      number,
      limit,
    );
    return readFound(eventRow, numberOf, rows.toArray(), limit);
  }

  /** The changes of an instance by its owner since then, as far as they are kept. */
  changesOf(instanceId: string, since: number): FleetEvent[] {
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM events WHERE ${QUIET} AND at >= ? AND instance_id = ? AND kind = 'changed'`,
      since,
      instanceId,
    );
    return readableRows(eventRow, rows.toArray());
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

  /** How many alerts wait to be told. */
  pending(): Pending {
    return this.#sql
      .exec<{ critical: number; ordinary: number }>(
        `SELECT COUNT(iif(severity = 'critical', 1, NULL)) AS critical,
                COUNT(iif(severity = 'critical', NULL, 1)) AS ordinary FROM events WHERE told = 'pending'`,
      )
      .one();
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
      `UPDATE events SET told = '${NOBODY}' WHERE (at, instance_id, id) IN
         (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))`,
      JSON.stringify(alerts.map(({ at, instanceId, eventId }) => [at, instanceId, eventId])),
    );
  }

  /** Those of these events wait to be told that nobody was told of. Returns whether there are any. */
  tellAfterAll(numbers: readonly number[]): boolean {
    const waiting = this.#sql.exec(
      `UPDATE events SET told = 'pending' WHERE told = '${NOBODY}' AND number IN (SELECT value FROM json_each(?))
       RETURNING number`,
      JSON.stringify(numbers),
    );
    return waiting.toArray().length > 0;
  }

  /** What happened to the same instances since `since`, apart from what this digest tells. */
  earlierThan(digestId: string, alerts: readonly Alert[], since: number): EarlierEvent[] {
    if (alerts.length === 0) return [];
    const ids = JSON.stringify([...new Set(alerts.map(({ instanceId }) => instanceId))]);
    return this.#sql
      .exec<{ instance_id: string; kind: HistoryEventKind; at: number; told: string }>(
        `SELECT instance_id, kind, at, told FROM events
         WHERE at > ? AND instance_id IN (SELECT value FROM json_each(?)) AND ${BEARING} AND told <> ?`,
        since,
        ids,
        digestId,
      )
      .toArray()
      .map((row) => ({
        instanceId: row.instance_id,
        kind: row.kind,
        at: row.at,
        told: row.told !== "pending" && row.told !== NOBODY,
      }));
  }

  /** Deletes events that are too old or too many, but no alert that waits. Returns when to do so again, or null. */
  prune(now: number): number | null {
    return this.#bounds.prune(now);
  }
}
