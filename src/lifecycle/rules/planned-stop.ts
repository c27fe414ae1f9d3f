import type { PlannedCause } from "../model/effects.ts";
import { hibernatedCost } from "../model/hibernated-cost.ts";
import type { EventDetail } from "../model/history-event.ts";
import { record } from "../model/outbox.ts";
import { type PlannedStop, preparationOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import { sayStoppedRisks } from "../model/stopped-risks.ts";
import { onlyDeletes, stopsSilent, whyNotStopped } from "../model/stopping.ts";
import { toIso } from "../model/time.ts";
import { endOfSpan, isWithin, lastEnd, nextStart } from "../model/windows.ts";
import { phrase, together } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { hibernateByPolicy } from "./observing.ts";
import { isTakenBack } from "./taken-back.ts";
import { warnedAtOf } from "./warned-at.ts";

/**
 * Hibernations that are planned ahead, and come whatever the instance does: at the end of its schedule's awake hours, and after
 * the longest time that it may run. Its owner is warned before each, and a keep-alive holds it back.
 */

/** The next one. */
export interface ComingStop {
  readonly because: PlannedCause;
  /** When the awake hours end, or the longest time. */
  readonly dueAt: number;
  /** When it is carried out: not before its owner was warned, a keep-alive has ended, or it may be tried again. */
  readonly at: number;
}

/** The next planned stop; null where none is planned. */
export function plannedStop(state: InstanceState, policy: Policy, now: number): ComingStop | null {
  if (policy.suspended || !mayBeStopped(state, policy)) return null;
  const [first = null, second = null] = [scheduledStop(state, policy, now), longestRun(state, policy)].filter(
    (stop) => stop !== null,
  );
  return second !== null && first !== null && second.at < first.at ? second : first;
}

/**
 * Whether somebody may be told to stop it: a silent one only where its provider can. One that its provider takes back is left
 * alone, and so is one that is being prepared already, unless for idleness: a planned stop outweighs that.
 */
function mayBeStopped(state: InstanceState, policy: Policy): boolean {
  const { phase, profile } = state;
  const order = preparationOf(phase)?.order;
  if (isTakenBack(state, policy) || (order !== undefined && order.because !== "idle")) return false;
  return phase.status === "running" || (phase.status === "orphaned" && stopsSilent(profile.provider));
}

function scheduledStop(state: InstanceState, policy: Policy, now: number): ComingStop | null {
  const { awake, timezone, outside } = policy.schedule;
  if (outside !== "hibernate" || awake.length === 0 || state.runningSince === undefined) return null;
  const past = isWithin(awake, timezone, now) ? null : lastEnd(awake, timezone, now);
  const stop = past === null || past <= leftAloneUntil(state) ? null : stopAtEnd(state, past, policy);
  if (stop !== null && now - stop.at <= policy.latestStepMs && !isTold(state, stop)) return stop;
  const next = nextEnd(policy, now);
  return next === null ? null : stopAtEnd(state, next, policy);
}

/** An end before this moment stops nothing: it has begun to run since then, was woken or kept alive, or the policy was another one. */
function leftAloneUntil({ runningSince = 0, meantToRunSince = 0, windowsFrom = 0 }: InstanceState): number {
  return Math.max(runningSince, meantToRunSince, windowsFrom);
}

/** The stop at this end of the awake hours. A keep-alive that lasts into other awake hours leaves it to their end. */
function stopAtEnd(state: InstanceState, end: number, policy: Policy): ComingStop | null {
  const { awake, timezone } = policy.schedule;
  const kept = state.clock.keepAliveUntil ?? 0;
  const dueAt = kept > end && isWithin(awake, timezone, kept) ? endOfSpan(awake, timezone, kept) : end;
  return dueAt === null ? null : stopAt(state, "schedule", dueAt, policy);
}

function nextEnd({ schedule: { awake, timezone } }: Policy, now: number): number | null {
  if (isWithin(awake, timezone, now)) return endOfSpan(awake, timezone, now);
  const start = nextStart(awake, timezone, now);
  return start === null ? null : endOfSpan(awake, timezone, start);
}

function longestRun(state: InstanceState, policy: Policy): ComingStop | null {
  if (policy.maxRuntimeMs === null || state.runningSince === undefined) return null;
  const stop = stopAt(state, "max_runtime", state.runningSince + policy.maxRuntimeMs, policy);
  return isTold(state, stop) ? null : stop;
}

function stopAt(state: InstanceState, because: PlannedCause, dueAt: number, policy: Policy): ComingStop {
  const { keepAliveUntil, graceUntil } = state.clock;
  const known = knownOf(state, { because, dueAt });
  const warned = known?.warnedAt == null ? 0 : known.warnedAt + policy.stopWarningMs;
  const at = Math.max(dueAt, keepAliveUntil ?? 0, graceUntil ?? 0, warned, known?.failed?.retryAt ?? 0);
  return { because, dueAt, at };
}

/** What is kept of this very stop; null before anything was told of it. */
function knownOf(
  { plannedStops = [] }: InstanceState,
  { because, dueAt }: Pick<ComingStop, "because" | "dueAt">,
): PlannedStop | null {
  return plannedStops.find((stop) => stop.because === because && stop.dueAt === dueAt) ?? null;
}

/** Whether its owner was told that it would be carried out, but is not. */
function isTold(state: InstanceState, stop: ComingStop): boolean {
  return knownOf(state, stop)?.toldAt != null;
}

/** Whether its owner, and the agent, count down to it. */
export function isWarnedOf(state: InstanceState, stop: ComingStop): boolean {
  return knownOf(state, stop)?.warnedAt != null;
}

/** When the next step of it is due: the warning, or the stop. */
export function plannedStopDeadline(state: InstanceState, policy: Policy, now: number): number | null {
  const stop = plannedStop(state, policy, now);
  if (stop === null) return null;
  return mustWarn(state, stop, policy) ? stop.at - policy.stopWarningMs : stop.at;
}

function mustWarn(state: InstanceState, stop: ComingStop, policy: Policy): boolean {
  return isCarriedOut(state, policy) && !isWarnedOf(state, stop);
}

/** Whether the stop is carried out. If not, its owner is told when it is due. */
function isCarriedOut({ profile }: InstanceState, { observes }: Policy): boolean {
  return !observes && abilitiesOf(profile.provider).hibernates !== "never";
}

/** Warns of the planned stop, or carries it out, if that is due. */
export function takePlannedStop(state: InstanceState, policy: Policy, now: number): InstanceState {
  const stop = plannedStop(state, policy, now);
  if (stop === null) return state;
  if (mustWarn(state, stop, policy)) {
    const due = stop.at - policy.stopWarningMs;
    return now < due ? state : warn(state, stop, policy, warnedAtOf(due, policy, now));
  }
  if (now < stop.at) return state;
  const detail = evidenceOf(state, stop, policy);
  if (isCarriedOut(state, policy) || policy.observes) {
    const told = policy.observes ? withStop(state, stop, { toldAt: now }) : state;
    return hibernateByPolicy(told, policy, {
      kind: "hibernate",
      reason: "owner",
      cause: stop.because,
      at: now,
      because: sayCause(stop, policy),
      detail,
    });
  }
  return record(withStop(state, stop, { toldAt: now }), {
    at: now,
    kind: "would_hibernate",
    severity: "warning",
    message: phrase("plan.would_hibernate", { cause: sayCause(stop, policy), why: whyNobody(state) }),
    detail,
  });
}

function withStop(state: InstanceState, stop: ComingStop, change: Partial<PlannedStop>): InstanceState {
  const { because, dueAt } = stop;
  const known = knownOf(state, stop) ?? { because, dueAt, warnedAt: null, toldAt: null, failed: null };
  const others = (state.plannedStops ?? []).filter((other) => other.because !== because);
  return { ...state, plannedStops: [...others, { ...known, ...change }] };
}

function warn(state: InstanceState, stop: ComingStop, policy: Policy, at: number): InstanceState {
  const warned = withStop(state, stop, { warnedAt: at });
  const carriedOutAt = Math.max(stop.at, at + policy.stopWarningMs);
  const risks = sayStoppedRisks(state.profile.provider, hibernatedCost(state).hourly);
  return record(warned, {
    at,
    kind: "stop_planned",
    severity: "warning",
    message: together("sentences", [stopWarning({ ...stop, at: carriedOutAt }, policy, at), risks ?? ""]),
    detail: { ...evidenceOf(state, stop, policy), step_at: toIso(carriedOutAt) },
  });
}

/** The warning: `Hibernating in 15min, whatever it does: its awake hours end. A keep-alive holds that back.` */
export function stopWarning(stop: ComingStop, policy: Policy, now: number): Said {
  return phrase("plan.warning", { left: Math.max(0, stop.at - now), cause: sayCause(stop, policy) });
}

/** Goes on a sentence. */
export function sayCause({ because }: Pick<ComingStop, "because">, { maxRuntimeMs }: Policy): Said {
  switch (because) {
    case "schedule":
      return phrase("plan.schedule");
    case "max_runtime":
      return phrase("plan.max_runtime", { runtime: maxRuntimeMs ?? 0 });
  }
}

function evidenceOf(state: InstanceState, { because, dueAt }: ComingStop, policy: Policy): EventDetail {
  const { runningSince } = state;
  switch (because) {
    case "schedule":
      return { rule: "schedule", because, ended_at: toIso(dueAt), timezone: policy.schedule.timezone };
    case "max_runtime":
      return {
        rule: "max_runtime_hours",
        because,
        running_since: runningSince === undefined ? null : toIso(runningSince),
      };
  }
}

function whyNobody({ profile: { provider } }: InstanceState): Said {
  return onlyDeletes(provider) ? whyNotStopped(provider) : phrase("plan.no_provider");
}

/** Whether the stop that is ordered would still be ordered by this policy. */
export function isStillPlanned(
  { runningSince }: InstanceState,
  because: PlannedCause,
  policy: Policy,
  now: number,
): boolean {
  if (policy.suspended || policy.observes) return false;
  const { awake, timezone, outside } = policy.schedule;
  switch (because) {
    case "schedule":
      return outside === "hibernate" && awake.length > 0 && !isWithin(awake, timezone, now);
    case "max_runtime":
      return policy.maxRuntimeMs !== null && (runningSince ?? now) + policy.maxRuntimeMs <= now;
  }
}
