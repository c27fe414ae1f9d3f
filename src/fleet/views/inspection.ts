import { toIso } from "../../lifecycle/model/time.ts";
import type { Guard } from "../../lifecycle/rules/outage-guard.ts";
import type { Fleet } from "../fleet.ts";
import { type FleetState, serviceGuard } from "../rules/state.ts";

/** What the operator sees of a fleet as a whole. Bounded, however large it is, and without what anybody is told. */

const DELIVERIES_SHOWN = 50;
const DIGESTS_SHOWN = 20;

/** The newest events that bear on alerts, among which the newest digests are looked for. */
const EVENTS_LOOKED_AT = 1000;

type Instant = string | null;

interface ShownGuard {
  readonly closed_at: Instant;
  readonly opened_at: Instant;
}

export interface FleetInspection {
  readonly instances_by_status: Readonly<Record<string, number>>;
  readonly awake: number;
  readonly policy_version: number;
  readonly guard: ShownGuard;
  readonly vote: ShownGuard;
  readonly service_guard: ShownGuard;
  /** When the service last said how its guard stands, and since when it does not answer. */
  readonly service_answered_at: Instant;
  readonly service_silent_from: Instant;
  /** What the alarm is set for, and when each task is due. */
  readonly alarm_at: Instant;
  readonly due: Readonly<Record<string, Instant>>;
  readonly waiting_alerts: {
    readonly critical: number;
    readonly others: number;
    readonly oldest_at: Instant;
  };
  /** Messages that are still to be sent; those that are due first are shown. */
  readonly waiting_deliveries: number;
  readonly deliveries: readonly {
    readonly delivery_id: string;
    readonly channel_id: string;
    readonly digest_id: string;
    readonly retry_at: Instant;
    readonly postponed_since: Instant;
  }[];
  /** The newest, which can be delivered again. */
  readonly digests: readonly {
    readonly digest_id: string;
    readonly alerts: number;
    readonly last_alert_at: Instant;
  }[];
  readonly tables: Readonly<Record<string, number>>;
  readonly database_bytes: number;
}

export async function inspectFleet(
  { state }: Fleet,
  storage: DurableObjectStorage,
): Promise<FleetInspection> {
  const { sql } = storage;
  return {
    instances_by_status: state.instancesByStatus,
    awake: state.awake,
    policy_version: state.policy.version,
    guard: shownGuard(state.guard),
    vote: shownGuard(state.vote),
    service_guard: shownGuard(serviceGuard(state)),
    service_answered_at: instant(state.service?.answeredAt ?? null),
    service_silent_from: instant(state.serviceSilentFrom),
    alarm_at: instant(await storage.getAlarm()),
    due: dueTimes(state),
    waiting_alerts: waitingAlerts(sql),
    ...waitingDeliveries(sql),
    digests: newestDigests(sql),
    tables: tableSizes(sql, state),
    database_bytes: sql.databaseSize,
  };
}

function instant(at: number | null): Instant {
  return at === null ? null : toIso(at);
}

function shownGuard({ closedAt, openedAt }: Guard): ShownGuard {
  return { closed_at: instant(closedAt), opened_at: instant(openedAt) };
}

function dueTimes({ digest, due }: FleetState): Record<string, Instant> {
  return {
    critical_digest: instant(digest.criticalAt),
    ordinary_digest: instant(digest.ordinary?.at ?? null),
    deliveries: instant(due.deliveriesAt),
    totals: instant(due.totalsAt),
    history: instant(due.historyAt),
    policy: instant(due.policy?.at ?? null),
    prune: instant(due.pruneAt),
    costs: instant(due.costsAt),
    report: instant(due.reportAt),
    standing: instant(due.standingAt),
    awaiting: instant(due.awaiting?.at ?? null),
  };
}

function waitingAlerts(sql: SqlStorage): FleetInspection["waiting_alerts"] {
  const { critical, waiting, oldest } = sql
    .exec<{ critical: number; waiting: number; oldest: number | null }>(
      `SELECT COUNT(*) AS waiting, COUNT(CASE WHEN severity = 'critical' THEN 1 END) AS critical, MIN(at) AS oldest
       FROM events WHERE told = 'pending'`,
    )
    .one();
  return { critical, others: waiting - critical, oldest_at: instant(oldest) };
}

function waitingDeliveries(sql: SqlStorage): Pick<FleetInspection, "waiting_deliveries" | "deliveries"> {
  const rows = sql
    .exec<{ id: string; channel_id: string; digest_id: string; retry_at: number; since: number | null }>(
      `SELECT id, channel_id, digest_id, retry_at, postponed_since AS since FROM deliveries
       ORDER BY retry_at LIMIT ${DELIVERIES_SHOWN}`,
    )
    .toArray();
  const { total } = sql.exec<{ total: number }>("SELECT COUNT(*) AS total FROM deliveries").one();
  return {
    waiting_deliveries: total,
    deliveries: rows.map(({ id, channel_id, digest_id, retry_at, since }) => ({
      delivery_id: id,
      channel_id,
      digest_id,
      retry_at: instant(retry_at),
      postponed_since: instant(since),
    })),
  };
}

function newestDigests(sql: SqlStorage): FleetInspection["digests"] {
  return sql
    .exec<{ told: string; alerts: number; last: number }>(
      `SELECT told, COUNT(*) AS alerts, MAX(at) AS last
       FROM (SELECT told, at FROM events WHERE told IS NOT NULL ORDER BY at DESC LIMIT ${EVENTS_LOOKED_AT})
       WHERE told NOT IN ('pending', 'nobody')
       GROUP BY told ORDER BY last DESC LIMIT ${DIGESTS_SHOWN}`,
    )
    .toArray()
    .map(({ told, alerts, last }) => ({ digest_id: told, alerts, last_alert_at: instant(last) }));
}

/** The instances and events are counted as they come and go: to count them here would read them all. */
function tableSizes(sql: SqlStorage, { instancesByStatus }: FleetState): Record<string, number> {
  const events = sql
    .exec<{ sort: string; events: number }>("SELECT sort, events FROM event_counts")
    .toArray()
    .reduce((sum, each) => sum + each.events, 0);
  const counted = sql
    .exec<Record<string, number>>(
      `SELECT (SELECT COUNT(*) FROM channels) AS channels, (SELECT COUNT(*) FROM credentials) AS credentials,
              (SELECT COUNT(*) FROM connections) AS connections,
              (SELECT COUNT(*) FROM deliveries) AS deliveries, (SELECT COUNT(*) FROM machines) AS machines,
              (SELECT COUNT(*) FROM policy_retries) AS policy_retries, (SELECT COUNT(*) FROM removals) AS removals,
              (SELECT COUNT(*) FROM silences) AS silences, (SELECT COUNT(*) FROM late_reports) AS late_reports`,
    )
    .one();
  const instances = Object.values(instancesByStatus).reduce((sum, each) => sum + each, 0);
  return { instances, events, ...counted };
}
