import type { PendingEffect } from "../lifecycle/model/effects.ts";
import { countHeartbeats, isLeaving, messageOf, record } from "../lifecycle/model/outbox.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { HOUR_MS, toIso } from "../lifecycle/model/time.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import type { Phrase } from "../lifecycle/model/words/said.ts";
import { ATTEMPTS_BEFORE_PARKING, targetsOf, type WaitingEffect } from "./attempts.ts";
import type { GivenUp, ParkedRow } from "./held.ts";
import { isAboutDelivery } from "./losses.ts";

/** What becomes of an effect that failed too often. Pure. */

/** Parked effects are tried again after this long. */
export const PARKED_RETRY_MS = HOUR_MS;

/** All parked effects of an instance together take at most this many bytes, as JSON; beyond it the oldest are given up. */
const PARKED_BYTES = 256 * 1024;

/** Which of the parked effects, oldest first, are given up. Whether they can be read does not matter. */
export function toGiveUp(parked: readonly ParkedRow[], now: number): number[] {
  let total = 0;
  return parked
    .toReversed()
    .filter(({ bytes, giveUpAt }) => {
      total += bytes;
      return total > PARKED_BYTES || giveUpAt <= now;
    })
    .map(({ id }) => id);
}

/**
 * Records that effects were parked. Parking such a record is not recorded again, or it would never end. Nothing is recorded
 * for a removed instance.
 */
export function recordParking(
  state: InstanceState,
  effects: readonly WaitingEffect[],
  now: number,
): InstanceState {
  if (isLeaving(state)) return state;
  return effects
    .filter(({ pending }) => !isAboutDelivery(pending))
    .reduce(
      (each, { pending }) =>
        record(each, {
          at: now,
          kind: "delivery_parked",
          severity: "warning",
          ...messageOf(phrase("delivery.parked", { what: nameOf(pending), times: ATTEMPTS_BEFORE_PARKING })),
          detail: { ...detailOf(pending), given_up: false },
        }),
      state,
    );
}

/** Says that parked effects were given up. */
export function recordGivingUp(
  state: InstanceState,
  effects: readonly GivenUp[],
  now: number,
): InstanceState {
  if (isLeaving(state)) return state;
  return effects.filter(isToTell).reduce(
    (each, { pending, heartbeats, since }) =>
      record(each, {
        at: now,
        kind: "delivery_parked",
        severity: "warning",
        ...messageOf(
          phrase("delivery.given_up", { what: pending === null ? UNREADABLE : nameOf(pending), since }),
        ),
        detail: {
          ...(pending === null ? { effect: "unreadable", heartbeats } : detailOf(pending)),
          parked_at: toIso(since),
          given_up: true,
        },
      }),
    state,
  );
}

const UNREADABLE = phrase("delivery.unreadable");

function isToTell({ pending }: GivenUp): boolean {
  return pending === null || !isAboutDelivery(pending);
}

function nameOf(pending: PendingEffect): Phrase {
  const { effect } = pending;
  switch (effect.type) {
    case "chunk":
      return phrase("delivery.chunk", { count: countHeartbeats([pending]) });
    case "event":
      return phrase("delivery.event", { kind: effect.event.kind, at: effect.event.at });
    case "action":
      return phrase("delivery.order", { kind: effect.order.kind.replaceAll("_", "-") });
    case "projection":
    case "guard":
    case "forget":
      return phrase("delivery.report");
  }
}

function detailOf(pending: PendingEffect) {
  return {
    effect: pending.effect.type,
    heartbeats: countHeartbeats([pending]),
    targets: targetsOf(pending).join(),
  };
}
