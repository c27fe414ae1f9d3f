import { HOUR_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import type { Guard } from "../lifecycle/rules/outage-guard.ts";
import { reportTotals } from "../service/service.ts";
import { type FleetTotals, TRIES_IN_ORDER } from "../service/totals.ts";
import { type Fleet, TOTALS_EVERY_MS } from "./fleet.ts";
import { type FleetState, withDue } from "./state.ts";

/** What a fleet tells the service of itself, and the service's word on its guard that comes back. */

/** A fleet that the service has not heard of for two days counts no more in its outage guard. */
const TOTALS_AT_LEAST_EVERY_MS = 20 * HOUR_MS;

/** The service's word on its guard is good for this long. */
const SERVICE_WORD_MS = 15 * SECOND_MS;

/** Whether the service was heard of a moment ago. */
export function isServiceHeard({ service }: FleetState): boolean {
  return service !== null && Math.abs(Date.now() - service.heardAt) < SERVICE_WORD_MS;
}

/**
 * Tells the service of the totals, and notes its word on the outage guard. Throws when it is out of reach, or does not take
 * them: what it says then is not said in view of them.
 */
export async function tellTotals(env: Env, userId: string, fleet: Fleet): Promise<void> {
  let newest = 0;
  for (let turn = 0; turn < TRIES_IN_ORDER; turn++) {
    // Saved before it is told: no later report may have the same number.
    fleet.update((state) => ({ ...state, totalsTold: Math.max(state.totalsTold, newest) + 1 }));
    const told = totalsOf(userId, fleet.state, fleet.state.totalsTold);
    const heard = await reportTotals(env, told);
    if (heard.isTaken) return noteTold(userId, fleet, told, heard.guard);
    newest = heard.newest;
  }
  throw new Error("the service did not take the totals");
}

function noteTold(userId: string, fleet: Fleet, told: FleetTotals, guard: Guard): void {
  fleet.update((state) => {
    const now = Date.now();
    const service = { guard: { closedAt: guard.closedAt, openedAt: guard.openedAt }, heardAt: now };
    // What changed while the service answered is told as soon as may be: a moment that has passed would have the alarm fire
    // again and again.
    const hasNews = JSON.stringify(totalsOf(userId, state, told.number)) !== JSON.stringify(told);
    const restAt = isEmpty(state) ? null : now + TOTALS_AT_LEAST_EVERY_MS;
    return withDue({ ...state, service }, { totalsAt: hasNews ? now + TOTALS_EVERY_MS : restAt });
  });
}

function isEmpty({ instancesByStatus }: FleetState): boolean {
  return Object.keys(instancesByStatus).length === 0;
}

function totalsOf(userId: string, state: FleetState, number: number): FleetTotals {
  const { vote } = state;
  return {
    userId,
    number,
    instancesByStatus: state.instancesByStatus,
    isGuardClosed: state.guard.closedAt !== null,
    hibernations: Object.entries(state.hibernations).map(([reason, count]) => ({ reason, ...count })),
    awake: state.awake,
    vote: vote.closedAt === null ? null : { closedAt: vote.closedAt, seenAt: vote.seenAt },
  };
}
