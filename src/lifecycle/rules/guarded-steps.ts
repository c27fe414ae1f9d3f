import type { GuardedStep } from "../model/effects.ts";
import { emitLatest, record } from "../model/outbox.ts";
import { isUnheard, type Orphan, orphanOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { kindOf } from "../model/provider.ts";
import { type InstanceState, withOrphan } from "../model/state.ts";
import { MINUTE_MS, toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { beginDelete } from "./deletion.ts";
import { beforeStep, isStepDue, restartLadder, silenceEvidence } from "./ladder.ts";
import { hibernateByPolicy, tellWouldDelete } from "./observing.ts";

/** Steps that stem from silence. The mass-outage guard is asked before each, and the step is taken once it says yes. */

/** A question that got no answer for this long is asked again. */
const ANSWER_TIMEOUT_MS = 10 * MINUTE_MS;

/** Asks the guard about the step, or takes it at once where the owner has no guard. */
export function askGuard(state: InstanceState, step: GuardedStep, policy: Policy, at: number): InstanceState {
  const orphan = orphanOf(state.phase);
  if (orphan === null) return state;
  return policy.guard.enabled
    ? emitQuestion(state, orphan, step, at)
    : takeGuardedStep(state, step, policy, at);
}

/** Asks the guard again about a step that it holds back, or about which it never answered. */
export function repeatQuestion(state: InstanceState, orphan: Orphan, now: number): InstanceState {
  const question = orphan.guard;
  return question === null || now < question.askAgainAt
    ? state
    : emitQuestion(state, orphan, question.step, now);
}

function emitQuestion(state: InstanceState, orphan: Orphan, step: GuardedStep, at: number): InstanceState {
  const question = { step, heldSince: orphan.guard?.heldSince ?? null, askAgainAt: at + ANSWER_TIMEOUT_MS };
  return emitLatest(withOrphan(state, { ...orphan, guard: question }), { type: "guard", step });
}

/**
 * The guard permits the step. If it has opened meanwhile, the network or the service was down: that time moves nobody
 * along, so the ladder restarts from the moment at which the guard opened.
 */
export function permitStep(
  state: InstanceState,
  step: GuardedStep,
  openedAt: number | null,
  policy: Policy,
  now: number,
): InstanceState {
  const orphan = orphanOf(state.phase);
  // An answer to an earlier question says nothing about this step.
  if (orphan?.guard?.step !== step) return state;
  if (!isStepDue(state, orphan, step, policy, now)) {
    return withOrphan(state, { ...beforeStep(orphan, step), guard: null });
  }
  const { heldSince } = orphan.guard;
  const countsFrom = openedAt ?? (heldSince === null ? null : now);
  if (countsFrom === null || countsFrom <= orphan.clockFrom) {
    return takeGuardedStep(state, step, policy, now);
  }
  return record(restartLadder(state, countsFrom), {
    at: now,
    kind: "guard_permitted",
    severity: "info",
    message: phrase("guard.opened_for_it", { at: countsFrom }),
    detail: {
      step,
      held_since: heldSince === null ? null : toIso(heldSince),
      counts_from: toIso(countsFrom),
    },
  });
}

/** The guard holds the step back. It is asked again later. */
export function deferStep(
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
    message: phrase("guard.holds_it", { step: phrase(`step.${orphan.guard.step}`) }),
    detail: { step: orphan.guard.step },
  });
}

function takeGuardedStep(asked: InstanceState, step: GuardedStep, policy: Policy, at: number): InstanceState {
  const orphan = orphanOf(asked.phase);
  if (orphan === null) return asked;
  const state = withOrphan(asked, { ...orphan, guard: null });
  switch (step) {
    case "delete":
      return policy.observes ? tellWouldDelete(state, orphan.since, at) : beginDelete(state, policy, at);
    case "hibernate":
    case "force_hibernate":
      if (state.phase.status !== "orphaned" && state.phase.status !== "pending") return asked;
      return hibernateByPolicy(state, policy, {
        kind: step,
        reason: "silence",
        at,
        because: whySilent(state),
        detail: { rule: `orphan.${step}_after_seconds`, ...silenceEvidence(state) },
      });
  }
}

function whySilent({ phase, profile }: InstanceState): Said {
  return isUnheard(phase)
    ? phrase("silence.never_heard_if", { provider: kindOf(profile.provider) })
    : phrase("silence.no_heartbeat");
}
