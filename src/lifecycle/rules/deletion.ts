import { closeGap } from "../model/counters.ts";
import type { EventDetail } from "../model/history-event.ts";
import { record } from "../model/outbox.ts";
import { awaitHeartbeat, type Orphan, type Phase } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { kindOf } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
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
      message: phrase("deletion.begun", { since: phase.orphan.since }),
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
    message: phrase("deletion.done", {
      orphaned: at - phase.orphan.since,
      snapshot:
        snapshotId === null
          ? phrase("deletion.no_snapshot")
          : phrase("deletion.snapshot", { id: snapshotId }),
    }),
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
    message: phrase("deletion.gone", { provider: kindOf(state.profile.provider) }),
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
    said: phrase("found.not_deleted"),
    by: phrase("found.somebody_started"),
    detail: { action_id: phase.action.id, orphaned_since: toIso(phase.orphan.since) },
  });
}

/**
 * The machine runs although we hold it as hibernated: it was started, and its agent sends no heartbeat. The owner is
 * told, and nothing more is done to it before its first heartbeat, whoever found it so.
 */
export function countAsFoundRunning(
  state: InstanceState,
  found: { readonly at: number; readonly said: Said; readonly by: Said; readonly detail: EventDetail },
): InstanceState {
  const awaited = awaitHeartbeat("started", found.at);
  const isKeptAlive = (state.clock.keepAliveUntil ?? 0) > found.at;
  return record(
    {
      ...state,
      // Its owner is told now, and so not once more that it is not heard: but for one that is kept alive, whose silence counts
      // only from the end of that.
      phase: isKeptAlive ? awaited : { ...awaited, orphan: foundAt(found.at) },
      counters: { ...state.counters, gapFrom: null },
    },
    {
      at: found.at,
      kind: "found_running",
      severity: "critical",
      message: phrase("found.running", {
        said: found.said,
        by: found.by,
        provider: kindOf(state.profile.provider),
      }),
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
      message: phrase("deletion.failed", { because }),
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
      message: phrase("deletion.called_off", { because }),
      detail: { action_id: phase.action.id },
    },
  );
}

function withoutDelete(phase: Extract<Phase, { status: "deleting" }>, orphan: Orphan): Phase {
  return phase.hibernated === null ? { status: "orphaned", orphan } : { ...phase.hibernated, orphan };
}
