import { describe, expect, it } from "vitest";
import type { EventDetail, Severity } from "../../../src/lifecycle/model/history-event.ts";
import { FIGURES } from "../../../src/lifecycle/model/money.ts";
import { at, START, Timeline } from "../timeline.ts";

/** Whole lives as their owners read them: each event with its message, and with the evidence that is kept for good. */

export const IDLE = { gpu_utilization: 2 };
export const DAY = 24 * 60 * 60_000;

export type Told = readonly [
  seconds: number,
  kind: string,
  severity: Severity,
  message: string,
  detail: object,
];

/** `rules/money.test.ts` looks at the rest. */
export function withoutMoney(detail: EventDetail): EventDetail {
  return Object.fromEntries(
    Object.entries(detail).filter(([field]) => !FIGURES.some((one) => one === field)),
  );
}

/** What the owner can read, but for money. Of an action's id its kind is enough: the rest only makes it unique. */
function told(line: Timeline): Told[] {
  return line.events.map(({ at: moment, kind, severity, message, ...event }) => {
    const detail = withoutMoney(event.detail);
    const id = detail.action_id;
    const readable = typeof id === "string" ? { ...detail, action_id: id.replace(/-\w+$/, "") } : detail;
    return [(moment - START) / 1000, kind, severity, message, readable];
  });
}

export function hibernatedForSilence(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  line.until(at("30:00")).permit();
  line.succeed();
  return line;
}

export function deleteOrdered(line: Timeline): Timeline {
  line.until(at("5:00") + 7 * DAY).command({ type: "cleanup" });
  line.permit();
  return line;
}

export const REGISTERED: Told = [0, "registered", "info", "Registered as Rig", { provider: "webhook" }];

export const FIRST_HEARD: Told = [0, "first_heartbeat", "info", "First heartbeat received", {}];

export const ORPHANED: Told = [
  300,
  "orphaned",
  "warning",
  "Instance Rig may be stuck: no heartbeat for 5 minutes",
  {
    rule: "orphan.orphan_after_seconds",
    last_heartbeat: "2025-12-19T00:00:00Z",
    keep_alive_until: null,
    step_at: "2025-12-19T00:30:00Z",
    flapping: false,
  },
];

export const SILENT: Told = [
  1800,
  "silent",
  "warning",
  "No heartbeat for 30 minutes. Hibernating it.",
  {
    rule: "orphan.hibernate_after_seconds",
    last_heartbeat: "2025-12-19T00:00:00Z",
    keep_alive_until: null,
    orphaned_since: "2025-12-19T00:05:00Z",
    step_at: "2025-12-19T02:00:00Z",
  },
];

export const HIBERNATING: Told = [
  1800,
  "hibernating",
  "info",
  "Hibernating: no heartbeat",
  {
    rule: "orphan.hibernate_after_seconds",
    last_heartbeat: "2025-12-19T00:00:00Z",
    keep_alive_until: null,
    action_id: "hibernate",
  },
];

export const HIBERNATED: Told = [
  1800,
  "hibernated",
  "warning",
  "Instance hibernated: no heartbeat",
  { reason: "silence", confirmed_by: "webhook", action_id: "hibernate" },
];

export const ABANDONED: Told = [
  7200,
  "abandoned",
  "warning",
  "No heartbeat for 2 hours. It is hibernated, and will be deleted after 2025-12-26T00:05:00Z.",
  {
    rule: "orphan.force_hibernate_after_seconds",
    last_heartbeat: "2025-12-19T00:00:00Z",
    keep_alive_until: null,
    orphaned_since: "2025-12-19T00:05:00Z",
    step_at: "2025-12-19T02:00:00Z",
  },
];

export const DELETING: Told = [
  605100,
  "deleting",
  "warning",
  "Deleting: orphaned since 2025-12-19T00:05:00Z",
  {
    rule: "orphan.delete_after_days",
    orphaned_since: "2025-12-19T00:05:00Z",
    snapshot_first: true,
    action_id: "delete",
  },
];

export const REGISTERED_BY_AGENT: Told = [
  0,
  "registered",
  "info",
  "Registered as Rig",
  { provider: "agent" },
];

export const HIBERNATING_AT_0: Told = [
  0,
  "hibernating",
  "info",
  "Hibernating as you asked",
  { rule: "owner", action_id: "hibernate" },
];

/** What the life is of, how it is lived, and what its owner reads of it. */
export type Life = readonly [name: string, live: () => Timeline, events: readonly Told[]];

/** Lives each life and compares all that its owner reads with what is expected. */
export function checkLives(lives: readonly Life[]): void {
  describe("the life of", () => {
    it.each(lives)("%s is told as it was", (_, live, events) => {
      expect(told(live())).toEqual(events);
    });
  });
}
