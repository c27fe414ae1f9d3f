import type { InstanceActor } from "../instance/actor.ts";

/** User and instance ids hold no slash, so no two instances share an actor. */
export function actorOf(env: Env, userId: string, instanceId: string): DurableObjectStub<InstanceActor> {
  return env.INSTANCES.getByName(`${userId}/${instanceId}`);
}

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
