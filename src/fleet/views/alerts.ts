import type { Page, Position } from "../../history/page.ts";
import { isAlert } from "../../lifecycle/model/history-event.ts";
import type { Fleet } from "../fleet.ts";
import type { FleetEvent } from "../tables/events.ts";
import type { Acknowledged, AlertFilter } from "../tables/open-alerts.ts";
import type { Snooze } from "../tables/snoozes.ts";

/** The alerts of a fleet, as they are listed. */

/** More open ones than these are counted only. */
const OPEN_LISTED = 500;
const SNOOZES_LISTED = 1000;
/** A page of alerts is looked for among so many events, and goes on in the next page. */
const READ_AT_ONCE = 500;
const READS = 4;

export type AlertStatus = "open" | "acknowledged" | "over";

export interface ListedAlert extends FleetEvent {
  readonly name: string | null;
  readonly status: AlertStatus;
  /** Null when it is over. */
  readonly openedAt: number | null;
  readonly acknowledged: Acknowledged | null;
}

export interface AlertPage {
  /** Those that are open now, unseen ones first. Of a further page: none. */
  readonly open: readonly ListedAlert[];
  readonly openCount: number;
  readonly unseenCount: number;
  /** All of the last days, the newest first. */
  readonly page: Page<ListedAlert>;
  readonly snoozes: readonly Snooze[];
}

export interface AlertQuery extends AlertFilter {
  /** Only what is open, and nothing of the past. */
  readonly isOpen: boolean;
}

export function readAlerts(
  fleet: Fleet,
  sql: SqlStorage,
  query: AlertQuery,
  { before, limit }: { readonly before: Position | null; readonly limit: number },
  now: number,
): AlertPage {
  const numbers = before === null ? fleet.openAlerts.numbers(query, OPEN_LISTED) : [];
  const byNumber = new Map(fleet.events.numbered(numbers).map((event) => [event.number, event]));
  const open = numbers.flatMap((number) => byNumber.get(number) ?? []);
  const past = query.isOpen ? { entries: [], next: null } : pastAlerts(fleet, query, before, limit);
  const names = namesOf(sql, [...open, ...past.entries]);
  const listed = (event: FleetEvent) => listedAlert(fleet, event, names);
  const { open: openCount, unseen: unseenCount } = fleet.openAlerts.counts();
  return {
    open: open.map(listed),
    openCount,
    unseenCount,
    page: { entries: past.entries.map(listed), next: past.next },
    snoozes: fleet.snoozes.list(now, SNOOZES_LISTED),
  };
}

/** The alert of this number; null when there is none. */
export function readAlert(fleet: Fleet, sql: SqlStorage, number: number): ListedAlert | null {
  const [event] = fleet.events.numbered([number]);
  if (event === undefined || !isListed(event, {})) return null;
  return listedAlert(fleet, event, namesOf(sql, [event]));
}

function pastAlerts(
  fleet: Fleet,
  filter: AlertFilter,
  before: Position | null,
  limit: number,
): Page<FleetEvent> {
  const entries: FleetEvent[] = [];
  let place = before;
  for (let read = 0; read < READS; read++) {
    const page = fleet.events.page(place, READ_AT_ONCE);
    for (const event of page.entries) {
      if (!isListed(event, filter)) continue;
      const last = entries.at(-1);
      if (entries.length === limit && last !== undefined) return { entries, next: positionOf(last) };
      entries.push(event);
    }
    if (page.next === null) return { entries, next: null };
    place = page.next;
  }
  return { entries, next: place };
}

function positionOf({ at, instanceId, id }: FleetEvent): Position {
  return { at, tie: `${instanceId ?? ""}/${id}` };
}

function isListed(event: FleetEvent, { instanceId, severity }: AlertFilter): boolean {
  return (
    isAlert(event) &&
    (instanceId === undefined || event.instanceId === instanceId) &&
    (severity === undefined || event.severity === severity)
  );
}

function listedAlert(fleet: Fleet, event: FleetEvent, names: ReadonlyMap<string, string>): ListedAlert {
  const open = fleet.openAlerts.find(event.number);
  const acknowledged = open?.acknowledged ?? fleet.openAlerts.acknowledged(event.number);
  const status = open === null ? "over" : open.acknowledged === null ? "open" : "acknowledged";
  const name = event.instanceId === null ? null : (names.get(event.instanceId) ?? null);
  return { ...event, name, status, openedAt: open?.openedAt ?? null, acknowledged };
}

/** Of instances that there are. */
function namesOf(sql: SqlStorage, events: readonly FleetEvent[]): ReadonlyMap<string, string> {
  const ids = [...new Set(events.map(({ instanceId }) => instanceId))];
  const rows = sql.exec<{ instance_id: string; name: string }>(
    "SELECT instance_id, name FROM instances WHERE instance_id IN (SELECT value FROM json_each(?))",
    JSON.stringify(ids),
  );
  return new Map(rows.toArray().map(({ instance_id, name }) => [instance_id, name]));
}
