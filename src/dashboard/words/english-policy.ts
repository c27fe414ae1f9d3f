import type { ShownPreset } from "../../lifecycle/model/presets.ts";
import type { FieldName } from "../settings/policy-fields.ts";

/** What is said of a policy where it is read and changed, beside the names of its fields. */

/** What sections and fields are called: one without its words does not compile. */
const names: Readonly<Record<FieldName, string>> = {
  heartbeat_interval_seconds: "Heartbeat interval",
  keep_alive_minutes: "A keep-alive lasts",
  idle: "Idleness",
  orphan: "Silence",
  guard: "Mass-outage guard",
  enabled: "Switched on",
  metric: "Goes by",
  threshold_percent: "Idle under",
  warn_after_seconds: "Warn after",
  hibernate_after_seconds: "Hibernate after",
  respect_activity: "Activity beside the GPU counts as use",
  prepare_max_seconds: "Wait for the machine's hooks for at most",
  sources: "What counts as use",
  ssh_connections: "SSH connections",
  notebook_connections: "Connections to notebooks and editors",
  busy_kernels: "Jupyter kernels that compute",
  cpu_cores: "CPU",
  network_kb_per_second: "Network, both ways",
  disk_kb_per_second: "Disk, read and written",
  compute_processes: "GPU processes that are new or grew",
  work: "Requests that a server has served",
  scripts: "Your own scripts",
  mode: "Mode",
  max_runtime_hours: "Hibernate after running for",
  schedule: "Schedule",
  timezone: "Time zone",
  awake: "Awake hours",
  outside: "Outside these hours",
  wake_at_start: "Wake at their start",
  maintenance: "Maintenance",
  windows: "Windows",
  orphan_after_seconds: "Counts as an orphan after",
  force_hibernate_after_seconds: "Force-hibernate after",
  delete_after_days: "Delete after",
  snapshot_before_delete: "Snapshot before it is deleted",
  never_heard_after_seconds: "Counts as never heard after",
  act_on_never_heard: "Hibernate what was never heard, if it runs",
  delete_while_running: "Delete also what could not be hibernated, while it runs",
  fraction: "Closes when this share falls silent",
  minimum_instances: "and at least so many instances",
  window_seconds: "within",
  max_hold_seconds: "Holds for at most",
  inventory: "Machines that nobody watches",
  adopt: "What is done about them",
  reports: "Reports",
  monthly: "Tell on the first what the month before has cost",
};

/** What helps to set a section or a field. */
const hints: Readonly<Partial<Record<FieldName, string>>> = {
  sources: "An instance is idle only while each of these stays under its value, and the GPU under its own.",
  schedule: "In awake hours nothing is hibernated for idleness. Without any there is no schedule.",
  maintenance: "During a window silence has no consequence. Afterwards it counts from the window's end.",
  max_runtime_hours: "Busy or not. Its owner is warned 15 minutes before.",
  prepare_max_seconds: "So that they can save work. 0: no waiting.",
  wake_at_start: "Instances that the schedule or idleness has hibernated, if their provider can wake them.",
};

/** What the chosen value means. */
const meanings: Readonly<Partial<Record<FieldName, Readonly<Record<string, string>>>>> = {
  mode: {
    act: "Each step is taken when it is due.",
    observe: "Each step is decided, recorded and told, but not taken. What you order yourself is done.",
  },
  outside: {
    idle_rules: "Idle instances are hibernated as usual.",
    hibernate:
      "Every running instance is hibernated at the end of the hours, busy or not. Its owner is warned 15 minutes before.",
  },
};

const choices: Readonly<Record<string, string>> = {
  act: "Act",
  observe: "Only observe",
  gpu: "the GPU",
  cpu: "the CPU",
  auto: "the GPU; the CPU where there is none",
  idle_rules: "the idle rules apply",
  hibernate: "everything is hibernated",
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
  names,
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
    problems === 1 ? "Not saved: one value is not valid." : `Not saved: ${problems} values are not valid.`,
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
