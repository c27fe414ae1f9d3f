import { addColumns } from "./added-columns.ts";
import { createAlertTables } from "./alert-schema.ts";
import { createPreviewTables } from "./preview-schema.ts";

/** The tables of a fleet's own database. Statements are only ever added at the end. */
const STATEMENTS = [
  "CREATE TABLE IF NOT EXISTS fleet (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL)",
  `CREATE TABLE IF NOT EXISTS instances (
     instance_id TEXT PRIMARY KEY,
     changed INTEGER NOT NULL,         -- the fleet's revision of the last change
     revision INTEGER NOT NULL,        -- the instance's own
     registered_at INTEGER NOT NULL,
     as_of INTEGER NOT NULL,
     name TEXT NOT NULL,
     provider TEXT NOT NULL,
     provider_ref TEXT,
     status TEXT NOT NULL,
     health TEXT NOT NULL,
     orphaned_since INTEGER,
     silent_since INTEGER,
     overrides TEXT NOT NULL,          -- JSON
     view TEXT NOT NULL,               -- JSON: LiveView
     savings TEXT NOT NULL,            -- JSON: SavingsBasis
     bucket INTEGER,                   -- where it is counted in silences
     guard_epoch INTEGER,
     vote_epoch INTEGER,
     silence_reported_at INTEGER          -- when its silence was first reported
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS instances_by_change ON instances (changed)",
  // The newest removals: what a resumed page must take out, and whose late reports come to nothing.
  `CREATE TABLE IF NOT EXISTS removals (
     instance_id TEXT PRIMARY KEY,
     changed INTEGER NOT NULL,
     revision INTEGER NOT NULL
   ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS silences (
     counted TEXT NOT NULL,            -- for the guard or for the vote
     epoch INTEGER NOT NULL,
     bucket INTEGER NOT NULL,          -- a minute of the policies' time
     instances INTEGER NOT NULL,
     first_orphaned_since INTEGER NOT NULL,
     PRIMARY KEY (counted, epoch, bucket)
   ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS events (
     number INTEGER PRIMARY KEY,       -- the fleet's revision of it
     at INTEGER NOT NULL,
     instance_id TEXT NOT NULL,        -- empty for what is of no instance
     id TEXT NOT NULL,
     kind TEXT NOT NULL,
     severity TEXT NOT NULL,
     message TEXT NOT NULL,
     detail TEXT NOT NULL,             -- JSON
     -- 'pending', or the digest that tells it; 'nobody': not told, but what is told later depends on it; NULL: neither
     told TEXT,
     UNIQUE (at, instance_id, id)
   )`,
  "CREATE INDEX IF NOT EXISTS events_told ON events (told) WHERE told IS NOT NULL",
  "CREATE INDEX IF NOT EXISTS events_own ON events (number) WHERE instance_id = ''",
  `CREATE TABLE IF NOT EXISTS deliveries (
     id TEXT PRIMARY KEY,              -- and of the workflow that goes on with it
     channel_id TEXT NOT NULL,
     digest_id TEXT NOT NULL,
     notice TEXT NOT NULL,             -- JSON
     postponed_since INTEGER,          -- NULL until it could not be sent
     retry_at INTEGER NOT NULL DEFAULT 0
   ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS channels (
     id TEXT PRIMARY KEY,
     kind TEXT NOT NULL,
     name TEXT NOT NULL,
     minimum_severity TEXT NOT NULL,
     settings TEXT NOT NULL,           -- sealed
     origin TEXT NOT NULL,             -- where the service was reached when it was made: links begin with it
     created_at INTEGER NOT NULL,
     last_delivery TEXT                -- JSON
   ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS machines (
     provider TEXT NOT NULL,
     ref TEXT NOT NULL,                -- the provider's own id of the machine
     instance_id TEXT NOT NULL,        -- who watches it
     claimed_at INTEGER NOT NULL,
     PRIMARY KEY (provider, ref)
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS machines_by_instance ON machines (instance_id)",
  `CREATE TABLE IF NOT EXISTS credentials (
     kind TEXT PRIMARY KEY,            -- the id of the connection: the first of a kind has the kind for its id
     sealed TEXT NOT NULL,
     set_at INTEGER NOT NULL
   ) WITHOUT ROWID`,
  // How far an import has come that goes on: the fleet's state so far, and up to which instance all are taken over (NULL: all).
  "CREATE TABLE IF NOT EXISTS import (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL, after TEXT)",
  // Whom the policy could not be brought to.
  `CREATE TABLE IF NOT EXISTS policy_retries (
     instance_id TEXT PRIMARY KEY,
     failures INTEGER NOT NULL,
     retry_at INTEGER NOT NULL
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS policy_retries_by_time ON policy_retries (retry_at)",
  "CREATE INDEX IF NOT EXISTS events_quiet ON events (at) WHERE told IS NULL",
  // Up to when events were forgotten that bear on alerts.
  "CREATE TABLE IF NOT EXISTS forgotten (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL)",
  // When silent instances reported that could not reach the fleet before, by the minute in which they fell silent.
  "CREATE TABLE IF NOT EXISTS late_reports (bucket INTEGER PRIMARY KEY, at INTEGER NOT NULL)",
  "CREATE INDEX IF NOT EXISTS events_bearing ON events (at) WHERE told IS NOT NULL",
  "CREATE INDEX IF NOT EXISTS events_bearing_of ON events (instance_id, at) WHERE told IS NOT NULL",
  "CREATE INDEX IF NOT EXISTS deliveries_by_channel ON deliveries (channel_id, retry_at)",
  // How many events of each sort there are: to count them would read them all. An event never changes its sort.
  "CREATE TABLE IF NOT EXISTS event_counts (sort TEXT PRIMARY KEY, events INTEGER NOT NULL) WITHOUT ROWID",
  "INSERT OR IGNORE INTO event_counts (sort, events) VALUES ('quiet', 0), ('bearing', 0)",
  `CREATE TRIGGER IF NOT EXISTS events_added AFTER INSERT ON events BEGIN
     UPDATE event_counts SET events = events + 1 WHERE sort = iif(new.told IS NULL, 'quiet', 'bearing');
   END`,
  `CREATE TRIGGER IF NOT EXISTS events_deleted AFTER DELETE ON events BEGIN
     UPDATE event_counts SET events = events - 1 WHERE sort = iif(old.told IS NULL, 'quiet', 'bearing');
   END`,
  "CREATE TABLE IF NOT EXISTS admissions (instance_id TEXT PRIMARY KEY, admitted_at INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE INDEX IF NOT EXISTS admissions_by_time ON admissions (admitted_at)",
  "CREATE INDEX IF NOT EXISTS removals_by_change ON removals (changed)",
  "CREATE INDEX IF NOT EXISTS deliveries_by_time ON deliveries (retry_at)",
  "CREATE INDEX IF NOT EXISTS events_waiting ON events (severity = 'critical', at) WHERE told = 'pending'",
  "CREATE TABLE IF NOT EXISTS unconfirmed_channels (channel_id TEXT PRIMARY KEY) WITHOUT ROWID",
  // When the owners of addresses were asked, within a day.
  `CREATE TABLE IF NOT EXISTS confirmations_asked (
     at INTEGER NOT NULL, channel_id TEXT NOT NULL, PRIMARY KEY (at, channel_id)) WITHOUT ROWID`,
  // The machines that each connection has listed, watched or not. What several connections list is one machine.
  `CREATE TABLE IF NOT EXISTS inventory (
     connection TEXT NOT NULL,
     ref TEXT NOT NULL,                -- the provider's own id of the machine
     provider TEXT NOT NULL,           -- its kind
     name TEXT,
     state TEXT NOT NULL,
     gpu TEXT,
     gpus INTEGER,
     region TEXT,
     created_at INTEGER,
     hourly_cost REAL,                 -- dollars
     stopped_hourly_cost REAL,
     member_of TEXT,
     first_seen_at INTEGER NOT NULL,
     last_seen_at INTEGER NOT NULL,
     state_since INTEGER NOT NULL,
     told_at INTEGER,                  -- when the owner was last told that nobody watches it
     vanished_at INTEGER,
     witness TEXT,                     -- which instance was told that these credentials show it
     PRIMARY KEY (provider, ref, connection)
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS inventory_by_connection ON inventory (connection, ref)",
  // How the listing of each connection goes.
  `CREATE TABLE IF NOT EXISTS listings (
     connection TEXT PRIMARY KEY,
     due_at INTEGER NOT NULL,
     tried_at INTEGER,
     listed_at INTEGER,                -- when the last one that succeeded began
     is_complete INTEGER,
     failures INTEGER NOT NULL DEFAULT 0,
     problem TEXT
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS listings_by_time ON listings (due_at)",
  "CREATE INDEX IF NOT EXISTS instances_by_ref ON instances (provider_ref) WHERE provider_ref IS NOT NULL",
  // What is said of a connection; the first of a kind may do without.
  `CREATE TABLE IF NOT EXISTS connections (
     id TEXT PRIMARY KEY,
     kind TEXT NOT NULL,               -- of the provider
     name TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     checked_at INTEGER,
     problem TEXT,
     refusals INTEGER NOT NULL,        -- in a row
     noted_of INTEGER NOT NULL         -- the credentials that the last three were noted of, by when they were set
   ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS lanes (
     connection TEXT PRIMARY KEY,
     used_at INTEGER NOT NULL,
     json TEXT NOT NULL
   ) WITHOUT ROWID`,
  // Calls to providers that wait for their turn.
  `CREATE TABLE IF NOT EXISTS lane_waits (
     call TEXT PRIMARY KEY,
     asked_at INTEGER NOT NULL,
     since INTEGER,                    -- NULL: it has had its turn
     start_at REAL,
     moved_by REAL NOT NULL,
     waits INTEGER NOT NULL
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS lane_waits_by_time ON lane_waits (asked_at)",
  // Instances that are to be hibernated because many were asked for at once, and what became of it.
  `CREATE TABLE IF NOT EXISTS asked_hibernations (
     instance_id TEXT PRIMARY KEY,
     asked_at INTEGER NOT NULL,
     round TEXT NOT NULL,              -- JSON: HibernationRound
     request_id TEXT,
     failures INTEGER NOT NULL,
     due_at INTEGER,                   -- NULL once it is settled
     outcome TEXT                      -- how; NULL before
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS asked_hibernations_by_time ON asked_hibernations (due_at) WHERE due_at IS NOT NULL",
  "CREATE INDEX IF NOT EXISTS asked_hibernations_by_outcome ON asked_hibernations (asked_at, outcome)",
  // What each instance costs from its last report on. A removed one stays, without a use, until its days are in the history.
  `CREATE TABLE IF NOT EXISTS instance_costs (
     instance_id TEXT PRIMARY KEY,
     changed INTEGER NOT NULL,         -- the change of the registry's row that told it
     is_current INTEGER NOT NULL,      -- 0: a later report said nothing of costs
     registered_at INTEGER NOT NULL,
     since INTEGER NOT NULL,           -- when its ledger began
     until INTEGER NOT NULL,           -- its days say what it has cost up to here
     use TEXT,                         -- from then on; NULL: none
     rate REAL,                        -- dollars an hour; NULL: unknown
     is_wasted INTEGER NOT NULL,
     hourly_saving REAL NOT NULL,
     provider TEXT NOT NULL,
     tags TEXT NOT NULL                -- JSON
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS instance_costs_wasted ON instance_costs (rate) WHERE is_wasted",
  // What each has cost on its last days, by its ledger.
  `CREATE TABLE IF NOT EXISTS instance_days (
     day INTEGER NOT NULL,             -- its first instant
     instance_id TEXT NOT NULL,
     since INTEGER NOT NULL,           -- of the ledger
     working_ms REAL NOT NULL, working REAL NOT NULL,
     idle_ms REAL NOT NULL, idle REAL NOT NULL,
     silent_ms REAL NOT NULL, silent REAL NOT NULL,
     hibernated_ms REAL NOT NULL, hibernated REAL NOT NULL,
     wasted REAL NOT NULL, saved REAL NOT NULL, reported REAL NOT NULL, unpriced_ms REAL NOT NULL,
     PRIMARY KEY (day, instance_id, since)
   ) WITHOUT ROWID`,
  // What all instances cost on the days that are over.
  `CREATE TABLE IF NOT EXISTS cost_totals (
     day INTEGER PRIMARY KEY,          -- its first instant
     working_ms REAL NOT NULL, working REAL NOT NULL,
     idle_ms REAL NOT NULL, idle REAL NOT NULL,
     silent_ms REAL NOT NULL, silent REAL NOT NULL,
     hibernated_ms REAL NOT NULL, hibernated REAL NOT NULL,
     wasted REAL NOT NULL, saved REAL NOT NULL, reported REAL NOT NULL, unpriced_ms REAL NOT NULL
   )`,
  // What each instance has cost on the days that are over, until the history has it and it is final.
  `CREATE TABLE IF NOT EXISTS closed_costs (
     day INTEGER NOT NULL,
     instance_id TEXT NOT NULL,
     working_ms REAL NOT NULL, working REAL NOT NULL,
     idle_ms REAL NOT NULL, idle REAL NOT NULL,
     silent_ms REAL NOT NULL, silent REAL NOT NULL,
     hibernated_ms REAL NOT NULL, hibernated REAL NOT NULL,
     wasted REAL NOT NULL, saved REAL NOT NULL, reported REAL NOT NULL, unpriced_ms REAL NOT NULL,
     provider TEXT NOT NULL,
     tags TEXT NOT NULL,               -- JSON
     closed_at INTEGER NOT NULL,
     is_kept INTEGER NOT NULL,         -- by the history
     PRIMARY KEY (day, instance_id)
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS closed_costs_unkept ON closed_costs (day, instance_id) WHERE is_kept = 0",
];

const FILLED_TABLES = [
  "instances",
  "removals",
  "silences",
  "late_reports",
  "events",
  "forgotten",
  "deliveries",
  "channels",
  "unconfirmed_channels",
  "paused_channels",
  "open_alerts",
  "acknowledgements",
  "snoozes",
  "confirmations_asked",
  "machines",
  "credentials",
  "inventory",
  "listings",
  "connections",
  "policy_retries",
  "admissions",
  "lanes",
  "lane_waits",
  "asked_hibernations",
  "instance_costs",
  "instance_days",
  "cost_totals",
  "closed_costs",
  "previews",
  "preview_lines",
  "preview_tags",
];

export function createTables(sql: SqlStorage): void {
  for (const statement of STATEMENTS) sql.exec(statement);
  createPreviewTables(sql);
  createAlertTables(sql);
  addColumns(sql);
}

/** Empties all tables but the one of the state, which an import writes last. */
export function emptyTables(sql: SqlStorage): void {
  for (const table of FILLED_TABLES) sql.exec(`DELETE FROM ${table}`);
}
