import { roundDollars } from "../model/dollars.ts";
import { type CostTotals, costsInAll, costsOfDay, dollarsOf, type Ledger } from "../model/ledger.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { startOfUtcDay } from "../model/time.ts";
import { awakeRate, ledgerAt, type Rate, rateOf, usageOf } from "../rules/costs.ts";

/** What an instance costs. The field names are those of the HTTP API; all amounts are dollars. */
export interface CostsView {
  /** Since 00:00 UTC. */
  readonly cost_today: number;
  /** `reported` by the machine, `computed` by its price, `mixed`; `unknown`: it has no known price, and reports nothing. */
  readonly cost_source: CostSource;
  /** Dollars an hour now; null while it is unknown. */
  readonly rate: number | null;
  readonly rate_source: Rate["source"];
  readonly wasted_today: number;
}

export const COST_SOURCES = ["reported", "computed", "mixed", "unknown"] as const;
export type CostSource = (typeof COST_SOURCES)[number];

/** Of an instance whose release did not tell it. */
export const UNTOLD_COSTS = {
  cost_source: "unknown",
  rate: null,
  rate_source: "unknown",
  wasted_today: 0,
} as const satisfies Omit<CostsView, "cost_today">;

/** What an instance has cost since its ledger began. */
export interface CostsInAllView {
  readonly cost_total: number;
  readonly wasted_total: number;
}

export function costsView(state: InstanceState, policy: Policy, now: number): CostsView {
  const ledger = shownLedger(state, policy, now);
  const today = costsOfDay(ledger, startOfUtcDay(now));
  const rate = rateOf(state, ledger);
  return {
    cost_today: roundDollars(dollarsOf(today)),
    cost_source: sourceOf(today, rate),
    rate: rate.hourlyCost === null ? null : roundDollars(rate.hourlyCost),
    rate_source: rate.source,
    wasted_today: roundDollars(today.wasted),
  };
}

export function costsInAllView(state: InstanceState, policy: Policy, now: number): CostsInAllView {
  const inAll = costsInAll(shownLedger(state, policy, now));
  return { cost_total: roundDollars(dollarsOf(inAll)), wasted_total: roundDollars(inAll.wasted) };
}

/** Dollars an hour while it runs, whatever it does now; null while that is unknown. */
export function runningCost(state: InstanceState, now: number): number | null {
  const { hourlyCost } = awakeRate(state, ledgerAt(state, now));
  return hourlyCost === null ? null : roundDollars(hourlyCost);
}

/** Whether it costs money for nothing now. */
export function isWasting(state: InstanceState, now: number): boolean {
  return usageOf(state, ledgerAt(state, now))?.isWasted ?? false;
}

/** A machine that reports its costs tells with its next heartbeat what it cost since the last: until then nobody guesses. */
function shownLedger(state: InstanceState, policy: Policy, now: number): Ledger {
  const ledger = ledgerAt(state, now);
  const isHeard = now - (state.clock.lastHeartbeatAt ?? 0) < policy.orphan.orphanAfterMs;
  const isReporting = isHeard && state.recent.at(-1)?.costAccumulated != null;
  return isReporting ? { ...ledger, open: [] } : ledger;
}

function sourceOf(costs: CostTotals, rate: Rate): CostSource {
  const computed = dollarsOf(costs) - costs.reported;
  const isComputed = computed > LEAST_DOLLARS;
  if (costs.reported > 0) return isComputed ? "mixed" : "reported";
  return isComputed || rate.source !== "unknown" ? "computed" : "unknown";
}

/** Less than this comes of rounding. */
const LEAST_DOLLARS = 1e-9;
