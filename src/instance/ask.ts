import { actorOf, fleetOf } from "../platform/address.ts";
import type { InstanceActor } from "./actor.ts";

/** How many actors are asked at the same time. */
const PARALLEL_CALLS = 50;

/** Asks many actors, a bounded number at a time, and keeps the order. */
export async function askActors<T>(
  env: Env,
  userId: string,
  instanceIds: readonly string[],
  ask: (actor: DurableObjectStub<InstanceActor>) => Promise<T>,
): Promise<T[]> {
  const answers: T[] = [];
  for (let start = 0; start < instanceIds.length; start += PARALLEL_CALLS) {
    const batch = instanceIds.slice(start, start + PARALLEL_CALLS);
    answers.push(...(await Promise.all(batch.map((id) => ask(actorOf(env, userId, id))))));
  }
  return answers;
}

const IDS_PER_PAGE = 1000;

/** Asks every instance of the user. */
export async function askEveryActor<T>(
  env: Env,
  userId: string,
  ask: (actor: DurableObjectStub<InstanceActor>) => Promise<T>,
): Promise<T[]> {
  const answers: T[] = [];
  let after = "";
  for (;;) {
    const ids = await fleetOf(env, userId).instanceIds(after, IDS_PER_PAGE);
    answers.push(...(await askActors(env, userId, ids, ask)));
    const last = ids.at(-1);
    if (last === undefined || ids.length < IDS_PER_PAGE) return answers;
    after = last;
  }
}
