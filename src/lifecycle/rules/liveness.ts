import { record } from "../model/outbox.ts";
import { type Orphan, orphanOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf, kindOf } from "../model/provider.ts";
import { type InstanceState, seenAt, withOrphan } from "../model/state.ts";
import { spokenDuration, toIso } from "../model/time.ts";
import { countTurn } from "./flapping.ts";
import { askGuard, repeatQuestion } from "./guarded-steps.ts";
import { deletionDue, type LadderStep, nextStep, restartLadder, silenceEvidence } from "./ladder.ts";

/**
 * The liveness ladder of a silent instance: orphaned, hibernate, force-hibernate. A step's time is its deadline, not the
 * moment at which the alarm got round to it. The guard is asked before anything is done about silence.
 */

/** When the next step of the ladder is due, or null when only an event can move it. */
export function livenessDeadline(state: InstanceState, policy: Policy): number | null {
  if (!policy.orphan.enabled) return null;
  const { phase, clock } = state;
  switch (phase.status) {
    case "running":
    case "waking": {
      // Until the provider confirms the wake, the order's own deadline ends the wait.
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
export function takeLivenessSteps(state: InstanceState, policy: Policy, now: number): InstanceState {
  const due = livenessDeadline(state, policy);
  if (due === null || now < due) return state;
  const orphan = orphanOf(state.phase);
  if (orphan === null) return takeLivenessSteps(becomeOrphan(state, due, policy), policy, now);
  const asked = repeatQuestion(state, orphan, now);
  const next = nextStep(state, orphan, policy);
  if (next === null || now < next.at) return asked;
  const isRetry = next.step === orphan.step;
  if (isRetry) return askGuard(asked, next.step, policy, now);
  return takeLivenessSteps(takeStep(asked, next, policy), policy, now);
}

function becomeOrphan(state: InstanceState, at: number, policy: Policy): InstanceState {
  const seen = seenAt(state.clock) ?? at;
  const counted = countTurn(state, at, policy);
  return record(
    {
      ...counted,
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
        flapping: counted.flaps.told,
      },
    },
  );
}

/** Tells the owner of the step, and asks the guard about it where a provider can act. */
function takeStep(state: InstanceState, next: LadderStep, policy: Policy): InstanceState {
  const { phase } = state;
  if (phase.status !== "orphaned" && phase.status !== "hibernated") return state;
  if (phase.orphan === null) return state;
  const silence = spokenDuration(next.at - (seenAt(state.clock) ?? phase.orphan.clockFrom));
  const moved = withOrphan(state, { ...phase.orphan, step: next.step });
  const told = record(moved, {
    at: next.at,
    kind: next.step === "hibernate" ? "silent" : "abandoned",
    severity: next.step === "hibernate" || phase.status === "hibernated" ? "warning" : "critical",
    message: `No heartbeat for ${silence}. ${describeConsequence(state, phase.orphan, next.step, policy)}`,
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

function describeConsequence(
  state: InstanceState,
  orphan: Orphan,
  step: LadderStep["step"],
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
    return `No provider can act on a silent instance (provider: ${kindOf(state.profile.provider)}).`;
  }
  return step === "hibernate" ? "Hibernating it." : "Force-hibernating it.";
}

/**
 * The alarm fired far too late, so the service was down. An orphan is still told of by its deadline, but silence in which
 * nothing could be heard takes no further step and confirms no hibernation.
 */
export function resumeAfterDowntime(state: InstanceState, policy: Policy, now: number): InstanceState {
  switch (state.phase.status) {
    case "running":
    case "waking": {
      const due = livenessDeadline(state, policy);
      return due === null || now < due ? state : restartLadder(becomeOrphan(state, due, policy), now);
    }
    case "orphaned":
      return restartLadder(state, now);
    case "hibernating":
      // Should the order fail, the next step is as far away as for any other silent instance.
      return restartLadder({ ...state, clock: { ...state.clock, countsFrom: now } }, now);
    case "pending":
    case "hibernated":
    case "deleting":
    case "deleted":
      return state;
  }
}
