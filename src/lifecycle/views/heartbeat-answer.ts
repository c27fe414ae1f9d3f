import type { Policy } from "../model/policy.ts";
import { abilitiesOf } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import { SECOND_MS } from "../model/time.ts";
import { hibernationDue, idleWarning } from "../rules/idleness.ts";

/** What the answer to a heartbeat tells the agent. */
export interface HeartbeatAnswer {
  readonly message: string;
  readonly nextHeartbeatInSeconds: number;
  readonly actions: readonly AnswerAction[];
}

export type AnswerAction =
  | {
      readonly type: "hibernate_warning";
      readonly message: string;
      readonly countdown_seconds: number;
    }
  | { readonly type: "hibernating"; readonly message: string }
  | { readonly type: "hibernate"; readonly message: string; readonly action_id: string };

export function answerHeartbeat(state: InstanceState, policy: Policy, now: number): HeartbeatAnswer {
  const { message, actions } = tidings(state, policy, now);
  return { message, actions, nextHeartbeatInSeconds: policy.intervalMs / SECOND_MS };
}

function tidings(
  state: InstanceState,
  policy: Policy,
  now: number,
): { message: string; actions: AnswerAction[] } {
  const { phase } = state;
  const { hibernates } = abilitiesOf(state.profile.provider);
  if (phase.status === "running" && phase.idle?.warnedAt != null && hibernates !== "never") {
    const countdownMs = Math.max(0, hibernationDue(phase.idle, policy) - now);
    return {
      message: "Low utilization detected",
      actions: [
        {
          type: "hibernate_warning",
          message: idleWarning(state, phase.idle, policy, now),
          countdown_seconds: Math.round(countdownMs / SECOND_MS),
        },
      ],
    };
  }
  if (phase.status === "hibernating" || phase.status === "hibernated") {
    const told: AnswerAction = {
      type: "hibernating",
      message:
        phase.status === "hibernating" ? "Hibernation is under way" : "The instance counts as hibernated",
    };
    return {
      message: "Hibernating",
      actions:
        phase.status === "hibernating" && hibernates === "by answer"
          ? [told, { type: "hibernate", message: "Hibernate now", action_id: phase.action.id }]
          : [told],
    };
  }
  return { message: "Heartbeat received", actions: [] };
}
