import { z } from "zod";
import { emptyCounters } from "../lifecycle/model/counters.ts";
import { severitySchema } from "../lifecycle/model/history-event.ts";
import { STATUSES, type Status } from "../lifecycle/model/phase.ts";
import type { ProviderKind } from "../lifecycle/model/provider.ts";
import { jsonText, openEnum, readableRows, storedOverridesSchema } from "../lifecycle/model/stored.ts";
import { DAY_MS, toIso } from "../lifecycle/model/time.ts";
import { addAlert } from "./digest-window.ts";
import { readFleet, writeFleet } from "./fleet.ts";
import { listen } from "./hearing.ts";
import { outageRules } from "./outage-guard.ts";
import { Registry } from "./registry.ts";
import type { FleetRow } from "./report.ts";
import { createTables, emptyTables } from "./schema.ts";
import { Silences } from "./silences.ts";
import { countMove, type FleetState, newFleet, withDue } from "./state.ts";

/**
 * A fleet's first start: what D1 knew of the user before there were fleets is taken over, once. The state's row is written
 * last, so an import that was cut off begins anew. Throws when D1 does not answer: then there is no fleet yet.
 */

const ROWS_PER_PAGE = 5000;
const EVENTS_TAKEN_OVER = 20_000;
const EVENTS_TAKEN_OVER_MS = 30 * DAY_MS;

export async function startFleet(
  env: Env,
  userId: string,
  storage: DurableObjectStorage,
  speed: number,
): Promise<FleetState> {
  createTables(storage.sql);
  const stored = readFleet(storage.sql);
  if (stored !== null) return stored;
  const now = Date.now();
  const silences = new Silences(storage.sql, speed);
  const registry = new Registry(storage.sql);
  emptyTables(storage.sql);
  let state = await importAccount(env.DB, userId, storage.sql);
  state = await importInstances(env.DB, userId, state, registry, silences, now);
  state = await importEvents(env.DB, userId, state, storage.sql, now);
  if (Object.keys(state.instancesByStatus).length > 0) {
    // D1's rows say little: each instance is asked to report, as by a new policy.
    const policy = { at: now, after: "" };
    state = withDue(state, { policy, totalsAt: now, pruneAt: now + DAY_MS });
    // Whoever fell silent meanwhile has yet to report it.
    const begun = Date.now();
    state = listen({ ...state, hearsSince: begun }, outageRules(state.policy.overrides, speed), begun);
  }
  writeFleet(storage.sql, state);
  return state;
}

const userRow = z.object({ policy: jsonText(storedOverridesSchema), policy_version: z.number() });
const guardRow = z.object({
  closed_at: z.number().nullable(),
  opened_at: z.number().nullable(),
  seen_from: z.number(),
  silent_from: z.number().optional(),
  seen_at: z.number().optional(),
});
const hibernationRow = z.object({ reason: z.string(), hibernations: z.number(), regretted: z.number() });

async function importAccount(db: D1Database, userId: string, sql: SqlStorage): Promise<FleetState> {
  const ofUser = (query: string) => db.prepare(query).bind(userId);
  const [user, guard, vote, hibernations, channels, machines] = await db.batch<
    Record<string, SqlStorageValue>
  >([
    ofUser("SELECT policy, policy_version FROM users WHERE id = ?"),
    ofUser("SELECT closed_at, opened_at, seen_from, silent_from FROM guards WHERE user_id = ?"),
    ofUser("SELECT closed_at, opened_at, seen_from, seen_at FROM outage_votes WHERE user_id = ?"),
    ofUser("SELECT reason, hibernations, regretted FROM hibernation_counts WHERE user_id = ?"),
    ofUser(
      `SELECT id, kind, name, minimum_severity, settings, origin, created_at, last_delivery
       FROM channels WHERE user_id = ?`,
    ),
    ofUser("SELECT provider, ref, instance_id, claimed_at FROM machines WHERE user_id = ?"),
  ]);
  insertRows(sql, "channels", channels?.results ?? []);
  insertRows(sql, "machines", machines?.results ?? []);
  const account = userRow.safeParse(user?.results[0]).data;
  const fleet = newFleet();
  const kept = guardRow.safeParse(guard?.results[0]).data;
  const voted = guardRow.safeParse(vote?.results[0]).data;
  return {
    ...fleet,
    policy:
      account === undefined ? fleet.policy : { overrides: account.policy, version: account.policy_version },
    guard: kept === undefined ? fleet.guard : { ...keptGuard(kept), silentFrom: silentFrom(kept) },
    vote: voted === undefined ? fleet.vote : { ...keptGuard(voted), seenAt: voted.seen_at ?? 0 },
    hibernations: Object.fromEntries(
      readableRows(hibernationRow, hibernations?.results ?? []).map(({ reason, ...count }) => [
        reason,
        count,
      ]),
    ),
  };
}

/** D1 kept 0 for a guard that never closed. */
function silentFrom({ silent_from = 0 }: z.infer<typeof guardRow>): number | null {
  return silent_from === 0 ? null : silent_from;
}

function keptGuard(row: z.infer<typeof guardRow>) {
  return { closedAt: row.closed_at, openedAt: row.opened_at, seenFrom: row.seen_from };
}

function insertRows(sql: SqlStorage, table: string, rows: readonly Record<string, SqlStorageValue>[]): void {
  for (const row of rows) {
    const columns = Object.keys(row);
    const places = columns.map(() => "?").join(", ");
    sql.exec(
      `INSERT OR IGNORE INTO ${table} (${columns.join(", ")}) VALUES (${places})`,
      ...Object.values(row),
    );
  }
}

const instanceRow = z.object({
  instance_id: z.string(),
  name: z.string(),
  provider: openEnum<ProviderKind>(),
  provider_ref: z.string().nullable(),
  hourly_cost: z.number().nullable(),
  hibernated_hourly_cost: z.number().nullable(),
  policy: jsonText(storedOverridesSchema),
  status: z.enum(STATUSES),
  registered_at: z.number(),
  orphaned_since: z.number().nullable(),
  silent_since: z.number().nullable(),
  revision: z.number(),
});

async function importInstances(
  db: D1Database,
  userId: string,
  from: FleetState,
  registry: Registry,
  silences: Silences,
  now: number,
): Promise<FleetState> {
  let state = from;
  let after = "";
  for (;;) {
    const { results } = await db
      .prepare("SELECT * FROM instances WHERE user_id = ? AND instance_id > ? ORDER BY instance_id LIMIT ?")
      .bind(userId, after, ROWS_PER_PAGE)
      .all();
    for (const row of readableRows(instanceRow, results)) {
      const revision = state.revision + 1;
      const former = formerRow(row);
      registry.write(row.instance_id, revision, former, silences.add(state, former, now));
      const standing = { status: row.status, silentSince: row.silent_since };
      state = countMove({ ...state, revision }, null, standing);
    }
    const last = z.object({ instance_id: z.string() }).safeParse(results.at(-1)).data;
    if (last === undefined || results.length < ROWS_PER_PAGE) return state;
    after = last.instance_id;
  }
}

/** The row of an instance that has not reported yet. */
function formerRow(row: z.infer<typeof instanceRow>): FleetRow {
  const { status } = row;
  return {
    revision: row.revision,
    asOf: row.registered_at,
    registeredAt: row.registered_at,
    overrides: row.policy,
    orphanedSince: row.orphaned_since,
    silentSince: row.silent_since,
    savings: {
      hourlyCost: row.hourly_cost,
      hibernatedHourlyCost: row.hibernated_hourly_cost,
      saved: emptyCounters().saved,
      unsavedFrom: null,
    },
    view: {
      instance_id: row.instance_id,
      name: row.name,
      status,
      last_heartbeat: null,
      seconds_since_heartbeat: null,
      health: healthOf(status),
      gpu_utilization: null,
      gpu_trend: [],
      cost_today: 0,
      provider: row.provider,
      provider_ref: row.provider_ref,
      hourly_cost: row.hourly_cost,
      hibernated_hourly_cost: row.hibernated_hourly_cost,
      registered_at: toIso(row.registered_at),
      orphaned_since: row.orphaned_since === null ? null : toIso(row.orphaned_since),
      hibernated_since: null,
      keep_alive_until: null,
      lifecycle: {
        next_step: null,
        at: null,
        in_seconds: null,
        because: "Not reported yet",
        blocked_by: null,
      },
    },
  };
}

function healthOf(status: Status): FleetRow["view"]["health"] {
  if (status === "running") return "healthy";
  return status === "orphaned" ? "unhealthy" : "inactive";
}

const eventRow = z.object({
  at: z.number(),
  instance_id: z.string(),
  id: z.string(),
  kind: z.string(),
  severity: z.string(),
  message: z.string(),
  detail: z.string(),
  notice: z.string().nullable(),
});

/** The mark of an alert in D1 that a fleet has taken over. */
const TAKEN_OVER = "fleet";

/**
 * The recent events. Those that wait to be told are marked in the same transaction: from now on they are the fleet's to tell,
 * and no digest of the former version takes them. An import that begins anew finds them by their mark.
 */
async function importEvents(
  db: D1Database,
  userId: string,
  from: FleetState,
  sql: SqlStorage,
  now: number,
): Promise<FleetState> {
  let state = from;
  const [, recent] = await db.batch([
    db
      .prepare("UPDATE events SET notice = ?2 WHERE user_id = ?1 AND notice = 'pending'")
      .bind(userId, TAKEN_OVER),
    db
      .prepare(
        `SELECT at, instance_id, id, kind, severity, message, detail, notice FROM events
         WHERE user_id = ?1 AND (at > ?2 OR notice = ?3) ORDER BY at DESC LIMIT ?4`,
      )
      .bind(userId, now - EVENTS_TAKEN_OVER_MS, TAKEN_OVER, EVENTS_TAKEN_OVER),
  ]);
  for (const { notice, ...event } of readableRows(eventRow, recent?.results ?? []).reverse()) {
    const number = state.revision + 1;
    const waits = notice === TAKEN_OVER;
    insertRows(sql, "events", [{ number, ...event, told: waits ? "pending" : notice }]);
    state = { ...state, revision: number, historyUpTo: number };
    if (waits) {
      const severity = severitySchema.catch("warning").parse(event.severity);
      state = { ...state, digest: addAlert(state.digest, severity, now) };
    }
  }
  return state;
}
