import { z } from "zod";
import { databaseStandings, NEWEST_MIGRATION, readDatabases } from "../../history/standing.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { CALLED_PROVIDERS } from "../../lifecycle/model/provider.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import { readSettings } from "../../platform/settings.ts";
import { version } from "../../platform/version.ts";
import { readService } from "../../service/service.ts";
import { instant } from "../instances/instant.ts";
import { outcomesOfChannels, paceOfProviders, Sums } from "./service-sums.ts";

/** The service as a whole, for who runs it: what the metrics say, in one answer. */

const total = z.number().describe("Since the counters began");

const overviewSchema = component(
  "ServiceOverview",
  z.object({
    version: z.string(),
    migration: z.string().describe("The newest one that this version needs"),
    simulation_speed: z.number(),
    databases: z.array(
      component(
        "DatabaseStanding",
        z.object({
          name: z.string(),
          status: z.enum(databaseStandings),
          migration: z.string().nullable(),
        }),
      ),
    ),
    instances_by_status: z.record(z.string(), z.number()),
    guard: z.object({ closed_at: instant.nullable(), opened_at: instant.nullable() }),
    users_with_closed_guard: z.number(),
    cleanup: z
      .object({
        started_at: instant,
        instances: z.number(),
        unreachable: z.number(),
        passed_over: z.record(z.string(), z.number()),
      })
      .nullable()
      .describe("The last one; null before the first"),
    deliveries: z.object({
      parked: total.describe("What failed ten times and is tried once an hour, counted when it was parked"),
      given_up: total,
      late_alerts: total,
    }),
    failures: z.object({
      requests: total,
      overdue_orders: total,
      late_alarms: total,
      broken_invariants: total,
    }),
    providers: z
      .array(
        component(
          "ProviderPace",
          z.object({
            provider: z.enum(CALLED_PROVIDERS),
            calls: total,
            average_wait_seconds: z.number().nullable().describe("For a turn; null before the first call"),
            limited: total.describe("Calls that the provider found too much"),
            given_up: total.describe("Calls whose turn did not come within an hour"),
          }),
        ),
      )
      .describe("Those that were called, the slowest first"),
    channels: z.array(
      component(
        "ChannelDeliveries",
        z.object({ kind: z.string(), delivered: total, failed: total, given_up: total }),
      ),
    ),
  }),
);

type Overview = z.infer<typeof overviewSchema>;

const example: Overview = {
  version,
  migration: NEWEST_MIGRATION,
  simulation_speed: 1,
  databases: [{ name: "DB", status: "ok", migration: NEWEST_MIGRATION }],
  instances_by_status: { running: 812, hibernated: 240 },
  guard: { closed_at: null, opened_at: null },
  users_with_closed_guard: 0,
  cleanup: { started_at: "2025-12-19T03:00:00Z", instances: 1052, unreachable: 0, passed_over: {} },
  deliveries: { parked: 2, given_up: 0, late_alerts: 0 },
  failures: { requests: 0, overdue_orders: 1, late_alarms: 0, broken_invariants: 0 },
  providers: [{ provider: "vast", calls: 418, average_wait_seconds: 1.4, limited: 3, given_up: 0 }],
  channels: [{ kind: "slack", delivered: 96, failed: 1, given_up: 0 }],
};

export class GetService extends Endpoint {
  override schema = {
    operationId: "getService",
    tags: ["Administration"],
    summary: "See how the service is",
    description: "Totals of all users, guards, deliveries, the last cleanup, and how providers keep pace.",
    security: security("admin"),
    responses: { 200: jsonResponse("The service", overviewSchema, example), ...errorResponses(401, 403) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const [service, databases] = await Promise.all([readService(c.env), readDatabases(c.env)]);
    const { guard, cleanup, counts } = service;
    const sums = new Sums(counts);
    const answer: Overview = {
      version,
      migration: NEWEST_MIGRATION,
      simulation_speed: readSettings(c.env).SIMULATION_SPEED,
      databases,
      instances_by_status: { ...service.instancesByStatus },
      guard: { closed_at: isoOrNull(guard.closedAt), opened_at: isoOrNull(guard.openedAt) },
      users_with_closed_guard: service.closedUserGuards,
      cleanup: cleanup && {
        started_at: toIso(cleanup.startedAt),
        instances: cleanup.instances,
        unreachable: cleanup.unreachable,
        passed_over: { ...cleanup.failures },
      },
      deliveries: {
        parked: sums.of("deliveries_parked"),
        given_up: sums.of("deliveries_given_up"),
        late_alerts: sums.of("alerts_late"),
      },
      failures: {
        requests: sums.of("request_failures"),
        overdue_orders: sums.of("orders_overdue"),
        late_alarms: sums.of("alarms_late"),
        broken_invariants: sums.of("invariant_breaches"),
      },
      providers: paceOfProviders(sums),
      channels: outcomesOfChannels(sums),
    };
    return c.json(answer);
  }
}

const isoOrNull = (at: number | null) => (at === null ? null : toIso(at));
