/** The tables of a fleet that say who is told of what. Statements are only ever added at the end. */
const STATEMENTS = [
  // Channels that are told of nothing for now.
  `CREATE TABLE IF NOT EXISTS paused_channels (
     channel_id TEXT PRIMARY KEY,
     at INTEGER NOT NULL,
     because TEXT NOT NULL             -- asked, or gone
   ) WITHOUT ROWID`,
];

export function createAlertTables(sql: SqlStorage): void {
  for (const statement of STATEMENTS) sql.exec(statement);
}
