import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";

/** How an instance is, in a word. */

export type Health = "healthy" | "idle" | "late" | "unhealthy" | "inactive";

export function healthOf(state: InstanceState, policy: Policy, now: number): Health {
  const { phase, clock } = state;
  switch (phase.status) {
    case "orphaned":
      return "unhealthy";
    case "running": {
      if (phase.idle?.warnedAt != null) return "idle";
      const seen = Math.max(clock.lastHeartbeatAt ?? 0, clock.keepAliveUntil ?? 0);
      return now - seen > 2 * policy.intervalMs ? "late" : "healthy";
    }
    case "pending":
      return phase.orphan === undefined ? "inactive" : "unhealthy";
    case "hibernating":
    case "hibernated":
    case "waking":
    case "deleting":
    case "deleted":
      return "inactive";
  }
}
