import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { type Amount, amountOf, type CostsAnswer, type KeyedRow } from "../costs/answers.ts";
import type { Unreadable } from "./known.ts";

/** The fleet's money, as the one sentence on top of the list says it. Pure. */
export interface FleetMoney {
  /** Dollars an hour. */
  readonly rate: Amount;
  /** If all stays as it is now. */
  readonly day: Amount;
  /** Dollars an hour of machines that do nothing for it. */
  readonly wasted: Amount & { readonly machines: number; readonly areOrphans: boolean };
  /** The names of those whose price nobody knows. */
  readonly unknown: readonly string[];
  /** Null until the service has said it, or where it doesn't. */
  readonly today: Amount | null;
  readonly month: (Amount & { readonly isForecast: boolean; readonly saved: number }) | null;
}

/** `costs`: by day, from the first of this month at the latest. */
export function fleetMoney(
  { instances, unreadable }: { instances: readonly ShownView[]; unreadable: readonly Unreadable[] },
  costs: CostsAnswer | null,
): FleetMoney {
  const wasting = instances.filter((each) => isWasting(each) && each.rate !== 0);
  const rate = sumOfRates([...instances.map((each) => each.rate), ...unreadable.map(() => null)]);
  return {
    rate,
    day: { ...rate, dollars: rate.dollars === null ? null : rate.dollars * 24 },
    wasted: {
      ...sumOfRates(wasting.map((each) => each.rate)),
      machines: wasting.length,
      areOrphans: wasting.length > 0 && wasting.every(({ status }) => status === "orphaned"),
    },
    unknown: [
      ...instances.filter((each) => each.rate === null).map(({ name }) => name),
      ...unreadable.map(({ instance_id }) => instance_id),
    ],
    today: costs === null ? null : today(costs),
    month: costs === null ? null : month(costs),
  };
}

/** Idle past the warning, silent, or never heard. */
export function isWasting({ health }: ShownView): boolean {
  return health === "idle" || health === "unhealthy";
}

/** What an instance has cost, or wasted, today. Where it is not known that is not nothing. */
export function costToday(view: Pick<ShownView, "cost_today" | "cost_source">): number | null {
  return view.cost_source === "unknown" && view.cost_today === 0 ? null : view.cost_today;
}

export function wastedToday(view: Pick<ShownView, "wasted_today" | "cost_source">): number | null {
  return view.cost_source === "unknown" && view.wasted_today === 0 ? null : view.wasted_today;
}

/** Since it is watched. */
export function costTotal(view: {
  readonly cost_total: number;
  readonly cost_source: ShownView["cost_source"];
}): number | null {
  return view.cost_source === "unknown" && view.cost_total === 0 ? null : view.cost_total;
}

/** Dollars an hour; null for each whose rate nobody knows. */
export function sumOfRates(rates: readonly (number | null)[]): Amount {
  const known = rates.filter((rate) => rate !== null);
  const isMore = known.length < rates.length;
  const dollars = known.reduce((sum, rate) => sum + rate, 0);
  return { dollars: isMore && dollars === 0 ? null : dollars, isMore };
}

function today({ rows, to, now }: CostsAnswer): Amount | null {
  const day = now.at.slice(0, 10);
  const row = rows.find(({ key }) => key === day);
  if (row !== undefined) return amountOf(row);
  return day === to ? { dollars: 0, isMore: false } : null;
}

function month({ rows, forecast, now }: CostsAnswer): FleetMoney["month"] {
  const days = rows.filter(({ key }) => key.startsWith(now.at.slice(0, 7)));
  const sum = (of: (row: KeyedRow) => number) => days.reduce((all, row) => all + of(row), 0);
  const spent = amountOf({
    cost: sum(({ cost }) => cost),
    // A day for which nobody can say it has some.
    unpriced_hours: sum(({ unpriced_hours }) => unpriced_hours ?? 1),
  });
  const isForecast = forecast !== null && spent.dollars !== null;
  return {
    ...spent,
    ...(isForecast ? { dollars: forecast.cost } : {}),
    isForecast,
    saved: sum(({ saved }) => saved),
  };
}
