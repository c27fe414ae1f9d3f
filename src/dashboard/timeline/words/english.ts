import type { Severity } from "../event.ts";

/** What a list of events says around them. */

const severities: Readonly<Record<Severity, string>> = {
  info: "Information",
  warning: "Warnings",
  critical: "Critical",
};

const rules: Readonly<Record<string, string>> = {
  idle: "Decided by “Idle” of its policy",
  "orphan.orphan_after_seconds": "Decided by “Counts as an orphan after” of its policy",
  "orphan.hibernate_after_seconds": "Decided by “Hibernate after” of its policy, for silence",
  "orphan.force_hibernate_after_seconds": "Decided by “Force-hibernate after” of its policy",
  "orphan.delete_after_days": "Decided by “Delete after” of its policy",
  "orphan.never_heard_after_seconds": "Decided by “Never heard after” of its policy",
};

export const englishTimeline = {
  filter: "Only",
  severities,
  kind: "Kind",
  anyKind: "Of any kind",
  nothing: "Nothing of that sort happened.",
  times: (times: number) => `× ${times}`,
  folded: (times: number, from: string, to: string) => `${times} times, from ${from} to ${to}`,
  each: "Show each",
  idle: (
    metric: string,
    highest: string | null,
    threshold: string,
    since: string,
    heartbeats: string | null,
  ) =>
    [
      `Since ${since} the ${metric} was under ${threshold}`,
      highest === null ? "" : `, at ${highest} at most`,
      heartbeats === null ? "" : `, in ${heartbeats} heartbeats`,
    ].join(""),
  model: (gigabytes: string) => `A model was held in ${gigabytes} GB of GPU memory`,
  silent: (since: string) => `Its last heartbeat came ${since}`,
  orphaned: (since: string) => `It counted as an orphan since ${since}`,
  keptAlive: (until: string) => `It was kept alive until ${until}`,
  next: (at: string) => `The next step was due ${at}`,
  confirmed: (by: string) => `Confirmed by ${by}`,
  rule: (path: string) => rules[path] ?? `Decided by ${path}`,
  other: (name: string, value: string) => `${name}: ${value}`,
};

export type TimelineWords = typeof englishTimeline;
