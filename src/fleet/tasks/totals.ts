import { HOUR_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import type { Guard } from "../../lifecycle/rules/outage-guard.ts";
import { logWarning } from "../../platform/log.ts";
import { readSettings } from "../../platform/settings.ts";
import { reportTotals as sendTotals } from "../../service/service.ts";
import { type FleetTotals, TRIES_IN_ORDER } from "../../service/totals.ts";
import type { Fleet } from "../fleet.ts";
import { goOnFromFormer } from "../rules/set-back.ts";
import { type FleetState, isSuspended, TOTALS_EVERY_MS, withDue } from "../rules/state.ts";

/** What a fleet reports to the service of itself, and how the service's guard stands, which comes back. */

/** A fleet that has not reported to the service for two days counts no more in its outage guard. */
const TOTALS_AT_LEAST_EVERY_MS = 20 * HOUR_MS;

/** What the service said of its guard is good for this long. */
const SERVICE_GUARD_FRESH_MS = 15 * SECOND_MS;

/** Whether the service has just said how its guard stands. */
export function isServiceGuardFresh({ service }: FleetState): boolean {
  return service !== null && Math.abs(Date.now() - service.answeredAt) < SERVICE_GUARD_FRESH_MS;
}

/** A call that failed is made again after this long: the service's word is missing only as long as it can't be had. */
const RETRY_MS = 30 * SECOND_MS;

/**
 * Reports the totals to the service, and notes how its guard stands. Throws when it is out of reach, or does not take them:
 * what it says then is not said in view of them.
 */
export async function reportTotals(env: Env, userId: string, fleet: Fleet): Promise<void> {
  try {
    await callService(env, userId, fleet);
  } catch (error) {
    fleet.update((state) => noteFailed(state, Date.now()));
    throw error;
  }
}

async function callService(env: Env, userId: string, fleet: Fleet): Promise<void> {
  let newest = 0;
  for (let turn = 0; turn < TRIES_IN_ORDER; turn++) {
    // Saved before it is sent: no later report may have the same number.
    fleet.update((state) => ({ ...state, totalsNumber: Math.max(state.totalsNumber, newest) + 1 }));
    const totals = totalsOf(userId, fleet.state, fleet.state.totalsNumber);
    const answer = await sendTotals(env, totals);
    if (answer.isTaken) return noteTaken(userId, fleet, totals, answer.guard);
    newest = answer.newest;
    // Each number is saved before it is sent: the fleet's storage was set back.
    if (newest > fleet.state.totalsNumber) goOn(env, userId, fleet);
  }
  throw new Error("the service did not take the totals");
}

function goOn(env: Env, userId: string, fleet: Fleet): void {
  const ids = { user_id: userId };
  logWarning("the fleet was set back to a former state, and asks all of its instances how they are", ids);
  fleet.update((state) => goOnFromFormer(state, readSettings(env).SIMULATION_SPEED, Date.now()));
}

function noteFailed(state: FleetState, now: number): FleetState {
  const totalsAt = Math.min(state.due.totalsAt ?? Number.POSITIVE_INFINITY, now + RETRY_MS);
  return withDue({ ...state, serviceSilentFrom: state.serviceSilentFrom ?? now }, { totalsAt });
}

function noteTaken(userId: string, fleet: Fleet, taken: FleetTotals, guard: Guard): void {
  fleet.update((state) => {
    const now = Date.now();
    const service = { guard: { closedAt: guard.closedAt, openedAt: guard.openedAt }, answeredAt: now };
    // What changed while the service answered is reported as soon as may be: a moment that has passed would have the alarm fire
    // again and again.
    const hasNews = JSON.stringify(totalsOf(userId, state, taken.number)) !== JSON.stringify(taken);
    const restAt = isEmpty(state) ? null : now + TOTALS_AT_LEAST_EVERY_MS;
    return withDue(
      { ...state, service, serviceSilentFrom: null },
      { totalsAt: hasNews ? now + TOTALS_EVERY_MS : restAt },
    );
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
    // Whoever is suspended is not heard, and counts on neither side.
    awake: isSuspended(state) ? 0 : state.awake,
    vote:
      vote.closedAt === null || isSuspended(state) ? null : { closedAt: vote.closedAt, seenAt: vote.seenAt },
  };
}
