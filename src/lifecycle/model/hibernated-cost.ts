import type { Costs } from "./counters.ts";
import type { InstanceState } from "./state.ts";

/** What a hibernated machine still costs. */

/** Dollars an hour, and by whose word; null where nobody has said it: what is unknown is not zero. */
export interface HibernatedCost {
  readonly hourly: number | null;
  readonly source: "registered" | "provider" | "unknown";
}

/** Its owner's word counts before the provider's, which knows of no discounts. */
export function hibernatedCost({ profile, stoppedHourlyCost }: InstanceState): HibernatedCost {
  const registered = registeredCost(profile.hibernatedHourlyCost);
  if (registered.hourly !== null) return registered;
  return stoppedHourlyCost === undefined
    ? { hourly: null, source: "unknown" }
    : { hourly: stoppedHourlyCost, source: "provider" };
}

/** What is known of it by its owner's word alone. */
export function registeredCost(hourly: number | null): HibernatedCost {
  return { hourly, source: hourly === null ? "unknown" : "registered" };
}

/** What an hour costs by its owner's word, else by its provider's. */
export function costsOf(state: InstanceState): Costs {
  const hourlyCost = state.profile.hourlyCost ?? state.listedHourlyCost ?? null;
  return { hourlyCost, hibernatedHourlyCost: hibernatedCost(state).hourly };
}
