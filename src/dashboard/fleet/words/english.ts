import type { Group } from "../select.ts";

/** What is said in the list of instances, and of the fleet's money above it. Amounts are written out. */

const machines = (count: number) => (count === 1 ? "1 machine" : `${count} machines`);
const orphans = (count: number) => (count === 1 ? "1 orphan" : `${count} orphans`);

const groups: Record<Group, string> = {
  active: "Active",
  idle: "Idle",
  orphaned: "Orphaned",
  hibernated: "Hibernated",
  unstoppable: "Can’t be stopped",
  costing: "Costing money",
  wasting: "Wasting money",
  unpriced: "Price not known",
};

export const englishFleet = {
  rateNotKnown: "not known",
  /** The fleet's money, part by part. */
  money: {
    title: "What the fleet costs",
    rate: (dollars: string) => `${dollars}/h now`,
    atLeast: (dollars: string) => `at least ${dollars}`,
    rateUnknown: "cost an hour not known",
    day: (dollars: string) => `${dollars} a day`,
    machines,
    orphans,
    wasted: (dollars: string, whose: string) => `${dollars}/h wasted by ${whose}`,
    wastedUnknown: (whose: string) => `an unknown amount wasted by ${whose}`,
    unpriced: (count: number) => `price of ${count} not known`,
    saved: (dollars: string) => `${dollars} saved this month`,
    today: (dollars: string) => `${dollars} today`,
    todayUnknown: "cost of today not known",
    monthForecast: (dollars: string) => `about ${dollars} this month`,
    month: (dollars: string) => `${dollars} this month`,
    monthSoFar: (dollars: string) => `${dollars} this month so far`,
    monthUnknown: "cost of this month not known",
    utcDays: "30 days, UTC",
  },
  all: "All",
  groups,
  groupsLabel: "Groups",
  arriving: (count: number) => `${count} so far, more are on their way …`,
  attention: "Needs an eye first",
  columns: "Columns",
  columnNames: { provider: "Provider" },
  wastedSince: (moment: string) => `since ${moment}`,
  clear: "Clear filters",
  instances: (count: number) => (count === 1 ? "1 instance" : `${count} instances`),
  someInstances: (shown: number, all: number) => `${shown} of ${all} instances`,
  views: {
    title: "Saved views",
    save: "Save view",
    name: "Name of the view",
    saved: (name: string) => `Saved: ${name}`,
    full: "No more views can be saved here: remove one first.",
    remove: (name: string) => `Remove the view ${name}`,
  },
  actionsOf: (name: string) => `Actions: ${name}`,
  actions: {
    keepHour: "Keep alive for 1 h",
    keepFourHours: "Keep alive for 4 h",
    hibernate: "Hibernate …",
    wake: "Wake …",
    open: "Open",
  },
  mark: (name: string) => `Select ${name}`,
  markAll: "Select all that are shown",
  bulk: {
    title: "Selected instances",
    selected: (count: number) => (count === 1 ? "1 selected" : `${count} selected`),
    most: (count: number) => `No more than ${count} can be selected.`,
    clear: "Clear selection",
    tag: "Tag",
    tagHint: "key:value",
    addTag: "Add tag",
    removeTag: "Remove tag",
    wrongTag: "Write a tag as key:value, such as team:vision.",
    progress: (done: number, all: number) => `${done} of ${all} …`,
    stop: "Stop",
    hibernateQuestion: (count: number) =>
      count === 1 ? "Hibernate 1 instance?" : `Hibernate ${count} instances?`,
    hibernateStakes: "What runs on them stops. Work that is not saved to disk is lost.",
    saves: (dollars: string) => `That saves ${dollars} an hour.`,
    savesAtLeast: (dollars: string) => `That saves ${dollars} an hour or more: not every price is known.`,
    savesUnknown: "What that saves is not known.",
    wakeQuestion: (count: number) => (count === 1 ? "Wake 1 instance?" : `Wake ${count} instances?`),
    wakeStakes: (dollars: string) => `From then on they cost ${dollars} an hour.`,
    wakeStakesAtLeast: (dollars: string) =>
      `From then on they cost ${dollars} an hour or more: not every price is known.`,
    wakeStakesUnknown: "What they cost from then on is not known.",
    hibernate: (count: number) => `Hibernate ${count}`,
    wake: (count: number) => `Wake ${count}`,
    done: {
      keepAlive: "Kept alive",
      hibernate: "Told to hibernate",
      wake: "Being woken",
      tags: "Tags changed",
    },
    outcome: (done: string, count: number, failed: number, skipped: number) =>
      [
        `${done}: ${count}.`,
        ...(failed === 0 ? [] : [`Refused: ${failed}.`]),
        ...(skipped === 0 ? [] : [`Not asked: ${skipped}.`]),
      ].join(" "),
    each: "What happened to each",
    notPossible: "not possible as it stands",
    stopped: "stopped before its turn",
    close: "Close",
  },
  whichUnwatched: "Which they are",
};

export type FleetWords = typeof englishFleet;
