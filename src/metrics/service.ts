import { Counter, Gauge } from "prom-client";
import { channelKindSchema } from "../alerts/channels/settings.ts";
import { DIFFERENCES } from "../cleanup/reconcile.ts";
import { type DatabaseStanding, NEWEST_MIGRATION } from "../history/standing.ts";
import { TARGETS } from "../instance/attempts.ts";
import { CALLED_PROVIDERS } from "../lifecycle/model/provider.ts";
import type { Guard } from "../lifecycle/rules/outage-guard.ts";
import { version } from "../platform/version.ts";
import { type CounterName, type Counts, parseCounterKey } from "../service/meter.ts";
import type { AnyRegistry } from "./registry.ts";
import { addHibernations, type UserFigures } from "./user.ts";

/** What the operator sees: totals of the service. The number of series does not grow with its users. */

export interface ServiceFigures {
  readonly instancesByStatus: readonly { readonly status: string; readonly instances: number }[];
  readonly counts: Counts;
  readonly guard: Guard;
  readonly closedUserGuards: number;
  readonly hibernations: UserFigures["hibernations"];
  readonly simulationSpeed: number;
  /** When the last cleanup began and what it did; null before the first one. */
  readonly cleanup: {
    readonly startedAt: number;
    readonly instances: number;
    readonly unreachable: number;
    readonly failures?: Readonly<Record<string, number>>;
  } | null;
  readonly databases: readonly Pick<DatabaseStanding, "status">[];
}

const COUNTERS: Readonly<
  Record<CounterName, { readonly name: string; readonly help: string; readonly labels: string[] }>
> = {
  heartbeats: {
    name: "dumont_service_heartbeats_total",
    help: "Heartbeats by what became of them",
    labels: ["outcome", "reason"],
  },
  actions: {
    name: "dumont_service_actions_total",
    help: "Orders to providers by what became of them",
    labels: ["kind", "outcome"],
  },
  looks: {
    name: "dumont_service_looks_total",
    help: "Looks at machines that count as hibernated after a restore or an import, by what was shown",
    labels: ["outcome"],
  },
  alerts: {
    name: "dumont_service_alerts_total",
    help: "Attempts to tell an owner, by kind of channel",
    labels: ["channel", "outcome"],
  },
  alerts_given_up: {
    name: "dumont_service_alerts_given_up_total",
    help: "Messages to owners that were given up after all tries, or refused, by kind of channel",
    labels: ["channel"],
  },
  alerts_late: {
    name: "dumont_service_alerts_late_total",
    help: "Alerts and messages that a sweep found to wait for longer than they should, and made due",
    labels: [],
  },
  chunks: {
    name: "dumont_service_chunks_flushed_total",
    help: "Chunks of heartbeats written to the history",
    labels: [],
  },
  outbox_failures: {
    name: "dumont_service_outbox_failures_total",
    help: "Times that an instance could not hand over what it had for the history, its fleet or an order",
    labels: [],
  },
  waiting_chunks: {
    name: "dumont_service_backlog_chunks_total",
    help: "Chunks of heartbeats that wait for the history, each counted once for every minute that it waits",
    labels: [],
  },
  deliveries_parked: {
    name: "dumont_service_deliveries_parked_total",
    help: "Heartbeats, events and orders that failed ten times while others passed, and are tried once an hour",
    labels: [],
  },
  differences: {
    name: "dumont_service_differences_total",
    help: "What reconciliations found apart between registries, instances and counts, and mended",
    labels: ["difference"],
  },
  deliveries_given_up: {
    name: "dumont_service_deliveries_given_up_total",
    help: "What instances gave up since its target (the history, the fleet, an order) did not take it for a week, or it was too much",
    labels: ["target"],
  },
  invariant_breaches: {
    name: "dumont_service_invariant_breaches_total",
    help: "Decisions that were not carried out because they broke what always holds: a defect of the service",
    labels: [],
  },
  events: {
    name: "dumont_service_events_total",
    help: "What happened to instances, by kind of event",
    labels: ["kind"],
  },
  orders_overdue: {
    name: "dumont_service_orders_overdue_total",
    help: "Orders whose end nobody told before their deadline, so that they count as failed",
    labels: [],
  },
  alarms_late: {
    name: "dumont_service_alarms_late_total",
    help: "Alarms of instances that fired more than ten minutes late: nobody's silence counted meanwhile",
    labels: [],
  },
  turns: {
    name: "dumont_service_turns_total",
    help: "Calls of orders to providers that had their turn",
    labels: ["provider"],
  },
  turn_seconds: {
    name: "dumont_service_turn_wait_seconds_total",
    help: "Seconds that calls of orders to providers waited for their turn",
    labels: ["provider"],
  },
  turns_given_up: {
    name: "dumont_service_turns_given_up_total",
    help: "Calls of orders to providers whose turn did not come within an hour",
    labels: ["provider"],
  },
  limits: {
    name: "dumont_service_provider_limits_total",
    help: "Calls of orders that a provider answered with its rate limit in spite of their turn",
    labels: ["provider"],
  },
  request_failures: {
    name: "dumont_service_request_failures_total",
    help: "Requests that were answered 503 because of an error that is the service's own fault",
    labels: [],
  },
};

/**
 * Counters by label that a rule watches for a first time. A series that begins with a 1 has not grown, as Prometheus sees it, so
 * each begins with a 0.
 */
const FROM_ZERO: readonly {
  readonly name: CounterName;
  readonly labels: Readonly<Record<string, string>>;
}[] = [
  ...["accepted_too_late", "found_running"].map((kind) => ({ name: "events" as const, labels: { kind } })),
  ...TARGETS.map((target) => ({ name: "deliveries_given_up" as const, labels: { target } })),
  ...["hibernate", "force_hibernate", "wake", "delete"].map((kind) => ({
    name: "actions" as const,
    labels: { kind, outcome: "failed" },
  })),
  ...[...channelKindSchema.options, "unknown"].map((channel) => ({
    name: "alerts_given_up" as const,
    labels: { channel },
  })),
  ...CALLED_PROVIDERS.map((provider) => ({ name: "turns_given_up" as const, labels: { provider } })),
  ...DIFFERENCES.map((difference) => ({ name: "differences" as const, labels: { difference } })),
];

/** Fills a registry with what the operator sees. */
export function fillServiceMetrics(registry: AnyRegistry, figures: ServiceFigures): void {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });

  const byStatus = gauge("dumont_service_instances", "Instances of the whole service by status", ["status"]);
  for (const { status, instances } of figures.instancesByStatus) byStatus.set({ status }, instances);

  const counters = new Map<string, Counter>(
    Object.entries(COUNTERS).map(([key, { name, help, labels }]) => [
      key,
      new Counter({ name, help, labelNames: labels, registers: [registry] }),
    ]),
  );
  for (const { name, labels } of FROM_ZERO) counters.get(name)?.inc(labels, 0);
  for (const [key, total] of Object.entries(figures.counts)) {
    const { name, labels } = parseCounterKey(key);
    counters.get(name)?.inc(labels, total);
  }

  gauge("dumont_service_guard_closed", "1 while the service-wide mass-outage guard is closed, else 0").set(
    figures.guard.closedAt === null ? 0 : 1,
  );
  gauge("dumont_service_user_guards_closed", "Users whose mass-outage guard is closed").set(
    figures.closedUserGuards,
  );
  gauge(
    "dumont_service_simulation_speed",
    "How much faster than in life time passes: 1 for a real service",
  ).set(figures.simulationSpeed);
  gauge(
    "dumont_service_databases_unfit",
    "Databases that do not answer, or lack a migration that this version needs",
  ).set(figures.databases.filter(({ status }) => status !== "ok").length);
  gauge("dumont_service_info", "1; its labels say which version runs, and which migration it needs", [
    "version",
    "migration",
  ]).set({ version, migration: NEWEST_MIGRATION }, 1);
  if (figures.cleanup !== null) {
    const { startedAt, instances, unreachable } = figures.cleanup;
    gauge("dumont_service_cleanup_last_run_timestamp_seconds", "When the last cleanup began").set(
      startedAt / 1000,
    );
    gauge("dumont_service_cleanup_instances_visited", "Instances that the last cleanup visited").set(
      instances,
    );
    gauge("dumont_service_cleanup_instances_unreachable", "Of these, those it could not reach").set(
      unreachable,
    );
  }
  addCleanupFailures(registry, figures.cleanup?.failures ?? {});
  addHibernations(registry, figures.hibernations);
}

function addCleanupFailures(registry: AnyRegistry, failures: Readonly<Record<string, number>>): void {
  const gauge = new Gauge({
    name: "dumont_service_cleanup_passed_over",
    help: "What the last cleanup passed over, to try it again the next day",
    labelNames: ["what"],
    registers: [registry],
  });
  for (const [what, count] of Object.entries(failures)) gauge.set({ what }, count);
}
