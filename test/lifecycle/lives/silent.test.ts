import { at, Timeline } from "../timeline.ts";
import { checkLives, FIRST_HEARD, HIBERNATING, type Life, ORPHANED, REGISTERED, SILENT } from "./life.ts";

const LIVES: readonly Life[] = [
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
      [
        1800,
        "guard_deferred",
        "info",
        "Held back until a mass outage can be ruled out: hibernate",
        { step: "hibernate" },
      ],
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
          counts_from: "2025-12-19T00:40:00Z",
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
          counts_from: "2025-12-19T00:40:00Z",
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
];

checkLives(LIVES);
