import type { ActionOrder } from "../model/effects.ts";
import type { InstanceEvent } from "../model/instance-event.ts";
import { record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf, kindOf } from "../model/provider.ts";
import { type InstanceState, machineOf } from "../model/state.ts";
import { HOUR_MS, MINUTE_MS } from "../model/time.ts";

/**
 * Nobody watches a hibernated instance. So once its storage was set back, nobody knows whether its machine was woken since, and
 * costs money. Its provider is asked, or its owner is told to look. Whatever comes of it, nothing is stopped or deleted.
 */

/** A look that nobody may have heard of is asked for again after this long. */
const ASK_AGAIN_MS = 10 * MINUTE_MS;

/** Its workflow has ended by then: six tries, and a second look where the machine is missing. */
const LOOK_MS = 2 * HOUR_MS;

/** What a workflow is told that only looks. */
export interface LookOrder extends Omit<ActionOrder, "kind"> {
  readonly kind: "look";
}

/** Has the provider of a hibernated instance asked, or tells the owner that nobody can be. */
export function beginLook(state: InstanceState, at: number): InstanceState {
  const { phase, profile } = state;
  if (phase.status !== "hibernated") return state;
  if (!abilitiesOf(profile.provider).reachesSilent) {
    return tellUnwatched(state, at, `no provider can be asked (provider: ${kindOf(profile.provider)})`);
  }
  const look = { id: `look-${state.nextEffectId.toString(36)}`, askAt: at, askedAt: null };
  return { ...state, nextEffectId: state.nextEffectId + 1, phase: { ...phase, look } };
}

/** Nobody can say how the machine is: its owner has to look. */
export function tellUnwatched(state: InstanceState, at: number, because: string): InstanceState {
  const { status } = state.phase;
  const standing = status === "pending" ? "was not heard yet" : `is ${status}`;
  return record(state, {
    at,
    kind: "unwatched",
    severity: "warning",
    message: `Nobody knows whether its machine runs: the service was set back to a moment at which it ${standing}, and ${because}. If it runs, it costs money, and nobody watches it before its next heartbeat: look after it where it is rented`,
    detail: { status, because },
  });
}

/** When the provider is asked, or the wait for its answer ends; null without a look. Nothing is asked for a suspended user. */
export function lookDeadline({ phase }: InstanceState, policy: Policy): number | null {
  if (phase.status !== "hibernated" || phase.look === undefined || policy.suspended) return null;
  const { askAt, askedAt } = phase.look;
  return askedAt === null ? askAt : Math.min(askAt, askedAt + LOOK_MS);
}

/** Asks, or ends a look of which nobody told what it showed. */
export function takeLookStep(state: InstanceState, policy: Policy, now: number): InstanceState {
  const due = lookDeadline(state, policy);
  const { phase } = state;
  if (due === null || now < due || phase.status !== "hibernated" || phase.look === undefined) return state;
  const { look } = phase;
  if (look.askedAt !== null && now >= look.askedAt + LOOK_MS) {
    return tellUnwatched(withoutLook(state), now, "its provider was asked and nobody told what it answered");
  }
  const asked = { ...look, askedAt: look.askedAt ?? now, askAt: now + ASK_AGAIN_MS };
  return { ...state, phase: { ...phase, look: asked } };
}

/** The look that is asked for, as its workflow is told; null without one. Begun twice, it is one. */
export function lookOrder(state: InstanceState): LookOrder | null {
  const { phase } = state;
  if (phase.status !== "hibernated" || phase.look === undefined || phase.look.askedAt === null) return null;
  return {
    actionId: phase.look.id,
    kind: "look",
    reason: "silence",
    machine: machineOf(state.profile),
    sighted: state.sighted,
    isHibernated: true,
    snapshotFirst: false,
  };
}

type LookEnd = Extract<
  InstanceEvent,
  { type: "action.succeeded" | "action.gone" | "action.found_running" | "action.failed" }
>;

/** What the provider showed. An event about any look but the one that is awaited changes nothing. */
export function endLook(state: InstanceState, event: LookEnd, now: number): InstanceState {
  const { phase, profile } = state;
  if (phase.status !== "hibernated" || phase.look?.id !== event.actionId) return state;
  switch (event.type) {
    case "action.succeeded":
      return record(withoutLook(state), {
        at: now,
        kind: "resumed",
        severity: "info",
        message: `It still is hibernated: ${event.confirmedBy} shows it so`,
        detail: { confirmed_by: event.confirmedBy, action_id: event.actionId },
      });
    case "action.found_running":
      return record(
        {
          ...state,
          phase: { status: "running", idle: null },
          clock: { ...state.clock, graceUntil: null, countsFrom: now },
          counters: { ...state.counters, gapFrom: now },
        },
        {
          at: now,
          kind: "woken",
          severity: "warning",
          message: `${kindOf(profile.provider)} shows it running. The service was set back to a moment at which it was hibernated: it counts as running, and is watched from now on`,
          detail: { action_id: event.actionId },
        },
      );
    case "action.gone":
      return tellUnwatched(
        withoutLook(state),
        now,
        `${kindOf(profile.provider)} has no such machine any more`,
      );
    case "action.failed":
      return tellUnwatched(
        withoutLook(state),
        now,
        `${kindOf(profile.provider)} could not tell: ${event.because}`,
      );
  }
}

function withoutLook(state: InstanceState): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernated") return state;
  const { look: _, ...hibernated } = phase;
  return { ...state, phase: hibernated };
}
