import type { Policy } from "../model/policy.ts";
import { abilitiesOf } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import { SECOND_MS } from "../model/time.ts";
import { outsideAwakeHours } from "../rules/awake-hours.ts";
import { hibernationDue, idleWarning } from "../rules/idleness.ts";
import { figuresNow } from "../rules/money.ts";
import { isWarnedOf, plannedStop, stopWarning } from "../rules/planned-stop.ts";

/** The answer to a heartbeat. */
export interface HeartbeatAnswer {
  readonly message: string;
  readonly nextHeartbeatInSeconds: number;
  readonly actions: readonly AnswerAction[];
}

type AnswerAction =
  | {
      readonly type: "hibernate_warning";
      readonly message: string;
      readonly countdown_seconds: number;
      /** Dollars an hour that it costs, and that hibernation saves of these; absent where that is not known. */
      readonly rate?: number | undefined;
      readonly would_save_hourly?: number | undefined;
    }
  | { readonly type: "hibernating"; readonly message: string }
  | { readonly type: "hibernate"; readonly message: string; readonly action_id: string };

export function answerHeartbeat(state: InstanceState, policy: Policy, now: number): HeartbeatAnswer {
  const { message, actions } = messageAndActions(state, policy, now);
  return { message, actions, nextHeartbeatInSeconds: policy.intervalMs / SECOND_MS };
}

interface Warning {
  readonly at: number;
  readonly message: string;
  readonly said: string;
}

/** The hibernation of which it is warned: of two, the first to come. */
function warningAhead(state: InstanceState, policy: Policy, now: number): Warning | null {
  const { phase } = state;
  if (phase.status !== "running") return null;
  const stop = plannedStop(state, policy, now);
  const isStopNear = stop !== null && isWarnedOf(state, stop);
  const idle = phase.idle?.warnedAt == null ? null : outsideAwakeHours(phase.idle, policy, now);
  if (idle !== null && !(isStopNear && stop.at < hibernationDue(idle, policy))) {
    const said = idleWarning(state, idle, policy, now);
    return { at: hibernationDue(idle, policy), message: "Low utilization detected", said };
  }
  return isStopNear
    ? { at: stop.at, message: "Hibernation is planned", said: stopWarning(stop, policy, now) }
    : null;
}

function messageAndActions(
  state: InstanceState,
  policy: Policy,
  now: number,
): { message: string; actions: AnswerAction[] } {
  const { phase } = state;
  const { hibernates } = abilitiesOf(state.profile.provider);
  // Nothing counts down to what is not going to happen.
  const mayAct = hibernates !== "never" && !policy.observes;
  const warning = mayAct ? warningAhead(state, policy, now) : null;
  if (warning !== null) {
    const { rate, would_save_hourly } = figuresNow(state, now);
    return {
      message: warning.message,
      actions: [
        {
          type: "hibernate_warning",
          message: warning.said,
          countdown_seconds: Math.round(Math.max(0, warning.at - now) / SECOND_MS),
          rate,
          would_save_hourly,
        },
      ],
    };
  }
  if (phase.status === "hibernating" || phase.status === "hibernated") {
    const underWay: AnswerAction = {
      type: "hibernating",
      message:
        phase.status === "hibernating" ? "Hibernation is under way" : "The instance counts as hibernated",
    };
    return {
      message: "Hibernating",
      actions:
        phase.status === "hibernating" && hibernates === "by answer"
          ? [underWay, { type: "hibernate", message: "Hibernate now", action_id: phase.action.id }]
          : [underWay],
    };
  }
  return { message: "Heartbeat received", actions: [] };
}
