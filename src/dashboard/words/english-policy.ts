import type { ShownPreset } from "../../lifecycle/model/presets.ts";
import { englishNames, type FieldName } from "../settings/policy-fields.ts";

/** What is said of a policy where it is read and changed, beside the names of its fields. */

/** What helps to set a section or a field. */
const hints: Readonly<Partial<Record<FieldName, string>>> = {
  sources: "An instance is idle only while each of these stays under its value, and the GPU under its own.",
  schedule: "In awake hours nothing is hibernated for idleness. Without any there is no schedule.",
  maintenance: "While a window lasts, silence moves nobody; it counts from the window's end.",
  max_runtime_hours: "Whatever it does; its owner is warned 15 minutes before.",
  prepare_max_seconds: "So that they can save work. 0: no waiting.",
  wake_at_start: "What the schedule or idleness has hibernated, where its provider can.",
};

/** What the chosen value means. */
const meanings: Readonly<Partial<Record<FieldName, Readonly<Record<string, string>>>>> = {
  mode: {
    act: "Each step is taken when it is due.",
    observe:
      "Each step is decided, recorded and told as one that would be taken, and none is. What you ask for by name is done.",
  },
  outside: {
    idle_rules: "The rules of idleness hold as ever.",
    hibernate:
      "All that runs is hibernated at the end of the hours, busy or not, and warned 15 minutes before.",
  },
};

const choices: Readonly<Record<string, string>> = {
  act: "Act",
  observe: "Only observe",
  gpu: "the GPU",
  cpu: "the CPU",
  auto: "the GPU; the CPU where there is none",
  idle_rules: "idleness is judged",
  hibernate: "all is hibernated",
  off: "nothing",
  suggest: "tell of them",
  register: "register them",
};

const presets: Readonly<Record<ShownPreset, string>> = {
  thrifty: "Thrifty",
  balanced: "Balanced",
  careful: "Careful",
  custom: "Custom",
};

export const englishPolicy = {
  names: englishNames,
  hints,
  meanings,
  choice: (choice: string): string => choices[choice] ?? choice,
  units: {
    seconds: "s",
    minutes: "min",
    hours: "h",
    days: "days",
    percent: "%",
    cores: "cores",
    kilobytes: "kB/s",
  },
  none: { never: "never", ignored: "ignored" },
  unit: "Unit",
  preset: {
    legend: "How soon",
    names: presets,
    above: { instance: "As your default", user: "As the service's default" },
    numbers: (warn: string, hibernate: string, remove: string | null) =>
      `warns after ${warn}, hibernates after ${hibernate}, ${
        remove === null ? "never deletes" : `deletes after ${remove} of silence`
      }`,
    customHint: "numbers of your own, below",
  },
  windows: {
    none: "none",
    setHere: "Set here",
    takeBack: "As above",
    add: "Add hours of the week",
    addDated: "Add a date",
    remove: "Remove",
    row: (index: number) => `Window ${index}`,
    days: "Days on which it begins",
    from: "From",
    to: "To",
    nextDay: "ends on the next day",
    everyDay: "every day",
    inZone: (zone: string) => `Time of ${zone}`,
  },
  timezone: {
    suggested: "Suggested",
    others: "Others",
    browser: (zone: string) => `Your browser is in ${zone}.`,
    take: "Use it",
  },
  notSaved: (problems: number) =>
    problems === 1 ? "Not saved: one value can't stand." : `Not saved: ${problems} values can't stand.`,
  problems: {
    forInstance: (id: string, problem: string) =>
      `For the instance ${id}, with what is set there: ${problem}`,
    lessThan: (other: string, limit: string, is: string) =>
      `Must be less than “${other}” (${limit}), but is ${is}.`,
    atMost: (other: string, limit: string, is: string) =>
      `Must not be more than “${other}” (${limit}), but is ${is}.`,
    leftOut: (other: string, limit: string, is: string) =>
      `Must leave out as much at a stretch in each week as “${other}” (${limit}), but leaves ${is}.`,
    oneInterval: (limit: string) => `Must be at least one heartbeat interval (${limit}).`,
    threeIntervals: (limit: string) => `Must be at least three heartbeat intervals (${limit}).`,
    noSnapshots: (provider: string) =>
      `${provider} takes no snapshots: set this to no, or “Delete after” to never.`,
    tooSmall: (limit: string) => `Must be at least ${limit}.`,
    tooBig: (limit: string) => `Must be at most ${limit}.`,
    tooMany: (limit: string) => `At most ${limit} of them.`,
    noDay: "Choose at least one day.",
    whole: "Must be a whole number.",
    time: "Must be a time of day, such as 09:30.",
    dated: "Must end after it begins, and within seven days.",
    zone: "This time zone is not known.",
    window: "Needs at least one day, and a time for its beginning and its end.",
    missing: "Is missing.",
  },
};

export type PolicyWords = typeof englishPolicy;
