import { decide, nextWakeAt } from "../lifecycle/decide.ts";
import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { dueLook } from "../lifecycle/rules/look.ts";
import { alarmAfter, delivered, eventsOf } from "./line.ts";

/** How an instance stands at a moment of its story, so that a step of it can be tried and given up again. */
export interface Standing {
  readonly state: InstanceState;
  readonly policy: Policy;
  readonly now: number;
  /** When its alarm fires next; null: only an event can change anything. */
  readonly wakeAt: number | null;
}

export interface Stepped {
  readonly standing: Standing;
  /** What would be told. */
  readonly events: readonly HistoryEvent[];
  readonly isRefused: boolean;
}

export function standingAt(state: InstanceState, policy: Policy, now: number): Standing {
  return { state, policy, now, wakeAt: alarmAfter(now, nextWakeAt(state, policy, now)) };
}

/** What happens at `at`. Its provider is asked at once where that is due, as by the actor. */
export function step(standing: Standing, event: InstanceEvent, at: number): Stepped {
  const now = Math.max(at, standing.now);
  const { policy } = standing;
  const { state, effects, wakeAt, refusal } = decide(standing.state, event, policy, now);
  const next = { state: delivered(state), policy, now, wakeAt: alarmAfter(now, wakeAt) };
  const events = eventsOf(effects);
  if (dueLook(state, policy, now) === null) return { standing: next, events, isRefused: refusal !== null };
  const looked = step(next, { type: "look.begun" }, now);
  return { ...looked, events: [...events, ...looked.events], isRefused: refusal !== null };
}

/** One step after the other. */
export function steps(standing: Standing, events: readonly InstanceEvent[], at: number): Stepped {
  return events.reduce<Stepped>(
    (before, event) => {
      const after = step(before.standing, event, at);
      return {
        ...after,
        events: [...before.events, ...after.events],
        isRefused: before.isRefused || after.isRefused,
      };
    },
    { standing, events: [], isRefused: false },
  );
}
