import type { PendingEffect } from "./model/effects.ts";
import type { InstanceEvent } from "./model/instance-event.ts";
import { boundBacklog, CHUNK_HEARTBEATS, emit, flush, project, record } from "./model/outbox.ts";
import type { Policy } from "./model/policy.ts";
import { type InstanceState, orphanOf } from "./model/state.ts";
import { HOUR_MS } from "./model/time.ts";
import {
  change,
  changePolicy,
  keepAlive,
  type Refusal,
  requestHibernation,
  requestWake,
} from "./rules/commands.ts";
import { confirmDelete, findGone, findRunning } from "./rules/deletion.ts";
import {
  acceptOrder,
  advanceOrder,
  checkOrder,
  failOrder,
  orderDeadline,
  refuseOrder,
  tryOrder,
} from "./rules/handover.ts";
import { hear } from "./rules/heartbeats.ts";
import { advanceAnswer, answerDeadline, confirmHibernation } from "./rules/hibernation.ts";
import { advanceIdleness, idleDeadline } from "./rules/idleness.ts";
import {
  advanceLiveness,
  cleanUp,
  guardDeferred,
  guardPermitted,
  livenessDeadline,
  returnFromAbsence,
} from "./rules/liveness.ts";
import { actionOf, travelsByAnswer } from "./rules/order.ts";
import { advanceWake, confirmWake, wakeDeadline } from "./rules/waking.ts";

/** Heartbeats wait in the state for a full chunk at most this long. */
const FLUSH_AFTER_MS = HOUR_MS;

export interface Decision {
  readonly state: InstanceState;
  /** The effects that this event added to the state's outbox. */
  readonly effects: readonly PendingEffect[];
  /** When `decide` must be called with an alarm at the latest; null when only an event can change anything. */
  readonly wakeAt: number | null;
  /** Why the event was not accepted; the state is then as it was. */
  readonly refusal: Refusal | null;
}

/**
 * All behaviour over time. Pure: the same arguments give the same decision, and the state passed in is not changed.
 * When nothing changes, the very same state object comes back.
 */
export function decide(state: InstanceState, event: InstanceEvent, policy: Policy, now: number): Decision {
  const applied = apply(state, event, policy, now);
  if ("code" in applied) {
    return { state, effects: [], wakeAt: nextWakeAt(state, policy, now), refusal: applied };
  }
  const advanced = advance(applied, policy, now);
  const answered = event.type === "heartbeat" ? handOverByAnswer(advanced, now) : advanced;
  const settled = settle(state, answered, now);
  return {
    state: settled,
    effects: settled.outbox.filter(({ id }) => id >= state.nextEffectId),
    wakeAt: nextWakeAt(settled, policy, now),
    refusal: null,
  };
}

function apply(
  state: InstanceState,
  event: InstanceEvent,
  policy: Policy,
  now: number,
): InstanceState | Refusal {
  switch (event.type) {
    case "registered":
      return project(
        record(
          { ...state, sighted: event.sighted },
          {
            at: now,
            kind: "registered",
            severity: "info",
            message: `Registered as ${state.profile.name}`,
            detail: { provider: state.profile.provider },
          },
        ),
      );
    case "heartbeat":
      return hear(state, event.report, policy, now);
    case "alarm":
      return now - event.dueAt > policy.orphan.orphanAfterMs ? returnFromAbsence(state, policy, now) : state;
    case "keep_alive":
      return keepAlive(state, event.durationMs, policy, now);
    case "hibernate.requested":
      return requestHibernation(state, now);
    case "wake.requested":
      return requestWake(state, policy, now);
    case "changed":
      return change(state, event, policy, now);
    case "policy.changed":
      return changePolicy(state, event.former, policy, now);
    case "token.rotated":
      return record(state, {
        at: now,
        kind: "token_rotated",
        severity: "info",
        message: "A new instance token was issued; the former one is refused",
      });
    case "removed":
      return emit(flush(state), { type: "forget" });
    case "cleanup":
      return cleanUp(state, policy, now);
    case "guard.permitted":
      return guardPermitted(state, event.step, event.openedAt, policy, now);
    case "guard.deferred":
      return guardDeferred(state, event.step, policy, now);
    case "action.checked":
      return checkOrder(state, event.actionId, event.sighted, now);
    case "action.tried":
      return tryOrder(state, event.actionId, now);
    case "action.refused":
      return refuseOrder(state, event.actionId, now);
    case "action.accepted":
      return acceptOrder(state, event.actionId, now);
    case "action.succeeded":
      return isCurrent(state, event.actionId) ? actionSucceeded(state, event, policy, now) : state;
    case "action.gone":
      return isCurrent(state, event.actionId) ? findGone(state, policy, now) : state;
    case "action.found_running":
      return isCurrent(state, event.actionId) ? findRunning(state, now) : state;
    case "action.failed":
      return isCurrent(state, event.actionId) ? failOrder(state, now, event.because) : state;
  }
}

function isCurrent(state: InstanceState, actionId: string): boolean {
  return actionOf(state)?.id === actionId;
}

/** Notes that the answer to the heartbeat of `at` carries the order to hibernate. */
function handOverByAnswer(state: InstanceState, at: number): InstanceState {
  const action = actionOf(state);
  return action !== null && travelsByAnswer(action.machine) ? acceptOrder(state, action.id, at) : state;
}

/** Takes every step that time has made due. */
function advance(state: InstanceState, policy: Policy, now: number): InstanceState {
  const judged = advanceLiveness(advanceIdleness(state, policy, now), policy, now);
  const next = advanceWake(advanceOrder(advanceAnswer(judged, policy, now), now), now);
  return next === state ? state : advance(next, policy, now);
}

/** Hands over what has to leave the state: full or old chunks, everything at a transition, the registry's row. */
function settle(before: InstanceState, after: InstanceState, now: number): InstanceState {
  const moved = before.phase.status !== after.phase.status;
  const oldest = after.recent.at(-after.unflushed);
  const full = after.unflushed >= CHUNK_HEARTBEATS;
  const old = after.unflushed > 0 && oldest !== undefined && now - oldest.at >= FLUSH_AFTER_MS;
  const flushed = moved || full || old ? flush(after) : after;
  const seenOutside =
    moved ||
    before.profile !== after.profile ||
    orphanOf(before.phase)?.since !== orphanOf(after.phase)?.since;
  return boundBacklog(seenOutside ? project(flushed) : flushed, now);
}

/** When `decide` must be called with an alarm at the latest; it may be past, if that alarm was lost. */
export function nextWakeAt(state: InstanceState, policy: Policy, now: number): number | null {
  const oldest = state.unflushed > 0 ? state.recent.at(-state.unflushed) : undefined;
  const moments = [
    idleDeadline(state, policy, now),
    livenessDeadline(state, policy),
    answerDeadline(state, policy),
    orderDeadline(state),
    wakeDeadline(state),
    oldest === undefined ? null : oldest.at + FLUSH_AFTER_MS,
  ].filter((moment) => moment !== null);
  return moments.length === 0 ? null : Math.min(...moments);
}

function actionSucceeded(
  state: InstanceState,
  { confirmedBy, snapshotId }: { readonly confirmedBy: string; readonly snapshotId: string | null },
  policy: Policy,
  now: number,
): InstanceState {
  const { phase } = state;
  switch (phase.status) {
    case "hibernating":
      return confirmHibernation(state, policy, now, confirmedBy);
    case "deleting":
      return confirmDelete(state, policy, now, snapshotId);
    case "waking":
      return confirmWake(state, now);
    case "pending":
    case "running":
    case "orphaned":
    case "hibernated":
    case "deleted":
      return state;
  }
}
