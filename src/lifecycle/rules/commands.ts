import { closeGap } from "../model/counters.ts";
import type { EventDetail } from "../model/history-event.ts";
import type { InstanceEvent } from "../model/instance-event.ts";
import { record } from "../model/outbox.ts";
import { awaitHeartbeat, type Phase, preparationOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { providerDetail } from "../model/provider.ts";
import { type InstanceState, isSameMachine } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import { text } from "../model/words/say.ts";
import { callOff, isTooLateToCallOff, recover } from "./handover.ts";
import { endIdleRun } from "./idle-run.ts";
import { actionOf } from "./order.ts";
import { prepareOrHibernate } from "./preparation.ts";
import { callOffPreparation, LEFT_AWAKE } from "./preparation-cancelled.ts";
import { hibernationRefusal, type Refusal, refusal, wakeRefusal } from "./refusals.ts";
import { hibernateInRound } from "./round.ts";
import { isChosenByOwner } from "./unheard.ts";
import { beginWake } from "./waking.ts";

/** What the owner asks for. */

/** Holds back every step for `durationMs`, and calls off the order under way if it still can be. */
export function keepAlive(
  state: InstanceState,
  durationMs: number,
  policy: Policy,
  now: number,
): InstanceState | Refusal {
  const { status } = state.phase;
  if (status === "hibernated") {
    return refusal("hibernated", phrase("refusal.hibernated"));
  }
  if (status === "deleted") return refusal("deleted", phrase("refusal.deleted"));
  if (isTooLateToCallOff(state)) {
    return status === "deleting"
      ? refusal("busy", phrase("refusal.already_deleting"))
      : refusal("hibernating", phrase("refusal.already_hibernating"));
  }
  const until = Math.max(now + durationMs, state.clock.keepAliveUntil ?? 0);
  const because = text("order.kept_alive");
  const recovered = recover(callOffPreparation(state, now, because), now, because);
  const called = recovered.phase.status === "hibernating" ? callOff(recovered, now, because) : recovered;
  const awake = endIdleRun(called, now, because);
  return record(
    {
      ...awake,
      // It is warned of anew, before the end of the keep-alive.
      plannedStops: undefined,
      meantToRunSince: now,
      phase: phaseKeptAlive(awake.phase),
      clock: { ...awake.clock, keepAliveUntil: until },
      counters: closeGap(awake.counters, policy.intervalMs, now, until),
    },
    {
      at: now,
      kind: "kept_alive",
      severity: "info",
      message: phrase("event.kept_alive", { duration: until - now }),
      detail: { keep_alive_until: toIso(until) },
    },
  );
}

/**
 * One that its owner named counts as running, though it was never heard. Any other is still waited for: somebody else may use it,
 * and a keep-alive is no word to act on it later.
 */
function phaseKeptAlive(phase: Phase): Phase {
  return phase.status === "pending" && isChosenByOwner(phase) ? { status: "running", idle: null } : phase;
}

/** The owner asks for hibernation, of this one or of many. */
export function requestHibernation(
  state: InstanceState,
  { round, prepare = true }: Extract<InstanceEvent, { type: "hibernate.requested" }>,
  policy: Policy,
  now: number,
): InstanceState | Refusal {
  const refused = hibernationRefusal(state.profile.provider, state.phase.status);
  if (refused !== null) return refused;
  if (round !== undefined) return hibernateInRound(state, round, policy, now);
  return prepareOrHibernate(
    state,
    {
      reason: "owner",
      because: "owner",
      at: now,
      message: phrase("hibernation.as_asked"),
      detail: { rule: "owner" },
      isSkipped: !prepare,
    },
    policy,
  );
}

/** The owner asks for a wake. */
export function requestWake(state: InstanceState, policy: Policy, now: number): InstanceState | Refusal {
  if (preparationOf(state.phase) !== null) return leaveAwake(state, now);
  const refused = wakeRefusal(state.profile.provider, state.phase.status);
  return refused ?? beginWake(recover(state, now, text("silence.woken")), policy, now, { by: "owner" });
}

/** It still runs, and is being prepared for its hibernation, which is called off. */
function leaveAwake(state: InstanceState, now: number): InstanceState {
  const awake = endIdleRun(callOffPreparation(state, now, LEFT_AWAKE), now, LEFT_AWAKE);
  // As after any other wake, it may run for the whole of its longest time.
  return { ...awake, meantToRunSince: now, runningSince: now, plannedStops: undefined };
}

type ProfileChanges = Extract<InstanceEvent, { type: "changed" }>["changes"];

/** The owner changes the profile. Another provider or reference means another machine. */
export function changeProfile(
  state: InstanceState,
  { changes, sighted }: Extract<InstanceEvent, { type: "changed" }>,
  policy: Policy,
  now: number,
): InstanceState | Refusal {
  const profile = { ...state.profile, ...changes };
  const isOther = !isSameMachine(state.profile, profile);
  if (isOther && actionOf(state) !== null) {
    return refusal(
      "busy",
      phrase("refusal.busy_changing", { status: phrase(`status.${state.phase.status}`) }),
    );
  }
  const changed: InstanceState = isOther
    ? { ...resetForOtherMachine(state, policy, now), profile, sighted, listedHourlyCost: undefined }
    : { ...state, profile };
  const what = Object.keys(changes).join(", ");
  return record(changed, {
    at: now,
    kind: "changed",
    severity: "info",
    message: what === "" ? phrase("event.changed_nothing") : phrase("event.changed", { what }),
    detail: { ...changesDetail(changes), ...(isOther ? { moved: true } : {}) },
  });
}

function changesDetail({ provider, tags, ...plain }: ProfileChanges): EventDetail {
  return {
    ...plain,
    ...(provider === undefined ? {} : providerDetail(provider)),
    ...(tags === undefined ? {} : { tags: JSON.stringify(tags) }),
  };
}

/** Another machine starts as pending: the silence of the former one does not count against it. */
function resetForOtherMachine(state: InstanceState, policy: Policy, now: number): InstanceState {
  return {
    ...state,
    phase: awaitHeartbeat("moved", now),
    clock: { ...state.clock, graceUntil: null, countsFrom: now },
    counters: closeGap(state.counters, policy.intervalMs, now, null),
    agent: { ...state.agent, hasGpu: false, gpus: [], hooks: undefined },
    use: undefined,
    stoppedHourlyCost: undefined,
    reclaimed: undefined,
    noticedFrom: undefined,
  };
}
