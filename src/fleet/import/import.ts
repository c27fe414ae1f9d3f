import { z } from "zod";
import { severitySchema } from "../../lifecycle/model/history-event.ts";
import { jsonText, readableRows, readFound, storedOverridesSchema } from "../../lifecycle/model/stored.ts";
import { SECOND_MS } from "../../lifecycle/model/time.ts";
import { within } from "../../platform/within.ts";
import { addAlert } from "../rules/digest-window.ts";
import { outageRules } from "../rules/outage-guard.ts";
import { askAll } from "../rules/set-back.ts";
import { countMove, type FleetState, newFleet, parseFleet } from "../rules/state.ts";
import { EVENTS_KEPT, EVENTS_KEPT_MS } from "../tables/event-bounds.ts";
import { untold } from "../tables/events.ts";
import { instanceIdOf, Registry } from "../tables/registry.ts";
import { createTables, emptyTables } from "../tables/schema.ts";
import { Silences } from "../tables/silences.ts";
import { readFleet, writeFleet } from "../tables/stored-fleet.ts";
import { formerInstance, formerRow } from "./former-row.ts";

/**
 * A fleet's first start: what D1 knew of the user before there were fleets is taken over, once. Each page is taken over in one
 * transaction with how far the import has come, so one that was cut off goes on there. Throws when D1 does not answer, or when
 * the account or a guard can't be read: then there is no fleet yet.
 */

/** A page takes a fraction of a second. */
const ROWS_PER_PAGE = 2000;

/** D1 is out of reach when it has not answered after this long. */
const D1_LIMIT_MS = 10 * SECOND_MS;

/** If an import of several pages is cut off, the alarm goes on with it after this long. */
const IMPORT_RESUMES_MS = 30 * SECOND_MS;

/** Whether the fleet has been started before: then it needs nothing from outside. */
export function isImported({ sql }: DurableObjectStorage): boolean {
  // An object of a user who was deleted, or whom there never was, stays empty.
  if (!hasTables(sql)) return false;
  createTables(sql);
  return sql.exec("SELECT 1 FROM fleet").toArray().length > 0;
}

function hasTables(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'fleet'").toArray().length > 0;
}

/** There is no such user any more, by the operator's word, and so never again a fleet. */
export class UserDeleted extends Error {}

export async function startFleet(
  env: Env,
  userId: string,
  storage: DurableObjectStorage,
  speed: number,
): Promise<FleetState> {
  const stored = isImported(storage) ? readFleet(storage.sql) : null;
  if (stored !== null) return stored;
  const begun = readProgress(storage.sql) ?? (await importAccount(env.DB, userId, storage));
  const state = await importInstances(env.DB, userId, begun, storage, speed);
  return importEvents(env.DB, userId, state, storage, speed);
}

interface Progress {
  readonly state: FleetState;
  /** Instances up to this id are taken over; null when all are. */
  readonly after: string | null;
}

/** Null before an import has begun. */
function readProgress(sql: SqlStorage): Progress | null {
  if (!hasTables(sql)) return null;
  const [row] = sql.exec<{ json: string; after: string | null }>("SELECT json, after FROM import").toArray();
  return row === undefined ? null : { state: parseFleet(row.json), after: row.after };
}

function writeProgress(sql: SqlStorage, { state, after }: Progress): void {
  sql.exec("INSERT OR REPLACE INTO import (id, json, after) VALUES (1, ?, ?)", JSON.stringify(state), after);
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

async function importAccount(
  db: D1Database,
  userId: string,
  storage: DurableObjectStorage,
): Promise<Progress> {
  const ofUser = (query: string) => db.prepare(query).bind(userId);
  const asked = db.batch<Record<string, SqlStorageValue>>([
    ofUser("SELECT policy, policy_version FROM users WHERE id = ?"),
    ofUser("SELECT closed_at, opened_at, seen_from, silent_from FROM guards WHERE user_id = ?"),
    ofUser("SELECT closed_at, opened_at, seen_from, seen_at FROM outage_votes WHERE user_id = ?"),
    ofUser("SELECT reason, hibernations, regretted FROM hibernation_counts WHERE user_id = ?"),
    ofUser(
      `SELECT id, kind, name, minimum_severity, settings, origin, created_at, last_delivery
       FROM channels WHERE user_id = ?`,
    ),
    ofUser("SELECT provider, ref, instance_id, claimed_at FROM machines WHERE user_id = ?"),
    ofUser("SELECT kind, credentials AS sealed, updated_at AS set_at FROM providers WHERE user_id = ?"),
    ofUser("SELECT user_id FROM user_deletions WHERE user_id = ?"),
  ]);
  const found = await within(D1_LIMIT_MS, asked);
  const [user, guard, vote, hibernations, channels, machines, credentials, deletions] = found;
  if ((deletions?.results.length ?? 0) > 0) throw new UserDeleted(`${userId} was deleted`);
  // An account that can't be read stops the import: the default policy in its place might stop machines.
  const account = userRow.optional().parse(user?.results[0]);
  const fleet = newFleet();
  const kept = guardRow.optional().parse(guard?.results[0]);
  const voted = guardRow.optional().parse(vote?.results[0]);
  const state = {
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
  return storage.transactionSync(() => {
    createTables(storage.sql);
    emptyTables(storage.sql);
    insertRows(storage.sql, "channels", channels?.results ?? []);
    insertRows(storage.sql, "machines", machines?.results ?? []);
    insertRows(storage.sql, "credentials", credentials?.results ?? []);
    const begun = { state, after: "" };
    writeProgress(storage.sql, begun);
    return begun;
  });
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

async function importInstances(
  db: D1Database,
  userId: string,
  begun: Progress,
  storage: DurableObjectStorage,
  speed: number,
): Promise<FleetState> {
  const silences = new Silences(storage.sql, speed);
  const registry = new Registry(storage.sql);
  let { state, after } = begun;
  while (after !== null) {
    const asked = db
      .prepare("SELECT * FROM instances WHERE user_id = ? AND instance_id > ? ORDER BY instance_id LIMIT ?")
      .bind(userId, after, ROWS_PER_PAGE)
      .all();
    const { results } = await within(D1_LIMIT_MS, asked);
    const { rows, end } = readFound(formerInstance, instanceIdOf, results, ROWS_PER_PAGE);
    const from = state;
    state = storage.transactionSync(() => {
      const taken = rows.reduce((before, row) => takeInstance(before, row, registry, silences), from);
      writeProgress(storage.sql, { state: taken, after: end });
      return taken;
    });
    after = end;
    if (after !== null) await storage.setAlarm(Date.now() + IMPORT_RESUMES_MS);
  }
  return state;
}

function takeInstance(
  state: FleetState,
  row: z.infer<typeof formerInstance>,
  registry: Registry,
  silences: Silences,
): FleetState {
  const revision = state.revision + 1;
  const former = formerRow(row);
  registry.write(row.instance_id, revision, former, silences.add(state, former, Date.now()));
  const standing = { status: row.status, silentSince: row.silent_since };
  return countMove({ ...state, revision }, null, standing);
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

const EVENT_COLUMNS = "at, instance_id, id, kind, severity, message, detail, notice";

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
  storage: DurableObjectStorage,
  speed: number,
): Promise<FleetState> {
  const now = Date.now();
  const asked = db.batch([
    db
      .prepare(
        `UPDATE events INDEXED BY events_by_notice SET notice = ?2 WHERE user_id = ?1 AND notice = 'pending'`,
      )
      .bind(userId, TAKEN_OVER),
    db
      .prepare(
        // One condition for both would read all events of the user.
        `SELECT ${EVENT_COLUMNS} FROM events WHERE user_id = ?1 AND at > ?2
         UNION
         SELECT ${EVENT_COLUMNS} FROM events INDEXED BY events_by_notice WHERE user_id = ?1 AND notice = ?3
         ORDER BY at DESC LIMIT ?4`,
      )
      .bind(userId, now - EVENTS_KEPT_MS, TAKEN_OVER, EVENTS_KEPT),
  ]);
  const [, recent] = await within(D1_LIMIT_MS, asked);
  const events = readableRows(eventRow, recent?.results ?? []).reverse();
  return storage.transactionSync(() => {
    const taken = events.reduce((state, event) => takeEvent(state, event, storage.sql, now), from);
    // D1's rows say little.
    const rules = outageRules(taken.policy.overrides, 0, speed);
    const state = askAll(taken, rules, Date.now());
    writeFleet(storage.sql, state);
    storage.sql.exec("DELETE FROM import");
    return state;
  });
}

function takeEvent(
  state: FleetState,
  { notice, ...event }: z.infer<typeof eventRow>,
  sql: SqlStorage,
  now: number,
): FleetState {
  const number = state.revision + 1;
  const waits = notice === TAKEN_OVER;
  insertRows(sql, "events", [{ number, ...event, told: waits ? "pending" : (notice ?? untold(event.kind)) }]);
  const next = { ...state, revision: number, historyUpTo: number };
  if (!waits) return next;
  const severity = severitySchema.catch("warning").parse(event.severity);
  return { ...next, digest: addAlert(next.digest, severity, now) };
}
