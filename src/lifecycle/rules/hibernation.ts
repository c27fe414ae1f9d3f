import { closeGap } from "../model/counters.ts";
import type { ActionReason, StopCause } from "../model/effects.ts";
import type { EventDetail } from "../model/history-event.ts";
import { record } from "../model/outbox.ts";
import type { Awake, Failures, Hibernated } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { heardAt, type InstanceState } from "../model/state.ts";
import { SECOND_MS } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Phrase, Said } from "../model/words/said.ts";
import { text } from "../model/words/say.ts";
import { countFailure, countPlannedFailure, isRepeated, plannedFailures } from "./failures.ts";
import { placeOrder, takesOrdersByAnswer } from "./order.ts";

/** An order to hibernate: how it begins, is confirmed, fails, or is called off. */

export function beginHibernation(
  state: InstanceState,
  start: {
    readonly kind: "hibernate" | "force_hibernate";
    readonly reason: ActionReason;
    /** Absent where the reason says it all. */
    readonly cause?: StopCause | undefined;
    readonly at: number;
    readonly message: Said;
    readonly detail: EventDetail;
  },
): InstanceState {
  const before = phaseToReturnTo(state);
  if (before === null) return state;
  const ordered = placeOrder(state, start.kind, start.reason, start.at);
  return record(
    {
      ...ordered.state,
      phase: {
        status: "hibernating",
        action: ordered.action,
        reason: start.reason,
        because: start.cause,
        before,
      },
    },
    {
      at: start.at,
      kind: "hibernating",
      severity: "info",
      message: start.message,
      detail: { ...start.detail, action_id: ordered.action.id },
    },
  );
}

/** The phase that the instance returns to if it is not hibernated; null where it cannot be hibernated. */
function phaseToReturnTo({ phase }: InstanceState): Awake | null {
  switch (phase.status) {
    case "running":
      return { status: "running", idle: phase.idle };
    case "pending":
      return phase.orphan === undefined ? phase : { ...phase, orphan: { ...phase.orphan, guard: null } };
    case "orphaned":
      return { status: "orphaned", orphan: { ...phase.orphan, guard: null } };
    case "hibernating":
    case "hibernated":
    case "waking":
    case "deleting":
    case "deleted":
      return null;
  }
}

/** The provider, or the instance's silence after the order, confirmed the hibernation at `at`. */
export function confirmHibernation(
  state: InstanceState,
  policy: Policy,
  at: number,
  confirmedBy: string,
): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernating") return state;
  // One that is hibernated for its owner or for idleness is not deleted for its silence before, nor one that was never heard.
  const orphan =
    phase.before.status === "orphaned" && phase.reason === "silence"
      ? { ...phase.before.orphan, failed: null }
      : null;
  return record(
    {
      ...state,
      phase: {
        status: "hibernated",
        since: at,
        unsavedFrom: at,
        reason: phase.reason,
        because: phase.because,
        orphan,
      },
      clock: { ...state.clock, graceUntil: null },
      counters: closeGap(state.counters, policy.intervalMs, at, null),
    },
    {
      at,
      kind: "hibernated",
      severity: phase.reason === "silence" ? "warning" : "info",
      message: hibernatedMessage(phase),
      detail: {
        reason: phase.reason,
        ...detailOfCause(phase),
        confirmed_by: confirmedBy,
        action_id: phase.action.id,
      },
    },
  );
}

/** Why it is hibernated, and what had it so. */
interface Cause {
  readonly reason: ActionReason;
  readonly because?: StopCause | undefined;
}

function hibernatedMessage({ reason, because }: Cause): Phrase {
  switch (because) {
    case "schedule":
    case "max_runtime":
      return phrase(`hibernation.done_${because}`);
    default:
      return phrase(`hibernation.done_${reason}`);
  }
}

function detailOfCause({ because }: Cause): EventDetail {
  return because === undefined ? {} : { because };
}

/**
 * The order was not carried out: the instance returns to the phase that its heartbeats say. The owner is told once, and
 * retries come at growing intervals.
 */
export function failHibernation(state: InstanceState, at: number, because: string): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernating") return state;
  const { failed, failures } = countFailureOf(state, phase, at);
  return record(failed, {
    at,
    kind: "hibernate_failed",
    severity: "critical",
    message: phrase("hibernation.failed", { because }),
    detail: {
      reason: phase.reason,
      ...detailOfCause(phase),
      action_id: phase.action.id,
      ...(failures === null ? {} : { failures: failures.count, repeated: isRepeated(failures) }),
    },
  });
}

/** A planned stop is retried by its own count; any other by that of the ladder that has ordered it. */
function countFailureOf(
  state: InstanceState,
  { because, before: phase }: Extract<InstanceState["phase"], { readonly status: "hibernating" }>,
  at: number,
): { failed: InstanceState; failures: Failures | null } {
  if (because === "schedule" || because === "max_runtime") {
    const failed = countPlannedFailure({ ...state, phase }, because, at);
    return { failed, failures: plannedFailures(failed, because) };
  }
  const { before, failures } = addFailure(phase, at);
  return { failed: { ...state, phase: before }, failures };
}

/** Counts the failure on the ladder that ordered the hibernation, which decides when it is retried. */
function addFailure(before: Awake, at: number): { before: Awake; failures: Failures | null } {
  switch (before.status) {
    case "pending": {
      if (before.orphan === undefined) return { before, failures: null };
      const failed = countFailure(before.orphan.failed, at);
      return { before: { ...before, orphan: { ...before.orphan, failed } }, failures: failed };
    }
    case "running": {
      if (before.idle === null) return { before, failures: null };
      const failed = countFailure(before.idle.failed, at);
      return { before: { ...before, idle: { ...before.idle, failed } }, failures: failed };
    }
    case "orphaned": {
      const failed = countFailure(before.orphan.failed, at);
      return { before: { ...before, orphan: { ...before.orphan, failed } }, failures: failed };
    }
  }
}

/** The order to hibernate is called off before anybody accepted it. */
export function cancelHibernation(state: InstanceState, at: number, because: string): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernating") return state;
  return record(
    { ...state, phase: phase.before },
    {
      at,
      kind: "hibernate_cancelled",
      severity: "info",
      message: phrase("hibernation.called_off", { because }),
      detail: { reason: phase.reason, ...detailOfCause(phase), action_id: phase.action.id },
    },
  );
}

/** When the instance's silence decides an order by answer; null without such an order. */
export function answeredOrderDeadline(state: InstanceState, policy: Policy): number | null {
  const { phase } = state;
  if (phase.status !== "hibernating") return null;
  const { machine, handover, orderedAt } = phase.action;
  if (!takesOrdersByAnswer(machine)) return null;
  const heard = heardAt(state.clock) ?? orderedAt;
  return handover.state === "accepted"
    ? Math.max(heard, handover.at) + 2 * policy.intervalMs
    : Math.max(heard, orderedAt) + policy.orphan.orphanAfterMs;
}

/** An instance that fell silent after it was told has obeyed. One that fell silent before can't be told any more. */
export function endAnsweredOrder(state: InstanceState, policy: Policy, now: number): InstanceState {
  const due = answeredOrderDeadline(state, policy);
  if (due === null || now < due || state.phase.status !== "hibernating") return state;
  return state.phase.action.handover.state === "accepted"
    ? confirmHibernation(state, policy, due, "silence after the order")
    : failHibernation(state, due, text("hibernation.silent_before"));
}

/** A hibernation that ends, for the details of an event: its reason, how long it was, and whether it was regretted. */
export function summarizeHibernation(phase: Hibernated, policy: Policy, at: number): EventDetail {
  return {
    reason: phase.reason,
    ...detailOfCause(phase),
    hibernated_seconds: Math.round((at - phase.since) / SECOND_MS),
    regretted: at - phase.since <= policy.regretMs,
  };
}
