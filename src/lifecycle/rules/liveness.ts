import type { GuardedStep } from "../model/effects.ts";
import { emitAnew, record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf } from "../model/provider.ts";
import { type InstanceState, type Orphan, orphanOf, seenAt } from "../model/state.ts";
import { MINUTE_MS, spokenDuration, toIso } from "../model/time.ts";
import { beginDelete } from "./deletion.ts";
import { beginHibernation } from "./hibernation.ts";
import { deletionDue, isDue, nextStep, rungBefore } from "./ladder.ts";

/**
 * The liveness ladder of a silent instance: orphaned, hibernate, force-hibernate, and after days delete. A step's time
 * is its deadline, not the moment at which somebody got round to it. What acts on silence asks the guard first.
 */

/** When the next step of the ladder is due, or null when only an event can move it. */
export function livenessDeadline(state: InstanceState, policy: Policy): number | null {
  if (!policy.orphan.enabled) return null;
  const { phase, clock } = state;
  switch (phase.status) {
    case "running":
    case "waking": {
      // While a start is under way its order is what ends the wait.
      if (phase.status === "waking" && phase.confirmedAt === null) return null;
      const seen = seenAt(clock);
      if (seen === null) return null;
      return Math.max(seen + policy.orphan.orphanAfterMs, clock.graceUntil ?? 0);
    }
    case "orphaned":
    case "hibernated": {
      if (phase.orphan === null) return null;
      const due = nextStep(state, phase.orphan, policy)?.at ?? null;
      const question = phase.orphan.guard?.askAgainAt ?? null;
      const moments = [due, question].filter((moment) => moment !== null);
      return moments.length === 0 ? null : Math.min(...moments);
    }
    case "pending":
    case "hibernating":
    case "deleting":
    case "deleted":
      return null;
  }
}

/** Takes every step that is due at `now`, in order. */
export function advanceLiveness(state: InstanceState, policy: Policy, now: number): InstanceState {
  const due = livenessDeadline(state, policy);
  if (due === null || now < due) return state;
  const { phase } = state;
  const orphan = orphanOf(phase);
  if (orphan === null) return advanceLiveness(becomeOrphan(state, due, policy), policy, now);
  const asked = askAgain(state, orphan, now);
  const next = nextStep(state, orphan, policy);
  if (next === null || now < next.at) return asked;
  if (next.step === orphan.step) return askGuard(asked, next.step, policy, now);
  return advanceLiveness(climb(asked, next, policy), policy, now);
}

/** So many turns within an hour make an instance flapping. */
const FLAPPING_TURNS = 4;

function becomeOrphan(state: InstanceState, at: number, policy: Policy): InstanceState {
  const seen = seenAt(state.clock) ?? at;
  const turns = [...state.flaps.turns.filter((turn) => turn > at - policy.flappingWindowMs), at];
  const flapping = turns.length >= FLAPPING_TURNS;
  const counted: InstanceState = {
    ...state,
    flaps: { turns: turns.slice(-FLAPPING_TURNS), told: flapping },
  };
  const told =
    flapping && !state.flaps.told
      ? record(counted, {
          at,
          kind: "flapping",
          severity: "warning",
          message: `Flapping: silent and back ${turns.length} times within an hour. Its turns are not told any more`,
          detail: { rule: "flapping", turns: turns.length, first_turn: toIso(turns[0] ?? at) },
        })
      : counted;
  return record(
    {
      ...told,
      phase: {
        status: "orphaned",
        orphan: {
          since: at,
          clockFrom: seen,
          step: "orphaned",
          guard: null,
          failed: null,
          deleteFailed: null,
        },
      },
      clock: { ...state.clock, graceUntil: null },
    },
    {
      at,
      kind: "orphaned",
      severity: "warning",
      message: `Instance ${state.profile.name} may be stuck: no heartbeat for ${spokenDuration(at - seen)}`,
      detail: {
        rule: "orphan.orphan_after_seconds",
        ...silenceEvidence(state),
        step_at: toIso(seen + policy.orphan.hibernateAfterMs),
        flapping,
      },
    },
  );
}

function climb(
  state: InstanceState,
  next: { readonly step: "hibernate" | "force_hibernate"; readonly at: number },
  policy: Policy,
): InstanceState {
  const { phase } = state;
  if (phase.status !== "orphaned" && phase.status !== "hibernated") return state;
  if (phase.orphan === null) return state;
  const silence = spokenDuration(next.at - (seenAt(state.clock) ?? phase.orphan.clockFrom));
  const climbed = withOrphan(state, { ...phase.orphan, step: next.step });
  const told = record(climbed, {
    at: next.at,
    kind: next.step === "hibernate" ? "silent" : "abandoned",
    severity: next.step === "hibernate" || phase.status === "hibernated" ? "warning" : "critical",
    message: `No heartbeat for ${silence}. ${outlook(state, phase.orphan, next.step, policy)}`,
    detail: {
      rule: `orphan.${next.step}_after_seconds`,
      ...silenceEvidence(state),
      orphaned_since: toIso(phase.orphan.since),
      step_at: toIso(
        next.step === "hibernate" ? phase.orphan.clockFrom + policy.orphan.forceHibernateAfterMs : next.at,
      ),
    },
  });
  const acts = phase.status === "orphaned" && abilitiesOf(state.profile.provider).reachesSilent;
  return acts ? askGuard(told, next.step, policy, next.at) : told;
}

function outlook(
  state: InstanceState,
  orphan: Orphan,
  step: "hibernate" | "force_hibernate",
  policy: Policy,
): string {
  const { reachesSilent } = abilitiesOf(state.profile.provider);
  if (state.phase.status === "hibernated") {
    const due = deletionDue(orphan, policy);
    return due === null || !reachesSilent
      ? "It is hibernated."
      : `It is hibernated, and will be deleted after ${toIso(due)}.`;
  }
  if (!reachesSilent) {
    return `No provider can act on a silent instance (provider: ${state.profile.provider}).`;
  }
  return step === "hibernate" ? "Hibernating it." : "Force-hibernating it.";
}

function silenceEvidence(state: InstanceState) {
  const { lastHeartbeatAt, keepAliveUntil } = state.clock;
  return {
    last_heartbeat: lastHeartbeatAt === null ? null : toIso(lastHeartbeatAt),
    keep_alive_until: keepAliveUntil === null ? null : toIso(keepAliveUntil),
  };
}

/** A question without an answer for so long is asked again. */
const QUESTION_MS = 10 * MINUTE_MS;

function askGuard(state: InstanceState, step: GuardedStep, policy: Policy, at: number): InstanceState {
  const orphan = orphanOf(state.phase);
  if (orphan === null) return state;
  if (!policy.guard.enabled) return takeGuardedStep(state, step, policy, at);
  return ask(state, orphan, step, at);
}

function ask(state: InstanceState, orphan: Orphan, step: GuardedStep, at: number): InstanceState {
  const question = { step, heldSince: orphan.guard?.heldSince ?? null, askAgainAt: at + QUESTION_MS };
  return emitAnew(withOrphan(state, { ...orphan, guard: question }), {
    type: "guard",
    step,
  });
}

/** Asks the guard once more about the step that it holds back, or about which it never answered. */
function askAgain(state: InstanceState, orphan: Orphan, now: number): InstanceState {
  const question = orphan.guard;
  return question === null || now < question.askAgainAt ? state : ask(state, orphan, question.step, now);
}

/**
 * The guard lets silence be acted upon. Time in which the network or the service was away moves nobody along: silence
 * from before the guard opened does not count, so the ladder starts anew from that moment.
 */
export function guardPermitted(
  state: InstanceState,
  step: GuardedStep,
  openedAt: number | null,
  policy: Policy,
  now: number,
): InstanceState {
  const orphan = orphanOf(state.phase);
  // An answer to an earlier question says nothing about this step.
  if (orphan?.guard?.step !== step) return state;
  if (!isDue(orphan, step, policy, now))
    return withOrphan(state, { ...orphan, ...rungBefore(step, orphan), guard: null });
  const { heldSince } = orphan.guard;
  const countsFrom = openedAt ?? (heldSince === null ? null : now);
  if (countsFrom === null || countsFrom <= orphan.clockFrom) {
    return takeGuardedStep(state, step, policy, now);
  }
  return record(restartLadder(state, countsFrom), {
    at: now,
    kind: "guard_permitted",
    severity: "info",
    message: `The mass-outage guard opened: silence counts anew from ${toIso(countsFrom)}`,
    detail: {
      step,
      held_since: heldSince === null ? null : toIso(heldSince),
      counts_from: toIso(countsFrom),
    },
  });
}

/** The guard holds the step back; it is asked again later. */
export function guardDeferred(
  state: InstanceState,
  step: GuardedStep,
  policy: Policy,
  now: number,
): InstanceState {
  const orphan = orphanOf(state.phase);
  if (orphan?.guard?.step !== step) return state;
  const question = {
    ...orphan.guard,
    heldSince: orphan.guard.heldSince ?? now,
    askAgainAt: now + policy.guard.askAgainMs,
  };
  const held = withOrphan(state, { ...orphan, guard: question });
  if (orphan.guard.heldSince !== null) return held;
  return record(held, {
    at: now,
    kind: "guard_deferred",
    severity: "info",
    message: `The mass-outage guard holds back: ${orphan.guard.step.replace("_", "-")}`,
    detail: { step: orphan.guard.step },
  });
}

/**
 * The alarm fired far too late, so it was the service that was away. What is seen is still told by its deadline, but
 * silence that could not be heard moves nobody along the ladder and confirms nothing.
 */
export function returnFromAbsence(state: InstanceState, policy: Policy, now: number): InstanceState {
  switch (state.phase.status) {
    case "running":
    case "waking": {
      const due = livenessDeadline(state, policy);
      return due === null || now < due ? state : restartLadder(becomeOrphan(state, due, policy), now);
    }
    case "orphaned":
      return restartLadder(state, now);
    case "hibernating":
      return { ...state, clock: { ...state.clock, countsFrom: now } };
    case "pending":
    case "hibernated":
    case "deleting":
    case "deleted":
      return state;
  }
}

/** Time that passed so far moves nobody further along: the ladder's times count from `now`. */
function restartLadder(state: InstanceState, now: number): InstanceState {
  const orphan = orphanOf(state.phase);
  if (orphan === null) return state;
  return withOrphan(state, { ...orphan, clockFrom: now, step: "orphaned", guard: null });
}

function takeGuardedStep(state: InstanceState, step: GuardedStep, policy: Policy, at: number): InstanceState {
  switch (step) {
    case "delete":
      return beginDelete(state, policy, at);
    case "hibernate":
    case "force_hibernate":
      if (state.phase.status !== "orphaned") return state;
      return beginHibernation(state, {
        kind: step,
        reason: "silence",
        at,
        message: step === "hibernate" ? "Hibernating: no heartbeat" : "Force-hibernating: no heartbeat",
        detail: { rule: `orphan.${step}_after_seconds`, ...silenceEvidence(state) },
      });
  }
}

/**
 * The policy has changed: a step that the new one would have taken already counts from now, and an agent that was told to
 * beat seldom is not expected any sooner.
 */
export function spareThePast(
  state: InstanceState,
  former: Policy,
  policy: Policy,
  now: number,
): InstanceState {
  const orphan = orphanOf(state.phase);
  if (orphan === null) return expectAsTold(state, former, policy, now);
  if (!former.orphan.enabled) return restartLadder(state, now);
  const stepDue = nextStep(state, orphan, policy)?.at ?? null;
  const deleteDue = deletionDue(orphan, policy);
  const wasDue = deletionDue(orphan, former);
  const newlyDue =
    (stepDue !== null && stepDue <= now) ||
    (deleteDue !== null && deleteDue <= now && (wasDue === null || wasDue > now));
  return newlyDue ? withOrphan(state, { ...orphan, clockFrom: now }) : state;
}

function expectAsTold(state: InstanceState, former: Policy, policy: Policy, now: number): InstanceState {
  const { clock } = state;
  // Also while an order is under way: its end must not find the new policy's steps in the past.
  const seen = seenAt(clock);
  const isPast = seen !== null && seen + policy.orphan.orphanAfterMs <= now;
  const told = clock.lastHeartbeatAt === null ? 0 : clock.lastHeartbeatAt + former.intervalMs;
  const countsFrom = Math.max(
    clock.countsFrom ?? 0,
    policy.intervalMs < former.intervalMs ? told : 0,
    isPast ? now : 0,
  );
  return countsFrom === 0 ? state : { ...state, clock: { ...clock, countsFrom } };
}

/** The daily clean-up came by: an expired orphan is to be deleted, or its owner told that nobody can. */
export function cleanUp(state: InstanceState, policy: Policy, now: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "orphaned" && phase.status !== "hibernated") return state;
  const { orphan } = phase;
  const due = orphan === null ? null : deletionDue(orphan, policy);
  if (orphan === null || due === null || now < due || orphan.guard !== null) return state;
  if (orphan.deleteFailed !== null && now < orphan.deleteFailed.retryAt) return state;
  if (abilitiesOf(state.profile.provider).reachesSilent) {
    return askGuard(state, "delete", policy, now);
  }
  const toldAt = state.reminders.wouldDeleteAt;
  if (toldAt !== null && now < toldAt + policy.reminderMs) return state;
  return record(
    { ...state, reminders: { ...state.reminders, wouldDeleteAt: now } },
    {
      at: now,
      kind: "would_delete",
      severity: "warning",
      message: `Would delete: orphaned for ${spokenDuration(now - orphan.since)}, but no provider can act (provider: ${state.profile.provider})`,
      detail: { rule: "orphan.delete_after_days", orphaned_since: toIso(orphan.since) },
    },
  );
}

function withOrphan(state: InstanceState, orphan: Orphan): InstanceState {
  const { phase } = state;
  switch (phase.status) {
    case "orphaned":
    case "hibernated":
    case "deleting":
      return { ...state, phase: { ...phase, orphan } };
    case "hibernating":
      return phase.before.status === "orphaned"
        ? { ...state, phase: { ...phase, before: { ...phase.before, orphan } } }
        : state;
    case "pending":
    case "running":
    case "waking":
    case "deleted":
      return state;
  }
}
