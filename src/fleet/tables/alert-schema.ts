/** The tables of a fleet that say who is told of what. Statements are only ever added at the end. */
const STATEMENTS = [
  // Channels that are told of nothing for now.
  `CREATE TABLE IF NOT EXISTS paused_channels (
     channel_id TEXT PRIMARY KEY,
     at INTEGER NOT NULL,
     because TEXT NOT NULL             -- asked, or gone
   ) WITHOUT ROWID`,
  // What is wrong now, by the newest alert of each problem.
  `CREATE TABLE IF NOT EXISTS open_alerts (
     instance_id TEXT NOT NULL,        -- empty for what is of no instance
     problem TEXT NOT NULL,            -- or the event, of what nobody says the end of
     number INTEGER NOT NULL,          -- of the alert's event
     kind TEXT NOT NULL,
     severity TEXT NOT NULL,
     opened_at INTEGER NOT NULL,
     acknowledged_at INTEGER,
     acknowledged_by TEXT,
     PRIMARY KEY (instance_id, problem)
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS open_alerts_by_number ON open_alerts (number)",
  `CREATE INDEX IF NOT EXISTS open_alerts_by_rank
     ON open_alerts (acknowledged_at IS NOT NULL, severity <> 'critical', number DESC)`,
  `CREATE TABLE IF NOT EXISTS acknowledgements (
     number INTEGER PRIMARY KEY,       -- of the alert's event
     at INTEGER NOT NULL,
     by TEXT NOT NULL
   )`,
  // Instances of which only critical alerts are told for now.
  `CREATE TABLE IF NOT EXISTS snoozes (
     instance_id TEXT PRIMARY KEY,
     until INTEGER NOT NULL,
     at INTEGER NOT NULL,
     by TEXT NOT NULL
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS snoozes_by_end ON snoozes (until, instance_id)",
];

export function createAlertTables(sql: SqlStorage): void {
  for (const statement of STATEMENTS) sql.exec(statement);
}
