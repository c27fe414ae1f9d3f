import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { HistoryEventKind } from "../../src/lifecycle/model/history-event.ts";
import { openEnum, storedDetail } from "../../src/lifecycle/model/stored.ts";
import type { KeptReading } from "./checks/heartbeats.ts";

/** What a server has in its state folder, read without the service. */

const readingRow = z.object({ instance_id: z.string(), number: z.number(), at: z.number() });

const eventRow = z
  .object({
    user_id: z.string(),
    instance_id: z.string(),
    id: z.string(),
    at: z.number(),
    kind: openEnum<HistoryEventKind>(),
    severity: z.enum(["info", "warning", "critical"]),
    message: z.string(),
    detail: storedDetail,
  })
  .transform((row) => ({ ...row, ...row.detail }));

export type KeptEvent = z.infer<typeof eventRow>;

export interface History {
  readonly readings: ReadonlyMap<string, readonly KeptReading[]>;
  readonly events: readonly KeptEvent[];
}

export async function readHistory(stateDirectory: string): Promise<History> {
  const [history, ...others] = (await databasesBelow(join(stateDirectory, "d1"))).flatMap((file) =>
    withDatabase(file, (database) => {
      if (!hasTable(database, "heartbeat_chunks")) return [];
      const rows = database
        .prepare("SELECT instance_id, at, cost_accumulated AS number FROM heartbeats ORDER BY at")
        .all()
        .map((row) => readingRow.parse(row));
      const readings = Map.groupBy(rows, ({ instance_id }) => instance_id);
      const events = database
        .prepare(
          "SELECT user_id, instance_id, id, at, kind, severity, message, detail FROM events ORDER BY at",
        )
        .all()
        .map((row) => eventRow.parse(row));
      return [{ readings, events }];
    }),
  );
  if (history === undefined || others.length > 0)
    throw new Error("there must be one database with a history");
  return history;
}

/**
 * What still waits in the objects of instances and fleets, parked effects included. A question to the guard is no delivery: the
 * silent ask it again and again, also at the moment at which the server stops.
 */
export async function readLeftovers(stateDirectory: string): Promise<string[]> {
  return (await databasesBelow(join(stateDirectory, "do"))).flatMap((file) =>
    withDatabase(file, (database) => [
      ...leftIn(database, "deliveries", "SELECT id AS what FROM deliveries"),
      ...leftIn(database, "events", "SELECT kind || ' ' || id AS what FROM events WHERE told = 'pending'"),
      ...leftIn(database, "held", "SELECT pending AS what FROM held"),
      ...leftIn(
        database,
        "instance",
        `SELECT json_extract(instance.json, '$.instanceId') || ' ' || effect.value AS what
         FROM instance, json_each(instance.json, '$.state.outbox') AS effect
         WHERE json_extract(effect.value, '$.effect.type') <> 'guard'`,
      ),
    ]),
  );
}

function leftIn(database: DatabaseSync, table: string, sql: string): string[] {
  if (!hasTable(database, table)) return [];
  // The service keeps events of its own, of which nobody is told.
  if (table === "events" && !hasTable(database, "deliveries")) return [];
  return database
    .prepare(sql)
    .all()
    .map(({ what }) => `${table}: ${String(what).slice(0, 300)}`);
}

function hasTable(database: DatabaseSync, name: string): boolean {
  return database.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(name) !== undefined;
}

async function databasesBelow(directory: string): Promise<string[]> {
  const files = await readdir(directory, { recursive: true });
  return files
    .filter((file) => file.endsWith(".sqlite") && !file.endsWith("metadata.sqlite"))
    .map((file) => join(directory, file));
}

function withDatabase<T>(file: string, read: (database: DatabaseSync) => T): T {
  // The server may still run on it.
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return read(database);
  } finally {
    database.close();
  }
}
