import { decide } from "./decide.ts";
import { breachesOf, INVARIANTS, type Invariant } from "./invariants.ts";
import type { InstanceEvent } from "./model/instance-event.ts";
import { emit, messageOf } from "./model/outbox.ts";
import { stemsFromSilence } from "./model/phase.ts";
import type { Policy } from "./model/policy.ts";
import type { InstanceState } from "./model/state.ts";
import { HOUR_MS, toIso } from "./model/time.ts";
import { phrase } from "./model/words/phrase.ts";
import { actionOf } from "./rules/order.ts";

/** What stands in place of a decision that broke an invariant. */

/**
 * The former state, with an event for each breach: the same hour's event has the same id and moment, so that the history
 * keeps one of them. A heartbeat that could not be decided on is a sign of life all the same.
 */
export function withhold(
  former: InstanceState,
  event: InstanceEvent,
  breaches: readonly Invariant[],
  policy: Policy,
  now: number,
): InstanceState {
  const standing = event.type === "heartbeat" ? spare(former, policy, now) : former;
  return breaches.reduce((state, breach) => recordBreach(state, breach, event, now), standing);
}

/** Unless it waits in the outbox already. */
function recordBreach(
  state: InstanceState,
  invariant: Invariant,
  { type }: InstanceEvent,
  now: number,
): InstanceState {
  const at = now - (now % HOUR_MS);
  const id = `breach-${invariant}`;
  const waits = state.outbox.some(
    ({ effect }) => effect.type === "event" && effect.event.id === id && effect.event.at === at,
  );
  if (waits) return state;
  return emit(state, {
    type: "event",
    event: {
      id,
      at,
      kind: "invariant_breached",
      severity: "critical",
      ...messageOf(phrase("event.breached", { what: INVARIANTS[invariant] })),
      detail: { invariant, decided_upon: type, first_at: toIso(now) },
    },
  });
}

/** No silence is left to be acted upon: an order that stems from it and that nobody has yet fails, and the ladder starts anew. */
function spare(former: InstanceState, policy: Policy, now: number): InstanceState {
  const spared = decide(withoutSilenceOrder(former, policy, now), AFTER_ABSENCE, policy, now).state;
  const next = { ...spared, clock: { ...spared.clock, countsFrom: now } };
  return breachesOf(former, next, now).length === 0 ? next : former;
}

/** An alarm that comes far too late: the service was away, and so heard nothing. */
const AFTER_ABSENCE: InstanceEvent = { type: "alarm", dueAt: 0 };

function withoutSilenceOrder(state: InstanceState, policy: Policy, now: number): InstanceState {
  const action = actionOf(state);
  if (!stemsFromSilence(state.phase) || action?.handover.state !== "waiting") return state;
  const because = "it was heard, and the service could not decide upon that";
  return decide(state, { type: "action.failed", actionId: action.id, because }, policy, now).state;
}
