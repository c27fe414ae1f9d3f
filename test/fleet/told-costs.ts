import { addTime, costsOfDay, type Ledger, newLedger, type Usage } from "../../src/lifecycle/model/ledger.ts";
import { DAY_MS, startOfUtcDay } from "../../src/lifecycle/model/time.ts";
import type { CostsBasis } from "../../src/lifecycle/views/costs.ts";

/** What instances tell their fleet of their costs. */

export const WORKING: Usage = { use: "working", isWasted: false, hourlyCost: 2, hourlySaving: 0 };
export const IDLE: Usage = { use: "idle", isWasted: true, hourlyCost: 1, hourlySaving: 0 };
export const SILENT: Usage = { use: "silent", isWasted: true, hourlyCost: 3, hourlySaving: 0 };
export const UNKNOWN: Usage = { use: "working", isWasted: false, hourlyCost: null, hourlySaving: 0 };
export const HIBERNATED: Usage = { use: "hibernated", isWasted: false, hourlyCost: 0.1, hourlySaving: 1.9 };

/** What is told of a ledger, by a machine that does this from then on. */
export function told(ledger: Ledger, usage: Usage | null): CostsBasis {
  const { since, until } = ledger;
  const days = [2, 1, 0].map((back) => startOfUtcDay(until) - back * DAY_MS);
  return { since, until, usage, days: days.map((day) => ({ ...costsOfDay(ledger, day), day })) };
}

/** What an instance tells that has done this since then. */
export function basisOf(usage: Usage, since: number, until = Date.now()): CostsBasis {
  return told(addTime(newLedger(since), usage, until), usage);
}
