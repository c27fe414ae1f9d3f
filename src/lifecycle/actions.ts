import { closeGap, saveHibernation } from "./counters.ts";
import type { ActionKind, ActionReason } from "./effects.ts";
import { emit, record } from "./outbox.ts";
import type { Policy } from "./policy.ts";
import { abilitiesOf } from "./provider.ts";
import { type Action, type Hibernated, heardAt, type InstanceState, type Orphan, orphanOf } from "./state.ts";
import { SECOND_MS, spokenDuration, toIso } from "./time.ts";

/** Orders under way: hibernate, wake, delete. How they begin, are confirmed, fail, or are called off. */

type EventDetail = Readonly<Record<string, string | number | boolean | null>>;

function order(
  state: InstanceState,
  kind: ActionKind,
  reason: ActionReason,
  at: number,
  snapshotFirst = false,
): { state: InstanceState; action: Action } {
  const action: Action = {
    id: `${kind.replace("_", "-")}-${state.nextEffectId.toString(36)}`,
    kind,
    orderedAt: at,
    toldAt: null,
  };
  const byAnswer = abilitiesOf(state.profile.provider).hibernates === "by answer";
  return {
    // An order that travels in the answer to a heartbeat needs nobody else; its id is spent all the same.
    state: byAnswer
      ? { ...state, nextEffectId: state.nextEffectId + 1 }
      : emit(state, { type: "action", order: { actionId: action.id, kind, reason, snapshotFirst } }),
    action,
  };
}

export function beginHibernation(
  state: InstanceState,
  start: {
    readonly kind: "hibernate" | "force_hibernate";
    readonly reason: ActionReason;
    readonly at: number;
    readonly message: string;
    readonly detail: EventDetail;
  },
): InstanceState {
  const orphan = orphanOf(state.phase);
  const ordered = order(state, start.kind, start.reason, start.at);
  return record(
    {
      ...ordered.state,
      phase: {
        status: "hibernating",
        action: ordered.action,
        reason: start.reason,
        orphan: orphan && { ...orphan, guard: null },
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

/** The provider, or the instance's own last word or silence, confirmed the hibernation at `at`. */
export function confirmHibernation(
  state: InstanceState,
  policy: Policy,
  at: number,
  confirmedBy: string,
): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernating") return state;
  return record(
    {
      ...state,
      phase: { status: "hibernated", since: at, unsavedFrom: at, reason: phase.reason, orphan: phase.orphan },
      clock: { ...state.clock, graceUntil: null },
      counters: closeGap(state.counters, policy.intervalMs, at, null),
    },
    {
      at,
      kind: "hibernated",
      severity: phase.reason === "silence" ? "warning" : "info",
      message: HIBERNATED_MESSAGE[phase.reason],
      detail: { reason: phase.reason, confirmed_by: confirmedBy, action_id: phase.action.id },
    },
  );
}

const HIBERNATED_MESSAGE: Record<ActionReason, string> = {
  idle: "Instance hibernated due to low usage",
  silence: "Instance hibernated: no heartbeat",
  owner: "Instance hibernated as you asked",
};

/** The order was not carried out: the instance returns to what its heartbeats say. */
export function failHibernation(state: InstanceState, at: number, because: string): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernating") return state;
  return record(
    { ...state, phase: backFrom(phase.orphan) },
    {
      at,
      kind: "hibernate_failed",
      severity: "critical",
      message: `Could not hibernate: ${because}`,
      detail: { reason: phase.reason, action_id: phase.action.id },
    },
  );
}

/** Calls off an order to hibernate that the instance has not been told yet. */
export function cancelHibernation(state: InstanceState, at: number, because: string): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernating") return state;
  return record(
    { ...state, phase: backFrom(phase.orphan) },
    {
      at,
      kind: "hibernate_cancelled",
      severity: "info",
      message: `Hibernation called off: ${because}`,
      detail: { reason: phase.reason, action_id: phase.action.id },
    },
  );
}

function backFrom(orphan: Orphan | null): InstanceState["phase"] {
  return orphan === null ? { status: "running", idle: null } : { status: "orphaned", orphan };
}

/** An order to hibernate that nobody has been told yet can still be called off. */
export function canCancelHibernation(state: InstanceState): boolean {
  return state.phase.status === "hibernating" && state.phase.action.toldAt === null;
}

/** Notes that the answer to the heartbeat of `at` carries the order to hibernate. */
export function tell(state: InstanceState, at: number): InstanceState {
  const byAnswer = abilitiesOf(state.profile.provider).hibernates === "by answer";
  return byAnswer && state.phase.status === "hibernating"
    ? startAction(state, state.phase.action.id, at)
    : state;
}

/** Notes that the order is told from `at` on, if it still stands. */
export function startAction(state: InstanceState, actionId: string, at: number): InstanceState {
  const { phase } = state;
  switch (phase.status) {
    case "hibernating":
    case "waking":
    case "deleting":
      return phase.action.id === actionId && phase.action.toldAt === null
        ? { ...state, phase: { ...phase, action: { ...phase.action, toldAt: at } } }
        : state;
    case "pending":
    case "running":
    case "orphaned":
    case "hibernated":
    case "deleted":
      return state;
  }
}

/** Whether the order stands: only then may it be carried out. */
export function isUnderWay(state: InstanceState, actionId: string): boolean {
  return "action" in state.phase && state.phase.action.id === actionId;
}

/** When an order by answer must be judged by the instance's silence, or null. */
export function answerDeadline(state: InstanceState, policy: Policy): number | null {
  const { phase } = state;
  if (phase.status !== "hibernating" || abilitiesOf(state.profile.provider).hibernates !== "by answer") {
    return null;
  }
  const heard = heardAt(state.clock) ?? phase.action.orderedAt;
  return phase.action.toldAt === null
    ? Math.max(heard, phase.action.orderedAt) + policy.orphan.orphanAfterMs
    : Math.max(heard, phase.action.toldAt) + 2 * policy.intervalMs;
}

/** An instance that was told and fell silent has obeyed; one that fell silent untold can't be told any more. */
export function advanceAnswer(state: InstanceState, policy: Policy, now: number): InstanceState {
  const due = answerDeadline(state, policy);
  if (due === null || now < due || state.phase.status !== "hibernating") return state;
  return state.phase.action.toldAt === null
    ? failHibernation(state, due, "the instance fell silent before it could be told")
    : confirmHibernation(state, policy, due, "silence after the order");
}

export function beginWake(state: InstanceState, policy: Policy, at: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernated") return state;
  const ordered = order(state, "wake", "owner", at);
  return record(
    {
      ...endSavings(ordered.state, phase.unsavedFrom, at),
      phase: { status: "waking", action: ordered.action, reason: phase.reason },
      clock: { ...state.clock, graceUntil: at + policy.wakeGraceMs, countsFrom: at },
    },
    {
      at,
      kind: "waking",
      severity: "info",
      message: "Waking as you asked",
      detail: {
        action_id: ordered.action.id,
        grace_until: toIso(at + policy.wakeGraceMs),
        ...endOfHibernation(phase, policy, at),
      },
    },
  );
}

/** What is kept of a hibernation that ends: why it was, how long, and whether it was regretted. */
export function endOfHibernation(phase: Hibernated, policy: Policy, at: number): EventDetail {
  return {
    reason: phase.reason,
    hibernated_seconds: Math.round((at - phase.since) / SECOND_MS),
    regretted: at - phase.since <= policy.regretMs,
  };
}

export function failWake(state: InstanceState, at: number, because: string): InstanceState {
  const { phase } = state;
  if (phase.status !== "waking") return state;
  return record(
    {
      ...state,
      phase: { status: "hibernated", since: at, unsavedFrom: at, reason: phase.reason, orphan: null },
      clock: { ...state.clock, graceUntil: null },
    },
    {
      at,
      kind: "wake_failed",
      severity: "critical",
      message: `Could not wake: ${because}`,
      detail: { action_id: phase.action.id },
    },
  );
}

export function beginDelete(state: InstanceState, policy: Policy, at: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "orphaned" && phase.status !== "hibernated") return state;
  if (phase.orphan === null) return state;
  const ordered = order(state, "delete", "silence", at, policy.orphan.snapshotBeforeDelete);
  return record(
    {
      ...ordered.state,
      phase: {
        status: "deleting",
        action: ordered.action,
        orphan: { ...phase.orphan, guard: null },
        hibernated: phase.status === "hibernated" ? phase : null,
      },
    },
    {
      at,
      kind: "deleting",
      severity: "warning",
      message: `Deleting: orphaned since ${toIso(phase.orphan.since)}`,
      detail: {
        rule: "orphan.delete_after_days",
        orphaned_since: toIso(phase.orphan.since),
        snapshot_first: policy.orphan.snapshotBeforeDelete,
        action_id: ordered.action.id,
      },
    },
  );
}

/** Deleted at the provider. `snapshotId` is null when the policy asked for none, or the instance was gone already. */
export function confirmDelete(
  state: InstanceState,
  policy: Policy,
  at: number,
  snapshotId: string | null,
): InstanceState {
  const { phase } = state;
  if (phase.status !== "deleting") return state;
  const settled = phase.hibernated === null ? state : endSavings(state, phase.hibernated.unsavedFrom, at);
  return record(
    {
      ...settled,
      phase: { status: "deleted", at },
      counters: closeGap(settled.counters, policy.intervalMs, at, null),
    },
    {
      at,
      kind: "deleted",
      severity: "warning",
      message: `Instance auto-deleted after ${spokenDuration(at - phase.orphan.since)} orphaned. ${snapshotId === null ? "No snapshot was taken." : `Snapshot saved: ${snapshotId}`}`,
      detail: {
        snapshot_id: snapshotId,
        orphaned_since: toIso(phase.orphan.since),
        action_id: phase.action.id,
      },
    },
  );
}

/** The provider has no such instance: somebody deleted it there. */
export function findGone(state: InstanceState, policy: Policy, at: number): InstanceState {
  const { phase } = state;
  if (!("action" in phase)) return state;
  const hibernated = phase.status === "deleting" ? phase.hibernated : null;
  const settled = hibernated === null ? state : endSavings(state, hibernated.unsavedFrom, at);
  return record(
    {
      ...settled,
      phase: { status: "deleted", at },
      counters: closeGap(settled.counters, policy.intervalMs, at, null),
    },
    {
      at,
      kind: "gone",
      severity: "warning",
      message: `${state.profile.provider} has no such instance any more: it counts as deleted`,
      detail: { action_id: phase.action.id, asked_to: phase.action.kind },
    },
  );
}

export function failDelete(state: InstanceState, at: number, because: string): InstanceState {
  const { phase } = state;
  if (phase.status !== "deleting") return state;
  return record(
    {
      ...state,
      phase: phase.hibernated ?? { status: "orphaned", orphan: phase.orphan },
    },
    {
      at,
      kind: "delete_failed",
      severity: "critical",
      message: `Not deleted: ${because}`,
      detail: { action_id: phase.action.id },
    },
  );
}

/** Closes a stretch of confirmed hibernation into the savings. */
export function endSavings(state: InstanceState, since: number, until: number): InstanceState {
  const saved = saveHibernation(state.counters.saved, state.profile, since, until);
  return { ...state, counters: { ...state.counters, saved } };
}
