/**
 * The databases that hold heartbeats. One D1 holds 10 GB, which is a week of some eleven thousand instances (`npm run
 * capacity`); a larger fleet is spread over more of them. The first is `DB`; the others are bindings named `HISTORY_1`,
 * `HISTORY_2` and so on without a hole, with the same migrations. An instance's shard is chosen when it is registered and
 * kept with it, so that a shard that is added takes its part of what is registered from then on, and moves nothing.
 */

/** How many databases there are. */
function countShards(env: Env): number {
  let count = 1;
  while (bindingOf(env, count) !== null) count += 1;
  return count;
}

/** Every database that holds heartbeats, in the order of their numbers. */
export function historyShards(env: Env): D1Database[] {
  return Array.from({ length: countShards(env) }, (_, shard) => historyOf(env, shard));
}

/** The database of this number. Throws when its binding is gone: what is for it waits until it is back. */
export function historyOf(env: Env, shard: number): D1Database {
  const database = shard === 0 ? env.DB : bindingOf(env, shard);
  if (database === null) throw new Error(`there is no binding HISTORY_${shard}`);
  return database;
}

/** Where an instance that is registered now keeps its heartbeats: by a hash (FNV-1a), evenly over all there are. */
export function chooseShard(env: Env, userId: string, instanceId: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${userId}/${instanceId}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash % countShards(env);
}

function bindingOf(env: Env, shard: number): D1Database | null {
  const binding: unknown = Reflect.get(env, `HISTORY_${shard}`);
  return isDatabase(binding) ? binding : null;
}

function isDatabase(binding: unknown): binding is D1Database {
  return typeof binding === "object" && binding !== null && "prepare" in binding;
}
