import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { FleetActor } from "../../src/fleet/actor.ts";
import type { SummaryView } from "../../src/fleet/live/messages.ts";
import type { InstanceRow, Report } from "../../src/fleet/report.ts";
import { type FleetState, parseFleet } from "../../src/fleet/rules/state.ts";
import type { ListFilter } from "../../src/fleet/views/list-filter.ts";
import { emptyCounters } from "../../src/lifecycle/model/counters.ts";
import type { HistoryEvent } from "../../src/lifecycle/model/history-event.ts";
import type { Status } from "../../src/lifecycle/model/phase.ts";
import { connectionOf, type ProviderKind } from "../../src/lifecycle/model/provider.ts";
import type { Tags } from "../../src/lifecycle/model/tags.ts";
import { toIso } from "../../src/lifecycle/model/time.ts";
import { type CostsBasis, UNTOLD_COSTS } from "../../src/lifecycle/views/costs.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { coordinatorOf, SHARDS, shardNumbered } from "../../src/service/address.ts";
import { setClock } from "../world.ts";

/** Fleets inside workerd: reports as their instances make them, and a look into what they keep. */

export type FleetStub = DurableObjectStub<FleetActor>;

const MINUTE = 60_000;

/** What an instance is told to be in a report; everything else is of no interest. */
export interface Reported {
  readonly revision?: number;
  readonly asOf?: number;
  readonly status?: Status;
  readonly name?: string;
  readonly provider?: ProviderKind;
  readonly providerRef?: string | null;
  /** Its last sign of life; it became an orphan five minutes later. */
  readonly silentSince?: number | null;
  readonly events?: readonly HistoryEvent[];
  readonly questions?: Report["questions"];
  readonly tags?: Tags;
  readonly policyVersion?: number;
  readonly unreachedSince?: number | null;
  readonly registeredAt?: number;
  readonly costs?: CostsBasis;
}

export function reportOf(instanceId: string, of: Reported = {}): Report {
  const { events = [], questions = [], policyVersion = 0, unreachedSince = null } = of;
  return { instanceId, row: rowOf(instanceId, of), events, questions, policyVersion, unreachedSince };
}

export function rowOf(instanceId: string, of: Reported): InstanceRow {
  const silentSince = of.silentSince ?? null;
  const status = of.status ?? (silentSince === null ? "running" : "orphaned");
  const orphanedSince = silentSince === null ? null : silentSince + 5 * MINUTE;
  return {
    revision: of.revision ?? 1,
    asOf: of.asOf ?? Date.now(),
    registeredAt: of.registeredAt ?? 1,
    overrides: {},
    orphanedSince,
    silentSince,
    savings: {
      hourlyCost: null,
      hibernatedHourlyCost: null,
      saved: emptyCounters().saved,
      unsavedFrom: null,
    },
    ...(of.costs === undefined ? {} : { costs: of.costs }),
    view: {
      instance_id: instanceId,
      name: of.name ?? instanceId,
      status,
      last_heartbeat: null,
      seconds_since_heartbeat: null,
      health: silentSince === null ? "healthy" : "unhealthy",
      gpu_utilization: null,
      gpu_trend: [],
      cost_today: 0,
      ...UNTOLD_COSTS,
      provider: of.provider ?? "none",
      connection: connectionOf(of.provider ?? "none"),
      provider_ref: of.providerRef ?? null,
      hourly_cost: null,
      hibernated_hourly_cost: null,
      running_cost: null,
      hibernated_cost: null,
      hibernated_cost_source: "unknown",
      tags: of.tags ?? {},
      registered_at: toIso(1),
      orphaned_since: orphanedSince === null ? null : toIso(orphanedSince),
      hibernated_since: null,
      keep_alive_until: null,
      mode: "act",
      lifecycle: { next_step: null, at: null, in_seconds: null, because: "", blocked_by: null },
    },
  };
}

/** An event of which the owner is told. */
export function alertOf(id: string, more: Partial<HistoryEvent> = {}): HistoryEvent {
  return {
    id,
    at: Date.now(),
    kind: "delete_failed",
    severity: "warning",
    message: `Message ${id}`,
    detail: {},
    ...more,
  };
}

/** Silent ones have been orphans since five minutes after `seenAt`. */
export async function reportMany(
  fleet: FleetStub,
  { silent, awake, seenAt }: { silent: number; awake: number; seenAt: number },
): Promise<void> {
  for (let index = 0; index < awake; index++) await fleet.report(reportOf(`awake-${index}`));
  for (let index = 0; index < silent; index++) {
    await fleet.report(reportOf(`silent-${index}`, { silentSince: seenAt }));
  }
}

/** So many more instances like the one that the fleet has: `rig-000001` and so on. To report each would take long. */
export function addCopies(fleet: FleetStub, count: number): Promise<void> {
  return runInDurableObject(fleet, (_, { storage: { sql } }) => {
    const columns = sql.exec<{ name: string }>("SELECT name FROM pragma_table_info('instances')").toArray();
    const others = columns.map(({ name }) => name).filter((name) => name !== "instance_id");
    sql.exec(
      `WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?)
       INSERT INTO instances (instance_id, ${others.join(", ")})
       SELECT format('rig-%06d', number), ${others.join(", ")} FROM instances, numbers`,
      count,
    );
  });
}

/** A list of the fleet's instances. */
export async function listOf(fleet: FleetStub, filter: ListFilter = {}): Promise<SummaryView[]> {
  return JSON.parse((await fleet.summaries(filter, "", 10)).json);
}

export function rows<T extends Record<string, SqlStorageValue>>(
  stub: DurableObjectStub,
  query: string,
  ...values: SqlStorageValue[]
): Promise<T[]> {
  return runInDurableObject(stub, (_, { storage }) => storage.sql.exec<T>(query, ...values).toArray());
}

export async function stateOf(fleet: FleetStub): Promise<FleetState> {
  const [row] = await rows<{ json: string }>(fleet, "SELECT json FROM fleet");
  if (row === undefined) throw new Error("the fleet has not been started");
  return parseFleet(row.json);
}

export function armedAt(fleet: FleetStub): Promise<number | null> {
  return runInDurableObject(fleet, (_, { storage }) => storage.getAlarm());
}

/** Fires the fleet's alarm for as long as it is due by `moment`, each at its time. */
export async function passAlarms(fleet: FleetStub, moment = Date.now()): Promise<void> {
  for (let fired = 0; fired < 200; fired++) {
    const at = await armedAt(fleet);
    if (at === null || at > moment) return;
    setClock(Math.max(at, Date.now()));
    await runDurableObjectAlarm(fleet);
  }
  throw new Error("the alarm fires over and over again");
}

/** Fires the alarms of these users' fleets that are due, without moving the clock. */
export async function fireDueAlarms(userIds: Iterable<string>): Promise<void> {
  for (const userId of new Set(userIds)) {
    const fleet = fleetOf(env, userId);
    const at = await armedAt(fleet);
    if (at !== null && at <= Date.now()) await runDurableObjectAlarm(fleet);
  }
}

/** How a call was refused. Made from outside, a call that is refused would count as an error that nobody handles. */
export function refusalOf(fleet: FleetStub, call: (actor: FleetActor) => Promise<unknown>): Promise<string> {
  return runInDurableObject<FleetActor, string>(fleet, (actor) =>
    call(actor).then(() => "not refused", String),
  );
}

/** The service forgets all fleets of earlier tests. */
export async function emptyService(): Promise<void> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => shardNumbered(env, shard));
  await Promise.all(
    [...shards, coordinatorOf(env)].map(async (stub) => {
      await runInDurableObject(stub, async (_, { storage }) => {
        await storage.deleteAlarm();
        await storage.deleteAll();
      });
      await evictDurableObject(stub);
    }),
  );
}
