import { findHistory } from "../../history/find.ts";
import { eventDatabases, historyOf, historyShards } from "../../history/shards.ts";
import { notFound } from "../../http/errors.ts";
import type { WaitingRange } from "../../instance/held.ts";
import { isUnreadable } from "../../instance/outcomes.ts";
import type { Heartbeat } from "../../lifecycle/model/heartbeat.ts";
import { actorOf } from "../../platform/address.ts";
import { viewOrThrow } from "./refusals.ts";

/** Where the history of an instance is. What was kept of one that was removed stays, and can be read, until it expires. */

interface HeartbeatPlace {
  readonly database: D1Database;
  /** Those that may not be in the database yet. */
  readonly waiting: readonly Heartbeat[];
}

/** Throws 404 for an instance of which nothing is known or kept, and 503 where what is stored can't be read. */
export async function heartbeatPlace(
  env: Env,
  userId: string,
  instanceId: string,
  range: WaitingRange,
): Promise<HeartbeatPlace> {
  const history = await actorOf(env, userId, instanceId).history(range);
  if (history === null) return { database: await keptHistory(env, userId, instanceId), waiting: [] };
  const { shard, waiting } = viewOrThrow(history);
  return { database: historyOf(env, shard), waiting };
}

/** The databases that may hold events of the instance. Throws 404 when nothing is known or kept of it. */
export async function eventPlaces(
  env: Env,
  userId: string,
  instanceId: string,
): Promise<readonly D1Database[]> {
  const history = await actorOf(env, userId, instanceId).history();
  if (history === null) await keptHistory(env, userId, instanceId);
  // What was removed, or can't be read, does not say which one it has.
  if (history === null || isUnreadable(history)) return historyShards(env);
  return eventDatabases(env, history.shard);
}

async function keptHistory(env: Env, userId: string, instanceId: string): Promise<D1Database> {
  const database = await findHistory(historyShards(env), userId, instanceId);
  if (database === null) throw notFound();
  return database;
}
