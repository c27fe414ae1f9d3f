/** The actor of an instance. User and instance ids hold no slash, so no two instances share one. */
export function actorOf(env: Pick<Env, "INSTANCES">, userId: string, instanceId: string) {
  return env.INSTANCES.getByName(`${userId}/${instanceId}`);
}
