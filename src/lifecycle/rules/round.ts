import type { HibernationRound, RoundPlace } from "../model/instance-event.ts";
import type { Status } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { connectionOf, kindOf } from "../model/provider.ts";
import type { InstanceState, Profile } from "../model/state.ts";
import { hasTags } from "../model/tags.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import { hasFreshEvidence } from "./idleness.ts";
import { hibernateByPolicy } from "./observing.ts";
import { prepareOrHibernate } from "./preparation.ts";
import { type Refusal, refusal } from "./refusals.ts";

/** A hibernation that is asked of many instances at once. Each decides by itself, when it is asked, whether it is meant. */

/** What decides whether an instance is meant. */
interface Meant {
  readonly status: Status;
  readonly isIdle: boolean;
  readonly keepAliveUntil: number | null;
}

/** Why an instance that could be hibernated is spared; null when it is meant. */
export function whySpared(
  { status, isIdle, keepAliveUntil }: Meant,
  { onlyIdle, keepAliveUpTo }: Pick<HibernationRound, "onlyIdle" | "keepAliveUpTo">,
  now: number,
): "pending" | "kept_alive" | "not_idle" | null {
  // Somebody else may use a machine that was never heard: its owner stops it by name.
  if (status === "pending") return "pending";
  if (keepAliveUntil !== null && keepAliveUntil > Math.max(now, keepAliveUpTo)) return "kept_alive";
  return onlyIdle && !isIdle ? "not_idle" : null;
}

/**
 * Hibernates the instance if it is still meant. A round of idle ones orders for idleness, which work that begins meanwhile
 * calls off.
 */
export function hibernateInRound(
  state: InstanceState,
  round: HibernationRound,
  policy: Policy,
  now: number,
): InstanceState | Refusal {
  const spared = whySparedNow(state, round, policy, now);
  if (spared !== null) return refusal(spared, phrase(`refusal.${spared}`));
  const start = {
    reason: round.onlyIdle ? "idle" : "owner",
    at: now,
    detail: {
      rule: round.by,
      asked_at: toIso(round.askedAt),
      ...(round.onlyIdle ? { only_idle: true } : {}),
    },
  } as const;
  switch (round.by) {
    case "kill_switch": {
      const message = phrase("hibernation.as_asked_for_many");
      return prepareOrHibernate(state, { ...start, because: round.by, message }, policy);
    }
    case "budget":
      return isToldOfLate(state, policy, now)
        ? state
        : hibernateByPolicy(state, policy, {
            ...start,
            kind: "hibernate",
            cause: round.by,
            because: phrase("hibernation.budget"),
          });
  }
}

/** A budget asks again and again as long as something goes on that it would stop. */
function isToldOfLate({ reminders }: InstanceState, { observes, reminderMs }: Policy, now: number): boolean {
  const { wouldHibernateAt } = reminders;
  return observes && wouldHibernateAt !== null && now < wouldHibernateAt + reminderMs;
}

function whySparedNow(state: InstanceState, round: HibernationRound, policy: Policy, now: number) {
  const { phase, clock, profile } = state;
  const { askedAt, status, place = {} } = round;
  const { keepAliveUntil } = clock;
  // A later word counts, whoever has spoken it.
  const isLater = Math.max(profile.registeredAt, state.meantToRunSince ?? 0) > askedAt;
  if (isLater && keepAliveUntil !== null && keepAliveUntil > now) return "kept_alive";
  if (isLater || (status !== null && status !== phase.status) || !isThere(profile, place)) return "changed";
  const isIdle =
    phase.status === "running" &&
    phase.idle?.warnedAt != null &&
    hasFreshEvidence(state, phase.idle, policy, now);
  return whySpared({ status: phase.status, isIdle, keepAliveUntil }, round, now);
}

/** The fleet may not have heard yet that its owner has changed it. */
function isThere({ provider, tags = {} }: Profile, place: RoundPlace): boolean {
  return (
    (place.provider === undefined || place.provider === kindOf(provider)) &&
    (place.connection === undefined || place.connection === connectionOf(provider)) &&
    hasTags(tags, place.tag ?? [])
  );
}
