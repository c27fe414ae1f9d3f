import type { Use } from "../../lifecycle/model/ledger.ts";
import { englishKill } from "./english-kill.ts";

/** What is said on the page of costs. */

/** What the forecast of a month goes by. Amounts are written out. */
interface ForecastBasis {
  readonly spent: string;
  readonly daily: string;
  readonly daysLeft: string;
  readonly closedDays: number;
  readonly unpriced: number;
}

export const englishCosts = {
  title: "Costs",
  notKnown: "not known",
  orMore: (dollars: string) => `${dollars} or more`,
  notRead: "What today and this month cost can’t be read now.",
  stale: "What today and this month cost may be out of date.",
  outOfDate: (why: string) => `What you see may be out of date: ${why}`,
  tryAgain: "Try again",
  uses: {
    working: "Working",
    idle: "Idle",
    silent: "Silent",
    hibernated: "Hibernated",
  } satisfies Record<Use, string>,
  cost: "Cost",
  wasted: "Wasted",
  ofItWasted: "Of which wasted",
  saved: "Saved",
  total: "In all",
  hours: (hours: string) => `${hours} h`,
  // Days
  lastDays: (days: number) => `The last ${days} days`,
  utc: "Days are UTC.",
  nothing: "Nothing has cost anything in these days.",
  nothingKnown: "no costs",
  asTable: "As a table",
  barsSummary: (first: string, last: string, cost: string, wasted: string, saved: string) =>
    `Costs by day, ${first} to ${last}: ${cost} in all, ${wasted} of it wasted; ${saved} saved. The table beneath has each day.`,
  smallBarsSummary: (first: string, last: string, cost: string, wasted: string, saved: string) =>
    `Costs by day, ${first} to ${last}: ${cost} in all, ${wasted} of it wasted; ${saved} saved. The page of costs has each day.`,
  unpricedDays: (days: number) =>
    days === 1
      ? "On one day the price of a machine was not known: it cost more than is shown."
      : `On ${days} days the price of a machine was not known: they cost more than is shown.`,
  forecast: (dollars: string) => `This month will have cost about ${dollars}.`,
  forecastBasis: ({ spent, daily, daysLeft, closedDays, unpriced }: ForecastBasis) => {
    const aDay =
      closedDays === 0
        ? `${daily} at the present rate, as no day is closed yet`
        : `the ${daily} that ${closedDays === 1 ? "the last closed day has cost" : `each of the last ${closedDays} closed days has cost on average`}`;
    const machines = unpriced === 1 ? "one machine" : `${unpriced} machines`;
    const without = unpriced === 0 ? "" : `; without ${machines} of unknown price`;
    return `${spent} so far, and for each of the ${daysLeft} days that remain ${aDay}${without}.`;
  },
  // Whose
  whoCosts: "What costs how much",
  by: "By",
  groupings: { instance: "Instance", provider: "Provider", tag: "Tag", status: "Status" },
  keys: { day: "Day", instance: "Instance", provider: "Provider", tag: "Tag", status: "Status" },
  range: "Days",
  presets: { week: "7 d", thirty: "30 d", month: "This month", lastMonth: "Last month" },
  from: "From",
  to: "To",
  tagKey: "Tag",
  rangeProblems: {
    missing: "Say from which day to which.",
    backwards: "The first day must not be after the last.",
    "too long": "At most 400 days.",
  },
  noTags: "No instance has a tag yet. Give it some where it is changed.",
  withoutTag: "without it",
  isCut: (rows: number) => `Only the first ${rows}. The file has all.`,
  download: "Download as CSV",
  downloaded: (name: string) => `Downloaded: ${name}`,
  budget: {
    title: "Budgets",
    none: "No budget yet: nobody tells you when you spend more than you meant to.",
    today: "Today",
    thisMonth: "This month",
    used: (spent: string, limit: string, percent: string) => `${spent} of ${limit} (${percent}%)`,
    exceeded: "It is used up.",
    breaks: (when: string) => `At the rate of now it is used up on ${when}.`,
    forecast: (dollars: string, isOver: boolean) =>
      `If things go on as in the last days: about ${dollars}, ${isOver ? "which is over the limit" : "which is within the limit"}.`,
    notCounted: (machines: number) =>
      machines === 1
        ? "One machine is not counted: its price is not known."
        : `${machines} machines are not counted: their prices are not known.`,
    limits: { day: "Dollars a day (UTC)", month: "Dollars a month (UTC)" },
    wrongLimit: "A number of dollars above 0, or nothing for no limit.",
    atLimit: "When a limit is used up",
    atLimits: {
      alert: "Tell me",
      hibernate_idle: "Tell me, and hibernate what is idle",
      hibernate_all: "Tell me, and hibernate everything",
    },
    atLimitHints: {
      alert: "You are told at 50, 80 and 100%. Nothing is stopped.",
      hibernate_idle:
        "You are told at 50, 80 and 100%. Then what is idle is hibernated, also later that day or month. What works goes on.",
      hibernate_all:
        "You are told at 50, 80 and 100%. Then everything is hibernated once, what works too; afterwards what is idle. What is kept alive goes on.",
    },
  },
  kill: englishKill,
};

export type CostsWords = typeof englishCosts;
