import { at, Timeline } from "../timeline.ts";
import { checkLives, FIRST_HEARD, type Life, ORPHANED, REGISTERED_BY_AGENT } from "./life.ts";

const LIVES: readonly Life[] = [
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
];

checkLives(LIVES);
