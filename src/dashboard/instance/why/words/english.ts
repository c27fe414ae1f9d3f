import type { Status } from "../../../../lifecycle/model/phase.ts";

/** What is said of a moment of the past. Loaded with what says it. */

const offs: Partial<Record<Status, string>> = {
  hibernated: "It was hibernated, so there was nothing to judge.",
  waking: "It was being woken.",
  deleting: "It was being deleted.",
  deleted: "It was deleted.",
};

export const englishWhy = {
  title: "Why was it so?",
  hint: "Choose a moment, or press “Why?” at an event of the timeline: what did the policy see, and what did it make of it?",
  moment: "Moment, by your clock",
  show: "Show",
  earlier: "10 min earlier",
  later: "10 min later",
  refused: {
    future: "That moment is yet to come.",
    notRegistered: (from: string) => `It was registered later: ${from}.`,
    notKept: (from: string) => `Of that time nothing is kept any more. What is kept begins ${from}.`,
  },
  verdict: {
    idle: "Nothing showed use.",
    idleFor: (since: string, duration: string) => `Nothing showed use: idle since ${since}, for ${duration}.`,
    idleAtLeast: (duration: string) => `Nothing showed use, for at least ${duration}.`,
    inUse: (what: string) => `It was in use: ${what}.`,
    unknown: (what: string) =>
      `Nothing showed use, but not everything could be read, and that counts as use: ${what}.`,
    notJudged: "Its policy had idleness switched off.",
    silent: (ago: string | null) =>
      ago === null
        ? "Nothing was heard of it."
        : `Nothing fresh was heard: its newest heartbeat was ${ago} old.`,
    off: (status: Status) => offs[status] ?? "It was off.",
    notKept: (heartbeats: number, work: number | null, gpu: string | null) =>
      [
        `Of this time only hours are kept. In this one ${heartbeats === 1 ? "1 heartbeat" : `${heartbeats} heartbeats`} came`,
        work === null ? "" : `, of which ${work === 0 ? "none" : work} showed work`,
        gpu === null ? "" : `; the GPU was at ${gpu} at most`,
        ".",
      ].join(""),
  },
  figures: {
    status: "It stood as",
    next: "Next",
    held: "Held back",
    reading: "Newest reading",
    policy: "Policy then",
  },
  nothingNext: "nothing",
  nextAt: (step: string, when: string) => `${step} at ${when}`,
  notHeld: "by nothing",
  noReading: "none",
  policyOf: (threshold: string, warn: string, hibernate: string) =>
    `under ${threshold}: warned after ${warn}, hibernated after ${hibernate}`,
  idleOff: "idleness switched off",
  observes: "it only observed",
  policyUnknown: "It is not known which policy was in force. What is shown goes by a later one:",
  readings: "Readings",
  columns: { at: "When", reading: "Reading", seen: "What showed use", verdict: "Counted as" },
  counted: { quiet: "quiet", active: "use", unknown: "use: can’t be read" },
  now: "the newest one then",
  late: "came late",
  preparing: "its hooks ran",
  nothing: "nothing",
  unread: "not known",
  all: (count: number) => `Show all ${count}`,
  events: "What happened around then",
  noEvents: "Nothing within six hours before, nor half an hour after.",
};

export type WhyWords = typeof englishWhy;
