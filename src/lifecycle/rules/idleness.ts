import type { IdleReading } from "../model/heartbeat.ts";
import { record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf } from "../model/provider.ts";
import { type IdleRun, type InstanceState, idleRunOf } from "../model/state.ts";
import { shortDuration, toIso } from "../model/time.ts";
import { beginHibernation } from "./hibernation.ts";

/**
 * The idle ladder of a running instance: warned, then hibernated. It needs fresh evidence: missing heartbeats never
 * count as idleness.
 */

/** A window that holds less than this share of its expected heartbeats is no evidence. */
const MINIMUM_COVERAGE = 0.6;

/** After a hole of more than so many intervals a run begins anew: nobody knows what happened in it. */
const LONGEST_HOLE_INTERVALS = 3;

/** What a heartbeat says of the use of its instance. */
export interface Use {
  readonly at: number;
  /** Null when what idleness is judged by is not known: that counts as used. */
  readonly reading: IdleReading | null;
  readonly activity: string | null;
  /** The answer to this heartbeat got lost and it was sent again: it is no evidence of its own. */
  readonly isRepeat: boolean;
}

/** Why the instance counts as used; null when it is idle, or idleness is of no interest. */
export function reasonOfUse({ reading, activity }: Use, policy: Policy): string | null {
  if (reading === null) return "no reading";
  if (reading.percent >= policy.idle.thresholdPercent) return `${reading.metric} at ${reading.percent}%`;
  return policy.idle.respectActivity ? activity : null;
}

/** Judges a heartbeat: the idle run goes on, begins, or ends. */
export function judgeUse(state: InstanceState, use: Use, policy: Policy): InstanceState {
  const because = reasonOfUse(use, policy);
  if (because !== null) return endIdleRun(state, use.at, because);
  if (!policy.idle.enabled || use.reading === null)
    return endIdleRun(state, use.at, "idle policy switched off");
  const { lastHeartbeatAt, keepAliveUntil } = state.clock;
  const run = idleRunOf(state.phase);
  const hole =
    lastHeartbeatAt !== null && use.at - lastHeartbeatAt > LONGEST_HOLE_INTERVALS * policy.intervalMs;
  if (run !== null && hole) {
    const ended = endIdleRun(state, use.at, "heartbeats were missing");
    return withIdleRun(ended, beginRun(use.at, use.reading, keepAliveUntil));
  }
  const continues = run !== null && run.metric === use.reading.metric;
  return withIdleRun(
    state,
    continues ? continueRun(run, use, use.reading) : beginRun(use.at, use.reading, keepAliveUntil),
  );
}

function beginRun(at: number, reading: IdleReading, keepAliveUntil: number | null): IdleRun {
  // Under keep-alive the clock starts when the keep-alive ends.
  const since = Math.max(at, keepAliveUntil ?? 0);
  const counts = since === at;
  return {
    since,
    metric: reading.metric,
    highestPercent: counts ? reading.percent : 0,
    heartbeats: counts ? 1 : 0,
    warnedAt: null,
    failed: null,
  };
}

function continueRun(run: IdleRun, { at, isRepeat }: Use, reading: IdleReading): IdleRun {
  if (at < run.since || isRepeat) return run;
  return {
    ...run,
    highestPercent: Math.max(run.highestPercent, reading.percent),
    heartbeats: run.heartbeats + 1,
  };
}

/** The same state with this run: of an instance that runs, or ran when the order under way was decided. */
function withIdleRun(state: InstanceState, idle: IdleRun | null): InstanceState {
  const { phase } = state;
  switch (phase.status) {
    case "running":
      return { ...state, phase: { ...phase, idle } };
    case "hibernating":
      return phase.before.status === "running"
        ? { ...state, phase: { ...phase, before: { ...phase.before, idle } } }
        : state;
    case "pending":
    case "orphaned":
    case "hibernated":
    case "waking":
    case "deleting":
    case "deleted":
      return state;
  }
}

/** Ends the idle run, telling the owner if it was warned of. */
export function endIdleRun(state: InstanceState, at: number, because: string): InstanceState {
  const run = idleRunOf(state.phase);
  if (run === null) return state;
  const cleared = withIdleRun(state, null);
  // While an order is under way its own end tells the owner.
  if (run.warnedAt === null || state.phase.status !== "running") return cleared;
  return record(cleared, {
    at,
    kind: "busy",
    severity: "info",
    message: `No longer idle (${because})`,
    detail: { idle_since: toIso(run.since) },
  });
}

/**
 * When the idle run will be hibernated: as the policy says, never before the warning has had its full time, and after a
 * failure not before its next try.
 */
export function hibernationDue(run: IdleRun, policy: Policy): number {
  const { warnAfterMs, hibernateAfterMs } = policy.idle;
  const bySchedule = run.since + hibernateAfterMs;
  const byWarning = run.warnedAt === null ? bySchedule : run.warnedAt + hibernateAfterMs - warnAfterMs;
  return Math.max(bySchedule, byWarning, run.failed?.retryAt ?? 0);
}

/** Whether the heartbeats of this run are recent and dense enough to act on. */
export function hasFreshEvidence(state: InstanceState, run: IdleRun, policy: Policy, now: number): boolean {
  const { lastHeartbeatAt } = state.clock;
  if (lastHeartbeatAt === null || now - lastHeartbeatAt > 2 * policy.intervalMs) return false;
  const expected = (now - run.since) / policy.intervalMs;
  return run.heartbeats >= MINIMUM_COVERAGE * expected;
}

/** When the idle ladder must look again, or null when only a heartbeat can move it. */
export function idleDeadline(state: InstanceState, policy: Policy, now: number): number | null {
  const run = state.phase.status === "running" ? state.phase.idle : null;
  if (run === null || !policy.idle.enabled) return null;
  const due = nextDue(state, run, policy);
  // A step that is due yet was not taken waits for evidence, which only a heartbeat can bring.
  return due > now ? due : null;
}

/** When the next step of the run is due, which is never before the grace after a wake is over. */
function nextDue(state: InstanceState, run: IdleRun, policy: Policy): number {
  return Math.max(dueByPolicy(state, run, policy), state.clock.graceUntil ?? 0);
}

function dueByPolicy(state: InstanceState, run: IdleRun, policy: Policy): number {
  if (run.warnedAt === null) return run.since + policy.idle.warnAfterMs;
  const due = hibernationDue(run, policy);
  const { wouldHibernateAt } = state.reminders;
  return abilitiesOf(state.profile.provider).hibernates === "never" && wouldHibernateAt !== null
    ? Math.max(due, wouldHibernateAt + policy.reminderMs)
    : due;
}

/** Takes the idle step that is due at `now`, if the evidence allows it. */
export function advanceIdleness(state: InstanceState, policy: Policy, now: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "running" || phase.idle === null || !policy.idle.enabled) return state;
  const run = phase.idle;
  const due = nextDue(state, run, policy);
  if (now < due || !hasFreshEvidence(state, run, policy, now)) return state;
  if (run.warnedAt === null) {
    // The alarm is never early and seldom exact: the step's time is its deadline unless it had to wait.
    const warnedAt = now - due <= policy.intervalMs / 10 ? due : now;
    const warned: IdleRun = { ...run, warnedAt };
    return record(
      { ...state, phase: { ...phase, idle: warned } },
      {
        at: warnedAt,
        kind: "idle",
        severity: "warning",
        message: idleWarning(state, warned, policy, warnedAt),
        detail: { ...idleEvidence(run, policy), step_at: toIso(hibernationDue(warned, policy)) },
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
        message: `Would hibernate for ${describeIdle(run, policy, now)}: no provider`,
        detail: idleEvidence(run, policy),
      },
    );
  }
  return beginHibernation(state, {
    kind: "hibernate",
    reason: "idle",
    at: now,
    message: `Hibernating: ${describeIdle(run, policy, now)}`,
    detail: idleEvidence(run, policy),
  });
}

/** The sentence of the warning: `GPU <5% utilization for 3min. Hibernating in 2min.` */
export function idleWarning(state: InstanceState, run: IdleRun, policy: Policy, now: number): string {
  const ahead =
    abilitiesOf(state.profile.provider).hibernates === "never"
      ? "No provider can hibernate it."
      : `Hibernating in ${shortDuration(Math.max(0, hibernationDue(run, policy) - now))}.`;
  return `${describeIdle(run, policy, now)}. ${ahead}`;
}

function describeIdle(run: IdleRun, policy: Policy, now: number): string {
  return `${run.metric} <${policy.idle.thresholdPercent}% utilization for ${shortDuration(now - run.since)}`;
}

function idleEvidence(run: IdleRun, policy: Policy) {
  return {
    rule: "idle",
    metric: run.metric,
    threshold_percent: policy.idle.thresholdPercent,
    highest_percent: run.highestPercent,
    idle_since: toIso(run.since),
    heartbeats: run.heartbeats,
  };
}

/**
 * The policy has changed: a run that the new one judges otherwise ends, and a step that it would have taken already counts
 * from now.
 */
export function judgeByNewPolicy(
  state: InstanceState,
  former: Policy,
  policy: Policy,
  now: number,
): InstanceState {
  const run = idleRunOf(state.phase);
  if (run === null) return state;
  const because = !policy.idle.enabled
    ? "idle policy switched off"
    : policy.idle.metric !== former.idle.metric || policy.intervalMs !== former.intervalMs
      ? "policy changed"
      : run.highestPercent >= policy.idle.thresholdPercent
        ? `${run.metric} was at ${run.highestPercent}%`
        : null;
  if (because !== null) return endIdleRun(state, now, because);
  if (run.warnedAt !== null) {
    return hibernationDue(run, policy) <= now ? withIdleRun(state, { ...run, warnedAt: now }) : state;
  }
  return run.since + policy.idle.warnAfterMs <= now
    ? withIdleRun(state, { ...run, since: now, heartbeats: 0 })
    : state;
}
