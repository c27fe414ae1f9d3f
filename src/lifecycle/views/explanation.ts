import { idleReading } from "../model/heartbeat.ts";
import type { IdleRun, Orphan } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import { SECOND_MS, spokenDuration, toIso } from "../model/time.ts";
import { hasFreshEvidence, hibernationDue } from "../rules/idleness.ts";
import { deletionDue, nextStep } from "../rules/ladder.ts";

/** Why automation will act or does not: the next step, when it is due, on what evidence, and what holds it back. */
export interface Explanation {
  readonly next_step: "warn" | "hibernate" | "orphan" | "force_hibernate" | "delete" | null;
  readonly at: string | null;
  readonly in_seconds: number | null;
  readonly because: string;
  readonly blocked_by:
    | "keep_alive"
    | "guard"
    | "activity"
    | "policy_disabled"
    | "stale_evidence"
    | "no_provider"
    | "wake_grace"
    | null;
}

/** Explains what comes next for the instance. The field names are those of the HTTP API. */
export function explain(state: InstanceState, policy: Policy, now: number): Explanation {
  const { phase } = state;
  switch (phase.status) {
    case "pending":
      return noStep(
        state.clock.lastHeartbeatAt === null
          ? "Never heard: nothing happens before its first heartbeat"
          : "Not heard since its machine was started or changed: nothing happens before its next heartbeat",
      );
    case "running":
      return explainRunning(state, phase.idle, policy, now);
    case "orphaned":
      return explainOrphan(state, phase.orphan, policy, now);
    case "hibernating":
      return noStep(`Hibernation was ordered at ${toIso(phase.action.orderedAt)}`);
    case "hibernated":
      return phase.orphan === null
        ? noStep(
            phase.look === undefined
              ? `Hibernated since ${toIso(phase.since)}`
              : "Hibernated before the service was set back: its provider is asked whether it still is",
          )
        : explainDeletion(state, phase.orphan, policy, now);
    case "waking":
      return noStep(
        `A wake was ordered at ${toIso(phase.action.orderedAt)}`,
        state.clock.graceUntil !== null && state.clock.graceUntil > now ? "wake_grace" : null,
      );
    case "deleting":
      return noStep(`Deletion was ordered at ${toIso(phase.action.orderedAt)}`);
    case "deleted":
      return noStep(
        `Deleted at ${toIso(phase.at)}; it leaves the list at ${toIso(phase.at + policy.deletedListedMs)}`,
      );
  }
}

function explainRunning(state: InstanceState, run: IdleRun | null, policy: Policy, now: number): Explanation {
  const { keepAliveUntil, lastHeartbeatAt } = state.clock;
  const keptAlive = keepAliveUntil !== null && keepAliveUntil > now;
  const silenceMs = lastHeartbeatAt === null ? null : now - lastHeartbeatAt;
  const late = silenceMs === null || silenceMs > 2 * policy.intervalMs;
  if (run !== null && (!late || keptAlive)) {
    return explainIdle(state, run, policy, now, keptAlive);
  }
  if (late || keptAlive) {
    const seen = Math.max(lastHeartbeatAt ?? 0, keepAliveUntil ?? 0, state.clock.countsFrom ?? 0);
    const because =
      silenceMs === null
        ? "Never heard, kept alive by hand"
        : `Last heartbeat ${spokenDuration(silenceMs)} ago`;
    return stepAt(
      "orphan",
      Math.max(seen + policy.orphan.orphanAfterMs, state.clock.graceUntil ?? 0),
      now,
      because,
      keptAlive ? "keep_alive" : policy.orphan.enabled ? null : "policy_disabled",
    );
  }
  const last = state.recent.at(-1);
  const reading = last === undefined ? null : idleReading(last, policy.idle.metric, state.agent.hasGpu);
  if (
    last?.activity != null &&
    reading !== null &&
    policy.idle.enabled &&
    policy.idle.respectActivity &&
    reading.percent < policy.idle.thresholdPercent
  ) {
    return noStep(`${reading.metric} at ${reading.percent}%, but in use: ${last.activity}`, "activity");
  }
  const gpu = last?.gpuPercent ?? null;
  return noStep(
    gpu === null ? "Heartbeats arrive; no GPU reported" : `Heartbeats arrive; GPU at ${gpu}%`,
    policy.idle.enabled ? null : "policy_disabled",
  );
}

function explainIdle(
  state: InstanceState,
  run: IdleRun,
  policy: Policy,
  now: number,
  keptAlive: boolean,
): Explanation {
  const { graceUntil } = state.clock;
  const inGrace = graceUntil !== null && graceUntil > now;
  const warned = run.warnedAt !== null;
  const at = warned ? hibernationDue(run, policy) : run.since + policy.idle.warnAfterMs;
  const noProvider = abilitiesOf(state.profile.provider).hibernates === "never";
  const stale = now >= at && !hasFreshEvidence(state, run, policy, now);
  return stepAt(
    warned ? "hibernate" : "warn",
    Math.max(at, graceUntil ?? 0),
    now,
    run.since > now
      ? `${run.metric} under ${policy.idle.thresholdPercent}%; the idle clock starts at ${toIso(run.since)}`
      : `${run.metric} under ${policy.idle.thresholdPercent}% since ${toIso(run.since)}, highest ${run.highestPercent}%`,
    keptAlive
      ? "keep_alive"
      : inGrace
        ? "wake_grace"
        : warned && noProvider
          ? "no_provider"
          : stale
            ? "stale_evidence"
            : null,
  );
}

function explainOrphan(state: InstanceState, orphan: Orphan, policy: Policy, now: number): Explanation {
  const held = orphan.guard !== null && orphan.guard.heldSince !== null;
  const next =
    held && orphan.guard !== null
      ? { step: orphan.guard.step, at: orphan.guard.askAgainAt }
      : nextStep(state, orphan, policy);
  if (next === null) return explainDeletion(state, orphan, policy, now);
  return stepAt(
    next.step,
    next.at,
    now,
    orphanEvidence(state, orphan),
    silenceBlockedBy(state, policy, held),
  );
}

function explainDeletion(state: InstanceState, orphan: Orphan, policy: Policy, now: number): Explanation {
  const due = deletionDue(orphan, policy);
  const held = orphan.guard !== null && orphan.guard.heldSince !== null;
  const because = orphanEvidence(state, orphan);
  return due === null
    ? noStep(because, "policy_disabled")
    : stepAt("delete", due, now, because, silenceBlockedBy(state, policy, held));
}

function silenceBlockedBy(state: InstanceState, policy: Policy, held: boolean): Explanation["blocked_by"] {
  if (held) return "guard";
  if (!policy.orphan.enabled) return "policy_disabled";
  return abilitiesOf(state.profile.provider).reachesSilent ? null : "no_provider";
}

function orphanEvidence(state: InstanceState, orphan: Orphan): string {
  const { lastHeartbeatAt } = state.clock;
  const heard = lastHeartbeatAt === null ? "Never heard" : `No heartbeat since ${toIso(lastHeartbeatAt)}`;
  return `${heard}, orphaned since ${toIso(orphan.since)}`;
}

function stepAt(
  next_step: Explanation["next_step"],
  atMs: number,
  now: number,
  because: string,
  blocked_by: Explanation["blocked_by"],
): Explanation {
  return {
    next_step,
    at: toIso(atMs),
    in_seconds: Math.max(0, Math.round((atMs - now) / SECOND_MS)),
    because,
    blocked_by,
  };
}

function noStep(because: string, blocked_by: Explanation["blocked_by"] = null): Explanation {
  return { next_step: null, at: null, in_seconds: null, because, blocked_by };
}
