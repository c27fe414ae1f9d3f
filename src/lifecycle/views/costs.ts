import { LEAST_DOLLARS, roundDollars } from "../model/dollars.ts";
import {
  type CostTotals,
  costsInAll,
  costsOfDay,
  costsOfSpan,
  type DayCosts,
  dollarsOf,
  KEPT_DAYS,
  type Ledger,
  NO_COSTS,
  sumOf,
  type Usage,
} from "../model/ledger.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { DAY_MS, startOfUtcDay } from "../model/time.ts";
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

/** All that is needed to say what an instance has cost on a day at any later moment, for as long as nothing happens to it. */
export interface CostsBasis {
  /** When its ledger began. A former release drops it: then it begins anew. */
  readonly since: number;
  /** Up to here the days say what it has cost. */
  readonly until: number;
  /** What its machine does from then on; null once there is none. */
  readonly usage: Usage | null;
  /** The last days that its ledger keeps apart, oldest first. What may yet be reported has its price. */
  readonly days: readonly DayCosts[];
}

export function costsBasis(state: InstanceState, now: number): CostsBasis {
  const ledger = ledgerAt(state, now);
  const { since, until, days, open } = ledger;
  const firstDay = startOfUtcDay(until) - (KEPT_DAYS - 1) * DAY_MS;
  const known = new Set([...days.map(({ day }) => day), ...open.map(({ from }) => startOfUtcDay(from))]);
  return {
    since,
    until,
    usage: usageOf(state, ledger),
    days: [...known]
      .filter((day) => day >= firstDay)
      .sort((one, other) => one - other)
      .map((day) => ({ ...costsOfDay(ledger, day), day })),
  };
}

/** What it has cost on a UTC day, as far as that has passed. `day`: its first instant. */
export function costsOn({ until, usage, days }: CostsBasis, day: number, now: number): CostTotals {
  const known = days.find((each) => each.day === day) ?? NO_COSTS;
  const span = { from: Math.max(until, day), until: Math.min(now, day + DAY_MS) };
  return usage === null || span.until <= span.from ? known : sumOf(known, costsOfSpan({ ...usage, ...span }));
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
