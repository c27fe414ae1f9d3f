import { SECOND_MS } from "../lifecycle/model/time.ts";
import { within } from "../platform/within.ts";
import { coordinatorOf, shardOf } from "./address.ts";
import type { ServiceTotals } from "./coordinator.ts";
import type { Cleanup, ServiceEvent } from "./event.ts";
import type { FleetTotals, TotalsAnswer } from "./totals.ts";

/** What the rest of the service asks of its own actor. */

/** More than a shard takes to find that its coordinator doesn't answer. */
const REPORT_LIMIT_MS = 5 * SECOND_MS;

/** More than a coordinator takes to find that D1 doesn't answer. */
const COORDINATOR_LIMIT_MS = 15 * SECOND_MS;

/**
 * Reports a fleet's totals, and brings back how the service-wide guard stands, at most a minute old. Throws within 5 s when
 * the service can't be reached: for whoever then asks for a step the guard counts as closed. A fleet reports what changes, and once a day at
 * the least: one that is silent for two days counts on neither side of the guard.
 */
export async function reportTotals(env: Pick<Env, "SERVICE">, totals: FleetTotals): Promise<TotalsAnswer> {
  return within(REPORT_LIMIT_MS, shardOf(env, totals.userId).report(totals));
}

/** What the operator sees. Throws within 15 s when the service can't be reached. */
export async function readService(env: Pick<Env, "SERVICE">): Promise<ServiceTotals> {
  return within(COORDINATOR_LIMIT_MS, coordinatorOf(env).read());
}

/** Keeps an event for the operator. Safe to repeat: an event of the same id and moment is kept once. */
export async function noteServiceEvent(env: Pick<Env, "SERVICE">, event: ServiceEvent): Promise<void> {
  await within(COORDINATOR_LIMIT_MS, coordinatorOf(env).noteEvent(event));
}

/** Keeps what a cleanup did. Safe to repeat: an event of the same id is kept once. */
export async function noteCleanup(
  env: Pick<Env, "SERVICE">,
  report: Cleanup,
  event: ServiceEvent,
): Promise<void> {
  await within(COORDINATOR_LIMIT_MS, coordinatorOf(env).noteCleanup(report, event));
}
