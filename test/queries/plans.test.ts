import { describe, expect, it } from "vitest";
import { conditionOf, type ListFilter } from "../../src/fleet/views/list-filter.ts";
import { deletionFrom, USER_TABLES } from "../../src/history/belongings.ts";
import { Databases } from "./databases.ts";
import { findStatements, type Statement } from "./statements.ts";

/**
 * No statement of the service goes through a table that grows. Each is found in the source, and SQLite is asked how it would
 * carry it out (`EXPLAIN QUERY PLAN`), in a database made by the migrations, or by the statements that make an object's own.
 */

/** Tables that stay small, by database: to go through them costs little. */
const SMALL_TABLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  fleet: {
    fleet: "one row",
    import: "one row",
    forgotten: "one row",
    channels: "as many as a user may have",
    credentials: "one a provider",
    listings: "one a connection",
    lanes: "one a connection that was called within a day",
    removals: "the newest 1,000",
    previews: "the newest 20",
    event_counts: "two rows",
    late_reports: "a row a minute, for as long as a guard may close",
  },
  D1: { d1_migrations: "a row a migration", sqlite_master: "a row a table" },
  instance: { held: "bounded in bytes and time", seen: "one row", sqlite_master: "a row a table" },
  service: { shards: "a row a shard", events: "the newest 1,000" },
};

/**
 * Statements that go through more, and why they may. One that ends with "…" stands for all that begin so. `by`: only if that
 * index is used.
 */
const ALLOWED: readonly { readonly sql: string; readonly because: string; readonly by?: string }[] = [
  {
    sql: "SELECT id, name, role, created_at, expires_at, last_used_at, revoked_at FROM user_tokens …",
    because: "of one account, which has few",
  },
  {
    sql: "SELECT id, name, role, created_at, expires_at, last_used_at, revoked_at, made_by_id FROM user_tokens …",
    because: "of one account, which has few",
  },
  {
    sql: "UPDATE users SET keys_forgotten_until = MAX(COALESCE(keys_forgotten_until, 0), COALESCE(( SELECT …",
    because: "through the tokens of one account, which has few",
  },
  {
    sql: "DELETE FROM user_tokens WHERE user_id = ?1 AND id IN (…",
    because: "of one account, which has few, which this sees to",
  },
  {
    sql: "SELECT s.id, s.user_id, s.token_id, s.person_id, s.device, …",
    because: "of one account, which has two hundred sessions at most",
  },
  {
    sql: "INSERT INTO sign_in_links (digest, id, user_id, person_id, made_by, made_by_kind, created_at, expires_at) SELECT …",
    because: "of one account, whose people are few",
  },
  {
    sql: "DELETE FROM sign_in_links WHERE user_id = ?1 AND id IN (…",
    because: "of one account, when the operator makes a link for it",
  },
  {
    sql: "DELETE FROM sessions WHERE user_id = ?1 AND id IN (…",
    because: "an account has two hundred at most, which this sees to",
  },
  {
    sql: "SELECT identities.user_id, identities.person_id FROM identities JOIN people …",
    because: "when somebody signs in: in each account one person at most is known by an identity",
  },
  {
    sql: "SELECT id, name, email, role, made_by, created_at, expires_at FROM sign_in_links …",
    because: "an owner lists the invitations of one account, which has few",
  },
  {
    sql: "SELECT people.user_id, people.id AS person_id, …",
    because: "when somebody asks for a link: in each account one person at most has an address",
  },
  {
    sql: "SELECT MIN(until) AS until FROM snoozes",
    because: "reads the first of the index",
    by: "snoozes_by_end",
  },
  {
    sql: "SELECT number FROM open_alerts WHERE (?1 IS NULL OR instance_id = ?1) …",
    because: "ends at the five hundredth",
    by: "open_alerts_by_rank",
  },
  {
    sql: "SELECT COUNT(*) AS open, COUNT(iif(acknowledged_at IS NULL, 1, NULL)) AS unseen FROM open_alerts",
    because: "when somebody looks at the alerts, of which an instance has a few at most",
  },
  {
    sql: "SELECT number, at, by FROM acknowledgements WHERE number IN (SELECT number FROM open_alerts)",
    because: "once after an upgrade, which has found 5,000 at most",
  },
  { sql: "DELETE FROM open_alerts WHERE problem LIKE …", because: "once in a thousand changes at most" },
  { sql: "DELETE FROM open_alerts WHERE number NOT IN …", because: "once in a thousand changes at most" },
  { sql: "DELETE FROM acknowledgements WHERE at < ?", because: "once in a thousand changes at most" },
  {
    sql: "SELECT id, channel_id, digest_id, retry_at, postponed_since AS since FROM deliveries …",
    because: "ends at the fiftieth",
    by: "deliveries_by_time",
  },
  {
    sql: "SELECT id FROM deliveries WHERE channel_id = ? AND retry_at <= ? …",
    because: "of one channel, for which 500 wait and what came since the last alarm",
  },
  {
    sql: "SELECT at, kind FROM events WHERE instance_id = '' AND kind IN ('guard_closed', 'guard_opened') …",
    because: "once a page of a preview, and the fleet's own events are few",
    by: "events_own",
  },
  {
    sql: "SELECT COUNT(*) AS instances FROM instances WHERE registered_at <= ?…",
    because: "once a preview, which then replays each of them",
  },
  { sql: "SELECT COUNT(*) AS total FROM deliveries", because: "the operator looks into one fleet" },
  { sql: "SELECT told, COUNT(*) AS alerts, MAX(at) AS last FROM (…", because: "of the newest 1,000 events" },
  { sql: "SELECT (SELECT COUNT(*) FROM channels) …", because: "the operator looks into one fleet" },
  {
    sql: "SELECT id, channel_id, digest_id, notice FROM (…",
    because: "channels take turns among all messages that wait, in an index of their own",
  },
  {
    sql: "SELECT MIN(retry_at) AS at FROM deliveries WHERE id NOT IN (…",
    because: "ends at the first one that isn't under way",
    by: "deliveries_by_time",
  },
  {
    sql: "SELECT at FROM events WHERE told IS NOT 'pending' ORDER BY at LIMIT 1",
    because: "ends at the first one that doesn't wait to be told",
  },
  {
    sql: "SELECT MIN(instance_id) AS instance_id, provider, overrides FROM instances …",
    because: "a person's new policy is held against the overrides of all instances",
  },
  {
    sql: "SELECT 1 FROM instances WHERE (provider = ? OR json_extract(view, …",
    because: "ends at the first one, when a person removes credentials",
  },
  {
    sql: "SELECT SUM(view ->> '$.rate') AS rate, COUNT(*) - COUNT(view ->> '$.rate') AS unknown_rates FROM instances …",
    because: "once an outage, when its guard closes, or once credentials are refused",
  },
  { sql: "UPDATE instances SET guard_epoch = ? …", because: "once an outage, when its guard opens" },
  { sql: "UPDATE instances SET vote_epoch = ? …", because: "once an outage, when its vote ends" },
  {
    sql: "INSERT INTO silences (counted, epoch, bucket, instances, first_orphaned_since) SELECT …",
    because: "once an outage, when its guard opens",
  },
  {
    sql: "SELECT retry_at FROM policy_retries ORDER BY retry_at LIMIT 1",
    because: "ends at the first one",
    by: "policy_retries_by_time",
  },
  ...["heartbeat_chunks", "heartbeat_hours", "cost_days", "events", "instances", "machines"].map((table) => ({
    sql: `DELETE FROM ${table} WHERE (user_id, …`,
    because: "of a user who is deleted, so many rows at a time",
  })),
  {
    sql: "SELECT TOTAL(working_ms) AS working_ms, …",
    because: "one sum over numbers of all instances: so nothing is added up over time, and nothing drifts",
  },
  { sql: "SELECT key, TOTAL(working_ms) AS working_ms, …", because: "as above, by groups" },
  { sql: "INSERT INTO closed_costs …", because: "once a night" },
  { sql: "DELETE FROM instance_costs WHERE until < ? AND instance_id NOT IN …", because: "once a night" },
  { sql: "SELECT 1 FROM instance_costs LIMIT 1", because: "ends at the first one" },
  { sql: "SELECT 1 FROM closed_costs LIMIT 1", because: "ends at the first one" },
  {
    sql: "SELECT * FROM closed_costs WHERE is_kept = 0 ORDER BY day, instance_id LIMIT ?",
    because: "a page of what the history does not have",
    by: "closed_costs_unkept",
  },
  {
    sql: "SELECT MIN(day) AS day FROM closed_costs WHERE is_kept = 0",
    because: "ends at the first one",
    by: "closed_costs_unkept",
  },
  ...["printf('%014d', day)", "instance_id", "provider", "COALESCE(tags …"].map((key) => ({
    sql: key.endsWith("…")
      ? `SELECT ${key}`
      : `SELECT ${key} AS key, SUM(working_seconds) AS working_seconds, …`,
    because: "a user asks what the days of a range have cost: at most 400 rows an instance",
  })),
  { sql: "SELECT TOTAL(rate) AS rate, …", because: "as above" },
  {
    sql: "SELECT c.instance_id, i.name, c.rate, c.use, …",
    because: "those that waste money, the dearest first",
    by: "instance_costs_wasted",
  },
  {
    sql: "UPDATE instance_costs SET is_current = 0 WHERE NOT EXISTS …",
    because: "once, when a former release was at work",
  },
  {
    sql: "SELECT * FROM ( SELECT instance_id AS key, …",
    because:
      "the costliest of a month: of what all instances have cost in it, once a month, or when a person asks",
  },
  { sql: "DELETE FROM events", because: "an import that begins anew empties the table" },
  { sql: "SELECT user_id, number, day, json FROM fleets WHERE day < ?", because: "once a day" },
  { sql: "SELECT user_id, number, day, json FROM fleets", because: "once, when a shard starts" },
  {
    sql: "SELECT closed_at, seen_at FROM outage_votes WHERE closed_at > ? LIMIT ?",
    because: "once, when a former release is taken over",
  },
  {
    sql: "SELECT detail FROM events WHERE user_id = ? AND kind = 'cleanup' …",
    because: "once, when a former release is taken over",
  },
  {
    sql: "SELECT provider, ref, instance_id, claimed_at FROM machines WHERE user_id = ?",
    because: "once a user, when a former release is taken over",
  },
  {
    sql: "WITH RECURSIVE place …",
    because: "ends at the first row of the next user; `test/history/reads.test.ts` counts",
  },
  {
    sql: "SELECT CAST(silent_since / ? AS INTEGER) AS bucket, COUNT(*) AS instances FROM instances …",
    because: "once a week, when what is counted is held against the rows",
  },
  {
    sql: "SELECT status, COUNT(*) AS instances, COUNT(*) - COUNT(silent_since) AS heard FROM instances …",
    because: "once a week, when what is counted is held against the rows",
  },
  {
    sql: "UPDATE instances SET bucket = …",
    because: "once a week at most, where the counts are wrong",
  },
  {
    sql: "WITH page (oldest_at) AS …",
    because: "sorts no more than the page needs; `test/history/reads.test.ts` counts",
  },
];

/** Texts that are put together at run time. */
const UNKNOWN_TEXTS: readonly string[] = [
  // The rows of an account that is taken over, each by its key, into the table that the query names.
  "src/fleet/import/import.ts",
];

const FILTERS: readonly ListFilter[] = [
  {},
  { ids: ["a"] },
  { status: "running" },
  { health: "healthy" },
  { provider: "vast" },
  { text: "rig" },
  { tag: [{ key: "team", value: "vision" }] },
];

const { statements, lost } = findStatements({
  conditionOf: { condition: FILTERS.map((filter) => conditionOf(filter).condition) },
  deletionFrom: { "": USER_TABLES.map(deletionFrom) },
});
const databases = new Databases(statements);

/** What is wrong with how a statement would be carried out. */
function faultsOf(statement: Statement): string[] {
  const { database, sql } = statement;
  const plan = databases.planOf(statement);
  const aliases = new Map(
    [...sql.matchAll(/(\w+) AS (\w+)/g)].map(([, name = "", alias = ""]) => [alias, name]),
  );
  return plan.filter((step) => {
    const [, word, name = "", how = ""] = /^(SCAN|SEARCH) (\S+)(.*)$/.exec(step) ?? [];
    if (word === undefined) return isSortBeforeLimit(step, sql);
    const table = databases.isStored(database, name) ? name : (aliases.get(name) ?? name);
    if (!databases.isStored(database, table) || SMALL_TABLES[database]?.[table] !== undefined) return false;
    // Without a condition in brackets the whole index is gone through; by the user alone, all that a user has.
    const condition = /\((.*)\)/.exec(how)?.[1];
    return word === "SCAN" || condition === undefined || isOfAUser(database, table, condition);
  });
}

/** A limit that follows upon a sort limits what is answered, and not what is read. */
function isSortBeforeLimit(step: string, sql: string): boolean {
  return /\bLIMIT\b/.test(sql) && /^USE TEMP B-TREE FOR (ORDER BY|GROUP BY|DISTINCT)$/.test(step);
}

/** Whether all rows of a user are read, of a table in which a user has many. */
function isOfAUser(database: string, table: string, condition: string): boolean {
  const has = (name: string) => databases.hasColumn(database, table, name);
  return /^user_id[=<>]\?$/.test(condition) && has("instance_id");
}

const squeezed = ({ sql }: Statement) => sql.replace(/\s+/g, " ").trim();

const judged = statements.map((statement) => {
  const sql = squeezed(statement);
  const faults = faultsOf(statement);
  const allowed = ALLOWED.find((each) =>
    each.sql.endsWith("…") ? sql.startsWith(each.sql.slice(0, -1)) : sql === each.sql,
  );
  return { where: statement.where, sql, faults, allowed };
});

describe("every statement in the source", () => {
  it("is found", () => {
    expect(statements.length).toBeGreaterThan(150);
    expect(lost.filter((each) => !UNKNOWN_TEXTS.some((text) => each.startsWith(text)))).toEqual([]);
  });

  it("goes through no table that grows, but for those that may", () => {
    const wrong = judged.flatMap(({ where, sql, faults, allowed }) =>
      faults
        .filter((fault) => allowed === undefined || !fault.includes(allowed.by ?? ""))
        .map((fault) => `${where}: ${fault}: ${sql}`),
    );
    expect(wrong).toEqual([]);
  });

  it("needs what is allowed to it", () => {
    const used = new Set(judged.flatMap(({ faults, allowed }) => (faults.length === 0 ? [] : [allowed])));
    expect(ALLOWED.filter((each) => !used.has(each))).toEqual([]);
    expect(UNKNOWN_TEXTS.filter((text) => !lost.some((each) => each.startsWith(text)))).toEqual([]);
  });
});
