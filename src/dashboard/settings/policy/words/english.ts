import type { LadderName, Rung } from "../ladder.ts";

/** What is said where a policy is edited: of its ladders, of durations, and of what is not saved yet. */

const rungs: Readonly<Record<LadderName, Readonly<Partial<Record<Rung, string>>>>> = {
  idle: { warn: "Warn", hibernate: "Hibernate" },
  silence: { orphan: "Orphan", hibernate: "Hibernate", force: "Force-hibernate", delete: "Delete" },
};

export const englishPolicyEditor = {
  ladder: {
    title: "What happens, and when",
    lanes: { idle: "While it idles", silence: "While it is silent" } satisfies Record<LadderName, string>,
    off: "switched off",
    rungs,
    never: (rung: string) => `${rung}: never`,
    neverSaid: (rung: string) => `${rung} never`,
    after: (rung: string, duration: string) => `${rung} after ${duration}`,
    observes: "Only observes: each step is told, and none is taken.",
    /** The whole picture in words, for those who do not see it. */
    said: (lane: string, steps: readonly string[]) => `${lane}: ${steps.join(", ")}.`,
  },
  durations: {
    units: { seconds: "s", minutes: "min", hours: "h", days: (_: number): string => "d" },
    notRead: "Write how long, such as 5 min, 2 h or 7 d.",
    neverToo: "Write how long, such as 5 min, 2 h or 7 d, or “never”.",
    means: (duration: string) => `= ${duration}`,
    never: ["never", "nunca"],
  },
  from: { instance: "set here", user: "from your default", service: "from the service" },
  takeBack: "Take back",
  takesBack: (value: string) => `Back to ${value}`,
  more: {
    running: "Running time and heartbeats",
    idle: "Idleness: all settings",
    orphan: "Silence: all settings",
  },
  hints: {
    running: "How long a machine may run at a stretch, and how often it is heard.",
  },
  changed: (fields: number) => (fields === 1 ? "1 change is not saved." : `${fields} changes are not saved.`),
  discard: "Discard",
  viewer: "Changing it needs the role operator.",
  leaving: {
    question: "Leave without saving?",
    stakes: "What you have typed here is lost.",
    leave: "Leave",
  },
};

export type PolicyEditorWords = typeof englishPolicyEditor;
