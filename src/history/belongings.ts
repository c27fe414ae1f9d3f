/**
 * All that a user has in the databases: every table with a column `user_id`, by its key. `test/history/belongings.test.ts`
 * holds the list against the migrations. Beside it a user has a row of `users`, and objects: the fleet by the user's id, and
 * the instances that `Everyone` of the fleet lists.
 */
interface UserTable {
  readonly name: string;
  readonly key: readonly string[];
  /** Whether it is in every database of the history, or in the first one alone. */
  readonly isSharded: boolean;
}

export const USER_TABLES: readonly UserTable[] = [
  {
    name: "heartbeat_chunks",
    key: ["user_id", "instance_id", "first_at", "first_sequence"],
    isSharded: true,
  },
  { name: "heartbeat_hours", key: ["user_id", "instance_id", "hour"], isSharded: true },
  { name: "events", key: ["user_id", "at", "instance_id", "id"], isSharded: true },
  { name: "cost_days", key: ["user_id", "day", "instance_id"], isSharded: true },
  { name: "user_tokens", key: ["id"], isSharded: false },
  { name: "sessions", key: ["digest"], isSharded: false },
  { name: "sign_in_links", key: ["digest"], isSharded: false },
  { name: "identities", key: ["issuer", "subject", "user_id"], isSharded: false },
  { name: "people", key: ["id"], isSharded: false },
  { name: "audit", key: ["user_id", "at", "id"], isSharded: false },
  { name: "enrollments", key: ["id"], isSharded: false },
  { name: "enrolled_machines", key: ["enrollment_id", "machine"], isSharded: false },
  // What was there before there were fleets.
  { name: "instances", key: ["user_id", "instance_id"], isSharded: false },
  { name: "machines", key: ["user_id", "provider", "ref"], isSharded: false },
  { name: "channels", key: ["user_id", "id"], isSharded: false },
  { name: "providers", key: ["user_id", "kind"], isSharded: false },
  { name: "guards", key: ["user_id"], isSharded: false },
  { name: "outage_votes", key: ["user_id"], isSharded: false },
  { name: "hibernation_counts", key: ["user_id", "reason"], isSharded: false },
  { name: "fleets", key: ["user_id"], isSharded: false },
];

/** What stays of a user who was deleted: that it was so. */
export const KEPT_TABLES: readonly string[] = ["user_deletions"];

/** Deletes at most `limit` of the user's rows in a table. Returns how many there were. */
export async function deleteRows(
  db: D1Database,
  table: UserTable,
  userId: string,
  limit: number,
): Promise<number> {
  const { meta } = await db.prepare(deletionFrom(table)).bind(userId, limit).run();
  return meta.changes;
}

export function deletionFrom({ name, key }: UserTable): string {
  const columns = key.join(", ");
  return `DELETE FROM ${name} WHERE (${columns}) IN (SELECT ${columns} FROM ${name} WHERE user_id = ? LIMIT ?)`;
}
