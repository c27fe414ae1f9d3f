import type { Hibernated, IdleRun } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Language, Reader, Said } from "../model/words/said.ts";
import { outsideAwakeHours } from "../rules/awake-hours.ts";
import { hasFreshEvidence, hibernationDue } from "../rules/idleness.ts";
import { hasVanished } from "../rules/look.ts";
import { plannedStop, sayCause } from "../rules/planned-stop.ts";
import { preparationAhead } from "../rules/preparation-end.ts";
import { describeReclaimed } from "../rules/reclaim.ts";
import { scheduledWakeAt } from "../rules/scheduled-wake.ts";
import { explainDeletion, explainOrphan, explainPending, heldByMaintenance } from "./explain-silence.ts";
import { type Explanation, noStep, type Reason, stepAt, wordReason } from "./explained-step.ts";
import { sayUse } from "./say-use.ts";

/** Explains what comes next for the instance. The field names are those of the HTTP API. */
export function explain(
  state: InstanceState,
  policy: Policy,
  now: number,
  to: Language | Reader = "en",
): Explanation {
  return wordReason(reasonOf(state, policy, now), to);
}

/** The same, before it is worded. */
export function reasonOf(state: InstanceState, policy: Policy, now: number): Reason {
  const { phase } = state;
  switch (phase.status) {
    case "pending":
      return heldByMaintenance(explainPending(state, phase.orphan ?? null, policy, now), policy, now);
    case "running":
      return orPlannedStop(explainRunning(state, phase.idle, policy, now), state, policy, now);
    case "orphaned":
      return orPlannedStop(
        heldByMaintenance(explainOrphan(state, phase.orphan, policy, now), policy, now),
        state,
        policy,
        now,
      );
    case "hibernating":
      return noStep(phrase("because.hibernation_ordered", { at: phase.action.orderedAt }));
    case "hibernated":
      return phase.orphan === null
        ? explainHibernated(state, phase, policy, now)
        : heldByMaintenance(explainDeletion(state, phase.orphan, policy, now), policy, now);
    case "waking":
      return noStep(
        phrase("because.wake_ordered", { at: phase.action.orderedAt }),
        state.clock.graceUntil !== null && state.clock.graceUntil > now ? "wake_grace" : null,
      );
    case "deleting":
      return noStep(phrase("because.deletion_ordered", { at: phase.action.orderedAt }));
    case "deleted":
      return noStep(phrase("because.deleted", { at: phase.at, until: phase.at + policy.deletedListedMs }));
  }
}

/** The other step, or the planned stop if that comes first. */
function orPlannedStop(other: Reason, state: InstanceState, policy: Policy, now: number): Reason {
  const stop = plannedStop(state, policy, now);
  if (stop === null || (other.at !== null && Date.parse(other.at) <= stop.at)) return other;
  const { keepAliveUntil } = state.clock;
  return stepAt(
    "hibernate",
    stop.at,
    now,
    phrase("because.planned_stop", { because: other.because, cause: sayCause(stop, policy) }),
    keepAliveUntil !== null && keepAliveUntil > now
      ? "keep_alive"
      : policy.observes
        ? "observe"
        : abilitiesOf(state.profile.provider).hibernates === "never"
          ? "no_provider"
          : null,
  );
}

function explainHibernated(state: InstanceState, phase: Hibernated, policy: Policy, now: number): Reason {
  const because = hibernatedBecause(state, phase, policy);
  const wakeAt = scheduledWakeAt(state, policy, now);
  if (wakeAt === null) return noStep(because);
  const observed = policy.observes ? "observe" : null;
  return stepAt("wake", wakeAt, now, phrase("because.wake_ahead", { because }), observed);
}

function hibernatedBecause(
  state: InstanceState,
  { since, openLook, wakeFailed }: Hibernated,
  policy: Policy,
): Said {
  const reclaimed = describeReclaimed(state, policy);
  if (reclaimed !== null) return reclaimed;
  if (openLook !== undefined && openLook.because !== "wake") {
    return hasVanished(state) ? phrase("because.vanished", { since }) : phrase("because.set_back");
  }
  if (wakeFailed === undefined) return phrase("because.hibernated", { since });
  const { because } = wakeFailed;
  return openLook === undefined
    ? phrase("because.wake_failed", { since, because })
    : phrase("because.wake_open", { since, because });
}

function explainRunning(state: InstanceState, run: IdleRun | null, policy: Policy, now: number): Reason {
  const ahead = preparationAhead(state, policy, now);
  const reclaimed = describeReclaimed(state, policy);
  if (reclaimed !== null && ahead?.isHeld !== false) return noStep(reclaimed);
  if (ahead !== null) return stepAt("hibernate", ahead.at, now, ahead.because, ahead.blockedBy);
  const { keepAliveUntil, lastHeartbeatAt } = state.clock;
  const keptAlive = keepAliveUntil !== null && keepAliveUntil > now;
  const silenceMs = lastHeartbeatAt === null ? null : now - lastHeartbeatAt;
  const late = silenceMs === null || silenceMs > 2 * policy.intervalMs;
  if (run !== null && (!late || keptAlive)) {
    return explainIdle(state, outsideAwakeHours(run, policy, now), policy, now, keptAlive);
  }
  if (late || keptAlive) {
    const seen = Math.max(lastHeartbeatAt ?? 0, keepAliveUntil ?? 0, state.clock.countsFrom ?? 0);
    const because =
      silenceMs === null
        ? phrase("because.never_heard_kept")
        : phrase("because.last_heartbeat", { silence: silenceMs });
    const orphaned = stepAt(
      "orphan",
      Math.max(seen + policy.orphan.orphanAfterMs, state.clock.graceUntil ?? 0),
      now,
      because,
      keptAlive ? "keep_alive" : policy.orphan.enabled ? null : "policy_disabled",
    );
    return heldByMaintenance(orphaned, policy, now);
  }
  return noStep(...sayUse(state, policy));
}

function explainIdle(
  state: InstanceState,
  run: IdleRun,
  policy: Policy,
  now: number,
  keptAlive: boolean,
): Reason {
  const { graceUntil } = state.clock;
  const inGrace = graceUntil !== null && graceUntil > now;
  const warned = run.warnedAt !== null;
  const isAwakeTime = run.since > now && !keptAlive;
  if (run.since === Number.POSITIVE_INFINITY) {
    return noStep(
      phrase("because.idle_awake", { metric: run.metric, threshold: policy.idle.thresholdPercent }),
      "schedule",
    );
  }
  const at = warned ? hibernationDue(run, policy) : run.since + policy.idle.warnAfterMs;
  const noProvider = abilitiesOf(state.profile.provider).hibernates === "never";
  const idle = { metric: run.metric, threshold: policy.idle.thresholdPercent, since: run.since };
  const stale = now >= at && !hasFreshEvidence(state, run, policy, now);
  return stepAt(
    warned ? "hibernate" : "warn",
    Math.max(at, graceUntil ?? 0),
    now,
    run.since > now
      ? phrase("because.idle_later", idle)
      : phrase("because.idle", { ...idle, highest: run.highestPercent }),
    keptAlive
      ? "keep_alive"
      : isAwakeTime
        ? "schedule"
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
