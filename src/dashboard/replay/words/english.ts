import type { Compared, KeptPreview } from "../answers.ts";
import type { Measure } from "../comparing.ts";

/** What is said of policies that are tried on the past. Loaded with what says it. */

/** The numbers of a proposal, written out. */
export interface SaidSetting {
  readonly threshold: string;
  readonly window: string;
  /** Of the most that could be saved. */
  readonly share: string;
  /** Dollars, or hours where nobody knows what the machines cost. */
  readonly amount: { readonly dollars: string } | { readonly hours: string };
  readonly interruptions: number;
  /** Null: none was. */
  readonly workCut: string | null;
}

const instances = (count: number) => (count === 1 ? "1 instance" : `${count} instances`);

const days = (count: number) => (count === 1 ? "1 day" : `${count} days`);

const times = (count: number) => (count === 1 ? "once" : `${count} times`);

const pair = (threshold: string, window: string) => `idle ${window} under ${threshold}`;

const numbers = ({ threshold, window }: SaidSetting) => pair(threshold, window);

const amount = ({ amount: of }: SaidSetting) =>
  "dollars" in of ? `${of.dollars} saved` : `${of.hours} of hibernation`;

const kept = (said: SaidSetting) => `${said.share} of the savings (${amount(said)})`;

const work = ({ interruptions, workCut }: SaidSetting) =>
  workCut === null
    ? `work ${times(interruptions)}`
    : `work ${times(interruptions)}, ${workCut} of it while the machine was off`;

const compared: Record<Compared, string> = {
  actual: "What happened",
  candidate: "Tried",
  in_force: "In force",
  thrifty: "Thrifty",
  balanced: "Balanced",
  careful: "Careful",
};

const measures: Record<Measure, string> = {
  saved: "Saved",
  cost: "Cost",
  wasted: "Wasted",
  hibernations: "Hibernations",
  interruptions: "Interruptions",
  delayed: "Work waited",
  work_cut: "Work cut",
  regrets: "Too early",
  deletions: "Deletions",
  working: "Working",
  idle: "Idle",
  silent: "Silent",
  hibernated: "Off",
  unpriced: "Price not known",
};

const states: Record<KeptPreview["state"], string | null> = {
  running: "still being replayed",
  done: null,
  failed: "not replayed to its end",
};

const skippedBecause: Readonly<Record<string, string>> = {
  removed: "removed meanwhile",
  unreadable: "what is stored of it can’t be read",
  out_of_reach: "it did not answer",
  history_out_of_reach: "its history did not answer",
};

const brokenBecause: Readonly<Record<string, string>> = {
  stalled: "it has not come on for half an hour",
  suspended: "the account is suspended",
  out_of_reach: "too many instances did not answer",
};

/** Of all sources of a kind together. */
const sourceKinds: Readonly<Record<string, string>> = {
  work: "requests to its servers",
  scripts: "a script of yours",
  other: "something else that you measure",
};

export const englishReplay = {
  title: "What it would have done",
  hint: "The past is replayed with the numbers typed above. Nothing is saved, and no machine is touched.",
  over: "Over",
  spans: { day: "1 day", week: "7 days", month: "30 days" },
  lastDays: {
    typed: (count: number) => `${days(count)} with these numbers`,
    before: (count: number) => `${days(count)} with earlier numbers`,
    list: (count: number) => `${days(count)}, as kept in the list`,
  },
  appearsHere: "Change a number to see here what the last days would have come to with it.",
  details: "Details",
  try: "Try it on the past",
  tryTyped: "Try what is typed",
  tryAgain: "Try again",
  trying: {
    waiting: "As soon as you stop typing …",
    asked: "The past is being replayed …",
    crowded: "Too many are being tried just now. This one follows by itself.",
    running: (done: number, total: number) => `${done} of ${instances(total)} replayed`,
    soFar: "These are the sums so far.",
    refused: "These numbers do not go together:",
    notValid: "These numbers do not go together.",
    failed: (why: string) => `It could not be replayed. ${why}`,
    gone: "It was deleted meanwhile.",
    broken: (why: string | null) =>
      `It was not replayed to its end${why === null ? "" : `, since ${why}`}: these are the sums as far as it came.`,
    brokenBecause,
  },
  opened: (when: string) => `Kept since ${when}; it may be of other numbers than those above.`,
  keep: "Keep it",
  isKept: "It is kept in the list below.",
  passes: "Otherwise the next one that is tried takes its place.",
  compared,
  measures,
  measure: "Measure",
  results: "What each policy came to",
  notes:
    "Differences are against what happened. “In force” is what was saved when it was tried. Presets keep your other numbers. A hibernation was too early if within ten minutes somebody undid it, or work came.",
  unpriced: (hours: string) =>
    `For ${hours} of machine time nobody knows the price: that is in none of the amounts.`,
  observes: "What was tried only observes: it decides each step, and takes none.",
  judgesNone: "What was tried has idleness switched off, so idle time counts as working.",
  noInstances: "There is no instance yet that could be replayed.",
  nothingKept: "No heartbeat of this time is kept, so nothing can be told of it.",
  basis: {
    title: "What this rests on",
    readings: (count: number, written: string) =>
      `${count === 1 ? "1 heartbeat, as it was" : `${written} heartbeats, as they were`} heard.`,
    coarse: (hours: string) =>
      `For ${hours} of this only hourly figures are kept: pauses between work within an hour, and what would have been interrupted then, are not seen.`,
    assumed: (hours: string) =>
      `For ${hours} the machine was really off, and would have been on: it is taken to have idled.`,
    withoutUse: (count: number, written: string) =>
      `Of ${count === 1 ? "1 heartbeat" : `${written} heartbeats`} only the GPU is kept, and nothing else that may have been in use.`,
    model:
      "Orders are taken to succeed at once, a machine is woken when work comes, and people act as they did. Prices are those of today.",
    skipped: (count: number) =>
      count === 1
        ? "One instance is left out, and is in none of the sums:"
        : `${count} instances are left out, and are in none of the sums:`,
    skippedBecause,
    skippedElse: "it could not be replayed",
  },
  interruptions: {
    title: "Work that would have been interrupted",
    none: "None: no work came while a machine would have been off.",
    longest: (shown: number, all: number) => `The ${shown} longest of ${all}.`,
    at: "Work came",
    instance: "Instance",
    evidence: "What shows it",
    off: "Off since",
    waited: "It waited",
    cut: "Work cut",
  },
  evidence: {
    sourceKinds,
    more: (count: number) => `${count} more`,
    unread: (name: string) => `${name} could not be read, which counts as use`,
    noReading: "no reading, which counts as use",
    hour: "work in that hour",
  },
  proposal: {
    title: "What would be better",
    hint: "Other pairs of these two numbers, tried on the same days. None is ever set by itself.",
    unknown: "Nothing can be proposed yet: it takes a day of heartbeats.",
    nothing: "No numbers would have saved anything: no machine idled for long enough.",
    spares: (said: SaidSetting) =>
      `With ${numbers(said)} you would have kept ${kept(said)} and interrupted nobody.`,
    keep: (said: SaidSetting) =>
      `What is in force, ${numbers(said)}, keeps ${kept(said)} and interrupts nobody.`,
    sparesSome: (said: SaidSetting, other: SaidSetting) =>
      `With ${numbers(said)} you would have interrupted nobody, but kept only ${kept(said)}. With ${numbers(other)} you would have kept ${kept(other)} and interrupted ${work(other)}.`,
    interrupts: (said: SaidSetting) =>
      `No numbers save anything without interrupting work. The gentlest that keep half of the savings are ${numbers(said)}: you would have kept ${kept(said)} and interrupted ${work(said)}.`,
    alike: (said: SaidSetting) =>
      `All numbers would have come to the same: ${amount(said)}, and nobody interrupted.`,
    pair,
    take: "Put these numbers into the editor",
    takeShort: "Into the editor",
    takeOne: (what: string) => `Into the editor: ${what}`,
    taken: "The numbers stand in the editor. Nothing is saved yet.",
    chart: (pairs: number, most: string) =>
      `Savings against interruptions of ${pairs} pairs of numbers; the most that one saves is ${most}. The table beneath has each.`,
    axes: { dollars: "Saved", hours: "Hibernated", interruptions: "Interruptions" },
    legend: {
      proposed: "proposed",
      frontier: "nothing saves more and interrupts less",
      other: "others",
    },
    asTable: "As a table",
    columns: {
      window: "Hibernate after",
      threshold: "Idle under",
      share: "Of the most",
      interruptions: "Interruptions",
      cut: "Work cut",
    },
    byTag: "By tag",
    tag: "Tag",
    instances: "Instances",
    better: "What would be better",
  },
  byInstance: {
    title: "By instance",
    instance: "Instance",
    saved: "Saved",
    hibernations: "Hibernations",
    interruptions: "Interruptions",
    better: "What would be better",
    none: "None of them is replayed yet.",
    more: "More",
  },
  kept: {
    title: "Kept previews",
    none: "None yet.",
    hint: "The last 20. Choose two to compare them.",
    choose: "Compare",
    one: (what: string, when: string) => `${what}: ${when}`,
    open: "Show",
    take: "Into the editor",
    remove: "Delete",
    removed: "The preview is deleted.",
    notKept: "not kept yet",
    states,
    of: (count: number, span: number) => `${instances(count)}, ${days(span)}`,
    ofInstance: (name: string, span: number) => `${name}, ${days(span)}`,
    ofTag: (tag: string, count: number, span: number) => `${tag} (${instances(count)}), ${days(span)}`,
    /** `saved`: null where nobody knows. */
    result: (saved: string | null, interruptions: number) =>
      `${saved === null ? "savings not known" : `${saved} saved`}, ${interruptions === 0 ? "nobody interrupted" : `work interrupted ${times(interruptions)}`}`,
    comparison: "Two previews, compared",
    letters: { first: "A", second: "B" },
    change: "B against A",
    unlike:
      "They are not of the same instances and days, so their sums can’t quite be held against each other.",
    policies: "Where their policies differ",
    alike: "Their policies are the same.",
  },
};

export type ReplayWords = typeof englishReplay;
