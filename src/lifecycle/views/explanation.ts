import { idleReading } from "../model/heartbeat.ts";
import type { Hibernated, IdleRun, Orphan, Unheard } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf, kindOf } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import { onlyDeletes, stopsSilent, whyNotStopped } from "../model/stopping.ts";
import { SECOND_MS, spokenDuration, toIso } from "../model/time.ts";
import { hasFreshEvidence, hibernationDue } from "../rules/idleness.ts";
import { deletionDue, mayBeDeleted, nextStep } from "../rules/ladder.ts";
import { hasVanished } from "../rules/look.ts";
import { preparationAhead } from "../rules/preparation-end.ts";
import { describeReclaimed } from "../rules/reclaim.ts";
import { actsOnUnheard, awaitedFrom, unheardDue, whyUnheard } from "../rules/unheard.ts";
import { NOBODY_CAN_STOP } from "../rules/unheard-warning.ts";

/** Why automation will act or does not: the next step, when it is due, on what evidence, and what holds it back. */
export interface Explanation {
  readonly next_step: "warn" | "hibernate" | "orphan" | "never_heard" | "force_hibernate" | "delete" | null;
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
    /** The policy only observes: the step is told of when it is due, and not taken. */
    | "observe"
    | null;
}

/** Explains what comes next for the instance. The field names are those of the HTTP API. */
export function explain(state: InstanceState, policy: Policy, now: number): Explanation {
  const { phase } = state;
  switch (phase.status) {
    case "pending":
      return explainPending(state, phase.orphan ?? null, policy, now);
    case "running":
      return explainRunning(state, phase.idle, policy, now);
    case "orphaned":
      return explainOrphan(state, phase.orphan, policy, now);
    case "hibernating":
      return noStep(`Hibernation was ordered at ${toIso(phase.action.orderedAt)}`);
    case "hibernated":
      return phase.orphan === null
        ? noStep(hibernatedBecause(state, phase))
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

function hibernatedBecause(state: InstanceState, { since, openLook, wakeFailed }: Hibernated): string {
  const reclaimed = describeReclaimed(state);
  if (reclaimed !== null) return reclaimed;
  const evidence = `Hibernated since ${toIso(since)}`;
  if (openLook !== undefined && openLook.because !== "wake") {
    return hasVanished(state)
      ? `${evidence}, and its provider lists it no more: nobody knows whether it still exists`
      : "Hibernated before a restore or an import: nobody knows yet whether it still is";
  }
  if (wakeFailed === undefined) return evidence;
  const fate = openLook === undefined ? "" : "; nobody knows whether its start was cancelled";
  return `${evidence}: its wake failed then (${wakeFailed.because})${fate}`;
}

function explainPending(
  state: InstanceState,
  orphan: Orphan | null,
  policy: Policy,
  now: number,
): Explanation {
  const because = unheardEvidence(state);
  if (orphan === null) {
    if (!policy.orphan.enabled) return noStep(because, "policy_disabled");
    const { keepAliveUntil } = state.clock;
    const isKeptAlive = keepAliveUntil !== null && keepAliveUntil > now;
    return stepAt("never_heard", unheardDue(state, policy), now, because, isKeptAlive ? "keep_alive" : null);
  }
  const held = orphan.guard !== null && orphan.guard.heldSince !== null;
  const next = nextOnLadder(state, orphan, policy);
  if (next === null) return noStep(...whyNothingIsDone(state, policy, because));
  const condition = `${kindOf(state.profile.provider)} is asked first, and nothing is stopped that it does not show running`;
  return stepAt(next.step, next.at, now, `${because}. ${condition}`, silenceBlockedBy(state, policy, held));
}

const UNHEARD: Record<Unheard["because"], string> = {
  registered: "Never heard since it was registered at",
  moved: "Not heard since another machine is watched, from",
  imported: "Not heard since it was brought from an export at",
  started: "Not heard since it was found running at",
  unknown: "Not heard since",
};

function unheardEvidence(state: InstanceState): string {
  const vanished = hasVanished(state) ? ", and its provider lists it no more" : "";
  return `${UNHEARD[whyUnheard(state.phase)]} ${toIso(awaitedFrom(state))}${vanished}`;
}

/** Why an instance that counts as never heard is not acted upon. */
function whyNothingIsDone(
  state: InstanceState,
  policy: Policy,
  because: string,
): [because: string, blockedBy: Explanation["blocked_by"]] {
  if (!abilitiesOf(state.profile.provider).reachesSilent)
    return [`${because}. ${NOBODY_CAN_STOP}`, "no_provider"];
  if (onlyDeletes(state.profile.provider))
    return [`${because}. Nothing is done about it: ${whyNotStopped(state.profile.provider)}`, "no_provider"];
  switch (whyUnheard(state.phase)) {
    case "imported":
      return [`${because}. It may be heard there, so nothing is done about it`, null];
    case "started":
    case "unknown":
      return [`${because}. Somebody may use it, so nothing is done about it`, null];
    case "registered":
    case "moved":
      return actsOnUnheard(state, policy)
        ? [because, null]
        : [`${because}. Nothing is done about it by this policy`, "policy_disabled"];
  }
}

function explainRunning(state: InstanceState, run: IdleRun | null, policy: Policy, now: number): Explanation {
  const reclaimed = describeReclaimed(state);
  if (reclaimed !== null) return noStep(reclaimed);
  const ahead = preparationAhead(state, policy, now);
  if (ahead !== null) return stepAt("hibernate", ahead.at, now, ahead.because, ahead.blockedBy);
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
            : warned && policy.observes
              ? "observe"
              : null,
  );
}

function explainOrphan(state: InstanceState, orphan: Orphan, policy: Policy, now: number): Explanation {
  const held = orphan.guard !== null && orphan.guard.heldSince !== null;
  const next = nextOnLadder(state, orphan, policy);
  if (next === null) return explainDeletion(state, orphan, policy, now);
  return stepAt(
    next.step,
    next.at,
    now,
    onlyDeletes(state.profile.provider)
      ? `${orphanEvidence(state, orphan)}. ${whyNotStopped(state.profile.provider)}`
      : orphanEvidence(state, orphan),
    silenceBlockedBy(state, policy, held),
  );
}

/** The next step; while the guard holds one, that one, when the guard is asked again. */
function nextOnLadder(state: InstanceState, orphan: Orphan, policy: Policy) {
  const held = orphan.guard !== null && orphan.guard.heldSince !== null;
  return held && orphan.guard !== null
    ? { step: orphan.guard.step, at: orphan.guard.askAgainAt }
    : nextStep(state, orphan, policy);
}

function explainDeletion(state: InstanceState, orphan: Orphan, policy: Policy, now: number): Explanation {
  const due = deletionDue(orphan, policy);
  const held = orphan.guard !== null && orphan.guard.heldSince !== null;
  const { provider } = state.profile;
  const because = orphanEvidence(state, orphan);
  if (onlyDeletes(provider) && !mayBeDeleted(provider, policy)) {
    const held = "it is not deleted while it may be working (orphan.delete_while_running)";
    return noStep(`${because}. ${whyNotStopped(provider)}, and ${held}`, "policy_disabled");
  }
  return due === null
    ? noStep(because, "policy_disabled")
    : stepAt(
        "delete",
        due,
        now,
        because,
        silenceBlockedBy(state, policy, held, mayBeDeleted(provider, policy)),
      );
}

function silenceBlockedBy(
  state: InstanceState,
  policy: Policy,
  held: boolean,
  canBeDone = stopsSilent(state.profile.provider),
): Explanation["blocked_by"] {
  if (held) return "guard";
  if (!policy.orphan.enabled) return "policy_disabled";
  if (!canBeDone) return "no_provider";
  return policy.observes ? "observe" : null;
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
