/** The actor of an instance. User and instance ids hold no slash, so no two instances share one. */
export function actorOf(env: Pick<Env, "INSTANCES">, userId: string, instanceId: string) {
  return env.INSTANCES.getByName(`${userId}/${instanceId}`);
}

/** The fleet of a user. */
export function fleetOf(env: Pick<Env, "FLEETS">, userId: string) {
  return env.FLEETS.getByName(userId);
}
