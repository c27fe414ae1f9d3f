import type { CostGroup } from "../../history/costs.ts";
import { roundDollars } from "../../lifecycle/model/dollars.ts";
import {
  type CostTotals,
  dollarsOf,
  NO_COSTS,
  type Spent,
  sumOf,
  USES,
  type Use,
} from "../../lifecycle/model/ledger.ts";
import { HOUR_MS, utcDay } from "../../lifecycle/model/time.ts";

/** Costs as the API shows them, in dollars and hours. */

export interface CostsOfView {
  readonly cost: number;
  /** This, `reported` and `unpriced_hours`: null where it is not known for this row alone. */
  readonly wasted: number | null;
  readonly saved: number;
  readonly hours: Readonly<Record<Use, number>>;
  readonly cost_by_use: Readonly<Record<Use, number>>;
  readonly reported: number | null;
  readonly unpriced_hours: number | null;
}

export interface CostRow extends CostsOfView {
  readonly key: string;
}

export function costsOfView(costs: CostTotals) {
  const byUse = (amount: (spent: Spent) => number) => ({
    working: amount(costs.working),
    idle: amount(costs.idle),
    silent: amount(costs.silent),
    hibernated: amount(costs.hibernated),
  });
  return {
    cost: roundDollars(dollarsOf(costs)),
    wasted: roundDollars(costs.wasted),
    saved: roundDollars(costs.saved),
    hours: byUse(({ ms }) => hours(ms)),
    cost_by_use: byUse(({ dollars }) => roundDollars(dollars)),
    reported: roundDollars(costs.reported),
    unpriced_hours: hours(costs.unpricedMs),
  } satisfies CostsOfView;
}

/** Hours, to a third of a second. */
function hours(ms: number): number {
  return Math.round((ms / HOUR_MS) * 10_000) / 10_000;
}

export function costRow({ key, costs }: CostGroup): CostRow {
  return { key, ...costsOfView(costs) };
}

export function sumOfCosts(all: readonly { readonly costs: CostTotals }[]): CostTotals {
  return all.map(({ costs }) => costs).reduce(sumOf, NO_COSTS);
}

/** A row a day, of those of which something is known. */
export function rowsByDay(days: readonly { readonly day: number; readonly costs: CostTotals }[]): CostRow[] {
  return days
    .filter(({ costs }) => isSomething(costs))
    .map(({ day, costs }) => costRow({ key: utcDay(day), costs }));
}

/** A row for each use that there was. */
export function rowsByStatus(costs: CostTotals): CostRow[] {
  return USES.filter((use) => isSpent(costs[use])).map((use) => {
    const share = (whole: number, uses: readonly Use[]) => shareOf(whole, use, uses, costs);
    const wasted = share(costs.wasted, WASTED_WHILE);
    const reported = share(costs.reported, REPORTED_WHILE);
    const unpricedMs = share(costs.unpricedMs, USES);
    return {
      ...costRow({
        key: use,
        costs: { ...NO_COSTS, [use]: costs[use], saved: use === "hibernated" ? costs.saved : 0 },
      }),
      wasted: wasted === null ? null : roundDollars(wasted),
      reported: reported === null ? null : roundDollars(reported),
      unpriced_hours: unpricedMs === null ? null : hours(unpricedMs),
    };
  });
}

/** What is wasted or reported is kept for all uses together. These are the uses in which it can arise. */
const WASTED_WHILE = ["idle", "silent"] as const;
const REPORTED_WHILE = ["working", "idle", "silent"] as const;

/** The part of `whole` that belongs to one use; null where it may belong to several. */
function shareOf(whole: number, use: Use, uses: readonly Use[], costs: CostTotals): number | null {
  if (whole === 0 || !uses.includes(use)) return 0;
  return uses.every((other) => other === use || !isSpent(costs[other])) ? whole : null;
}

function isSpent({ ms, dollars }: Spent): boolean {
  return ms > 0 || dollars !== 0;
}

function isSomething(costs: CostTotals): boolean {
  return costs.unpricedMs > 0 || USES.some((use) => isSpent(costs[use]));
}
