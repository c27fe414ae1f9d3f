import { z } from "zod";
import { ENROLLMENTS_PER_USER } from "../accounts/enrollments.ts";
import { historyOf, historyShards } from "../history/shards.ts";
import { isUnreadable } from "../instance/outcomes.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { actorOf, fleetOf } from "../platform/address.ts";
import { within } from "../platform/within.ts";
import { exportActs, exportIdentities, exportPeople } from "./export-people.ts";
import { FORMAT_VERSION, type Line, type LineOf } from "./lines.ts";
import type { ExportedPage, ExportPlace, HistoryPart } from "./place.ts";
import { linesOf } from "./rows.ts";

/** Reads all that the service keeps of one user, a page of lines at a time. */

const TOKENS_PER_PAGE = 200;

/** Each may be 64 KiB, and is asked of its actor. */
const INSTANCES_PER_PAGE = 20;

const ROWS_PER_PAGE = 200;

const CALL_LIMIT_MS = 20 * SECOND_MS;

const NOTE =
  "Channels and credentials are sealed: only a service with the same SEAL_KEY can use them. Instance tokens stay good for a service with the same TOKEN_KEY, under the same user id.";

/**
 * Null for a user who does not exist. `policy_changed`: the instances go by another policy than the one that the export has, so
 * it must be begun anew.
 */
export async function exportPage(
  env: Env,
  userId: string,
  place: ExportPlace,
  withSecrets: boolean,
): Promise<ExportedPage | "policy_changed" | null> {
  switch (place.part) {
    case "account":
      return exportAccount(env, userId, place.after);
    case "enrollments":
      return exportEnrollments(env, userId, place.after);
    case "people":
      return exportPeople(env, userId);
    case "identities":
      return exportIdentities(env, userId, place.after);
    case "acts":
      return exportActs(env, userId, place.after);
    case "fleet":
      return exportFleet(env, userId, withSecrets);
    case "instances":
      return exportInstances(env, userId, place.after, place.version ?? null);
    case "event":
    case "heartbeats":
    case "hour":
    case "cost_day":
      return exportHistory(env, userId, place);
  }
}

async function exportAccount(env: Env, userId: string, after: string): Promise<ExportedPage | null> {
  const [users, tokens] = await env.DB.batch([
    env.DB.prepare(
      "SELECT name, created_at, suspended_at, language, time_zone, keys_forgotten_until FROM users WHERE id = ?",
    ).bind(userId),
    env.DB.prepare(
      `SELECT id, name, role, created_at, expires_at, last_used_at, revoked_at, made_by_id FROM user_tokens
       WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?`,
    ).bind(userId, after, TOKENS_PER_PAGE),
  ]);
  const [user] = linesOf("user", users?.results ?? []);
  if (user === undefined) return null;
  const head: Line[] =
    after === ""
      ? [
          { type: "export", version: FORMAT_VERSION, user_id: userId, exported_at: Date.now(), note: NOTE },
          user,
        ]
      : [];
  const found = linesOf("token", tokens?.results ?? []);
  const last = found.at(-1);
  const isMore = last !== undefined && found.length === TOKENS_PER_PAGE;
  return {
    lines: [...head, ...found],
    next:
      isMore && last.type === "token"
        ? { part: "account", after: last.id }
        : { part: "enrollments", after: [] },
  };
}

/** All enrollment tokens, of which a user has few, and then by pages what was registered with them. */
async function exportEnrollments(env: Env, userId: string, after: readonly string[]): Promise<ExportedPage> {
  const [enrollmentId = "", machine = ""] = after;
  const [enrollments, machines] = await env.DB.batch([
    env.DB.prepare(
      `SELECT id, name, uses, expires_at, defaults, created_at, last_used_at FROM enrollments
       WHERE user_id = ?1 AND ?2 = '' ORDER BY created_at, id LIMIT ?3`,
    ).bind(userId, enrollmentId, ENROLLMENTS_PER_USER),
    env.DB.prepare(
      `SELECT enrollment_id, machine, taken_at, registered_at FROM enrolled_machines
       WHERE user_id = ?1 AND (enrollment_id, machine) > (?2, ?3) ORDER BY enrollment_id, machine LIMIT ?4`,
    ).bind(userId, enrollmentId, machine, ROWS_PER_PAGE),
  ]);
  const rows = z.array(enrolledPlace).parse(machines?.results ?? []);
  const last = rows.at(-1);
  return {
    lines: [
      ...linesOf("enrollment", enrollments?.results ?? []),
      ...linesOf("enrolled_machine", machines?.results ?? []),
    ],
    next:
      last !== undefined && rows.length === ROWS_PER_PAGE
        ? { part: "enrollments", after: [last.enrollment_id, last.machine] }
        : { part: "people" },
  };
}

const enrolledPlace = z.object({ enrollment_id: z.string(), machine: z.string() });

async function exportFleet(env: Env, userId: string, withSecrets: boolean): Promise<ExportedPage> {
  const { policy, hibernations, hibernationsByMonth, budget, channels, credentials } = await within(
    CALL_LIMIT_MS,
    fleetOf(env, userId).exported(),
  );
  const fleet: LineOf<"fleet"> = {
    type: "fleet",
    policy: policy.overrides,
    policy_version: policy.version,
    hibernations,
    ...(hibernationsByMonth === undefined
      ? {}
      : { hibernations_by_month: { ...hibernationsByMonth, months: [...hibernationsByMonth.months] } }),
    ...(budget === undefined
      ? {}
      : { budget: { day: budget.day, month: budget.month, at_limit: budget.atLimit } }),
  };
  const sealed: Line[] = [
    ...channels.map(
      ({ channel, sealed }): Line => ({
        type: "channel",
        id: channel.id,
        kind: channel.kind,
        name: channel.name,
        minimum_severity: channel.minimumSeverity,
        created_at: channel.createdAt,
        settings: sealed.settings,
        origin: sealed.origin,
        confirmed: channel.confirmed,
        ...(channel.paused == null ? {} : { paused: channel.paused }),
      }),
    ),
    ...credentials.map(
      ({ kind, sealed, setAt, connection }): Line => ({
        type: "credentials",
        kind,
        sealed,
        set_at: setAt,
        ...(connection && {
          provider: connection.kind,
          name: connection.name,
          created_at: connection.createdAt,
        }),
      }),
    ),
  ];
  const next: ExportPlace = { part: "instances", after: "", version: policy.version };
  return { lines: withSecrets ? [fleet, ...sealed] : [fleet], next };
}

/** `expected`: the version of the policy that the export has; null when that is not known. */
async function exportInstances(
  env: Env,
  userId: string,
  after: string,
  expected: number | null,
): Promise<ExportedPage | "policy_changed"> {
  const fleet = fleetOf(env, userId);
  const version = expected ?? (await within(CALL_LIMIT_MS, fleet.policy())).version;
  const listed = await within(CALL_LIMIT_MS, fleet.listedAfter(after, INSTANCES_PER_PAGE));
  const lines = await Promise.all(
    listed.map(async ({ instanceId, view }): Promise<Line> => {
      const exported = await within(CALL_LIMIT_MS, actorOf(env, userId, instanceId).exported());
      const row = exported === null || isUnreadable(exported) ? null : exported.row;
      return {
        type: "instance",
        instance_id: instanceId,
        listed: { ...view },
        state: row === null ? null : z.record(z.string(), z.unknown()).parse(JSON.parse(row)),
        policy_version: version,
      };
    }),
  );
  // A new policy is the fleet's before any instance has it: so none of these has another one.
  if ((await within(CALL_LIMIT_MS, fleet.policy())).version !== version) return "policy_changed";
  const last = listed.at(-1);
  return {
    lines,
    next:
      last !== undefined && listed.length === INSTANCES_PER_PAGE
        ? { part: "instances", after: last.instanceId, version }
        : { part: "event", shard: 0, after: [] },
  };
}

const SELECT: Readonly<Record<HistoryPart, string>> = {
  event: `SELECT instance_id, id, at, kind, severity, message, detail FROM events
          WHERE user_id = ?1 AND (at, instance_id, id) > (?2, ?3, ?4) ORDER BY at, instance_id, id LIMIT ?5`,
  heartbeats: `SELECT instance_id, first_at, first_sequence, last_at, samples FROM heartbeat_chunks
               WHERE user_id = ?1 AND (instance_id, first_at, first_sequence) > (?2, ?3, ?4)
               ORDER BY instance_id, first_at, first_sequence LIMIT ?5`,
  hour: `SELECT instance_id, hour, heartbeats, gpu_sum, gpu_heartbeats, gpu_max, cpu_sum, cpu_heartbeats, vram_max,
                cost_max, ram_max, quiet_heartbeats FROM heartbeat_hours
         WHERE user_id = ?1 AND (instance_id, hour) > (?2, ?3) ORDER BY instance_id, hour LIMIT ?5`,
  cost_day: `SELECT day, instance_id, working_seconds, working, idle_seconds, idle, silent_seconds, silent, hibernated_seconds,
                    hibernated, wasted, saved, reported, unpriced_seconds, provider, tags, closed_at FROM cost_days
             WHERE user_id = ?1 AND (day, instance_id) > (?2, ?3) ORDER BY day, instance_id LIMIT ?5`,
};

/** How each part is walked through: by its key, in which `after` stands. */
const WALK: Readonly<
  Record<HistoryPart, { readonly key: readonly string[]; readonly next: HistoryPart | null }>
> = {
  event: { key: ["at", "instance_id", "id"], next: "heartbeats" },
  heartbeats: { key: ["instance_id", "first_at", "first_sequence"], next: "hour" },
  hour: { key: ["instance_id", "hour"], next: "cost_day" },
  cost_day: { key: ["day", "instance_id"], next: null },
};

async function exportHistory(
  env: Env,
  userId: string,
  { part, shard, after }: Extract<ExportPlace, { shard: number }>,
): Promise<ExportedPage> {
  if (shard >= historyShards(env).length) return { lines: [], next: null };
  const { key, next } = WALK[part];
  const from = key.map((column, index) => after[index] ?? FIRST[column] ?? 0);
  const bound = [userId, ...from, ...Array.from({ length: 3 - from.length }, () => 0), ROWS_PER_PAGE];
  const { results } = await historyOf(env, shard)
    .prepare(SELECT[part])
    .bind(...bound)
    .all();
  const last = results.at(-1);
  if (last !== undefined && results.length === ROWS_PER_PAGE) {
    const place = key.map((column) => z.union([z.string(), z.number()]).parse(last[column]));
    return { lines: linesOf(part, results), next: { part, shard, after: place } };
  }
  const later: ExportPlace | null =
    next !== null
      ? { part: next, shard, after: [] }
      : shard + 1 < historyShards(env).length
        ? { part: "event", shard: shard + 1, after: [] }
        : null;
  return { lines: linesOf(part, results), next: later };
}

/** Before all values of a column. */
const FIRST: Readonly<Record<string, string | number>> = {
  at: -1,
  instance_id: "",
  id: "",
  first_at: -1,
  day: -1,
};
