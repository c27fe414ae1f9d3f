import { describe, expect, it } from "vitest";
import type { Severity } from "../../src/lifecycle/model/history-event.ts";
import { at, START, Timeline } from "./timeline.ts";

/** Whole lives as their owners read them: each event with its message, and with the evidence that is kept for good. */

const IDLE = { gpu_utilization: 2 };
const DAY = 24 * 60 * 60_000;

type Told = readonly [seconds: number, kind: string, severity: Severity, message: string, detail: object];

/** What the owner can read. Of an action's id its kind is enough: the rest only makes it unique. */
function told(line: Timeline): Told[] {
  return line.events.map(({ at: moment, kind, severity, message, detail }) => {
    const id = detail.action_id;
    const readable = typeof id === "string" ? { ...detail, action_id: id.replace(/-\w+$/, "") } : detail;
    return [(moment - START) / 1000, kind, severity, message, readable];
  });
}

function hibernatedForSilence(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  line.until(at("30:00")).permit();
  line.succeed();
  return line;
}

function deleteOrdered(line: Timeline): Timeline {
  line.until(at("5:00") + 7 * DAY).command({ type: "cleanup" });
  line.permit();
  return line;
}

const REGISTERED: Told = [0, "registered", "info", "Registered as Rig", { provider: "webhook" }];
const FIRST_HEARD: Told = [0, "first_heartbeat", "info", "First heartbeat received", {}];
const ORPHANED: Told = [
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
const SILENT: Told = [
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
const HIBERNATING: Told = [
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
const HIBERNATED: Told = [
  1800,
  "hibernated",
  "warning",
  "Instance hibernated: no heartbeat",
  { reason: "silence", confirmed_by: "webhook", action_id: "hibernate" },
];
const ABANDONED: Told = [
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
const DELETING: Told = [
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
const REGISTERED_BY_AGENT: Told = [0, "registered", "info", "Registered as Rig", { provider: "agent" }];
const HIBERNATING_AT_0: Told = [
  0,
  "hibernating",
  "info",
  "Hibernating as you asked",
  { rule: "owner", action_id: "hibernate" },
];

const LIVES: readonly (readonly [string, () => Timeline, readonly Told[]])[] = [
  [
    "an instance that is idle, and that its provider hibernates at the second try",
    () => {
      const line = new Timeline().beatUntil(at("5:00"), IDLE);
      line.fail();
      line.until(at("6:00")).beatUntil(at("10:00"), { gpu_utilization: 3 });
      line.succeed();
      line.until(at("20:00")).heartbeat();
      return line;
    },
    [
      REGISTERED,
      FIRST_HEARD,
      [
        180,
        "idle",
        "warning",
        "GPU <5% utilization for 3min. Hibernating in 2min.",
        {
          rule: "idle",
          metric: "GPU",
          threshold_percent: 5,
          highest_percent: 2,
          idle_since: "2025-12-19T00:00:00Z",
          heartbeats: 3,
          step_at: "2025-12-19T00:05:00Z",
        },
      ],
      [
        300,
        "hibernating",
        "info",
        "Hibernating: GPU <5% utilization for 5min",
        {
          rule: "idle",
          metric: "GPU",
          threshold_percent: 5,
          highest_percent: 2,
          idle_since: "2025-12-19T00:00:00Z",
          heartbeats: 5,
          action_id: "hibernate",
        },
      ],
      [
        300,
        "hibernate_failed",
        "critical",
        "Could not hibernate: 503",
        { reason: "idle", action_id: "hibernate", failures: 1, repeated: false },
      ],
      [
        600,
        "hibernating",
        "info",
        "Hibernating: GPU <5% utilization for 10min",
        {
          rule: "idle",
          metric: "GPU",
          threshold_percent: 5,
          highest_percent: 3,
          idle_since: "2025-12-19T00:00:00Z",
          heartbeats: 10,
          action_id: "hibernate",
        },
      ],
      [
        600,
        "hibernated",
        "info",
        "Instance hibernated due to low usage",
        { reason: "idle", confirmed_by: "webhook", action_id: "hibernate" },
      ],
      [
        1200,
        "woken",
        "info",
        "Woken: heartbeats are back",
        { reason: "idle", hibernated_seconds: 600, regretted: true },
      ],
    ],
  ],
  [
    "an instance that is silent, and that the guard holds back for a while",
    () => {
      const line = new Timeline();
      line.heartbeat();
      line.until(at("30:00")).defer();
      line.until(at("35:00")).defer();
      line.until(at("40:00")).permit();
      line.until(at("1:10:00")).permit();
      line.fail();
      line.until(at("2:40:00")).permit();
      line.fail("timeout");
      line.until(at("2:50:00")).permit();
      line.succeed();
      line.command({ type: "keep_alive", durationMs: 1 });
      line.until(at("3:00:00")).heartbeat();
      return line;
    },
    [
      REGISTERED,
      FIRST_HEARD,
      ORPHANED,
      SILENT,
      [1800, "guard_deferred", "info", "The mass-outage guard holds back: hibernate", { step: "hibernate" }],
      [
        2400,
        "guard_permitted",
        "info",
        "The mass-outage guard opened: silence counts anew from 2025-12-19T00:40:00Z",
        { step: "hibernate", held_since: "2025-12-19T00:30:00Z", counts_from: "2025-12-19T00:40:00Z" },
      ],
      [
        4200,
        "silent",
        "warning",
        "No heartbeat for 70 minutes. Hibernating it.",
        {
          rule: "orphan.hibernate_after_seconds",
          last_heartbeat: "2025-12-19T00:00:00Z",
          keep_alive_until: null,
          orphaned_since: "2025-12-19T00:05:00Z",
          step_at: "2025-12-19T02:40:00Z",
        },
      ],
      [
        4200,
        "hibernating",
        "info",
        "Hibernating: no heartbeat",
        {
          rule: "orphan.hibernate_after_seconds",
          last_heartbeat: "2025-12-19T00:00:00Z",
          keep_alive_until: null,
          action_id: "hibernate",
        },
      ],
      [
        4200,
        "hibernate_failed",
        "critical",
        "Could not hibernate: 503",
        { reason: "silence", action_id: "hibernate", failures: 1, repeated: false },
      ],
      [
        9600,
        "abandoned",
        "critical",
        "No heartbeat for 2 hours. Force-hibernating it.",
        {
          rule: "orphan.force_hibernate_after_seconds",
          last_heartbeat: "2025-12-19T00:00:00Z",
          keep_alive_until: null,
          orphaned_since: "2025-12-19T00:05:00Z",
          step_at: "2025-12-19T02:40:00Z",
        },
      ],
      [
        9600,
        "hibernating",
        "info",
        "Force-hibernating: no heartbeat",
        {
          rule: "orphan.force_hibernate_after_seconds",
          last_heartbeat: "2025-12-19T00:00:00Z",
          keep_alive_until: null,
          action_id: "force-hibernate",
        },
      ],
      [
        9600,
        "hibernate_failed",
        "critical",
        "Could not hibernate: timeout",
        { reason: "silence", action_id: "force-hibernate", failures: 2, repeated: true },
      ],
      [
        10200,
        "hibernating",
        "info",
        "Force-hibernating: no heartbeat",
        {
          rule: "orphan.force_hibernate_after_seconds",
          last_heartbeat: "2025-12-19T00:00:00Z",
          keep_alive_until: null,
          action_id: "force-hibernate",
        },
      ],
      [
        10200,
        "hibernated",
        "warning",
        "Instance hibernated: no heartbeat",
        { reason: "silence", confirmed_by: "webhook", action_id: "force-hibernate" },
      ],
      [
        10800,
        "recovered",
        "info",
        "Recovered: heartbeat received after 2 hours as an orphan",
        { orphaned_since: "2025-12-19T00:05:00Z", step: "force_hibernate", flapping: false },
      ],
      [
        10800,
        "woken",
        "info",
        "Woken: heartbeats are back",
        { reason: "silence", hibernated_seconds: 600, regretted: true },
      ],
    ],
  ],
  [
    "an instance that its guard never held back",
    () => {
      const line = new Timeline();
      line.heartbeat();
      line.until(at("30:00")).permit(at("20:00"));
      return line;
    },
    [
      REGISTERED,
      FIRST_HEARD,
      ORPHANED,
      SILENT,
      [
        1800,
        "guard_permitted",
        "info",
        "The mass-outage guard opened: silence counts anew from 2025-12-19T00:20:00Z",
        { step: "hibernate", held_since: null, counts_from: "2025-12-19T00:20:00Z" },
      ],
    ],
  ],
  [
    "an instance that is silent for seven days and deleted at the second try",
    () => {
      const line = deleteOrdered(hibernatedForSilence());
      line.fail("no snapshot");
      line.until(line.now + DAY).command({ type: "cleanup" });
      line.permit();
      line.succeed("snap-1");
      return line;
    },
    [
      REGISTERED,
      FIRST_HEARD,
      ORPHANED,
      SILENT,
      HIBERNATING,
      HIBERNATED,
      ABANDONED,
      DELETING,
      [
        605100,
        "delete_failed",
        "critical",
        "Not deleted: no snapshot",
        { action_id: "delete", failures: 1, repeated: false },
      ],
      [
        691500,
        "deleting",
        "warning",
        "Deleting: orphaned since 2025-12-19T00:05:00Z",
        {
          rule: "orphan.delete_after_days",
          orphaned_since: "2025-12-19T00:05:00Z",
          snapshot_first: true,
          action_id: "delete",
        },
      ],
      [
        691500,
        "deleted",
        "warning",
        "Instance auto-deleted after 8 days orphaned. Snapshot saved: snap-1",
        { snapshot_id: "snap-1", orphaned_since: "2025-12-19T00:05:00Z", action_id: "delete" },
      ],
    ],
  ],
  [
    "an instance that is heard when it is to be deleted",
    () => {
      const line = deleteOrdered(hibernatedForSilence());
      line.heartbeat();
      return line;
    },
    [
      REGISTERED,
      FIRST_HEARD,
      ORPHANED,
      SILENT,
      HIBERNATING,
      HIBERNATED,
      ABANDONED,
      DELETING,
      [
        605100,
        "delete_cancelled",
        "info",
        "Deletion called off: heartbeat received",
        { action_id: "delete" },
      ],
      [
        605100,
        "recovered",
        "info",
        "Recovered: heartbeat received after 7 days as an orphan",
        { orphaned_since: "2025-12-19T00:05:00Z", step: "force_hibernate", flapping: false },
      ],
      [
        605100,
        "woken",
        "info",
        "Woken: heartbeats are back",
        { reason: "silence", hibernated_seconds: 603300, regretted: false },
      ],
    ],
  ],
  [
    "an instance that is heard too late",
    () => {
      const line = new Timeline();
      line.heartbeat();
      line.until(at("30:00")).permit();
      line.fail();
      line.until(at("2:00:00")).permit();
      line.command({ type: "action.tried", actionId: line.actionId });
      line.heartbeat();
      line.command({ type: "action.accepted", actionId: line.actionId });
      return line;
    },
    [
      REGISTERED,
      FIRST_HEARD,
      ORPHANED,
      SILENT,
      HIBERNATING,
      [
        1800,
        "hibernate_failed",
        "critical",
        "Could not hibernate: 503",
        { reason: "silence", action_id: "hibernate", failures: 1, repeated: false },
      ],
      [
        7200,
        "abandoned",
        "critical",
        "No heartbeat for 2 hours. Force-hibernating it.",
        {
          rule: "orphan.force_hibernate_after_seconds",
          last_heartbeat: "2025-12-19T00:00:00Z",
          keep_alive_until: null,
          orphaned_since: "2025-12-19T00:05:00Z",
          step_at: "2025-12-19T02:00:00Z",
        },
      ],
      [
        7200,
        "hibernating",
        "info",
        "Force-hibernating: no heartbeat",
        {
          rule: "orphan.force_hibernate_after_seconds",
          last_heartbeat: "2025-12-19T00:00:00Z",
          keep_alive_until: null,
          action_id: "force-hibernate",
        },
      ],
      [
        7200,
        "recovered",
        "info",
        "Recovered: heartbeat received after 115 minutes as an orphan",
        { orphaned_since: "2025-12-19T00:05:00Z", step: "force_hibernate", flapping: false },
      ],
      [
        7200,
        "accepted_too_late",
        "critical",
        "Too late to call off (heartbeat received): webhook has accepted the order to force-hibernate",
        { action_id: "force-hibernate" },
      ],
    ],
  ],
  [
    "an instance that was started where it is rented",
    () => {
      const line = deleteOrdered(hibernatedForSilence());
      line.command({ type: "action.found_running", actionId: line.actionId });
      return line;
    },
    [
      REGISTERED,
      FIRST_HEARD,
      ORPHANED,
      SILENT,
      HIBERNATING,
      HIBERNATED,
      ABANDONED,
      DELETING,
      [
        605100,
        "found_running",
        "critical",
        "Not deleted: it was hibernated, and webhook shows it running. Somebody started it; it costs money and sends no heartbeat",
        { action_id: "delete", orphaned_since: "2025-12-19T00:05:00Z" },
      ],
    ],
  ],
  [
    "an instance that was deleted where it is rented",
    () => {
      const line = deleteOrdered(hibernatedForSilence());
      line.command({ type: "action.gone", actionId: line.actionId });
      return line;
    },
    [
      REGISTERED,
      FIRST_HEARD,
      ORPHANED,
      SILENT,
      HIBERNATING,
      HIBERNATED,
      ABANDONED,
      DELETING,
      [
        605100,
        "gone",
        "warning",
        "webhook has no such instance any more: it counts as deleted",
        { action_id: "delete", asked_to: "delete" },
      ],
    ],
  ],
  [
    "an instance that flaps",
    () => {
      const line = new Timeline({ provider: "agent" });
      for (let turn = 0; turn <= 5; turn++) {
        line.until(at("0:00") + turn * 7 * 60_000);
        line.heartbeat();
      }
      return line;
    },
    [
      REGISTERED_BY_AGENT,
      FIRST_HEARD,
      ORPHANED,
      [
        420,
        "recovered",
        "info",
        "Recovered: heartbeat received after 2 minutes as an orphan",
        { orphaned_since: "2025-12-19T00:05:00Z", step: "orphaned", flapping: false },
      ],
      [
        720,
        "orphaned",
        "warning",
        "Instance Rig may be stuck: no heartbeat for 5 minutes",
        {
          rule: "orphan.orphan_after_seconds",
          last_heartbeat: "2025-12-19T00:07:00Z",
          keep_alive_until: null,
          step_at: "2025-12-19T00:37:00Z",
          flapping: false,
        },
      ],
      [
        840,
        "recovered",
        "info",
        "Recovered: heartbeat received after 2 minutes as an orphan",
        { orphaned_since: "2025-12-19T00:12:00Z", step: "orphaned", flapping: false },
      ],
      [
        1140,
        "orphaned",
        "warning",
        "Instance Rig may be stuck: no heartbeat for 5 minutes",
        {
          rule: "orphan.orphan_after_seconds",
          last_heartbeat: "2025-12-19T00:14:00Z",
          keep_alive_until: null,
          step_at: "2025-12-19T00:44:00Z",
          flapping: false,
        },
      ],
      [
        1260,
        "recovered",
        "info",
        "Recovered: heartbeat received after 2 minutes as an orphan",
        { orphaned_since: "2025-12-19T00:19:00Z", step: "orphaned", flapping: false },
      ],
      [
        1560,
        "flapping",
        "warning",
        "Flapping: silent and back 4 times within an hour. Its turns are not told any more",
        { rule: "flapping", turns: 4, first_turn: "2025-12-19T00:05:00Z" },
      ],
      [
        1560,
        "orphaned",
        "warning",
        "Instance Rig may be stuck: no heartbeat for 5 minutes",
        {
          rule: "orphan.orphan_after_seconds",
          last_heartbeat: "2025-12-19T00:21:00Z",
          keep_alive_until: null,
          step_at: "2025-12-19T00:51:00Z",
          flapping: true,
        },
      ],
      [
        1680,
        "recovered",
        "info",
        "Recovered: heartbeat received after 2 minutes as an orphan",
        { orphaned_since: "2025-12-19T00:26:00Z", step: "orphaned", flapping: true },
      ],
      [
        1980,
        "orphaned",
        "warning",
        "Instance Rig may be stuck: no heartbeat for 5 minutes",
        {
          rule: "orphan.orphan_after_seconds",
          last_heartbeat: "2025-12-19T00:28:00Z",
          keep_alive_until: null,
          step_at: "2025-12-19T00:58:00Z",
          flapping: true,
        },
      ],
      [
        2100,
        "recovered",
        "info",
        "Recovered: heartbeat received after 2 minutes as an orphan",
        { orphaned_since: "2025-12-19T00:33:00Z", step: "orphaned", flapping: true },
      ],
    ],
  ],
  [
    "an instance that hibernates itself, twice, and beats on the first time",
    () => {
      const line = new Timeline({ provider: "agent" });
      line.heartbeat();
      line.until(at("1:00")).heartbeat({ status: "hibernating" });
      line.until(at("2:00")).heartbeat();
      line.until(at("4:00")).heartbeat();
      line.until(at("6:00")).heartbeat({ status: "hibernating" });
      line.until(at("9:00"));
      return line;
    },
    [
      REGISTERED_BY_AGENT,
      FIRST_HEARD,
      [
        60,
        "hibernating",
        "info",
        "The instance says that it hibernates itself",
        { rule: "instance", action_id: "hibernate" },
      ],
      [
        120,
        "hibernate_cancelled",
        "info",
        "Hibernation called off: the instance beats on",
        { reason: "instance", action_id: "hibernate" },
      ],
      [
        360,
        "hibernating",
        "info",
        "The instance says that it hibernates itself",
        { rule: "instance", action_id: "hibernate" },
      ],
      [
        480,
        "hibernated",
        "info",
        "Instance hibernated itself",
        { reason: "instance", confirmed_by: "silence after the order", action_id: "hibernate" },
      ],
    ],
  ],
  [
    "an instance that nobody can hibernate nor delete",
    () => {
      const line = new Timeline({ provider: "none" }).beatUntil(at("5:00"), IDLE);
      line.until(at("10:00") + 8 * DAY).command({ type: "cleanup" });
      return line;
    },
    [
      [0, "registered", "info", "Registered as Rig", { provider: "none" }],
      FIRST_HEARD,
      [
        180,
        "idle",
        "warning",
        "GPU <5% utilization for 3min. No provider can hibernate it.",
        {
          rule: "idle",
          metric: "GPU",
          threshold_percent: 5,
          highest_percent: 2,
          idle_since: "2025-12-19T00:00:00Z",
          heartbeats: 3,
          step_at: "2025-12-19T00:05:00Z",
        },
      ],
      [
        300,
        "would_hibernate",
        "warning",
        "Would hibernate for GPU <5% utilization for 5min: no provider",
        {
          rule: "idle",
          metric: "GPU",
          threshold_percent: 5,
          highest_percent: 2,
          idle_since: "2025-12-19T00:00:00Z",
          heartbeats: 5,
        },
      ],
      [
        600,
        "orphaned",
        "warning",
        "Instance Rig may be stuck: no heartbeat for 5 minutes",
        {
          rule: "orphan.orphan_after_seconds",
          last_heartbeat: "2025-12-19T00:05:00Z",
          keep_alive_until: null,
          step_at: "2025-12-19T00:35:00Z",
          flapping: false,
        },
      ],
      [
        2100,
        "silent",
        "warning",
        "No heartbeat for 30 minutes. No provider can act on a silent instance (provider: none).",
        {
          rule: "orphan.hibernate_after_seconds",
          last_heartbeat: "2025-12-19T00:05:00Z",
          keep_alive_until: null,
          orphaned_since: "2025-12-19T00:10:00Z",
          step_at: "2025-12-19T02:05:00Z",
        },
      ],
      [
        7500,
        "abandoned",
        "critical",
        "No heartbeat for 2 hours. No provider can act on a silent instance (provider: none).",
        {
          rule: "orphan.force_hibernate_after_seconds",
          last_heartbeat: "2025-12-19T00:05:00Z",
          keep_alive_until: null,
          orphaned_since: "2025-12-19T00:10:00Z",
          step_at: "2025-12-19T02:05:00Z",
        },
      ],
      [
        691800,
        "would_delete",
        "warning",
        "Would delete: orphaned for 8 days, but no provider can act (provider: none)",
        { rule: "orphan.delete_after_days", orphaned_since: "2025-12-19T00:10:00Z" },
      ],
    ],
  ],
  [
    "an instance that its owner looks after",
    () => {
      const line = new Timeline();
      line.command({ type: "changed", changes: { name: "Rig 2", hourlyCost: 0.5 }, sighted: null });
      line.command({ type: "changed", changes: {}, sighted: null });
      line.command({ type: "token.rotated" });
      line.command({ type: "policy.changed", former: line.policy });
      line.heartbeat();
      line.command({ type: "hibernate.requested" });
      line.command({ type: "keep_alive", durationMs: 3_600_000 });
      line.command({ type: "hibernate.requested" });
      line.succeed();
      line.command({ type: "wake.requested" });
      line.fail("no capacity");
      return line;
    },
    [
      REGISTERED,
      [0, "changed", "info", "Changed: name, hourlyCost", { name: "Rig 2", hourlyCost: 0.5 }],
      [0, "changed", "info", "Changed: nothing", {}],
      [0, "token_rotated", "info", "A new instance token was issued; the former one is refused", {}],
      [0, "policy_changed", "info", "Policy changed", {}],
      FIRST_HEARD,
      HIBERNATING_AT_0,
      [
        0,
        "hibernate_cancelled",
        "info",
        "Hibernation called off: kept alive by hand",
        { reason: "owner", action_id: "hibernate" },
      ],
      [0, "kept_alive", "info", "Kept alive by hand for 1h", { keep_alive_until: "2025-12-19T01:00:00Z" }],
      HIBERNATING_AT_0,
      [
        0,
        "hibernated",
        "info",
        "Instance hibernated as you asked",
        { reason: "owner", confirmed_by: "webhook", action_id: "hibernate" },
      ],
      [
        0,
        "waking",
        "info",
        "Waking as you asked",
        {
          action_id: "wake",
          grace_until: "2025-12-19T00:10:00Z",
          reason: "owner",
          hibernated_seconds: 0,
          regretted: true,
        },
      ],
      [
        0,
        "wake_failed",
        "critical",
        "Could not wake: no capacity. Wait and wake it again, start it where it is rented, or fetch its data and recreate it",
        { action_id: "wake" },
      ],
    ],
  ],
];

describe("the life of", () => {
  it.each(LIVES)("%s is told as it was", (_, live, events) => {
    expect(told(live())).toEqual(events);
  });
});
