import { Timeline } from "../timeline.ts";
import { checkLives, FIRST_HEARD, HIBERNATING_AT_0, type Life, REGISTERED } from "./life.ts";

const LIVES: readonly Life[] = [
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
        "Could not wake: no capacity. Wake it again later, or start it where it is rented",
        { action_id: "wake" },
      ],
    ],
  ],
];

checkLives(LIVES);
