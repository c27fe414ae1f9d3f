/** The tables of previews. Statements are only ever added at the end. */
const STATEMENTS = [
  // Candidate policies, replayed over the past.
  `CREATE TABLE IF NOT EXISTS previews (
     id TEXT PRIMARY KEY,
     created_at INTEGER NOT NULL,
     moved_at INTEGER NOT NULL,        -- when it last came on
     from_at INTEGER NOT NULL,         -- the past that is replayed
     to_at INTEGER NOT NULL,
     state TEXT NOT NULL,
     because TEXT,                     -- why it failed
     request TEXT NOT NULL,            -- JSON: PreviewRequest
     total INTEGER NOT NULL,           -- instances
     done INTEGER NOT NULL,
     skipped INTEGER NOT NULL,
     after TEXT NOT NULL,              -- instances up to here are through
     sum TEXT NOT NULL                 -- JSON: PreviewSum
   ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS preview_lines (
     preview_id TEXT NOT NULL,
     instance_id TEXT NOT NULL,
     skipped TEXT,                     -- why it is in no sum; NULL: it is
     line TEXT,                        -- JSON: KeptLine; NULL: it was skipped
     change REAL,                      -- dollars by which the candidate saves more, or less, than was saved
     PRIMARY KEY (preview_id, instance_id)
   ) WITHOUT ROWID`,
  // What the instances of each tag come to.
  `CREATE TABLE IF NOT EXISTS preview_tags (
     preview_id TEXT NOT NULL,
     tag TEXT NOT NULL,                -- key:value
     frontier TEXT NOT NULL,           -- JSON: Frontier
     PRIMARY KEY (preview_id, tag)
   ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS preview_lines_changed ON preview_lines (preview_id, change DESC, instance_id) WHERE change IS NOT NULL",
  "CREATE INDEX IF NOT EXISTS preview_lines_skipped ON preview_lines (preview_id, instance_id) WHERE skipped IS NOT NULL",
];

export function createPreviewTables(sql: SqlStorage): void {
  for (const statement of STATEMENTS) sql.exec(statement);
}
