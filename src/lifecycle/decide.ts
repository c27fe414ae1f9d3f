import {
  advanceAnswer,
  answerDeadline,
  beginHibernation,
  beginWake,
  canCancelHibernation,
  cancelHibernation,
  confirmDelete,
  confirmHibernation,
  endSavings,
  failDelete,
  failHibernation,
  failWake,
  findGone,
  isUnderWay,
  startAction,
  tell,
} from "./actions.ts";
import { closeGap, missedHeartbeats } from "./counters.ts";
import type { PendingEffect } from "./effects.ts";
import { hear } from "./hear.ts";
import { advanceIdleness, endIdleRun, idleDeadline } from "./idleness.ts";
import type { InstanceEvent } from "./instance-event.ts";
import {
  advanceLiveness,
  cleanUp,
  guardDeferred,
  guardPermitted,
  isBeyondRecall,
  livenessDeadline,
  recover,
  returnFromAbsence,
} from "./liveness.ts";
import { boundBacklog, CHUNK_HEARTBEATS, emit, flush, project, record } from "./outbox.ts";
import type { Policy } from "./policy.ts";
import { abilitiesOf } from "./provider.ts";
import { type InstanceState, orphanOf } from "./state.ts";
import { HOUR_MS, shortDuration, toIso } from "./time.ts";

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

export interface Refusal {
  readonly code: "hibernated" | "hibernating" | "deleted" | "not_possible" | "no_provider" | "busy";
  readonly message: string;
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
  const answered = event.type === "heartbeat" ? tell(advanced, now) : advanced;
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
        record(state, {
          at: now,
          kind: "registered",
          severity: "info",
          message: `Registered as ${state.profile.name}`,
          detail: { provider: state.profile.provider },
        }),
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
      return change(state, event.changes, now);
    case "policy.changed":
      return changePolicy(state, event.formerIntervalMs, policy, now);
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
      return guardPermitted(state, event.openedAt, policy, now);
    case "guard.deferred":
      return guardDeferred(state, policy, now);
    case "action.started":
      return startAction(state, event.actionId, now);
    case "action.succeeded":
      return isUnderWay(state, event.actionId) ? actionSucceeded(state, event, policy, now) : state;
    case "action.gone":
      return isUnderWay(state, event.actionId) ? findGone(state, policy, now) : state;
    case "action.failed":
      return isUnderWay(state, event.actionId) ? actionFailed(state, event.because, now) : state;
  }
}

/** Takes every step that time has made due. */
function advance(state: InstanceState, policy: Policy, now: number): InstanceState {
  const next = advanceAnswer(advanceLiveness(advanceIdleness(state, policy, now), policy, now), policy, now);
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
    oldest === undefined ? null : oldest.at + FLUSH_AFTER_MS,
  ].filter((moment) => moment !== null);
  return moments.length === 0 ? null : Math.min(...moments);
}

function keepAlive(
  state: InstanceState,
  durationMs: number,
  policy: Policy,
  now: number,
): InstanceState | Refusal {
  const { status } = state.phase;
  if (status === "hibernated") {
    return { code: "hibernated", message: "The instance is hibernated: wake it first" };
  }
  if (status === "deleted") return { code: "deleted", message: "The instance is deleted" };
  if (status === "hibernating" && !canCancelHibernation(state)) {
    return { code: "hibernating", message: "The instance is already being hibernated" };
  }
  if (isBeyondRecall(state.phase)) return { code: "busy", message: "The instance is already being deleted" };
  const until = Math.max(now + durationMs, state.clock.keepAliveUntil ?? 0);
  const because = "kept alive by hand";
  const awake = endIdleRun(cancelHibernation(recover(state, now, because), now, because), now, because);
  return record(
    {
      ...awake,
      phase: awake.phase.status === "pending" ? { status: "running", idle: null } : awake.phase,
      clock: { ...awake.clock, keepAliveUntil: until },
      counters: closeGap(awake.counters, policy.intervalMs, now, until),
    },
    {
      at: now,
      kind: "kept_alive",
      severity: "info",
      message: `Kept alive by hand for ${shortDuration(until - now)}`,
      detail: { keep_alive_until: toIso(until) },
    },
  );
}

function requestHibernation(state: InstanceState, now: number): InstanceState | Refusal {
  const { provider } = state.profile;
  const { hibernates, reachesSilent } = abilitiesOf(provider);
  switch (state.phase.status) {
    case "hibernating":
    case "hibernated":
      return { code: state.phase.status, message: `The instance is ${state.phase.status} already` };
    case "deleted":
      return { code: "deleted", message: "The instance is deleted" };
    case "waking":
    case "deleting":
      return { code: "busy", message: `The instance is ${state.phase.status}` };
    case "pending":
    case "orphaned":
      if (hibernates === "never" || !reachesSilent) {
        return {
          code: "no_provider",
          message: `The instance is silent, and its provider (${provider}) cannot reach it`,
        };
      }
      break;
    case "running":
      if (hibernates === "never") {
        return { code: "no_provider", message: "The instance has no provider that could hibernate it" };
      }
  }
  return beginHibernation(state, {
    kind: "hibernate",
    reason: "owner",
    at: now,
    message: "Hibernating as you asked",
    detail: { rule: "owner" },
  });
}

function requestWake(state: InstanceState, policy: Policy, now: number): InstanceState | Refusal {
  if (state.phase.status === "deleted") {
    return { code: "deleted", message: "The instance is deleted" };
  }
  if (state.phase.status !== "hibernated") {
    return { code: "not_possible", message: `The instance is ${state.phase.status}, not hibernated` };
  }
  if (!abilitiesOf(state.profile.provider).reachesSilent) {
    return {
      code: "no_provider",
      message: `Its provider (${state.profile.provider}) cannot wake it: start it where it is rented, and its first heartbeat will be noticed`,
    };
  }
  return beginWake(recover(state, now, "woken"), policy, now);
}

function change(
  state: InstanceState,
  changes: Partial<Omit<InstanceState["profile"], "registeredAt">>,
  now: number,
): InstanceState | Refusal {
  const { phase, profile } = state;
  const underWay = phase.status === "hibernating" || phase.status === "waking" || phase.status === "deleting";
  if (changes.provider !== undefined && changes.provider !== profile.provider && underWay) {
    return { code: "busy", message: `The provider cannot change while the instance is ${phase.status}` };
  }
  // Hibernation so far was saved at the former costs.
  const settled: InstanceState =
    phase.status === "hibernated"
      ? { ...endSavings(state, phase.unsavedFrom, now), phase: { ...phase, unsavedFrom: now } }
      : state;
  return record(
    { ...settled, profile: { ...profile, ...changes } },
    {
      at: now,
      kind: "changed",
      severity: "info",
      message: `Changed: ${Object.keys(changes).join(", ") || "nothing"}`,
      detail: changes,
    },
  );
}

function changePolicy(
  state: InstanceState,
  formerIntervalMs: number,
  policy: Policy,
  now: number,
): InstanceState {
  const { counters } = state;
  const missed = missedHeartbeats(counters, formerIntervalMs, now);
  const gapFrom =
    counters.gapFrom === null ? null : counters.gapFrom + (missed - counters.missed) * formerIntervalMs;
  const counted: InstanceState = { ...state, counters: { ...counters, missed, gapFrom } };
  const judged = policy.idle.enabled ? counted : endIdleRun(counted, now, "idle policy switched off");
  return project(
    record(judged, { at: now, kind: "policy_changed", severity: "info", message: "Policy changed" }),
  );
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
    // A woken instance is running once it says so itself.
    case "waking":
    case "pending":
    case "running":
    case "orphaned":
    case "hibernated":
    case "deleted":
      return state;
  }
}

function actionFailed(state: InstanceState, because: string, now: number): InstanceState {
  const { phase } = state;
  switch (phase.status) {
    case "hibernating":
      return failHibernation(state, now, because);
    case "waking":
      return failWake(state, now, because);
    case "deleting":
      return failDelete(state, now, because);
    case "pending":
    case "running":
    case "orphaned":
    case "hibernated":
    case "deleted":
      return state;
  }
}
