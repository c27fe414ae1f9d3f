import { z } from "zod";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { within } from "../platform/within.ts";
import { historyShards } from "./shards.ts";

/** Whether the databases are as this code needs them. */

/** The newest file of `migrations/`: `test/history/migrations.test.ts` compares. */
export const NEWEST_MIGRATION = "0011_sessions_and_people.sql";

/** A database is out of reach when it has not answered after this long. */
const ANSWER_LIMIT_MS = 3 * SECOND_MS;

export const databaseStandings = [
  "ok",
  // A migration is missing that this code needs.
  "behind",
  "no_answer",
] as const;

export interface DatabaseStanding {
  /** The name of its binding. */
  readonly name: string;
  readonly status: (typeof databaseStandings)[number];
  /** The newest migration that was applied to it; null when none was, or when nobody knows. */
  readonly migration: string | null;
}

/** How each bound database stands. Never throws, and takes no longer than the limit. */
export async function readDatabases(env: Env, limitMs = ANSWER_LIMIT_MS): Promise<DatabaseStanding[]> {
  return Promise.all(
    historyShards(env).map(async (database, shard): Promise<DatabaseStanding> => {
      const name = shard === 0 ? "DB" : `HISTORY_${shard}`;
      try {
        const migration = await within(limitMs, newestMigration(database));
        return { name, status: isBehind(migration) ? "behind" : "ok", migration };
      } catch {
        return { name, status: "no_answer", migration: null };
      }
    }),
  );
}

const migrationRow = z.object({ name: z.string() });

/** Of a database that was never migrated, null: then it has no table of migrations either. */
async function newestMigration(database: D1Database): Promise<string | null> {
  const table = await database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'd1_migrations'").first();
  if (table === null) return null;
  const row = await database.prepare("SELECT name FROM d1_migrations ORDER BY name DESC LIMIT 1").first();
  return row === null ? null : migrationRow.parse(row).name;
}

/** After a rollback a database is ahead of the code, which harms nothing: what a migration adds, older code passes over. */
function isBehind(migration: string | null): boolean {
  return migration === null || numberOf(migration) < numberOf(NEWEST_MIGRATION);
}

function numberOf(migration: string): number {
  return Number.parseInt(migration, 10);
}
