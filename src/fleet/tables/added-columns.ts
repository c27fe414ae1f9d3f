/** Columns that tables got after they were made. The release before writes rows without them, and leaves them as they are. */

export function addColumns(sql: SqlStorage): void {
  // What the line of an instance says in words, for any reader: JSON of `LineWords`.
  if (!hasWords(sql)) sql.exec("ALTER TABLE instances ADD COLUMN words TEXT");
}

function hasWords(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM pragma_table_info('instances') WHERE name = 'words'").toArray().length > 0;
}
