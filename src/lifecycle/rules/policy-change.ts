import { closeGap, missedHeartbeats } from "../model/counters.ts";
import type { InstanceEvent } from "../model/instance-event.ts";
import { project, record } from "../model/outbox.ts";
import {
  awaitHeartbeat,
  type IdleRun,
  idleRunOf,
  type Orphan,
  orphanOf,
  preparationOf,
  stemsFromSilence,
} from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { type InstanceState, seenAt, withIdleRun, withOrphan } from "../model/state.ts";
import { onlyDeletes } from "../model/stopping.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { text } from "../model/words/say.ts";
import { countSilenceFrom, passOverMaintenance } from "./after-maintenance.ts";
import { outsideAwakeHours } from "./awake-hours.ts";
import { callOff } from "./handover.ts";
import { endIdleRun } from "./idle-run.ts";
import { hibernationDue } from "./idleness.ts";
import { beforeStep, deletionDue, isStepDue, nextStep, restartLadder } from "./ladder.ts";
import { restartLook } from "./look.ts";
import { isInMaintenance } from "./maintenance.ts";
import { changeMode } from "./observing.ts";
import { actionOf } from "./order.ts";
import { isStillPlanned } from "./planned-stop.ts";
import { callOffPreparation } from "./preparation-cancelled.ts";
import { actsOnUnheard, unheardDue, whyUnheard } from "./unheard.ts";
import { isStricter } from "./use.ts";
import { seeUseAnew } from "./use-seen.ts";

const POLICY_CHANGED = text("order.policy_changed");

/**
 * A change of policy never acts on the past: a step that the new policy would already have taken counts from the change. An order
 * that a policy gave, and that the new one would not give, is called off if it still can be.
 */
export function changePolicy(
  state: InstanceState,
  { former, formerSettings }: Extract<InstanceEvent, { type: "policy.changed" }>,
  policy: Policy,
  now: number,
): InstanceState {
  const counted = keepMissedHeartbeats(leaveMaintenance(state, former, policy, now), former, now);
  const idle = seeUseAnew(changeIdlePolicy(counted, former, policy, now), policy, now);
  const silent = changeOrphanPolicy(idle, former, policy, now);
  const changed = changeMode(silent, former, policy, now, POLICY_CHANGED);
  const planned = changeWindows(changed, former, policy, now);
  const standing = changeStanding(planned, former, policy, now);
  const message =
    standing === planned
      ? phrase("event.policy_changed")
      : policy.suspended
        ? phrase("event.suspended")
        : phrase("event.resumed");
  const detail = {
    ...(formerSettings === undefined ? {} : { former: formerSettings }),
    ...(former.suspended === policy.suspended ? {} : { suspended: policy.suspended }),
  };
  return project(record(standing, { at: now, kind: "policy_changed", severity: "info", message, detail }));
}

/** Silence in what the former policy calls maintenance does not count, and it may end with that policy. */
function leaveMaintenance(state: InstanceState, former: Policy, policy: Policy, now: number): InstanceState {
  const passed = passOverMaintenance(state, former, now);
  return isInMaintenance(former, now) && !isInMaintenance(policy, now)
    ? countSilenceFrom(passed, now)
    : passed;
}

/** Windows and limits count from now on. A planned stop that is ordered, and no more planned, is called off if it still can be. */
function changeWindows(state: InstanceState, former: Policy, policy: Policy, now: number): InstanceState {
  if (windowsOf(former) === windowsOf(policy)) return state;
  const { phase } = state;
  const anew: InstanceState = { ...state, windowsFrom: now, plannedStops: undefined };
  const because = phase.status === "hibernating" ? phase.because : preparationOf(phase)?.order.because;
  if (policy.suspended || (because !== "schedule" && because !== "max_runtime")) return anew;
  // Should it fail, that is counted.
  return isStillPlanned(state, because, policy, now)
    ? { ...anew, plannedStops: state.plannedStops }
    : callOffPreparation(callOff(anew, now, POLICY_CHANGED), now, POLICY_CHANGED);
}

function windowsOf({ schedule, maintenance, maxRuntimeMs, observes, suspended }: Policy): string {
  return JSON.stringify([schedule, maintenance, maxRuntimeMs, observes, suspended]);
}

/**
 * Suspended: an order that can still be called off is, and what is missed is not counted. Resumed: nobody was heard
 * meanwhile, so silence counts from now, and its machine is looked at anew.
 */
function changeStanding(state: InstanceState, former: Policy, policy: Policy, now: number): InstanceState {
  if (former.suspended === policy.suspended) return state;
  if (!policy.suspended) return restartLook({ ...state, clock: { ...state.clock, countsFrom: now } }, now);
  const unmissed = { ...state, counters: closeGap(state.counters, policy.intervalMs, now, null) };
  const because = text("order.suspended");
  return callOffPreparation(callOff(unmissed, now, because), now, because);
}

/** The new interval counts only from here on: what was missed so far was missed by the former one. */
function keepMissedHeartbeats(state: InstanceState, former: Policy, now: number): InstanceState {
  const { counters } = state;
  const missed = missedHeartbeats(counters, former.intervalMs, now);
  const gapFrom =
    counters.gapFrom === null ? null : counters.gapFrom + (missed - counters.missed) * former.intervalMs;
  return { ...state, counters: { ...counters, missed, gapFrom } };
}

/** Ends the idle run if it is none by the new policy. A step of it that is overdue by the new policy counts from now. */
function changeIdlePolicy(state: InstanceState, former: Policy, policy: Policy, now: number): InstanceState {
  const known = idleRunOf(state.phase);
  if (known === null) return state;
  const run = outsideAwakeHours(known, policy, now);
  const because = whyNotIdle(state, run, former, policy);
  const isUnwanted = because !== null || hibernationDue(run, policy) > now;
  const { phase } = state;
  // What a person asked for stands. One that is suspended has its order called off for that.
  const isOrdered =
    phase.status === "hibernating" && phase.reason === "idle" && phase.because !== "kill_switch";
  const called = isOrdered && isUnwanted && !policy.suspended ? callOff(state, now, POLICY_CHANGED) : state;
  if (because !== null) return endIdleRun(called, now, because);
  const order = preparationOf(called.phase)?.order;
  if (order?.reason === "idle" && order.because !== "kill_switch") {
    return isUnwanted ? callOffPreparation(called, now, POLICY_CHANGED) : called;
  }
  // What is ordered stands: no countdown begins anew, which the next change would find unfinished.
  if (called.phase.status === "hibernating" && !isUnwanted) return called;
  if (run.warnedAt !== null) {
    return isUnwanted ? called : withIdleRun(called, { ...known, warnedAt: now });
  }
  return run.since + policy.idle.warnAfterMs <= now
    ? withIdleRun(called, { ...known, since: now, heartbeats: 0 })
    : called;
}

function whyNotIdle(state: InstanceState, run: IdleRun, former: Policy, policy: Policy): Said | null {
  if (policy.suspended) return phrase("order.suspended");
  if (!policy.idle.enabled) return phrase("idle.switched_off");
  const isOther = policy.idle.metric !== former.idle.metric || policy.intervalMs !== former.intervalMs;
  // What was ignored during the run may have shown use.
  if (isOther || isStricter(state.use, former.idle, policy.idle)) return phrase("idle.policy_changed");
  return run.highestPercent >= policy.idle.thresholdPercent
    ? phrase("idle.metric_was_at", { metric: run.metric, percent: run.highestPercent })
    : null;
}

function changeOrphanPolicy(
  state: InstanceState,
  former: Policy,
  policy: Policy,
  now: number,
): InstanceState {
  const orphan = orphanOf(state.phase);
  if (orphan === null) {
    return state.phase.status === "pending"
      ? changeAwaited(state, former, policy, now)
      : allowExpectedSilence(state, former, policy, now);
  }
  const [acted, acts] = [actsOnUnheard(state, former), actsOnUnheard(state, policy)];
  // Its owner was told that nothing is done about it.
  if (acts && !acted && state.phase.status === "pending") return awaitAnew(state, now);
  // One that is suspended has its order called off for that.
  if (!policy.suspended && isUnwanted(state, orphan, former, policy, now)) return callOffUnwanted(state, now);
  if (!former.orphan.enabled) return restartLadder(state, now);
  return isNewlyDue(state, orphan, former, policy, now)
    ? withOrphan(state, { ...orphan, clockFrom: now })
    : state;
}

/** Whether the order under way stems from silence, and the new policy would not give it, or not so. */
function isUnwanted(
  state: InstanceState,
  orphan: Orphan,
  former: Policy,
  policy: Policy,
  now: number,
): boolean {
  const action = actionOf(state);
  if (action === null || action.kind === "wake" || !stemsFromSilence(state.phase)) return false;
  const needsSnapshot = policy.orphan.snapshotBeforeDelete && !former.orphan.snapshotBeforeDelete;
  return !isStepDue(state, orphan, action.kind, policy, now) || (action.kind === "delete" && needsSnapshot);
}

/** The step is taken anew when it is due by the new policy. */
function callOffUnwanted(state: InstanceState, now: number): InstanceState {
  const action = actionOf(state);
  const called = callOff(state, now, POLICY_CHANGED);
  const orphan = orphanOf(called.phase);
  return action === null || action.kind === "wake" || orphan === null || actionOf(called) !== null
    ? called
    : withOrphan(called, beforeStep(orphan, action.kind));
}

/** What the new policy would have told of already counts from now. */
function changeAwaited(state: InstanceState, former: Policy, policy: Policy, now: number): InstanceState {
  if (!policy.orphan.enabled) return state;
  return !former.orphan.enabled || unheardDue(state, policy) <= now ? awaitAnew(state, now) : state;
}

/** It counts as never heard later, and its owner is told then. */
function awaitAnew(state: InstanceState, now: number): InstanceState {
  return { ...state, phase: awaitHeartbeat(whyUnheard(state.phase), now) };
}

/** Whether the new policy makes a step or the deletion due that was not due before. */
function isNewlyDue(
  state: InstanceState,
  orphan: Orphan,
  former: Policy,
  policy: Policy,
  now: number,
): boolean {
  const stepDue = nextStep(state, orphan, policy)?.at ?? null;
  if (stepDue !== null && stepDue <= now) return true;
  const dueBy = (by: Policy) =>
    onlyDeletes(state.profile.provider) && !by.orphan.deleteWhileRunning ? null : deletionDue(orphan, by);
  const deleteDue = dueBy(policy);
  const formerlyDue = dueBy(former);
  return deleteDue !== null && deleteDue <= now && (formerlyDue === null || formerlyDue > now);
}

/** The agent is not expected sooner than it was last told, and a silence too long for the new policy counts from now. */
function allowExpectedSilence(
  state: InstanceState,
  former: Policy,
  policy: Policy,
  now: number,
): InstanceState {
  const { clock } = state;
  // Also while an order is under way: when it ends, the new policy's steps must not lie in the past.
  const seen = seenAt(clock);
  const isPast = seen !== null && seen + policy.orphan.orphanAfterMs <= now;
  const expectedAt = clock.lastHeartbeatAt === null ? 0 : clock.lastHeartbeatAt + former.intervalMs;
  const countsFrom = Math.max(
    clock.countsFrom ?? 0,
    policy.intervalMs < former.intervalMs ? expectedAt : 0,
    isPast ? now : 0,
  );
  return countsFrom === 0 ? state : { ...state, clock: { ...clock, countsFrom } };
}
