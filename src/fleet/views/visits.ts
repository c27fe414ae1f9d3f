import type { Fleet } from "../fleet.ts";
import type { Listed } from "../report.ts";

/** Instances after `after`, in the order of their ids, for the daily look: those listed, and those that should be by now. */
export function visitsAfter(
  { registry, admissions }: Pick<Fleet, "registry" | "admissions">,
  after: string,
  limit: number,
  now: number,
): Listed[] {
  return [...registry.toVisitAfter(after, limit, now), ...admissions.unreportedAfter(after, limit, now)]
    .sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1))
    .slice(0, limit);
}
