import { costsInAll, dollarsOf, type Ledger } from "../model/ledger.ts";
import { project } from "../model/outbox.ts";
import type { InstanceState, ToldCosts } from "../model/state.ts";
import { HOUR_MS, startOfUtcDay } from "../model/time.ts";
import { ledgerAt, usageOf } from "./costs.ts";

/**
 * The fleet reckons what an instance costs from what it was last told. A steady heartbeat tells it nothing: so it is told anew once
 * a day, after midnight, and whenever it would be too far out.
 */

/** The reckoning may be out by this share. */
const TOLERANCE = 0.05;

/** And by what an agent may round. */
const TOLERATED_DOLLARS = 0.01;

/** Asks for the registry's row to be brought up to date, which also tells the fleet what the instance costs. */
export function tell(state: InstanceState, now: number): InstanceState {
  return { ...project(state), toldCosts: costsToTell(state, now) };
}

/** Whether the fleet must be told now. It is asked once an hour, by the hour of the registration: not all report at once. */
export function mustTellCosts(before: InstanceState, after: InstanceState, now: number): boolean {
  const told = after.toldCosts;
  const hourlyCost = hourlyCostOf(after, ledgerAt(after, now));
  if (told !== undefined && (told.hourlyCost === null) !== (hourlyCost === null)) return true;
  if (!hasHourPassed(before, now)) return false;
  // All days are added up once an hour, and not for each heartbeat.
  return (
    told === undefined || startOfUtcDay(told.at) < startOfUtcDay(now) || isOut(told, costsToTell(after, now))
  );
}

function costsToTell(state: InstanceState, now: number): ToldCosts {
  const ledger = ledgerAt(state, now);
  return { at: now, dollars: dollarsOf(costsInAll(ledger)), hourlyCost: hourlyCostOf(state, ledger) };
}

/** Dollars an hour now; null while that is unknown. */
function hourlyCostOf(state: InstanceState, ledger: Ledger): number | null {
  const usage = usageOf(state, ledger);
  return usage === null ? 0 : usage.hourlyCost;
}

function hasHourPassed({ ledger, profile: { registeredAt } }: InstanceState, now: number): boolean {
  const hour = (moment: number) => Math.floor((moment - registeredAt) / HOUR_MS);
  return ledger === undefined || hour(ledger.until) < hour(now);
}

function isOut(told: ToldCosts, next: ToldCosts): boolean {
  const reckoned = (told.hourlyCost ?? 0) * ((next.at - told.at) / HOUR_MS);
  const grown = next.dollars - told.dollars;
  return Math.abs(grown - reckoned) > TOLERANCE * Math.max(grown, reckoned) + TOLERATED_DOLLARS;
}
