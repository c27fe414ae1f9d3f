import type { PendingEffect } from "../lifecycle/model/effects.ts";
import { BACKLOG_MS, countHeartbeats, isLeaving, record } from "../lifecycle/model/outbox.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { HOUR_MS, toIso } from "../lifecycle/model/time.ts";
import { ATTEMPTS_BEFORE_PARKING, targetsOf, type WaitingEffect } from "./attempts.ts";
import type { ParkedEffect } from "./held.ts";

/** What becomes of an effect that failed too often. Pure. */

/** Parked effects are tried again after this long. */
export const PARKED_RETRY_MS = HOUR_MS;

/** All parked effects of an instance together take at most this many bytes, as JSON; beyond it the oldest are given up. */
const PARKED_BYTES = 256 * 1024;

/** Splits parked effects, oldest first, into those that stay parked and those that are given up. */
export function givenUp(parked: readonly ParkedEffect[], now: number): ParkedEffect[] {
  let bytes = 0;
  const kept = new Set<ParkedEffect>();
  for (const one of parked.toReversed()) {
    bytes += new TextEncoder().encode(JSON.stringify(one.pending)).length;
    if (bytes <= PARKED_BYTES && one.parkedAt > now - BACKLOG_MS) kept.add(one);
  }
  return parked.filter((one) => !kept.has(one));
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
    .filter(({ pending }) => !isAboutParking(pending))
    .reduce(
      (each, { pending }) =>
        record(each, {
          at: now,
          kind: "delivery_parked",
          severity: "warning",
          message: `${nameOf(pending)} could not be delivered ${ATTEMPTS_BEFORE_PARKING} times, and will be tried once an hour`,
          detail: { ...detailOf(pending), given_up: false },
        }),
      state,
    );
}

/** Says that parked effects were given up. */
export function recordGivingUp(
  state: InstanceState,
  parked: readonly ParkedEffect[],
  now: number,
): InstanceState {
  if (isLeaving(state)) return state;
  return parked
    .filter(({ pending }) => !isAboutParking(pending))
    .reduce(
      (each, { pending, parkedAt }) =>
        record(each, {
          at: now,
          kind: "delivery_parked",
          severity: "warning",
          message: `${nameOf(pending)} could not be delivered since ${toIso(parkedAt)}, and was given up`,
          detail: { ...detailOf(pending), parked_at: toIso(parkedAt), given_up: true },
        }),
      state,
    );
}

function isAboutParking({ effect }: PendingEffect): boolean {
  return effect.type === "event" && effect.event.kind === "delivery_parked";
}

function nameOf(pending: PendingEffect): string {
  const { effect } = pending;
  switch (effect.type) {
    case "chunk":
      return `A chunk of ${countHeartbeats([pending])} heartbeats`;
    case "event":
      return `The event "${effect.event.kind}" of ${toIso(effect.event.at)}`;
    case "action":
      return `The order to ${effect.order.kind.replaceAll("_", "-")}`;
    case "projection":
    case "guard":
    case "forget":
      return "A report";
  }
}

function detailOf(pending: PendingEffect) {
  return {
    effect: pending.effect.type,
    heartbeats: countHeartbeats([pending]),
    targets: targetsOf(pending).join(),
  };
}
