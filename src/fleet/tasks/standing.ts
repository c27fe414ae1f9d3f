import { type Account, findAccount } from "../../accounts/standing.ts";
import { SECOND_MS } from "../../lifecycle/model/time.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import { NOTHING_TO_TELL } from "../rules/digest-window.ts";
import { BRINGING_RESUMES_MS, type FleetState, withDue, withTotalsDue } from "../rules/state.ts";

/**
 * Whether a user is suspended, or on the way out. It stands in D1, where each request finds it. A fleet only knows how it was when
 * it was last told, so one that was set back compares.
 */

/** D1 is out of reach when it has not answered after this long. */
const D1_LIMIT_MS = 10 * SECOND_MS;

/** The operator may act meanwhile, and hardly more often. */
const TRIES = 5;

/** Should asking be cut off, the alarm asks again after this long. */
const ASK_AGAIN_MS = 30 * SECOND_MS;

/**
 * From now on the fleet does not know how its user stands, until D1 has said. Saved before D1 is asked, so that no failure leaves it
 * with an answer that was not held against D1.
 */
export function askStanding(fleet: Fleet, now: number): void {
  fleet.setDue({ standingAt: fleet.state.due.standingAt ?? now + ASK_AGAIN_MS });
}

/**
 * Brings the fleet to how its user stands in D1, and says whether it knew otherwise. An answer on whose way here something has changed
 * may be older than that, and is dropped. After each change D1 is asked again. Throws when D1 does not answer; then it stays due.
 */
export async function takeStanding(env: Pick<Env, "DB">, userId: string, fleet: Fleet): Promise<boolean> {
  let isChanged = false;
  for (let turn = 0; turn < TRIES; turn++) {
    askStanding(fleet, Date.now());
    const asked = fleet.state;
    const account = await within(D1_LIMIT_MS, findAccount(env.DB, userId));
    if (!isSameStanding(asked, fleet.state)) continue;
    if (account === null || !bringTo(account, fleet, Date.now())) {
      fleet.setDue({ standingAt: null });
      return isChanged;
    }
    isChanged = true;
  }
  throw new Error("how the user stands changes again and again");
}

/** Each suspension and each end of one grows the version. */
function isSameStanding(one: FleetState, other: FleetState): boolean {
  return one.policy.version === other.policy.version && one.leavingSince === other.leavingSince;
}

/** Whether that changed anything. */
function bringTo({ suspendedAt, deletion }: Account, fleet: Fleet, now: number): boolean {
  const before = fleet.state;
  if (deletion === null) setSuspended(fleet, suspendedAt !== null, now);
  else if (before.leavingSince === null || before.policy.suspended !== true) leave(fleet, now);
  return fleet.state !== before;
}

/** All instances hear of it as of a new policy. Who leaves stays suspended. */
export function setSuspended(fleet: Fleet, suspended: boolean, now: number): void {
  fleet.update((state) => {
    const isRefused = state.leavingSince !== null && !suspended;
    if (isRefused || (state.policy.suspended ?? false) === suspended) return state;
    fleet.retries.clear();
    const policy = { ...state.policy, suspended, version: state.policy.version + 1 };
    const bringing = { at: now + BRINGING_RESUMES_MS, after: "" };
    return withTotalsDue(withDue({ ...state, policy }, { policy: bringing }), now);
  });
  fleet.scheduleListings(now);
}

/** The user is being deleted. Nothing waits any more: nobody is told of anything, and no instance is called but to be erased. */
export function leave(fleet: Fleet, now: number): void {
  setSuspended(fleet, true, now);
  fleet.update((state) => withoutDuties(state, now));
}

function withoutDuties(state: FleetState, now: number): FleetState {
  const left = { ...state, leavingSince: state.leavingSince ?? now, digest: NOTHING_TO_TELL };
  return withDue(left, {
    deliveriesAt: null,
    historyAt: null,
    policy: null,
    pruneAt: null,
    inventoryAt: null,
    reportAt: null,
    hibernationsAt: null,
    budgetAt: null,
    awaiting: null,
  });
}
