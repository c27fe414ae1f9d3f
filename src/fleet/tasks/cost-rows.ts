import type { FleetState } from "../rules/state.ts";
import type { InstanceCosts } from "../tables/costs.ts";

/** The state, once what is kept of costs goes with it: a former release may have been at work meanwhile. */
export function withCosts(state: FleetState, costs: InstanceCosts): FleetState {
  if (state.costs.isCurrent) return state;
  costs.markOutdated();
  return { ...state, costs: { ...state.costs, isCurrent: true } };
}
