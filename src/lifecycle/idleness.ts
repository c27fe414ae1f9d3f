import { beginHibernation } from "./actions.ts";
import { type Heartbeat, idleReading } from "./heartbeat.ts";
import { record } from "./outbox.ts";
import type { Policy } from "./policy.ts";
import { abilitiesOf } from "./provider.ts";
import type { IdleRun, InstanceState } from "./state.ts";
import { shortDuration, toIso } from "./time.ts";

/**
 * The idle ladder of a running instance: warned, then hibernated. It needs fresh evidence: missing heartbeats never
 * count as idleness.
 */

/** A window that holds less than this share of its expected heartbeats is no evidence. */
const MINIMUM_COVERAGE = 0.6;

/** Judges a heartbeat of a running instance: the idle run goes on, begins, or ends. */
export function judgeHeartbeat(state: InstanceState, heartbeat: Heartbeat, policy: Policy): InstanceState {
  const { phase } = state;
  if (phase.status !== "running") return state;
  const reading = idleReading(heartbeat, policy.idle.metric);
  const low = policy.idle.enabled && reading !== null && reading.percent < policy.idle.thresholdPercent;
  if (low && policy.idle.respectActivity && heartbeat.activity !== null) {
    return endIdleRun(state, heartbeat.at, heartbeat.activity);
  }
  if (low) {
    const run = continueRun(phase.idle, heartbeat.at, reading, state.clock.keepAliveUntil);
    return { ...state, phase: { ...phase, idle: run } };
  }
  return endIdleRun(state, heartbeat.at, reading ? `${reading.metric} at ${reading.percent}%` : "no reading");
}

function continueRun(
  run: IdleRun | null,
  at: number,
  reading: { metric: "GPU" | "CPU"; percent: number },
  keepAliveUntil: number | null,
): IdleRun {
  if (run === null || run.metric !== reading.metric) {
    // Under keep-alive the clock starts when the keep-alive ends.
    const since = Math.max(at, keepAliveUntil ?? 0);
    const counts = since === at;
    return {
      since,
      metric: reading.metric,
      highestPercent: counts ? reading.percent : 0,
      heartbeats: counts ? 1 : 0,
      warnedAt: null,
    };
  }
  if (at < run.since) return run;
  return {
    ...run,
    highestPercent: Math.max(run.highestPercent, reading.percent),
    heartbeats: run.heartbeats + 1,
  };
}

/** Ends the idle run, telling the owner if it was warned of. */
export function endIdleRun(state: InstanceState, at: number, because: string): InstanceState {
  const { phase } = state;
  if (phase.status !== "running" || phase.idle === null) return state;
  const cleared: InstanceState = { ...state, phase: { ...phase, idle: null } };
  if (phase.idle.warnedAt === null) return cleared;
  return record(cleared, {
    at,
    kind: "busy",
    severity: "info",
    message: `No longer idle (${because})`,
    detail: { idle_since: toIso(phase.idle.since) },
  });
}

/** When the idle run will be hibernated: as the policy says, and never before the warning has had its full time. */
export function hibernationDue(run: IdleRun, policy: Policy): number {
  const { warnAfterMs, hibernateAfterMs } = policy.idle;
  const bySchedule = run.since + hibernateAfterMs;
  return run.warnedAt === null
    ? bySchedule
    : Math.max(bySchedule, run.warnedAt + hibernateAfterMs - warnAfterMs);
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
  const due = Math.max(nextDue(state, run, policy), state.clock.graceUntil ?? 0);
  // A step that is due yet was not taken waits for evidence, which only a heartbeat can bring.
  return due > now ? due : null;
}

function nextDue(state: InstanceState, run: IdleRun, policy: Policy): number {
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
  const due = Math.max(nextDue(state, run, policy), state.clock.graceUntil ?? 0);
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
