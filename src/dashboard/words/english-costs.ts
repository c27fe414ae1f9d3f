import type { Use } from "../../lifecycle/model/ledger.ts";

/** What is said of the fleet's money: on top of the list, and on the page of costs. */

/** Written out; null: not known. */
export interface SaidAmount {
  readonly dollars: string | null;
  /** Some prices are not known, so it is more. */
  readonly isMore: boolean;
}

export interface SaidFleet {
  readonly rate: SaidAmount;
  readonly wasted: (SaidAmount & { readonly machines: number }) | null;
  /** Names. */
  readonly unknown: readonly string[];
  readonly today: SaidAmount | null;
  readonly month: (SaidAmount & { readonly isForecast: boolean; readonly saved: string | null }) | null;
}

/** So many are named. */
export const NAMED = 3;

function atLeast({ dollars, isMore }: SaidAmount, unknown: string): string {
  if (dollars === null) return unknown;
  return isMore ? `${dollars} or more` : dollars;
}

function fleet({ rate, wasted, unknown, today, month }: SaidFleet): string {
  const now = rate.dollars === null ? "cost an hour not known" : `${atLeast(rate, "")} an hour now`;
  const parts = [
    `${now}${wasted === null ? "" : `, ${waste(wasted)}`}`,
    ...(today === null ? [] : [`${atLeast(today, "cost not known")} today`]),
    ...(month === null ? [] : [thisMonth(month)]),
    ...(unknown.length === 0 ? [] : [`price not known: ${names(unknown)}`]),
  ];
  const text = parts.join(" · ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function waste({ machines, ...amount }: NonNullable<SaidFleet["wasted"]>): string {
  const whose = machines === 1 ? "1 machine" : `${machines} machines`;
  return amount.dollars === null
    ? `an unknown part wasted by ${whose}`
    : `${atLeast(amount, "")} of it wasted by ${whose}`;
}

function thisMonth({ isForecast, saved, ...amount }: NonNullable<SaidFleet["month"]>): string {
  const spent = isForecast ? `about ${atLeast(amount, "")} this month` : spentSoFar(amount);
  return `${spent}${saved === null ? "" : `, ${saved} saved`}`;
}

function spentSoFar(amount: SaidAmount): string {
  return `${atLeast(amount, "cost not known")} this month so far`;
}

function names(all: readonly string[]): string {
  if (all.length <= NAMED) return all.join(", ");
  const shown = all.slice(0, NAMED - 1);
  return `${shown.join(", ")} and ${all.length - shown.length} others`;
}

export const englishCosts = {
  title: "Costs",
  link: "Costs",
  fleet,
  notKnown: "not known",
  notRead: "What today and this month cost can’t be read now.",
  stale: "What today and this month cost may be out of date.",
  uses: {
    working: "Working",
    idle: "Idle",
    silent: "Silent",
    hibernated: "Hibernated",
  } satisfies Record<Use, string>,
};

export type CostsWords = typeof englishCosts;
