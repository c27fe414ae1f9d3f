import { closeGap } from "../model/counters.ts";
import type { EventDetail } from "../model/history-event.ts";
import { record } from "../model/outbox.ts";
import { awaitHeartbeat, type Orphan, type Phase } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { kindOf } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import { spokenDuration, toIso } from "../model/time.ts";
import { countFailure, isRepeated } from "./failures.ts";
import { actionOf, placeOrder } from "./order.ts";

/** An order to delete: how it begins, is confirmed, fails, or is called off, and what may be found instead. */

export function beginDelete(state: InstanceState, policy: Policy, at: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "orphaned" && phase.status !== "hibernated") return state;
  if (phase.orphan === null) return state;
  const ordered = placeOrder(state, "delete", "silence", at, policy.orphan.snapshotBeforeDelete);
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

/** The machine was deleted at its provider. `snapshotId` is null when the policy asked for no snapshot. */
export function confirmDelete(
  state: InstanceState,
  policy: Policy,
  at: number,
  snapshotId: string | null,
): InstanceState {
  const { phase } = state;
  if (phase.status !== "deleting") return state;
  return record(endLife(state, policy, at), {
    at,
    kind: "deleted",
    severity: "warning",
    message: `Instance auto-deleted after ${spokenDuration(at - phase.orphan.since)} orphaned. ${snapshotId === null ? "No snapshot was taken." : `Snapshot saved: ${snapshotId}`}`,
    detail: {
      snapshot_id: snapshotId,
      orphaned_since: toIso(phase.orphan.since),
      action_id: phase.action.id,
    },
  });
}

/** It is proven that the machine no longer exists: somebody deleted it at its provider. */
export function findGone(state: InstanceState, policy: Policy, at: number): InstanceState {
  const action = actionOf(state);
  if (action === null) return state;
  return countAsGone(state, policy, at, { action_id: action.id, asked_to: action.kind });
}

/** Whoever finds that the machine no longer exists ends the instance's life. */
export function countAsGone(
  state: InstanceState,
  policy: Policy,
  at: number,
  detail: EventDetail,
): InstanceState {
  return record(endLife(state, policy, at), {
    at,
    kind: "gone",
    severity: "warning",
    message: `${kindOf(state.profile.provider)} has no such instance any more: it counts as deleted`,
    detail,
  });
}

function endLife(state: InstanceState, policy: Policy, at: number): InstanceState {
  return {
    ...state,
    phase: { status: "deleted", at },
    counters: closeGap(state.counters, policy.intervalMs, at, null),
  };
}

/** A delete is not carried out: the machine runs. */
export function findRunning(state: InstanceState, at: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "deleting") return state;
  return countAsFoundRunning(state, {
    at,
    said: "Not deleted: it was hibernated",
    by: "Somebody started it",
    detail: { action_id: phase.action.id, orphaned_since: toIso(phase.orphan.since) },
  });
}

/**
 * The machine runs although we hold it as hibernated: it was started, and its agent sends no heartbeat. The owner is
 * told, and nothing more is done to it before its first heartbeat, whoever found it so.
 */
export function countAsFoundRunning(
  state: InstanceState,
  found: { readonly at: number; readonly said: string; readonly by: string; readonly detail: EventDetail },
): InstanceState {
  return record(
    {
      ...state,
      // Its owner is told now, and so not once more that it is not heard.
      phase: { ...awaitHeartbeat("started", found.at), orphan: foundAt(found.at) },
      counters: { ...state.counters, gapFrom: null },
    },
    {
      at: found.at,
      kind: "found_running",
      severity: "critical",
      message: `${found.said}, and ${kindOf(state.profile.provider)} shows it running. ${found.by}; it costs money and sends no heartbeat`,
      detail: found.detail,
    },
  );
}

function foundAt(at: number): Orphan {
  return { since: at, clockFrom: at, step: "orphaned", guard: null, failed: null, deleteFailed: null };
}

/** The machine was not deleted. The owner is told once, and later cleanups retry at growing intervals. */
export function failDelete(state: InstanceState, at: number, because: string): InstanceState {
  const { phase } = state;
  if (phase.status !== "deleting") return state;
  const deleteFailed = countFailure(phase.orphan.deleteFailed, at);
  return record(
    { ...state, phase: withoutDelete(phase, { ...phase.orphan, deleteFailed }) },
    {
      at,
      kind: "delete_failed",
      severity: "critical",
      message: `Not deleted: ${because}`,
      detail: {
        action_id: phase.action.id,
        failures: deleteFailed.count,
        repeated: isRepeated(deleteFailed),
      },
    },
  );
}

/** The order to delete is called off before anybody accepted it. */
export function cancelDelete(state: InstanceState, at: number, because: string): InstanceState {
  const { phase } = state;
  if (phase.status !== "deleting") return state;
  return record(
    { ...state, phase: withoutDelete(phase, phase.orphan) },
    {
      at,
      kind: "delete_cancelled",
      severity: "info",
      message: `Deletion called off: ${because}`,
      detail: { action_id: phase.action.id },
    },
  );
}

function withoutDelete(phase: Extract<Phase, { status: "deleting" }>, orphan: Orphan): Phase {
  return phase.hibernated === null ? { status: "orphaned", orphan } : { ...phase.hibernated, orphan };
}
