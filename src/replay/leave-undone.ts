import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import { awaitHeartbeat, type IdleRun, idleRunOf, orphanOf } from "../lifecycle/model/phase.ts";
import { type InstanceState, withIdleRun, withOrphan } from "../lifecycle/model/state.ts";
import { HOUR_MS } from "../lifecycle/model/time.ts";
import { whyUnheard } from "../lifecycle/rules/unheard.ts";

/** How an instance stands where a step that was due has not been taken: it counts from now, as after a change of policy. */
export function leaveUndone(state: InstanceState, { kind }: HistoryEvent, now: number): InstanceState {
  const { phase, clock } = state;
  switch (kind) {
    case "idle":
    case "would_hibernate":
      return withIdleRun(state, null);
    case "preparing":
    case "preparation_overdue":
      return phase.status === "running"
        ? { ...state, phase: { ...phase, preparation: undefined, idle: later(phase.idle, now) } }
        : state;
    case "hibernating": {
      if (phase.status !== "hibernating") return state;
      const { before } = phase;
      return {
        ...state,
        phase: before.status === "running" ? { ...before, idle: later(before.idle, now) } : before,
      };
    }
    case "orphaned":
      return { ...state, phase: { status: "running", idle: null }, clock: { ...clock, countsFrom: now } };
    case "silent":
    case "abandoned": {
      const orphan = orphanOf(phase);
      return orphan === null
        ? state
        : withOrphan(state, {
            ...orphan,
            clockFrom: now,
            step: kind === "silent" ? "orphaned" : "hibernate",
            guard: null,
          });
    }
    case "never_heard":
      return phase.status === "pending" ? { ...state, phase: awaitHeartbeat(whyUnheard(phase), now) } : state;
    case "stop_planned":
      return { ...state, windowsFrom: now, plannedStops: undefined };
    case "waking":
    case "would_wake":
      return { ...state, windowsFrom: now };
    default:
      return idleRunOf(phase) === null ? state : withIdleRun(state, later(idleRunOf(phase), now));
  }
}

const FAR_MS = 6 * HOUR_MS;

/** The run goes on, and its next step is far away. */
function later(run: IdleRun | null, now: number): IdleRun | null {
  return run === null ? null : { ...run, failed: { count: 1, retryAt: now + FAR_MS } };
}
