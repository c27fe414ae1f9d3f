import type { Orphan } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf, kindOf } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import { onlyDeletes, stopsSilent, whyNotStopped } from "../model/stopping.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { deletionDue, mayBeDeleted, nextStep } from "../rules/ladder.ts";
import { hasVanished } from "../rules/look.ts";
import { afterMaintenance } from "../rules/maintenance.ts";
import { actsOnUnheard, awaitedFrom, unheardDue, whyUnheard } from "../rules/unheard.ts";
import { type Explanation, noStep, type Reason, stepAt } from "./explained-step.ts";

/** Explains what comes next for an instance that is not heard. */

/** Of one that was never heard. */
export function explainPending(
  state: InstanceState,
  orphan: Orphan | null,
  policy: Policy,
  now: number,
): Reason {
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
  const asked = phrase("because.asked_first", { because, provider: kindOf(state.profile.provider) });
  return stepAt(next.step, next.at, now, asked, silenceBlockedBy(state, policy, held));
}

function unheardEvidence(state: InstanceState): Said {
  const vanished = hasVanished(state) ? phrase("because.listed_no_more") : "";
  return phrase(`because.unheard_${whyUnheard(state.phase)}`, { from: awaitedFrom(state), vanished });
}

/** Why an instance that counts as never heard is not acted upon. */
function whyNothingIsDone(
  state: InstanceState,
  policy: Policy,
  because: Said,
): [because: Said, blockedBy: Explanation["blocked_by"]] {
  if (!abilitiesOf(state.profile.provider).reachesSilent)
    return [phrase("because.and", { because, also: phrase("silence.nobody_can_stop") }), "no_provider"];
  if (onlyDeletes(state.profile.provider))
    return [
      phrase("because.not_stopped", { because, why: whyNotStopped(state.profile.provider) }),
      "no_provider",
    ];
  switch (whyUnheard(state.phase)) {
    case "imported":
      return [phrase("because.heard_there", { because }), null];
    case "started":
    case "unknown":
      return [phrase("because.somebody_uses_it", { because }), null];
    case "registered":
    case "moved":
      return actsOnUnheard(state, policy)
        ? [because, null]
        : [phrase("because.not_by_policy", { because }), "policy_disabled"];
  }
}

/** Of a silent one. */
export function explainOrphan(state: InstanceState, orphan: Orphan, policy: Policy, now: number): Reason {
  const held = orphan.guard !== null && orphan.guard.heldSince !== null;
  const next = nextOnLadder(state, orphan, policy);
  if (next === null) return explainDeletion(state, orphan, policy, now);
  return stepAt(
    next.step,
    next.at,
    now,
    onlyDeletes(state.profile.provider)
      ? phrase("because.and", {
          because: orphanEvidence(state, orphan),
          also: whyNotStopped(state.profile.provider),
        })
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

/** Of one that is led to its deletion. */
export function explainDeletion(state: InstanceState, orphan: Orphan, policy: Policy, now: number): Reason {
  const due = deletionDue(orphan, policy);
  const held = orphan.guard !== null && orphan.guard.heldSince !== null;
  const { provider } = state.profile;
  const because = orphanEvidence(state, orphan);
  if (onlyDeletes(provider) && !mayBeDeleted(provider, policy)) {
    const why = whyNotStopped(provider);
    return noStep(phrase("because.not_deleted", { because, why }), "policy_disabled");
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

function orphanEvidence(state: InstanceState, { since }: Orphan): Said {
  const { lastHeartbeatAt: heard } = state.clock;
  return heard === null
    ? phrase("because.silent_never", { since })
    : phrase("because.silent", { heard, since });
}

/** A step for silence that is due within maintenance: silence counts from its end. A deletion is only put off. */
export function heldByMaintenance(explained: Reason, policy: Policy, now: number): Reason {
  if (explained.at === null) return explained;
  const due = Date.parse(explained.at);
  const end = afterMaintenance(policy, due, now);
  if (end === due) return explained;
  const blocked_by = explained.blocked_by ?? "maintenance";
  if (end === null) return { ...explained, at: null, in_seconds: null, blocked_by };
  const { orphanAfterMs, hibernateAfterMs, neverHeardAfterMs } = policy.orphan;
  switch (explained.next_step) {
    case "orphan":
      return stepAt("orphan", end + orphanAfterMs, now, explained.because, blocked_by);
    case "never_heard":
      return stepAt("never_heard", end + neverHeardAfterMs, now, explained.because, blocked_by);
    case "hibernate":
    case "force_hibernate":
      return stepAt("hibernate", end + hibernateAfterMs, now, explained.because, blocked_by);
    case "delete":
      return stepAt("delete", end, now, explained.because, blocked_by);
    case "warn":
    case "wake":
    case null:
      return explained;
  }
}
