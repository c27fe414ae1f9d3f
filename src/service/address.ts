import { hashText } from "../platform/hash.ts";

/**
 * Where the parts of the service's own actor are: many shards, to which the fleets report, and one coordinator, to which the
 * shards hand over.
 */

/**
 * An object that writes takes 200 to 500 requests a second. 100,000 fleets that report every 15 s are 6,700 reports a
 * second: 209 for each of 32 shards, and 417 for each of 16. To the coordinator the shards are at most 32 requests a
 * second, however many fleets there are. Another number moves users to other shards: the rows that they leave
 * behind count too until they have aged, and their hibernations for good.
 */
export const SHARDS = 32;

/** Also the name of the object that kept all counts before there were shards: its counts go on. */
const COORDINATOR = "service";

/** The shard that a user's fleet reports to. Always a fresh stub: one that was kept over a reset fails for good. */
export function shardOf(env: Pick<Env, "SERVICE">, userId: string) {
  return shardNumbered(env, hashText(userId) % SHARDS);
}

/** For what belongs to no user. */
export function pickShard(): number {
  return Math.floor(Math.random() * SHARDS);
}

export function shardNumbered(env: Pick<Env, "SERVICE">, shard: number) {
  return env.SERVICE.getByName(`shard-${shard}`);
}

export function coordinatorOf(env: Pick<Env, "SERVICE">) {
  return env.SERVICE.getByName(COORDINATOR);
}

export function isCoordinator(env: Pick<Env, "SERVICE">, id: DurableObjectId): boolean {
  return id.equals(env.SERVICE.idFromName(COORDINATOR));
}
