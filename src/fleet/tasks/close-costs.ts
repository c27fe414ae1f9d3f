import { COST_DAYS_KEPT_MS, type CostDay, keepCostDays, readCostDays } from "../../history/costs.ts";
import { chooseShard, historyOf } from "../../history/shards.ts";
import { DAY_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { hashText } from "../../platform/hash.ts";
import { logError, logInfo, logWarning } from "../../platform/log.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import {
  closingAfter,
  daysToClose,
  finalBefore,
  RECALLED_AT_ONCE_MS,
  waitingFrom,
  withClosed,
  withFailure,
} from "../rules/cost-days.ts";
import { countInstances, withDue } from "../rules/state.ts";

/**
 * Closes the days of costs that are over, and brings them to the history. Closing is one transaction of the fleet's own; the history
 * hears of it page by page, as often as it takes. A repeat replaces: so a task may be cut off anywhere, and begin again.
 */

const ROWS_PER_PAGE = 500;
const PAGES_AT_ONCE = 20;
const CALL_LIMIT_MS = 10 * SECOND_MS;

/** Sees to it that days are closed, from the first instance on. */
export function scheduleClosing(userId: string, fleet: Fleet, now: number): void {
  const { due, leavingSince } = fleet.state;
  if (due.costsAt !== null || leavingSince !== null || countInstances(fleet.state) === 0) return;
  fleet.update((state) => {
    const closeAt = state.costs.closeAt ?? closingAfter(now, spreadOf(userId));
    return withDue({ ...state, costs: { ...state.costs, closeAt } }, { costsAt: closeAt });
  });
}

/** Where in the hours in which fleets close their days this one does, from 0 to 1. */
export function spreadOf(userId: string): number {
  return hashText(userId) / 2 ** 32;
}

export async function closeCosts(env: Env, userId: string, fleet: Fleet): Promise<void> {
  const { closeAt } = fleet.state.costs;
  if (closeAt !== null && closeAt <= Date.now()) closeDays(userId, fleet, Date.now());
  try {
    const isMore = (await bringToHistory(env, userId, fleet)) || (await recallTotals(env, userId, fleet));
    noteDone(userId, fleet, isMore, Date.now());
  } catch (error) {
    const { failures } = fleet.state.costs;
    if (failures === 0)
      logWarning("days of costs wait for the history, which is asked again", { user_id: userId }, error);
    fleet.update((state) => withFailure(state, Date.now()));
  }
}

/** In one transaction, so that the days of the instances and the total never differ. */
function closeDays(userId: string, fleet: Fleet, now: number): void {
  const lost = fleet.change((state) => {
    for (const day of daysToClose(state, now)) fleet.costs.at.close(day, now);
    fleet.costs.forget(finalBefore(now));
    fleet.costs.closed.forgetTotals(now - COST_DAYS_KEPT_MS);
    const lost = fleet.costs.closed.forget(waitingFrom(now));
    return { state: withClosed(state, now, spreadOf(userId)), result: lost };
  });
  if (lost > 0)
    logError("days of costs were given up: the history was away for too long", { user_id: userId, lost });
}

/** Whether there is more to bring. */
async function bringToHistory(env: Env, userId: string, fleet: Fleet): Promise<boolean> {
  for (let page = 0; page < PAGES_AT_ONCE; page++) {
    const days = fleet.costs.closed.unkept(ROWS_PER_PAGE);
    // The rows of a user who is leaving are on their way out.
    if (days.length === 0 || fleet.state.leavingSince !== null) return false;
    await keep(env, userId, fleet, days);
  }
  return fleet.costs.closed.unkeptFrom() !== null;
}

async function keep(env: Env, userId: string, fleet: Fleet, days: readonly CostDay[]): Promise<void> {
  await within(CALL_LIMIT_MS, keepCostDays(historyOf(env, shardOf(env, userId, fleet)), userId, days));
  fleet.update((state) => {
    fleet.costs.closed.noteKept(days);
    return state;
  });
}

/** All days of a user stand in one database of the history, whichever come to be later. */
export function shardOf(env: Env, userId: string, fleet: Fleet): number {
  const { shard } = fleet.state.costs;
  if (shard !== null) return shard;
  const chosen = chooseShard(env, userId, "");
  fleet.update((state) => ({ ...state, costs: { ...state.costs, shard: chosen } }));
  return chosen;
}

/** Asks the history for the totals of days that it knows better. Whether there is more to ask. */
async function recallTotals(env: Env, userId: string, fleet: Fleet): Promise<boolean> {
  const before = fleet.state.costs.recallBefore;
  if (before === null || fleet.state.leavingSince !== null) return false;
  const from = before - RECALLED_AT_ONCE_MS;
  const days = { from, before };
  const page = { after: null, limit: RECALLED_AT_ONCE_MS / DAY_MS + 1 };
  const database = historyOf(env, shardOf(env, userId, fleet));
  const { rows } = await within(CALL_LIMIT_MS, readCostDays(database, userId, days, { by: "day" }, page));
  return fleet.change((state) => {
    fleet.costs.closed.takeTotals(rows.map(({ key, costs }) => ({ day: Number(key), costs })));
    const isMore = from > Date.now() - COST_DAYS_KEPT_MS;
    const costs = { ...state.costs, recallBefore: isMore ? from : null };
    return { state: { ...state, costs }, result: isMore };
  });
}

function noteDone(userId: string, fleet: Fleet, isMore: boolean, now: number): void {
  if (fleet.state.costs.failures > 0) logInfo("days of costs came to the history again", { user_id: userId });
  fleet.update((state) => {
    const unkeptFrom = fleet.costs.closed.unkeptFrom() ?? Number.POSITIVE_INFINITY;
    if (!isMore) fleet.costs.closed.forget(Math.min(unkeptFrom, finalBefore(now)));
    const isOver =
      state.leavingSince !== null ||
      (countInstances(state) === 0 && fleet.costs.isEmpty && fleet.costs.closed.isEmpty);
    const closeAt = isOver ? null : (state.costs.closeAt ?? closingAfter(now, spreadOf(userId)));
    const next = { ...state, costs: { ...state.costs, closeAt, failures: 0 } };
    return withDue(next, { costsAt: isMore ? now + SECOND_MS : closeAt });
  });
}
