import { closeGap, missedHeartbeats } from "./counters.ts";
import { confirmDelete, findGone, findRunning } from "./deletion.ts";
import type { PendingEffect } from "./effects.ts";
import {
  acceptOrder,
  advanceOrder,
  callOff,
  checkOrder,
  failOrder,
  isBeyondRecall,
  orderDeadline,
  recover,
  refuseOrder,
  tryOrder,
} from "./handover.ts";
import { hear } from "./hear.ts";
import {
  advanceAnswer,
  answerDeadline,
  beginHibernation,
  confirmHibernation,
  endSavings,
} from "./hibernation.ts";
import { advanceIdleness, endIdleRun, idleDeadline, judgeByNewPolicy } from "./idleness.ts";
import type { InstanceEvent } from "./instance-event.ts";
import {
  advanceLiveness,
  cleanUp,
  guardDeferred,
  guardPermitted,
  livenessDeadline,
  returnFromAbsence,
  spareThePast,
} from "./liveness.ts";
import { actionOf, travelsByAnswer } from "./order.ts";
import { boundBacklog, CHUNK_HEARTBEATS, emit, flush, project, record } from "./outbox.ts";
import type { Policy } from "./policy.ts";
import { abilitiesOf } from "./provider.ts";
import { type InstanceState, orphanOf, type Profile } from "./state.ts";
import { HOUR_MS, shortDuration, toIso } from "./time.ts";
import { beginWake } from "./waking.ts";

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
  const next = advanceOrder(advanceAnswer(judged, policy, now), now);
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
  if (isBeyondRecall(state)) {
    return status === "deleting"
      ? { code: "busy", message: "The instance is already being deleted" }
      : { code: "hibernating", message: "The instance is already being hibernated" };
  }
  const until = Math.max(now + durationMs, state.clock.keepAliveUntil ?? 0);
  const because = "kept alive by hand";
  const recovered = recover(state, now, because);
  const called = recovered.phase.status === "hibernating" ? callOff(recovered, now, because) : recovered;
  const awake = endIdleRun(called, now, because);
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
  { changes, sighted }: Extract<InstanceEvent, { type: "changed" }>,
  policy: Policy,
  now: number,
): InstanceState | Refusal {
  const profile = { ...state.profile, ...changes };
  const isOther = isOtherMachine(state.profile, profile);
  if (isOther && actionOf(state) !== null) {
    return {
      code: "busy",
      message: `The provider and its reference cannot change while the instance is ${state.phase.status}`,
    };
  }
  const settled = settleSavings(state, now);
  const changed: InstanceState = isOther
    ? { ...watchAnew(settled, policy, now), profile, sighted }
    : { ...settled, profile };
  return record(changed, {
    at: now,
    kind: "changed",
    severity: "info",
    message: `Changed: ${Object.keys(changes).join(", ") || "nothing"}`,
    detail: changes,
  });
}

/** Hibernation so far was saved at the former costs. */
function settleSavings(state: InstanceState, now: number): InstanceState {
  const { phase } = state;
  return phase.status === "hibernated"
    ? { ...endSavings(state, phase.unsavedFrom, now), phase: { ...phase, unsavedFrom: now } }
    : state;
}

function isOtherMachine(former: Profile, next: Profile): boolean {
  return former.provider !== next.provider || former.providerRef !== next.providerRef;
}

/** Nothing is known of another machine before it is heard: no silence of the former one counts against it. */
function watchAnew(state: InstanceState, policy: Policy, now: number): InstanceState {
  return {
    ...state,
    phase: { status: "pending" },
    clock: { ...state.clock, graceUntil: null, countsFrom: now },
    counters: closeGap(state.counters, policy.intervalMs, now, null),
    agent: { ...state.agent, hasGpu: false, gpus: [] },
  };
}

function changePolicy(state: InstanceState, former: Policy, policy: Policy, now: number): InstanceState {
  const { counters } = state;
  const missed = missedHeartbeats(counters, former.intervalMs, now);
  const gapFrom =
    counters.gapFrom === null ? null : counters.gapFrom + (missed - counters.missed) * former.intervalMs;
  const counted: InstanceState = { ...state, counters: { ...counters, missed, gapFrom } };
  const judged = spareThePast(judgeByNewPolicy(counted, former, policy, now), former, policy, now);
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
