import type { PreparationCause } from "../../lifecycle/model/preparation.ts";
import type { UseState } from "../instance/use.ts";

/** What is said of one instance's use, of its preparation for a hibernation, and of keeping it alive. */

const sources: Readonly<Record<string, string>> = {
  ssh_connections: "SSH connections",
  notebook_connections: "connections to notebooks and editors",
  busy_kernels: "Jupyter kernels that compute",
  cpu_cores: "CPU",
  network_kb_per_second: "network",
  disk_kb_per_second: "disk",
  compute_processes: "GPU processes that are new or grew",
};

const state: Readonly<Record<UseState, string>> = {
  active: "in use",
  quiet: "quiet",
  unknown: "can’t be read: counts as use",
  ignored: "ignored",
};

const causes: Readonly<Record<PreparationCause, string>> = {
  idle: "for idleness",
  owner: "as you asked",
  schedule: "by the schedule",
  max_runtime: "because its longest runtime is over",
  budget: "for the budget",
  kill_switch: "by the kill switch",
};

/** What providers do with a machine that they take back, by their own word. */
const reclaims: Readonly<Record<string, string>> = {
  terminate: "it will be terminated",
  stop: "it will be stopped",
  hibernate: "it will be hibernated",
};

export const englishUse = {
  title: { idle: "Why it is idle", notIdle: "Why it is not idle", off: "What it is used for" },
  columns: { source: "Source", value: "Now", threshold: "Use from", state: "State" },
  sources,
  requests: (server: string) => `requests to ${server}`,
  script: (name: string) => `your script ${name}`,
  state,
  quietFor: (duration: string) => `quiet for ${duration}`,
  unread: "not known",
  ofGpu: (highest: string, mean: string) => `${highest} at most, ${mean} on average`,
  cores: "cores",
  yes: "in use",
  no: "not in use",
  off: "Its policy switches idleness off: none of this has a consequence.",
  idle: (duration: string) => `Nothing has shown use for ${duration}.`,
  inUse: (what: string) => `In use: ${what}.`,
  unknown: (what: string) =>
    `Nothing shows use, but not everything can be read, and that counts as use: ${what}.`,
  activity: "Its agent says that it is used.",
  quiet: "Nothing shows use.",
  noSources: "Its agent reports only the GPU. From version 1.3.0 on, the agent reports every source of use.",
  resident: (gigabytes: string, duration: string | null) =>
    `A model is held in ${gigabytes} GB of GPU memory${duration === null ? "" : `, ${duration} without work`}. That alone does not count as use.`,
  preparation: {
    title: "Preparation",
    because: (cause: PreparationCause) => `It will be hibernated ${causes[cause]}, and saves its work first.`,
    state: {
      waiting: "The machine has not said yet that its hooks run.",
      running: (duration: string) => `Its hooks have run for ${duration}.`,
      succeeded: "Its hooks have ended: it is hibernated next.",
      failed: "A hook has failed: it is run again.",
    },
    since: "Since",
    limit: "Hibernated at the latest",
    line: "Last line",
    callOff: "Keep it alive to call it off.",
    last: "The last preparation",
    none: "There was none yet.",
    outcome: {
      succeeded: "It was prepared.",
      failed: "A hook failed, and it was hibernated at the limit all the same.",
      overdue: "It was not prepared in time, and was hibernated all the same.",
      cancelled: "It was called off.",
    },
    took: (duration: string) => `It took ${duration}.`,
    noLog: "Its hooks printed nothing.",
    log: "What the hooks printed",
    without: "At once, without running its hooks",
    prepares: (name: string) => `${name} saves its work first, and is hibernated then.`,
  },
  reclaimed: (by: string | null, action: string | null, when: string | null) =>
    `Its provider${by === null ? "" : ` (${by})`} is taking this machine back${
      action === null ? "" : `: ${reclaims[action] ?? action}`
    }${when === null ? "" : `, at ${when}`}.`,
  keepAlive: {
    title: "Keep it alive",
    hours: (hours: number) => `${hours} h`,
    until: "until",
    today: (zone: string) => `The next such time in ${zone}.`,
    keep: "Keep",
    kept: (when: string) => `Kept alive until ${when}.`,
    done: (name: string, until: string) => `${name} is kept alive until ${until}.`,
  },
  preview: {
    show: "What would come next",
    title: "With this policy",
    nothing: "Nothing would be due.",
    preset: (name: string) => `Preset: ${name}.`,
    switches: {
      awake: "awake hours begin",
      asleep: "awake hours end",
      hibernate: "awake hours end, and it is hibernated if it runs",
      wake: "awake hours begin, and it is woken if its provider can",
      maintenance_begins: "maintenance begins",
      maintenance_ends: "maintenance ends",
    },
    observed: "It only observes: none of this is done.",
    notSaved: "Nothing is saved yet.",
  },
};

export type UseWords = typeof englishUse;
