import type { PendingEffect } from "./model/effects.ts";
import type { EventDetail } from "./model/history-event.ts";
import type { InstanceEvent } from "./model/instance-event.ts";
import { chunkDueAt, dueChunk, emitChunk, flush, project, record } from "./model/outbox.ts";
import { idleRunOf, isAsleep, orphanOf } from "./model/phase.ts";
import type { Policy } from "./model/policy.ts";
import { providerDetail } from "./model/provider.ts";
import { type InstanceState, isSameMachine } from "./model/state.ts";
import { phrase } from "./model/words/phrase.ts";
import type { Said } from "./model/words/said.ts";
import { text } from "./model/words/say.ts";
import { passOverMaintenance } from "./rules/after-maintenance.ts";
import { callOffInAwakeHours } from "./rules/awake-hours-begun.ts";
import { cleanUp } from "./rules/cleanup.ts";
import { changeProfile, keepAlive, requestHibernation, requestWake } from "./rules/commands.ts";
import { putTimeDown } from "./rules/costs.ts";
import { departIfDue, departureDeadline, leave } from "./rules/departure.ts";
import { doubtedFrom } from "./rules/doubt.ts";
import { deferStep, permitStep } from "./rules/guarded-steps.ts";
import { acceptOrder, checkOrder, refuseOrder, tryOrder } from "./rules/handover.ts";
import { isHeardInTime } from "./rules/heard-in-time.ts";
import { receiveHeartbeat } from "./rules/heartbeats.ts";
import { answeredOrderDeadline, endAnsweredOrder } from "./rules/hibernation.ts";
import { idleDeadline, takeIdleStep } from "./rules/idleness.ts";
import { noteLate } from "./rules/late.ts";
import { livenessDeadline, resumeAfterDowntime, takeLivenessSteps } from "./rules/liveness.ts";
import { beginLook, endLook, lookDeadline, takeLookStep } from "./rules/look.ts";
import { withMoney } from "./rules/money.ts";
import { actAsOperator } from "./rules/operator.ts";
import { actionOf, takesOrdersByAnswer } from "./rules/order.ts";
import { endOrder, endOverdueOrder, orderDeadline } from "./rules/order-end.ts";
import { plannedStopDeadline, takePlannedStop } from "./rules/planned-stop.ts";
import { changePolicy } from "./rules/policy-change.ts";
import { callOffPreparation, settlePreparation } from "./rules/preparation-cancelled.ts";
import { preparationDeadline, takePreparationStep } from "./rules/preparation-end.ts";
import { reclaimDeadline, takeReclaimStep } from "./rules/reclaim.ts";
import { type Refusal, SUSPENDED } from "./rules/refusals.ts";
import { resume } from "./rules/resumption.ts";
import { noteRunning } from "./rules/running-since.ts";
import { scheduledWakeAt, takeScheduledWake } from "./rules/scheduled-wake.ts";
import { mustTellCosts, tell } from "./rules/told-costs.ts";
import { endWakeGrace, wakeGraceDeadline } from "./rules/waking.ts";
import { witnessListed, witnessVanished } from "./rules/witness.ts";

export interface Decision {
  readonly state: InstanceState;
  /** The effects that this event added to the state's outbox. */
  readonly effects: readonly PendingEffect[];
  /** When `decide` must be called with an alarm at the latest; null when only an event can change anything. */
  readonly wakeAt: number | null;
  /** Why the event was refused; the state is then unchanged. */
  readonly refusal: Refusal | null;
}

/**
 * All behaviour over time. Pure: the same arguments give the same decision, and the state passed in is not modified. When
 * nothing changes, the very same state object is returned.
 */
export function decide(state: InstanceState, event: InstanceEvent, policy: Policy, now: number): Decision {
  // Time so far passed as things stood so far.
  const timed = putTimeDown(state, now, doubtedFrom(state, event, policy) ?? now);
  const counted = noteLateness(timed, event, policy, now);
  const applied = apply(withoutMaintenance(counted, event, policy, now), event, policy, now);
  if ("code" in applied) {
    return { state, effects: [], wakeAt: nextWakeAt(state, policy, now), refusal: applied };
  }
  const settled = noteRuns(state, settlePreparation(counted, applied, now), event, now);
  const stepped = takeDueSteps(settled, policy, now);
  const answered = event.type === "heartbeat" ? acceptOrderByAnswer(stepped, now) : stepped;
  const projected = flushAndProject(state, answered, event, now);
  // Time alone is no reason to save: it is put down with the next change.
  const decided = projected === timed ? state : withMoney(counted, projected, state.nextEffectId, now);
  return {
    state: decided,
    effects: decided.outbox.filter(({ id }) => id >= state.nextEffectId),
    wakeAt: nextWakeAt(decided, policy, now),
    refusal: null,
  };
}

/** Of a machine that is at work and was heard in time nothing is due: its heartbeats need not look. */
function noteLateness(
  state: InstanceState,
  event: InstanceEvent,
  policy: Policy,
  now: number,
): InstanceState {
  if (event.type === "alarm") return noteLate(state, event.dueAt, now);
  const isAtWork = idleRunOf(state.phase) === null && isHeardInTime(state, policy, now);
  if (event.type === "heartbeat" && isAtWork) return state;
  // An idle step that is due waits for a heartbeat, unless it was due in time.
  const idle = idleDeadline(state, policy, state.clock.lastHeartbeatAt ?? now);
  const due = Math.min(nextWakeAt(state, policy, now) ?? now, idle ?? now);
  return noteLate(state, due, now);
}

/** A heartbeat ends all silence, and a change of policy has a former one. */
function withoutMaintenance(
  state: InstanceState,
  { type }: InstanceEvent,
  policy: Policy,
  now: number,
): InstanceState {
  const asItIs = type === "heartbeat" || type === "policy.changed" || type === "resumed";
  return asItIs ? state : passOverMaintenance(state, policy, now);
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
            message: sayRegistered(state.profile.name, event.enrolledBy),
            detail: { ...providerDetail(state.profile.provider), ...enrolledBy(event.enrolledBy) },
          },
        ),
      );
    case "heartbeat":
      return receiveHeartbeat(state, event.report, policy, now);
    case "alarm":
      return now - event.dueAt > policy.orphan.orphanAfterMs
        ? resumeAfterDowntime(state, policy, now)
        : state;
    case "keep_alive":
      return policy.suspended ? SUSPENDED : keepAlive(state, event.durationMs, policy, now);
    case "hibernate.requested":
      return policy.suspended ? SUSPENDED : requestHibernation(state, event, policy, now);
    case "wake.requested":
      return policy.suspended ? SUSPENDED : requestWake(state, policy, now);
    case "changed":
      return changeProfile(state, event, policy, now);
    case "policy.changed":
      return changePolicy(state, event, policy, now);
    case "token.rotated":
      return record(state, {
        at: now,
        kind: "token_rotated",
        severity: "info",
        message:
          event.enrolledBy == null
            ? phrase("event.token_rotated")
            : phrase("event.token_rotated_with", { token: event.enrolledBy }),
        ...(event.enrolledBy == null ? {} : { detail: enrolledBy(event.enrolledBy) }),
      });
    case "removed":
      return leave(callOffPreparation(state, now, text("preparation.removed")));
    case "cleanup":
      return cleanUp(state, policy, now);
    case "resumed":
      return project(resume(state, event.origin, event.knownUntil, now));
    case "guard.permitted":
      return permitStep(state, event.step, event.openedAt, policy, now);
    case "guard.deferred":
      return deferStep(state, event.step, policy, now);
    case "action.checked":
      return checkOrder(state, event.actionId, event.sighted, now);
    case "action.tried":
      return tryOrder(state, event.actionId, now);
    case "action.refused":
      return refuseOrder(state, event.actionId, now);
    case "action.accepted":
      return acceptOrder(state, event.actionId, now);
    case "action.succeeded":
    case "action.gone":
    case "action.found_running":
    case "action.failed":
      return endOrder(state, event, policy, now);
    case "machine.listed":
      return witnessListed(state, event, policy, now);
    case "machine.vanished":
      return witnessVanished(state, event, policy, now);
    case "look.begun":
      return beginLook(state, now);
    case "looked":
      return endLook(state, event, policy, now);
    case "operator.acted":
      return actAsOperator(state, event, now);
  }
}

function sayRegistered(name: string, token: string | null | undefined): Said {
  return token == null
    ? phrase("event.registered", { name })
    : phrase("event.registered_with", { name, token });
}

function enrolledBy(name: string | null | undefined): EventDetail {
  return name == null ? {} : { enrolled_by: name };
}

/** Since when it runs, and is meant to, after an event or, where it is null, after the steps that were due. */
function noteRuns(
  before: InstanceState,
  after: InstanceState,
  event: InstanceEvent | null,
  now: number,
): InstanceState {
  return noteRunning(before, noteMeantToRun(before, after, event, now), event, now);
}

/** What was asked of many instances before this moment no longer concerns this one. */
function noteMeantToRun(
  before: InstanceState,
  after: InstanceState,
  event: InstanceEvent | null,
  now: number,
): InstanceState {
  const isWoken = isAsleep(before.phase) && !isAsleep(after.phase);
  const isMoved = !isSameMachine(before.profile, after.profile);
  return isWoken || isMoved || event?.type === "keep_alive" ? { ...after, meantToRunSince: now } : after;
}

/** Takes every step that is due, those too that become due by another: a planned stop is known once the machine runs. */
function takeDueSteps(state: InstanceState, policy: Policy, now: number): InstanceState {
  const wanted = callOffInAwakeHours(takeIdleStep(state, policy, now), policy, now);
  const prepared = takePreparationStep(wanted, policy, now);
  const climbed = takeLivenessSteps(takeReclaimStep(prepared, policy, now), policy, now);
  const ended = endOverdueOrder(endAnsweredOrder(climbed, policy, now), now);
  const looked = takeLookStep(departIfDue(endWakeGrace(ended, now), policy, now), policy, now);
  const woken = takeScheduledWake(takePlannedStop(looked, policy, now), policy, now);
  const next = noteRuns(state, settlePreparation(state, woken, now), null, now);
  return next === state ? state : takeDueSteps(next, policy, now);
}

/** The answer to the heartbeat received at `at` carries the order, so the agent has accepted it. */
function acceptOrderByAnswer(state: InstanceState, at: number): InstanceState {
  const action = actionOf(state);
  return action !== null && takesOrdersByAnswer(action.machine) ? acceptOrder(state, action.id, at) : state;
}

/**
 * Emits what the history and the registry need: chunks that end at a change of status, one that was full or old before
 * this event, and the registry's row when it no longer matches. A heartbeat does not join the chunk that it sends off:
 * so that chunk holds saved heartbeats alone, and may go to the history before this one is saved.
 */
function flushAndProject(
  before: InstanceState,
  after: InstanceState,
  event: InstanceEvent,
  now: number,
): InstanceState {
  const moved = before.phase.status !== after.phase.status;
  const due = dueChunk(before, event, now);
  const sent = due === null ? after : emitChunk(after, due);
  const flushed = moved ? flush(sent) : sent;
  const isRowOutdated =
    moved ||
    before.profile !== after.profile ||
    before.listedHourlyCost !== after.listedHourlyCost ||
    before.stoppedHourlyCost !== after.stoppedHourlyCost ||
    orphanOf(before.phase)?.since !== orphanOf(after.phase)?.since ||
    (event.type === "heartbeat" && mustTellCosts(before, after, now));
  return isRowOutdated ? tell(flushed, now) : flushed;
}

/** When `decide` must be called with an alarm at the latest. In the past if an alarm was lost. */
export function nextWakeAt(state: InstanceState, policy: Policy, now: number): number | null {
  const moments = [
    idleDeadline(state, policy, now),
    preparationDeadline(state, policy, now),
    reclaimDeadline(state, policy),
    livenessDeadline(state, policy, now),
    plannedStopDeadline(state, policy, now),
    scheduledWakeAt(state, policy, now),
    answeredOrderDeadline(state, policy),
    orderDeadline(state),
    wakeGraceDeadline(state),
    departureDeadline(state, policy),
    lookDeadline(state, policy),
    chunkDueAt(state),
  ].filter((moment) => moment !== null);
  return moments.length === 0 ? null : Math.min(...moments);
}
