import { hashText } from "../platform/hash.ts";

/**
 * The databases of the history. One D1 database holds 10 GB: about 2,900 instances with their heartbeats of a week and 400 days of
 * hours, events and costs, or 1,200 with their heartbeats of 30 days (`npm run capacity`). A larger fleet is spread over several. The
 * first is `DB`; the others are bindings named
 * `HISTORY_1`, `HISTORY_2` and so on without a gap, with the same migrations. An instance's shard is chosen when it is
 * registered, and stored with it. So a new shard takes its share of new instances, and nothing is moved.
 */

/** How many databases there are. */
function countShards(env: Env): number {
  let count = 1;
  while (bindingOf(env, count) !== null) count += 1;
  return count;
}

/** All databases of the history, by number. */
export function historyShards(env: Env): D1Database[] {
  return Array.from({ length: countShards(env) }, (_, shard) => historyOf(env, shard));
}

/** The database with this number. Throws when its binding is missing: what should go there waits until it is back. */
export function historyOf(env: Env, shard: number): D1Database {
  const database = shard === 0 ? env.DB : bindingOf(env, shard);
  if (database === null) throw new Error(`there is no binding HISTORY_${shard}`);
  return database;
}

/** The databases that may hold events of an instance of this shard: former versions kept all events in the first one. */
export function eventDatabases(env: Env, shard: number): readonly D1Database[] {
  return [...new Set([0, shard])].map((each) => historyOf(env, each));
}

/** The shard for a new instance, by a hash (FNV-1a) that spreads instances evenly over all shards. */
export function chooseShard(env: Env, userId: string, instanceId: string): number {
  return hashText(`${userId}/${instanceId}`) % countShards(env);
}

function bindingOf(env: Env, shard: number): D1Database | null {
  const binding: unknown = Reflect.get(env, `HISTORY_${shard}`);
  return isDatabase(binding) ? binding : null;
}

function isDatabase(binding: unknown): binding is D1Database {
  return typeof binding === "object" && binding !== null && "prepare" in binding;
}
