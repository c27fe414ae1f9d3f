import { KEPT_DAYS } from "../../lifecycle/model/ledger.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, startOfUtcDay } from "../../lifecycle/model/time.ts";
import { type FleetState, withDue } from "./state.ts";

/**
 * When a fleet closes the days of its instances' costs: in the night after a day, and once more a night later, since a report may come
 * a day late. Then the day is final.
 */

/** By then every instance has told what the day before has cost: it does so in the hour after midnight. */
const CLOSING_FROM_MS = 2 * HOUR_MS;

/** Fleets close over this time, so that the history does not get all of them at once. */
const CLOSING_OVER_MS = 4 * HOUR_MS;

const FIRST_RETRY_MS = 30 * SECOND_MS;
const LONGEST_RETRY_MS = HOUR_MS;

/** A day waits this long for a history, or a fleet, that is away, and is then given up. */
const WAITING_DAYS = 31;

/** The history is asked for so many earlier days at a time. */
export const RECALLED_AT_ONCE_MS = 30 * DAY_MS;

/** The next time to close days. `spread`: of the fleet, from 0 to 1. */
export function closingAfter(now: number, spread: number): number {
  const minutes = Math.floor((spread * CLOSING_OVER_MS) / MINUTE_MS);
  const today = startOfUtcDay(now) + CLOSING_FROM_MS + minutes * MINUTE_MS;
  return today > now ? today : today + DAY_MS;
}

/** Days are to be closed from now on, beginning with the first of which a ledger still tells. */
export function withClosing(state: FleetState, now: number, spread: number): FleetState {
  const closedBefore = Math.max(state.costs.closedBefore, startOfUtcDay(now) - KEPT_DAYS * DAY_MS);
  const closeAt = state.costs.closeAt ?? closingAfter(now, spread);
  return withDue({ ...state, costs: { ...state.costs, closedBefore, closeAt } }, { costsAt: closeAt });
}

/** The first day that is not closed. */
export function openFrom({ costs }: FleetState, now: number): number {
  return Math.max(costs.closedBefore, waitingFrom(now));
}

/** The days that are over and not closed yet, oldest first: several, after the fleet was away. */
export function openDays(state: FleetState, now: number): number[] {
  return daysOver(openFrom(state, now), now);
}

/** The days to close now, those that are closed once more among them. */
export function daysToClose(state: FleetState, now: number): number[] {
  return daysOver(Math.min(openFrom(state, now), finalBefore(now)), now);
}

function daysOver(from: number, now: number): number[] {
  const days = Math.max(0, (startOfUtcDay(now) - from) / DAY_MS);
  return Array.from({ length: days }, (_, index) => from + index * DAY_MS);
}

/** Days before this are final once they are closed: no ledger takes a report of them any more. */
export function finalBefore(now: number): number {
  return startOfUtcDay(now) - (KEPT_DAYS - 1) * DAY_MS;
}

/** Days before this have waited for the history for too long, and are given up. */
export function waitingFrom(now: number): number {
  return startOfUtcDay(now) - WAITING_DAYS * DAY_MS;
}

/** The days that are over are closed. */
export function withClosed(state: FleetState, now: number, spread: number): FleetState {
  const costs = { ...state.costs, closedBefore: startOfUtcDay(now), closeAt: closingAfter(now, spread) };
  return { ...state, costs };
}

/** A history that is away is asked ever less often. */
export function withFailure(state: FleetState, now: number): FleetState {
  const failures = state.costs.failures + 1;
  const delay = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
  return withDue({ ...state, costs: { ...state.costs, failures } }, { costsAt: now + delay });
}

/** The history knows of days that the fleet does not: it was set back, or they were imported. */
export function withRecall(state: FleetState, now: number): FleetState {
  const { closeAt, closedBefore } = state.costs;
  // What the instances have told may be old: they have until the next night to tell it again.
  const missed = closeAt === null ? 0 : Math.max(0, Math.ceil((now + 1 - closeAt) / DAY_MS));
  const costs = {
    ...state.costs,
    closedBefore: Math.max(closedBefore, finalBefore(now)),
    recallBefore: finalBefore(now),
    closeAt: closeAt === null ? null : closeAt + missed * DAY_MS,
  };
  return withDue({ ...state, costs }, { costsAt: now });
}
