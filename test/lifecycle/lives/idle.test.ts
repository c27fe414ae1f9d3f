import { at, Timeline } from "../timeline.ts";
import { checkLives, DAY, FIRST_HEARD, IDLE, type Life, REGISTERED, REGISTERED_BY_AGENT } from "./life.ts";

const LIVES: readonly Life[] = [
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
];

checkLives(LIVES);
