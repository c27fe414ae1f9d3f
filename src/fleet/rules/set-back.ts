import { DAY_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { doubted } from "./addressee.ts";
import { doubtBudget, hasLimit } from "./budget.ts";
import { withRecall } from "./cost-days.ts";
import { type OutageRules, outageRules } from "./outage-guard.ts";
import { awaitReports } from "./settling.ts";
import { type FleetState, withDue } from "./state.ts";

/**
 * A fleet whose storage was set back to a former moment. It goes on with numbers above all that it may have given out since,
 * and asks every instance how it is: until all have answered, no step is taken for silence. How its user stands it asks D1.
 */
export function goOnFromFormer(state: FleetState, speed: number, now: number): FleetState {
  // No fleet has told one digest a second, or set one policy a second, since 1970.
  const beyond = Math.floor(now / SECOND_MS);
  const above: FleetState = {
    ...state,
    digests: Math.max(state.digests, beyond),
    // Open pages go on from the revision that they know.
    revision: Math.max(state.revision, now),
    policy: { ...state.policy, version: Math.max(state.policy.version + 1, beyond) },
    policySetAt: now,
    addressee: doubted(state.addressee),
  };
  const asking = withDue(withRecall(withBudgetDoubted(above, now), now), { standingAt: now });
  return askAll(asking, outageRules(above.policy.overrides, now, speed), now);
}

/** What it knows of the money is of then. */
export function withBudgetDoubted(state: FleetState, now: number): FleetState {
  const budget = doubtBudget(state.budget, now);
  const budgetAt = hasLimit(budget) ? budget.doubtedUntil : null;
  return withDue({ ...state, budget }, { budgetAt });
}

/** Each instance is asked to report, as by a new policy. Whoever fell silent meanwhile has yet to report it. */
export function askAll(state: FleetState, rules: OutageRules, now: number): FleetState {
  if (Object.keys(state.instancesByStatus).length === 0) return state;
  const due = { policy: { at: now, after: "" }, totalsAt: now, pruneAt: now + DAY_MS };
  return withDue(awaitReports({ ...state, reachableSince: now }, rules, now), due);
}
