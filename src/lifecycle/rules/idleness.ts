import { hibernatedCost } from "../model/hibernated-cost.ts";
import { record } from "../model/outbox.ts";
import { type IdleRun, preparationOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import { sayStoppedRisks } from "../model/stopped-risks.ts";
import { onlyDeletes, whyNotStopped } from "../model/stopping.ts";
import { toIso } from "../model/time.ts";
import { phrase, together } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { AWAKE_HOURS, outsideAwakeHours } from "./awake-hours.ts";
import { isHeardInTime } from "./heard-in-time.ts";
import { endIdleRun } from "./idle-run.ts";
import { hibernateByPolicy, toldOfRunAt } from "./observing.ts";
import { residentModelGb, sayResidentModel } from "./resident-model.ts";
import { isTakenBack } from "./taken-back.ts";
import { warnedAtOf } from "./warned-at.ts";

/**
 * The idle ladder of a running instance: warned, then hibernated. It needs fresh evidence: missing heartbeats never
 * count as idleness.
 */

/** An idle run with less than this share of its expected heartbeats is no evidence. */
const MINIMUM_COVERAGE = 0.6;

/**
 * When the instance will be hibernated for this idle run: at the policy's time, but not before the owner has had the full
 * time after the warning, nor before the next retry of an order that failed.
 */
export function hibernationDue(run: IdleRun, policy: Policy): number {
  const { warnAfterMs, hibernateAfterMs } = policy.idle;
  const bySchedule = run.since + hibernateAfterMs;
  const byWarning = run.warnedAt === null ? bySchedule : run.warnedAt + hibernateAfterMs - warnAfterMs;
  return Math.max(bySchedule, byWarning, run.failed?.retryAt ?? 0);
}

/** Whether the heartbeats of this run are recent and frequent enough to act on. */
export function hasFreshEvidence(state: InstanceState, run: IdleRun, policy: Policy, now: number): boolean {
  if (!isHeardInTime(state, policy, now)) return false;
  const expected = (now - run.since) / policy.intervalMs;
  return run.heartbeats >= MINIMUM_COVERAGE * expected;
}

/** When the next step of the idle ladder is due, or null when only a heartbeat can move it. */
export function idleDeadline(state: InstanceState, policy: Policy, now: number): number | null {
  const { phase } = state;
  if (phase.status !== "running" || isSpokenFor(state, policy)) return null;
  const run = phase.idle;
  if (run === null || !policy.idle.enabled) return null;
  const due = nextDue(state, outsideAwakeHours(run, policy, now), policy);
  // A step that is due but was not taken waits for fresh evidence, which only a heartbeat can bring.
  return due > now && due !== Number.POSITIVE_INFINITY ? due : null;
}

/** When the next step is due: never before the grace period after a wake is over. */
function nextDue(state: InstanceState, run: IdleRun, policy: Policy): number {
  return Math.max(dueByPolicy(state, run, policy), state.clock.graceUntil ?? 0);
}

function dueByPolicy(state: InstanceState, run: IdleRun, policy: Policy): number {
  if (run.warnedAt === null) return run.since + policy.idle.warnAfterMs;
  const due = hibernationDue(run, policy);
  const toldAt = lastReminderAt(state, run, policy);
  return toldAt === null ? due : Math.max(due, toldAt + policy.reminderMs);
}

/** When its owner was last told of a hibernation that is due and not carried out; null where it is carried out. */
function lastReminderAt(state: InstanceState, run: IdleRun, policy: Policy): number | null {
  if (abilitiesOf(state.profile.provider).hibernates === "never") return state.reminders.wouldHibernateAt;
  return policy.observes ? toldOfRunAt(state, run) : null;
}

/** Takes the step of the idle ladder that is due at `now`, if there is fresh evidence for it. */
export function takeIdleStep(state: InstanceState, policy: Policy, now: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "running" || phase.idle === null || !policy.idle.enabled) return state;
  const run = outsideAwakeHours(phase.idle, policy, now);
  // It is warned anew once idleness counts again.
  if (run.warnedAt !== null && run.warnedAt < run.since) return endIdleRun(state, now, AWAKE_HOURS);
  if (isSpokenFor(state, policy)) return state;
  const due = nextDue(state, run, policy);
  if (now < due || !hasFreshEvidence(state, run, policy, now)) return state;
  if (run.warnedAt === null) {
    const warnedAt = warnedAtOf(due, policy, now);
    const warned: IdleRun = { ...run, warnedAt };
    return record(
      { ...state, phase: { ...phase, idle: warned } },
      {
        at: warnedAt,
        kind: "idle",
        severity: "warning",
        message: together("sentences", [
          idleWarning(state, warned, policy, warnedAt),
          sayResidentModel(state, warnedAt),
          sayRisks(state),
        ]),
        detail: { ...idleEvidence(state, run, policy), step_at: toIso(hibernationDue(warned, policy)) },
      },
    );
  }
  if (abilitiesOf(state.profile.provider).hibernates === "never") {
    return record(
      { ...state, reminders: { ...state.reminders, wouldHibernateAt: now } },
      {
        at: now,
        kind: "would_hibernate",
        severity: "warning",
        message: together("sentences", [
          phrase("idle.would_hibernate", { idle: describeIdle(run, policy, now), why: whyNobody(state) }),
          sayResidentModel(state, now),
        ]),
        detail: idleEvidence(state, run, policy),
      },
    );
  }
  return hibernateByPolicy(state, policy, {
    kind: "hibernate",
    reason: "idle",
    cause: "idle",
    at: now,
    because: together("sentences", [describeIdle(run, policy, now), sayResidentModel(state, now)]),
    detail: idleEvidence(state, run, policy),
  });
}

/** It is being prepared for its hibernation, or its provider takes it back. */
function isSpokenFor(state: InstanceState, policy: Policy): boolean {
  return preparationOf(state.phase) !== null || isTakenBack(state, policy);
}

/** What the hibernation ahead risks, where that is known. */
function sayRisks(state: InstanceState): Said {
  return sayStoppedRisks(state.profile.provider, hibernatedCost(state).hourly) ?? "";
}

/** The warning in one sentence: `GPU <5% utilization for 3min. Hibernating in 2min.` */
export function idleWarning(state: InstanceState, run: IdleRun, policy: Policy, now: number): Said {
  return phrase("idle.warning", {
    idle: describeIdle(run, policy, now),
    ahead: whatIsAhead(state, run, policy, now),
  });
}

function whatIsAhead(state: InstanceState, run: IdleRun, policy: Policy, now: number): Said {
  const { provider } = state.profile;
  if (abilitiesOf(provider).hibernates === "never") {
    return onlyDeletes(provider)
      ? phrase("idle.nobody_hibernates_because", { why: whyNotStopped(provider) })
      : phrase("idle.nobody_hibernates");
  }
  const preparation = preparationOf(state.phase);
  const due = preparation?.limitAt ?? hibernationDue(run, policy);
  const left = Math.max(0, due - now);
  if (preparation !== null) return phrase("idle.hooks_prepare", { left });
  return policy.observes
    ? phrase("idle.would_be_hibernated", { left })
    : phrase("idle.hibernating_in", { left });
}

function whyNobody({ profile: { provider } }: InstanceState): Said {
  return onlyDeletes(provider) ? whyNotStopped(provider) : phrase("idle.no_provider");
}

function describeIdle(run: IdleRun, policy: Policy, now: number): Said {
  return phrase("idle.under", {
    metric: run.metric,
    threshold: policy.idle.thresholdPercent,
    since: now - run.since,
  });
}

function idleEvidence(state: InstanceState, run: IdleRun, policy: Policy) {
  const residentGb = residentModelGb(state);
  return {
    rule: "idle",
    metric: run.metric,
    threshold_percent: policy.idle.thresholdPercent,
    highest_percent: run.highestPercent,
    idle_since: toIso(run.since),
    heartbeats: run.heartbeats,
    ...(residentGb === null ? {} : { resident_model_gb: residentGb }),
  };
}
