import { z } from "zod";
import { historyShards } from "./shards.ts";

/** Whose history a database keeps, whether the instance exists or not. One seek each, never a scan. */

const TABLES = ["events", "heartbeat_chunks"] as const;

const NAMES = { events: "events", heartbeat_chunks: "heartbeat_chunks" } as const;

/** Where a walk over all databases has come to. */
export interface HistoryWalk {
  readonly shard: number;
  readonly table: (typeof TABLES)[number];
  readonly after: string;
}

export const historyWalkSchema = z.object({
  shard: z.int().min(0),
  table: z.enum(TABLES),
  after: z.string().max(200),
});

export const FIRST_WALK: HistoryWalk = { shard: 0, table: "events", after: "" };

/** The next instances of this user in the history, and where to go on; null at the end. An instance may come up again. */
export async function instancesInHistory(
  env: Env,
  userId: string,
  { shard, table, after }: HistoryWalk,
  limit: number,
): Promise<{ readonly ids: readonly string[]; readonly next: HistoryWalk | null }> {
  const shards = historyShards(env);
  const database = shards[shard];
  if (database === undefined) return { ids: [], next: null };
  const { results } = await database
    .prepare(
      `WITH RECURSIVE place (instance_id, n) AS (
         SELECT (SELECT instance_id FROM ${NAMES[table]} WHERE user_id = ?1 AND instance_id > ?2 ORDER BY instance_id LIMIT 1), 1
         UNION ALL
         SELECT (SELECT instance_id FROM ${NAMES[table]} WHERE user_id = ?1 AND instance_id > place.instance_id
                 ORDER BY instance_id LIMIT 1), n + 1
         FROM place WHERE n < ?3 AND instance_id IS NOT NULL)
       SELECT instance_id FROM place WHERE instance_id IS NOT NULL`,
    )
    .bind(userId, after, limit)
    .all<{ instance_id: string }>();
  const ids = results.map(({ instance_id }) => instance_id);
  const last = ids.at(-1);
  if (last !== undefined && ids.length === limit) return { ids, next: { shard, table, after: last } };
  if (table === "events") return { ids, next: { shard, table: "heartbeat_chunks", after: "" } };
  return { ids, next: shard + 1 < shards.length ? { shard: shard + 1, table: "events", after: "" } : null };
}
