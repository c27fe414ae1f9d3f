import { z } from "zod";
import type { Alert } from "../../alerts/notice.ts";
import { endsOf, mayRepeat, problemOf } from "../../alerts/problems.ts";
import { type HistoryEvent, isAlert, type Severity } from "../../lifecycle/model/history-event.ts";
import { openEnum, readableRows, storedDetail } from "../../lifecycle/model/stored.ts";
import { DAY_MS } from "../../lifecycle/model/time.ts";
import { EVENTS_KEPT_MS } from "./event-bounds.ts";

/** Which alerts are open: what they say is wrong is so still, or nobody can tell, and nobody has seen to it. */

/** What nobody says the end of counts as over after this long. */
const INCIDENTS_LAST_MS = 7 * DAY_MS;
/** Of these the critical ones are kept before all others, and then the newest. */
const INCIDENTS_AT_MOST = 1000;
/** So many events are read to find out what is open. */
const REBUILT_FROM = 5000;
const INCIDENT = "incident/";
const OWN = "";

/** How an open alert stands. */
export interface OpenAlert {
  readonly number: number;
  readonly openedAt: number;
  readonly acknowledged: Acknowledged | null;
}

export interface Acknowledged {
  readonly at: number;
  readonly by: string;
}

const openRow = z
  .object({
    number: z.number(),
    opened_at: z.number(),
    acknowledged_at: z.number().nullable(),
    acknowledged_by: z.string().nullable(),
  })
  .transform(
    (row): OpenAlert => ({
      number: row.number,
      openedAt: row.opened_at,
      acknowledged:
        row.acknowledged_at === null ? null : { at: row.acknowledged_at, by: row.acknowledged_by ?? "" },
    }),
  );

/** What of an event says whether something is wrong. */
type Telling = Pick<HistoryEvent, "id" | "at" | "severity" | "detail"> & { readonly kind: string };

const eventRow = z
  .object({
    number: z.number(),
    at: z.number(),
    instance_id: z.string(),
    id: z.string(),
    kind: z.string(),
    severity: openEnum<Severity>(),
    detail: storedDetail,
  })
  .transform(({ number, instance_id, detail: { detail }, ...event }) => ({
    number,
    instanceId: instance_id,
    event: { ...event, detail },
  }));

/** An alert that is listed: all that a page of them is chosen by. */
export interface AlertFilter {
  readonly instanceId?: string | undefined;
  readonly severity?: Severity | undefined;
}

export class OpenAlerts {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** An event has happened. Returns whether it has ended something. */
  take(number: number, instanceId: string | null, event: Telling): boolean {
    const of = instanceId ?? OWN;
    const hasEnded = this.#end(of, event.kind);
    const problem = problemOf(event.kind);
    // A step of an instance that comes and goes is not told, and true all the same.
    const isOpen = isAlert(event) || event.detail.flapping === true;
    if (problem === null || !isOpen || event.severity === "info") return hasEnded;
    const key = problem === "incident" ? `${INCIDENT}${event.id}` : problem;
    // A further step, or what comes about anew, is not what somebody has acknowledged.
    const isSame = "?7 AND kind = excluded.kind";
    this.#sql.exec(
      `INSERT INTO open_alerts (instance_id, problem, number, kind, severity, opened_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
       ON CONFLICT (instance_id, problem) DO UPDATE SET
         acknowledged_at = iif(${isSame}, acknowledged_at, NULL),
         acknowledged_by = iif(${isSame}, acknowledged_by, NULL),
         number = excluded.number, kind = excluded.kind, severity = excluded.severity`,
      of,
      key,
      number,
      event.kind,
      event.severity,
      event.at,
      mayRepeat(event) ? 1 : 0,
    );
    return hasEnded;
  }

  #end(instanceId: string, kind: string): boolean {
    const ends = endsOf(kind);
    if (ends.length === 0) return false;
    const ended = this.#sql.exec(
      `DELETE FROM open_alerts WHERE instance_id = ? AND problem IN (SELECT value FROM json_each(?)) RETURNING number`,
      instanceId,
      JSON.stringify(ends),
    );
    return ended.toArray().length > 0;
  }

  /** There is no such instance any more. */
  forget(instanceId: string): void {
    this.#sql.exec("DELETE FROM open_alerts WHERE instance_id = ?", instanceId);
  }

  /** The open alert of this event; null when it is not open. */
  find(number: number): OpenAlert | null {
    const found = this.#sql.exec("SELECT * FROM open_alerts WHERE number = ?", number);
    return readableRows(openRow, found.toArray())[0] ?? null;
  }

  /** Somebody has seen the alert. What lasts stays open until it ends; what nobody says the end of is over with that. */
  acknowledge(number: number, { at, by }: Acknowledged): void {
    this.#sql.exec(
      "INSERT INTO acknowledgements (number, at, by) VALUES (?, ?, ?) ON CONFLICT (number) DO NOTHING",
      number,
      at,
      by,
    );
    this.#sql.exec(
      "UPDATE open_alerts SET acknowledged_at = ?2, acknowledged_by = ?3 WHERE number = ?1 AND acknowledged_at IS NULL",
      number,
      at,
      by,
    );
    this.#sql.exec(`DELETE FROM open_alerts WHERE number = ? AND problem LIKE '${INCIDENT}%'`, number);
  }

  /** Who has acknowledged the alert of this event, be it over or not. */
  acknowledged(number: number): Acknowledged | null {
    const found = this.#sql.exec<{ at: number; by: string }>(
      "SELECT at, by FROM acknowledgements WHERE number = ?",
      number,
    );
    return found.toArray()[0] ?? null;
  }

  /** The numbers of the events of open alerts: unseen ones first, then by severity, then the newest. */
  numbers({ instanceId, severity }: AlertFilter, limit: number): number[] {
    return this.#sql
      .exec<{ number: number }>(
        `SELECT number FROM open_alerts
         WHERE (?1 IS NULL OR instance_id = ?1) AND (?2 IS NULL OR severity = ?2)
         ORDER BY acknowledged_at IS NOT NULL, severity <> 'critical', number DESC LIMIT ?3`,
        instanceId ?? null,
        severity ?? null,
        limit,
      )
      .toArray()
      .map(({ number }) => number);
  }

  /** The numbers of the events of those of an instance that nobody has acknowledged. */
  unseenOf(instanceId: string): number[] {
    return this.#sql
      .exec<{ number: number }>(
        "SELECT number FROM open_alerts WHERE instance_id = ? AND acknowledged_at IS NULL",
        instanceId,
      )
      .toArray()
      .map(({ number }) => number);
  }

  /** How many are open, and how many of them nobody has acknowledged. */
  counts(): { readonly open: number; readonly unseen: number } {
    return this.#sql
      .exec<{ open: number; unseen: number }>(
        "SELECT COUNT(*) AS open, COUNT(iif(acknowledged_at IS NULL, 1, NULL)) AS unseen FROM open_alerts",
      )
      .one();
  }

  /** Whether an alert only repeats what somebody has acknowledged. */
  isAcknowledged({ instanceId, kind }: Pick<Alert, "instanceId" | "kind">): boolean {
    const problem = problemOf(kind);
    if (problem === null || problem === "incident") return false;
    const found = this.#sql.exec(
      `SELECT 1 FROM open_alerts
       WHERE instance_id = ? AND problem = ? AND kind = ? AND acknowledged_at IS NOT NULL`,
      instanceId,
      problem,
      kind,
    );
    return found.toArray().length > 0;
  }

  /** Finds out anew what is open, by what happened in the last days: a release that knew nothing of it was at work. */
  rebuild(now: number): void {
    const since = now - INCIDENTS_LAST_MS;
    this.#sql.exec("DELETE FROM open_alerts");
    const rows = this.#sql.exec(
      `SELECT number, at, instance_id, id, kind, severity, detail FROM events
       WHERE at > ? ORDER BY at DESC LIMIT ${REBUILT_FROM}`,
      since,
    );
    const events = readableRows(eventRow, rows.toArray()).reverse();
    for (const { number, instanceId, event } of events) this.take(number, instanceId, event);
    const known = this.#sql.exec<{ number: number; at: number; by: string }>(
      "SELECT number, at, by FROM acknowledgements WHERE number IN (SELECT number FROM open_alerts)",
    );
    for (const { number, at, by } of known.toArray()) this.acknowledge(number, { at, by });
  }

  /** Forgets what is too old, or too much. */
  prune(now: number): void {
    this.#sql.exec(
      `DELETE FROM open_alerts WHERE problem LIKE '${INCIDENT}%' AND (opened_at < ? OR number IN (
         SELECT number FROM open_alerts WHERE problem LIKE '${INCIDENT}%'
         ORDER BY severity <> 'critical', number DESC LIMIT -1 OFFSET ${INCIDENTS_AT_MOST}))`,
      now - INCIDENTS_LAST_MS,
    );
    // An alert whose event is forgotten can't be shown any more.
    this.#sql.exec("DELETE FROM open_alerts WHERE number NOT IN (SELECT number FROM events)");
    this.#sql.exec("DELETE FROM acknowledgements WHERE at < ?", now - EVENTS_KEPT_MS);
  }
}
