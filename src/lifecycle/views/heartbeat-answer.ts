import { preparationOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import type { PreparationCause } from "../model/preparation.ts";
import { abilitiesOf } from "../model/provider.ts";
import type { SourceSettings } from "../model/source-settings.ts";
import type { InstanceState } from "../model/state.ts";
import { SECOND_MS } from "../model/time.ts";
import { say } from "../model/words/say.ts";
import { outsideAwakeHours } from "../rules/awake-hours.ts";
import { hibernationDue, idleWarning } from "../rules/idleness.ts";
import { figuresNow } from "../rules/money.ts";
import { isWarnedOf, plannedStop, stopWarning } from "../rules/planned-stop.ts";

/** The answer to a heartbeat. */
export interface HeartbeatAnswer {
  /** By what a machine judges itself while the service is out of its reach; absent where it does not. */
  readonly idle?: OwnJudgement | undefined;
  readonly message: string;
  readonly nextHeartbeatInSeconds: number;
  readonly actions: readonly AnswerAction[];
}

/** By what a machine judges whether it is idle. */
interface OwnJudgement {
  readonly threshold_percent: number;
  readonly metric: Policy["idle"]["metric"];
  /** False where its policy hibernates nothing for idleness: then the machine does not either. */
  readonly enabled: boolean;
  /** Until when its owner keeps it alive, in seconds since 1970; null where nobody does. */
  readonly kept_until: number | null;
  readonly sources: SourceSettings;
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
  | {
      readonly type: "prepare";
      readonly message: string;
      readonly preparation_id: string;
      readonly deadline_seconds: number;
      readonly because: PreparationCause;
    }
  | { readonly type: "hibernating"; readonly message: string }
  | { readonly type: "hibernate"; readonly message: string; readonly action_id: string };

/** `hasDeadMan`: the machine hibernates itself if the service is out of its reach for long. */
export function answerHeartbeat(
  state: InstanceState,
  policy: Policy,
  now: number,
  hasDeadMan = false,
): HeartbeatAnswer {
  const { message, actions } = messageAndActions(state, policy, now);
  return {
    message,
    actions: [...actions, ...prepareActions(state, now)],
    nextHeartbeatInSeconds: policy.intervalMs / SECOND_MS,
    ...(hasDeadMan ? { idle: ownJudgement(state, policy, now) } : {}),
  };
}

function ownJudgement({ clock }: InstanceState, { idle, observes }: Policy, now: number): OwnJudgement {
  const { thresholdPercent, metric, enabled, sources } = idle;
  const { keepAliveUntil } = clock;
  const isKept = keepAliveUntil !== null && keepAliveUntil > now;
  return {
    threshold_percent: thresholdPercent,
    metric,
    enabled: enabled && !observes,
    kept_until: isKept ? Math.ceil(keepAliveUntil / SECOND_MS) : null,
    sources,
  };
}

/** As long as it is to be prepared. */
function prepareActions({ phase }: InstanceState, now: number): AnswerAction[] {
  const preparation = preparationOf(phase);
  if (preparation === null) return [];
  return [
    {
      type: "prepare",
      message: "Prepare for hibernation",
      preparation_id: preparation.id,
      deadline_seconds: Math.max(0, Math.floor((preparation.limitAt - now) / SECOND_MS)),
      because: preparation.order.because,
    },
  ];
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
    const said = say("en", idleWarning(state, idle, policy, now));
    const at = phase.preparation?.limitAt ?? hibernationDue(idle, policy);
    return { at, message: "Low utilization detected", said };
  }
  return isStopNear
    ? { at: stop.at, message: "Hibernation is planned", said: say("en", stopWarning(stop, policy, now)) }
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
