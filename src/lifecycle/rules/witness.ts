import { closeGap } from "../model/counters.ts";
import type { Sighted } from "../model/effects.ts";
import type { InstanceEvent } from "../model/instance-event.ts";
import { record } from "../model/outbox.ts";
import type { Hibernated } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { kindOf, providerDetail } from "../model/provider.ts";
import { heardAt, type InstanceState, isPrice, withSighted, withStoppedCost } from "../model/state.ts";
import { MINUTE_MS, toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import { countAsFoundRunning, countAsGone } from "./deletion.ts";
import { openLook, STARTED } from "./look.ts";

/**
 * The second witness of a machine, beside its heartbeats: its provider lists it. So a machine that its owner stops or starts where it
 * is rented is known to be so, though nobody ordered it here. Nothing is stopped, started or deleted for it, and an order under way
 * finds out for itself.
 */

/** What happened so long before a list began is in it, however slowly a provider's word comes to its lists. */
const SETTLED_MS = 5 * MINUTE_MS;

type ListedEvent = Extract<InstanceEvent, { type: "machine.listed" }>;
type VanishedEvent = Extract<InstanceEvent, { type: "machine.vanished" }>;

export function witnessListed(
  state: InstanceState,
  event: ListedEvent,
  policy: Policy,
  now: number,
): InstanceState {
  if (policy.suspended || state.phase.status === "deleted") return state;
  const seen = withPrices(noteSighting(state, event.sighted), event);
  switch (event.shown) {
    case "stopped":
      return findStopped(seen, event, policy, now);
    case "running":
      return findStarted(seen, event, now);
    case "terminated":
      return findTerminated(seen, event, policy, now);
    case null:
      return seen;
  }
}

/** These credentials show the machine: only so does it say something if they show it no more one day. */
function noteSighting(state: InstanceState, sighted: Sighted): InstanceState {
  const { sighted: known } = state;
  return known !== null && !isNews(known, sighted) ? state : withSighted(state, sighted);
}

/** Where its provider no longer says, as of one that is stopped, what it said last still counts. */
function withPrices(state: InstanceState, { hourlyCost, stoppedHourlyCost }: ListedEvent): InstanceState {
  const priced = withStoppedCost(state, stoppedHourlyCost ?? undefined);
  if (hourlyCost === null || !isPrice(hourlyCost) || hourlyCost === state.listedHourlyCost) return priced;
  return { ...priced, listedHourlyCost: hourlyCost };
}

function isNews(known: Sighted, { at, credentialsSetAt }: Sighted): boolean {
  if (known.vanishedAt !== undefined && known.vanishedAt < at) return true;
  return known.credentialsSetAt !== credentialsSetAt && known.at < at;
}

/** Whether nothing else has said how the machine is since well before the list began, and no order finds out for itself. */
function isSettled(state: InstanceState, listedAt: number, policy: Policy): boolean {
  const { phase, clock, profile } = state;
  const waited = Math.max(SETTLED_MS, 2 * policy.intervalMs);
  const heard = Math.max(heardAt(clock) ?? profile.registeredAt, clock.graceUntil ?? 0);
  switch (phase.status) {
    case "pending":
      return Math.max(heard, phase.unheard?.from ?? 0) <= listedAt - waited;
    case "running":
    case "orphaned":
      return heard <= listedAt - waited;
    case "hibernated":
      return isAfterItsStop(phase, listedAt);
    case "hibernating":
    case "waking":
    case "deleting":
    case "deleted":
      return false;
  }
}

/** It counts as awake, and has been silent since well before the list began that shows it stopped. */
function findStopped(
  state: InstanceState,
  { sighted }: ListedEvent,
  policy: Policy,
  now: number,
): InstanceState {
  const { phase, clock, profile } = state;
  if (phase.status === "hibernated" || !isSettled(state, sighted.at, policy)) return state;
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
      message: phrase("hibernation.by_hand", { provider: kindOf(profile.provider) }),
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
function findStarted(state: InstanceState, { sighted }: ListedEvent, now: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernated" || !isAfterItsStop(phase, sighted.at)) return state;
  return countAsFoundRunning(state, {
    at: now,
    ...STARTED,
    detail: {
      hibernated_reason: phase.reason,
      listed_at: toIso(sighted.at),
    },
  });
}

/** Whether the list began well after it was hibernated. */
function isAfterItsStop({ since }: Hibernated, listedAt: number): boolean {
  return since <= listedAt - SETTLED_MS;
}

/** Its provider itself says that it was destroyed, which is proof. */
function findTerminated(
  state: InstanceState,
  { sighted }: ListedEvent,
  policy: Policy,
  now: number,
): InstanceState {
  if (!isSettled(state, sighted.at, policy)) return state;
  return countAsGone(state, policy, now, { was: state.phase.status, listed_at: toIso(sighted.at) });
}

/**
 * A list without the machine is no proof that it is gone: so it keeps its status, and its owner is told, once. Nothing is saved from
 * then on, and the provider of a hibernated one is asked for this machine itself.
 */
export function witnessVanished(
  state: InstanceState,
  event: VanishedEvent,
  policy: Policy,
  now: number,
): InstanceState {
  if (!isNewlyMissed(state, event, policy)) return state;
  const { listedAt, seenAt, credentialsSetAt } = event;
  const { sighted, profile } = state;
  const kept = { at: seenAt, credentialsSetAt, gpus: null, ...sighted, vanishedAt: listedAt };
  return record(openLookOnce({ ...state, sighted: kept }, now), {
    at: now,
    kind: "vanished",
    severity: "warning",
    message: phrase("found.vanished", { provider: kindOf(profile.provider) }),
    detail: {
      ...providerDetail(profile.provider),
      status: state.phase.status,
      listed_at: toIso(listedAt),
      last_seen_at: toIso(seenAt),
    },
  });
}

function isNewlyMissed(
  state: InstanceState,
  { listedAt, credentialsSetAt }: VanishedEvent,
  policy: Policy,
): boolean {
  if (policy.suspended || !isSettled(state, listedAt, policy)) return false;
  const { sighted } = state;
  const isKnown = sighted?.vanishedAt !== undefined || (sighted?.at ?? 0) > listedAt;
  return !isKnown && (sighted === null || sighted.credentialsSetAt === credentialsSetAt);
}

function openLookOnce(state: InstanceState, now: number): InstanceState {
  const { phase } = state;
  const isOpen = phase.status === "hibernated" && phase.openLook !== undefined;
  return isOpen ? state : openLook(state, now, true);
}

/** Until when the machine was certainly hibernated, by a list that puts it in doubt; null where the list does not. */
export function stoppedUntil(
  state: InstanceState,
  event: ListedEvent | VanishedEvent,
  policy: Policy,
): number | null {
  const { phase } = state;
  if (policy.suspended || phase.status !== "hibernated") return null;
  if (event.type === "machine.vanished") return isNewlyMissed(state, event, policy) ? event.seenAt : null;
  const isStarted = event.shown === "running" && isAfterItsStop(phase, event.sighted.at);
  return isStarted ? (event.stoppedUntil ?? 0) : null;
}
