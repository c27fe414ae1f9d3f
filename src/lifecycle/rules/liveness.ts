import { hibernatedCost } from "../model/hibernated-cost.ts";
import { record } from "../model/outbox.ts";
import { isUnheard, type Orphan, orphanOf, preparationOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf, kindOf } from "../model/provider.ts";
import { type InstanceState, seenAt, withOrphan } from "../model/state.ts";
import { sayStoppedRisks } from "../model/stopped-risks.ts";
import { onlyDeletes, stopsSilent, whyNotStopped } from "../model/stopping.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { passOverMaintenance } from "./after-maintenance.ts";
import { countTurn } from "./flapping.ts";
import { askGuard, repeatQuestion } from "./guarded-steps.ts";
import {
  countedFrom,
  deletionDue,
  type LadderStep,
  mayBeDeleted,
  nextStep,
  restartLadder,
  silenceEvidence,
} from "./ladder.ts";
import { afterMaintenance, isInMaintenance } from "./maintenance.ts";
import { isTakenBack } from "./taken-back.ts";
import { unheardDue } from "./unheard.ts";
import { warnOfUnheard } from "./unheard-warning.ts";

/**
 * The liveness ladder of a silent instance: orphaned, hibernate, force-hibernate. A step's time is its deadline, not the
 * moment at which the alarm got round to it. The guard is asked before anything is done about silence. An instance that was
 * never heard stays `pending` on it.
 */

/** When the next step of the ladder comes: one that is due within maintenance only after that, if at all. */
export function livenessDeadline(state: InstanceState, policy: Policy, now: number): number | null {
  const due = stepDue(state, policy);
  return due === null ? null : afterMaintenance(policy, due, now);
}

/** When the next step of the ladder is due, or null when only an event can move it. */
function stepDue(state: InstanceState, policy: Policy): number | null {
  if (!policy.orphan.enabled) return null;
  const { phase, clock } = state;
  switch (phase.status) {
    case "running":
    case "waking": {
      // Until the provider confirms the wake, the order's own deadline ends the wait.
      if (phase.status === "waking" && phase.confirmedAt === null) return null;
      const seen = seenAt(clock);
      // The silence of one that its provider takes back is expected.
      if (seen === null || isTakenBack(state, policy)) return null;
      return Math.max(seen + policy.orphan.orphanAfterMs, clock.graceUntil ?? 0);
    }
    case "pending":
      return phase.orphan === undefined
        ? unheardDue(state, policy)
        : nextOnLadder(state, phase.orphan, policy);
    case "orphaned":
    case "hibernated":
      return phase.orphan === null ? null : nextOnLadder(state, phase.orphan, policy);
    case "hibernating":
    case "deleting":
    case "deleted":
      return null;
  }
}

function nextOnLadder(state: InstanceState, orphan: Orphan, policy: Policy): number | null {
  const due = nextStep(state, orphan, policy)?.at ?? null;
  const question = orphan.guard?.askAgainAt ?? null;
  const moments = [due, question].filter((moment) => moment !== null);
  return moments.length === 0 ? null : Math.min(...moments);
}

/** Takes every step that is due at `now`, in order. */
export function takeLivenessSteps(state: InstanceState, policy: Policy, now: number): InstanceState {
  const due = stepDue(state, policy);
  if (due === null || now < due || isInMaintenance(policy, now)) return state;
  const passed = passOverMaintenance(state, policy, now);
  if (passed !== state) return takeLivenessSteps(passed, policy, now);
  const orphan = orphanOf(state.phase);
  if (orphan === null) return takeLivenessSteps(takeFirstStep(state, due, policy, now), policy, now);
  const asked = repeatQuestion(state, orphan, now);
  const next = nextStep(state, orphan, policy);
  if (next === null || now < next.at) return asked;
  const isRetry = next.step === orphan.step;
  if (isRetry) return askGuard(asked, next.step, policy, now);
  return takeLivenessSteps(takeStep(asked, next, policy), policy, now);
}

function takeFirstStep(state: InstanceState, due: number, policy: Policy, now: number): InstanceState {
  if (state.phase.status !== "pending") return becomeOrphan(state, due, policy);
  // The alarm is seldom exact. Whoever is told much later, as after an upgrade, is told from then.
  return warnOfUnheard(state, now - due <= policy.intervalMs ? due : now, policy);
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
      message: phrase("silence.orphaned", {
        name: state.profile.name,
        silence: at - seen,
        ahead: hibernationAhead(state, seen, policy),
      }),
      detail: {
        rule: "orphan.orphan_after_seconds",
        ...silenceEvidence(state),
        ...countedFrom(state, seen),
        step_at: toIso(seen + policy.orphan.hibernateAfterMs),
        flapping: counted.flaps.told,
      },
    },
  );
}

/** When it is hibernated for its silence, and what that risks, where that is known. */
function hibernationAhead(state: InstanceState, seen: number, policy: Policy): Said {
  const risks = sayStoppedRisks(state.profile.provider, hibernatedCost(state).hourly);
  if (risks === null || policy.observes) return "";
  return phrase("silence.hibernation_ahead", { at: seen + policy.orphan.hibernateAfterMs, risks });
}

/** Tells the owner of the step, and asks the guard about it where a provider can act. */
function takeStep(state: InstanceState, next: LadderStep, policy: Policy): InstanceState {
  const { phase } = state;
  const orphan = orphanOf(phase);
  if (orphan === null) return state;
  const isNeverHeard = isUnheard(phase);
  const from = isNeverHeard ? orphan.clockFrom : (seenAt(state.clock) ?? orphan.clockFrom);
  const told = {
    silence: next.at - from,
    consequence: describeConsequence(state, orphan, next.step, policy),
  };
  const moved = withOrphan(state, { ...orphan, step: next.step });
  const recorded = record(moved, {
    at: next.at,
    kind: next.step === "hibernate" ? "silent" : "abandoned",
    severity: next.step === "hibernate" || phase.status === "hibernated" ? "warning" : "critical",
    message: isNeverHeard ? phrase("silence.step_unheard", told) : phrase("silence.step", told),
    detail: {
      rule: `orphan.${next.step}_after_seconds`,
      ...silenceEvidence(state),
      [isNeverHeard ? "never_heard_since" : "orphaned_since"]: toIso(orphan.since),
      ...countedFrom(state, orphan.clockFrom),
      step_at: toIso(
        next.step === "hibernate" ? orphan.clockFrom + policy.orphan.forceHibernateAfterMs : next.at,
      ),
    },
  });
  const acts = phase.status !== "hibernated" && stopsSilent(state.profile.provider);
  return acts ? askGuard(recorded, next.step, policy, next.at) : recorded;
}

function describeConsequence(
  state: InstanceState,
  orphan: Orphan,
  step: LadderStep["step"],
  policy: Policy,
): Said {
  const { provider } = state.profile;
  const { reachesSilent } = abilitiesOf(provider);
  if (state.phase.status === "hibernated") {
    const due = deletionDue(orphan, policy);
    return due === null || !reachesSilent
      ? phrase("silence.is_hibernated")
      : phrase("silence.is_hibernated_and", { deletion: deletionAhead(policy, due) });
  }
  if (!reachesSilent) {
    return phrase("silence.no_provider_acts", { provider: kindOf(provider) });
  }
  if (onlyDeletes(provider)) {
    const due = mayBeDeleted(provider, policy) ? deletionDue(orphan, policy) : null;
    const why = whyNotStopped(provider);
    return due === null
      ? phrase("silence.delete_it_there", { why })
      : phrase("silence.nothing_stopped", { why, deletion: deletionAhead(policy, due) });
  }
  const condition = isUnheard(state.phase)
    ? phrase("silence.if_shown_running", { provider: kindOf(provider) })
    : "";
  if (policy.observes) return phrase("silence.would_hibernate_it", { condition });
  return step === "hibernate"
    ? phrase("silence.hibernating_it", { condition })
    : phrase("silence.force_hibernating_it", { condition });
}

function deletionAhead({ observes }: Policy, due: number): Said {
  return observes
    ? phrase("silence.would_be_deleted", { at: due })
    : phrase("silence.will_be_deleted", { at: due });
}

/** Whatever it does: its hooks run first. */
function isToBeHibernated({ phase }: InstanceState): boolean {
  return preparationOf(phase)?.order.reason === "owner";
}

/**
 * The alarm fired far too late, so the service was down. An orphan is still told of by its deadline, but silence in which
 * nothing could be heard takes no further step and confirms no hibernation.
 */
export function resumeAfterDowntime(state: InstanceState, policy: Policy, now: number): InstanceState {
  switch (state.phase.status) {
    case "pending":
    case "running":
    case "waking": {
      if (isTakenBack(state, policy) || isToBeHibernated(state))
        return { ...state, clock: { ...state.clock, countsFrom: now } };
      if (orphanOf(state.phase) !== null) return restartLadder(state, now);
      const due = stepDue(state, policy);
      const isDue = due !== null && due <= now && !isInMaintenance(policy, now);
      return !isDue ? state : restartLadder(takeFirstStep(state, due, policy, now), now);
    }
    case "orphaned":
      return restartLadder(state, now);
    case "hibernating":
      // Should the order fail, the next step is as far away as for any other silent instance.
      return restartLadder({ ...state, clock: { ...state.clock, countsFrom: now } }, now);
    case "hibernated":
    case "deleting":
    case "deleted":
      return state;
  }
}
