import { UNHEARD_MS } from "../providers/machines.ts";
import type { Fleet } from "./fleet.ts";
import type { Listed } from "./report.ts";
import { REGISTERED_WITHIN_MS } from "./tables/admissions.ts";

/** Takes out an instance that its actor does not know, unless it has reported since it was listed so. */
export function removeUnknown(fleet: Fleet, { instanceId, revision }: Listed, now: number): boolean {
  if (revision === null) fleet.admissions.settle(instanceId, now - REGISTERED_WITHIN_MS);
  const isGhost = revision !== null && fleet.registry.find(instanceId)?.revision === revision;
  // A younger claim may be that of a registration under way.
  if (isGhost) fleet.remove(instanceId, revision, now, now - UNHEARD_MS);
  return isGhost;
}
