import type { Listed, Presence } from "../fleet/report.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { actorOf, fleetOf } from "../platform/address.ts";
import { logWarning } from "../platform/log.ts";
import { within } from "../platform/within.ts";

/** A fleet or an instance that has not answered after this long is out of reach. What was asked of it may still happen. */
const VISIT_LIMIT_MS = 10 * SECOND_MS;

/** The next instances of a fleet for the daily look. Throws when the fleet is out of reach. */
export async function nextToVisit(
  env: Env,
  userId: string,
  after: string,
  limit: number,
): Promise<readonly Listed[]> {
  return within(VISIT_LIMIT_MS, fleetOf(env, userId).instancesToVisit(after, limit));
}

/** Gives each of them its daily look. Those that their actors do not know are taken out. Returns how many were out of reach. */
export async function visitAll(env: Env, userId: string, listed: readonly Listed[]): Promise<number> {
  const visits = await Promise.allSettled(
    listed.map(
      ({ instanceId }): Promise<Presence> =>
        within(VISIT_LIMIT_MS, actorOf(env, userId, instanceId).cleanUp()),
    ),
  );
  const ghosts = listed.filter((_, index) => isUnknown(visits[index]));
  if (ghosts.length > 0) {
    await within(VISIT_LIMIT_MS, fleetOf(env, userId).removeUnknown(ghosts)).catch((error) =>
      logWarning("instances that nobody knows stay until the next cleanup", { user_id: userId }, error),
    );
  }
  return visits.filter(({ status }) => status === "rejected").length;
}

function isUnknown(visit: PromiseSettledResult<Presence> | undefined): boolean {
  return visit?.status === "fulfilled" && visit.value === "unknown";
}
