import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import type { DurableObject } from "cloudflare:workers";

/** Former states of objects, which the local platform does not keep. */

export type Snapshot = ReadonlyMap<string, readonly Record<string, SqlStorageValue>[]>;

type Stub = DurableObjectStub<DurableObject & Rpc.DurableObjectBranded>;

/** What an object keeps now. */
export function snapshotOf(stub: Stub): Promise<Snapshot> {
  return runInDurableObject(stub, (_, { storage: { sql } }) => {
    return new Map(tablesOf(sql).map((name) => [name, sql.exec(`SELECT * FROM "${name}"`).toArray()]));
  });
}

/** The object is as it was then, and knows nothing of what happened since. Its alarm is as the platform leaves it: gone. */
export async function setBackTo(stub: Stub, snapshot: Snapshot): Promise<void> {
  await runInDurableObject(stub, async (_, { storage }) => {
    write(storage.sql, snapshot);
    await storage.deleteAlarm();
  });
  await evictDurableObject(stub);
}

/** Gives the object bookmarks, of which there is one: of this snapshot. What it asks for comes with its next start. */
export async function giveBookmark(stub: Stub, snapshot: Snapshot): Promise<string[]> {
  const asked: string[] = [];
  await runInDurableObject(stub, (_, { storage }) => {
    Object.defineProperty(storage, "getBookmarkForTime", {
      value: async (at: number) => `bookmark-of-${new Date(at).toISOString()}`,
    });
    Object.defineProperty(storage, "onNextSessionRestoreBookmark", {
      value: async (bookmark: string) => {
        asked.push(bookmark);
        write(storage.sql, snapshot);
        return "bookmark-of-now";
      },
    });
  });
  return asked;
}

function tablesOf(sql: SqlStorage): string[] {
  return sql
    .exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
    )
    .toArray()
    .map(({ name }) => name);
}

function write(sql: SqlStorage, snapshot: Snapshot): void {
  for (const name of tablesOf(sql)) sql.exec(`DELETE FROM "${name}"`);
  for (const [name, rows] of snapshot) {
    for (const row of rows) {
      const places = Object.keys(row).map(() => "?");
      sql.exec(
        `INSERT OR REPLACE INTO "${name}" (${Object.keys(row).join(", ")}) VALUES (${places.join(", ")})`,
        ...Object.values(row),
      );
    }
  }
}
