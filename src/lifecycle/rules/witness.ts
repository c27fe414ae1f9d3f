import { closeGap } from "../model/counters.ts";
import type { Sighted } from "../model/effects.ts";
import type { InstanceEvent } from "../model/instance-event.ts";
import { record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import { kindOf } from "../model/provider.ts";
import { heardAt, type InstanceState } from "../model/state.ts";
import { MINUTE_MS, toIso } from "../model/time.ts";
import { countAsFoundRunning } from "./deletion.ts";

/**
 * The second witness of a machine, beside its heartbeats: its provider lists it. So a machine that its owner stops or starts where it
 * is rented is known to be so, though nobody ordered it here. Nothing is stopped, started or deleted for it, and an order under way
 * finds out for itself.
 */

/** What happened so long before a list began is in it, however slowly a provider's word comes to its lists. */
const SETTLED_MS = 5 * MINUTE_MS;

type ListedEvent = Extract<InstanceEvent, { type: "machine.listed" }>;

export function witnessListed(
  state: InstanceState,
  event: ListedEvent,
  policy: Policy,
  now: number,
): InstanceState {
  if (policy.suspended || state.phase.status === "deleted") return state;
  const seen = withSighting(state, event.sighted);
  switch (event.shown) {
    case "stopped":
      return findStopped(seen, event, policy, now);
    case "running":
      return findStarted(seen, event, now);
    case null:
      return seen;
  }
}

/** These credentials show the machine: should it be missing one day, that says something. */
function withSighting(state: InstanceState, sighted: Sighted): InstanceState {
  const { sighted: known } = state;
  if (known !== null && (known.credentialsSetAt === sighted.credentialsSetAt || known.at >= sighted.at)) {
    return state;
  }
  return { ...state, sighted: { ...sighted, gpus: sighted.gpus ?? known?.gpus ?? null } };
}

/** It counts as awake, and has been silent since well before the list began that shows it stopped. */
function findStopped(
  state: InstanceState,
  { sighted }: ListedEvent,
  policy: Policy,
  now: number,
): InstanceState {
  const { phase, clock, profile } = state;
  if (phase.status !== "running" && phase.status !== "orphaned") return state;
  const heard = Math.max(heardAt(clock) ?? profile.registeredAt, clock.graceUntil ?? 0);
  if (heard > sighted.at - Math.max(SETTLED_MS, 2 * policy.intervalMs)) return state;
  return record(
    {
      ...state,
      // Whoever stopped it wants to keep it, so its silence before does not lead to its deletion.
      phase: { status: "hibernated", since: now, unsavedFrom: now, reason: "owner", orphan: null },
      clock: { ...clock, graceUntil: null },
      counters: closeGap(state.counters, policy.intervalMs, now, null),
    },
    {
      at: now,
      kind: "hibernated",
      severity: phase.status === "orphaned" ? "warning" : "info",
      message: `Stopped by hand or by its provider: ${kindOf(profile.provider)} lists it as stopped, and nobody ordered it here. It counts as hibernated`,
      detail: {
        reason: "owner",
        by_hand: true,
        confirmed_by: kindOf(profile.provider),
        listed_at: toIso(sighted.at),
        last_heartbeat: clock.lastHeartbeatAt === null ? null : toIso(clock.lastHeartbeatAt),
      },
    },
  );
}

/** It counts as hibernated since well before the list began that shows it running. */
function findStarted(
  state: InstanceState,
  { sighted, stoppedUntil }: ListedEvent,
  now: number,
): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernated" || phase.since > sighted.at - SETTLED_MS) return state;
  // It saves only for as long as it is known to have lasted.
  const until = Math.max(phase.unsavedFrom, Math.min(stoppedUntil ?? 0, now));
  return countAsFoundRunning(state, phase, until, {
    at: now,
    said: "It was hibernated",
    detail: {
      hibernated_reason: phase.reason,
      listed_at: toIso(sighted.at),
    },
  });
}
