import { HOUR_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { reportTotals } from "../service/service.ts";
import type { FleetTotals } from "../service/totals.ts";
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

/** Tells the service of the totals, and notes its word on the outage guard. Throws when it is out of reach. */
export async function tellTotals(env: Env, userId: string, fleet: Fleet): Promise<void> {
  const told = totalsOf(userId, fleet.state, Date.now());
  const guard = await reportTotals(env, told);
  fleet.update((state) => {
    const now = Date.now();
    const service = { guard: { closedAt: guard.closedAt, openedAt: guard.openedAt }, heardAt: now };
    // What changed while the service answered is told as soon as may be: a moment that has passed would have the alarm fire
    // again and again.
    const hasNews = JSON.stringify(totalsOf(userId, state, told.at)) !== JSON.stringify(told);
    const restAt = isEmpty(state) ? null : now + TOTALS_AT_LEAST_EVERY_MS;
    return withDue({ ...state, service }, { totalsAt: hasNews ? now + TOTALS_EVERY_MS : restAt });
  });
}

function isEmpty({ instancesByStatus }: FleetState): boolean {
  return Object.keys(instancesByStatus).length === 0;
}

function totalsOf(userId: string, state: FleetState, at: number): FleetTotals {
  const { vote } = state;
  return {
    userId,
    at,
    instancesByStatus: state.instancesByStatus,
    isGuardClosed: state.guard.closedAt !== null,
    hibernations: Object.entries(state.hibernations).map(([reason, count]) => ({ reason, ...count })),
    awake: state.awake,
    vote: vote.closedAt === null ? null : { closedAt: vote.closedAt, seenAt: vote.seenAt },
  };
}
