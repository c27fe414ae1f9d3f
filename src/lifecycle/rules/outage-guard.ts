import type { GuardedStep } from "../model/effects.ts";
import { isUnheard, orphanOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { type InstanceState, seenAt } from "../model/state.ts";
import { awaitedFrom } from "./unheard.ts";

/**
 * The mass-outage guard. When many instances fall silent at once, the likely cause is a network or the service itself, so
 * nothing that stems from silence is done. Modelled on Kubernetes' node-lifecycle controller, which stops evictions when
 * 55 % of a zone is unready, and restarts every node's clock when the outage is over.
 *
 * Each user has a guard over its instances. The service has one over its users, who have one vote each: a user votes
 * "silent" while it has an outage of its own. So no tenant, however large, can hold that guard closed or open for others.
 */

/** The guard of one user, or of the whole service. */
export interface Guard {
  /** When it closed; null while it is open. */
  readonly closedAt: number | null;
  /** When it last opened. */
  readonly openedAt: number | null;
}

export const OPEN_GUARD: Guard = { closedAt: null, openedAt: null };

/** A guard, or a user's vote, which counts as "silent" while closed, together with the outage that closed it. */
export interface GuardWithOutage extends Guard {
  /** While it is closed: whoever was last seen at this moment or later belongs to the outage. */
  readonly seenFrom: number;
}

export const NEVER_CLOSED: GuardWithOutage = { ...OPEN_GUARD, seenFrom: 0 };

/** How many instances, or users, fell silent together, and how many are heard. */
export interface FleetCount {
  readonly silent: number;
  readonly awake: number;
}

export interface GuardRule extends Omit<Policy["guard"], "askAgainMs"> {
  /** Since when this rule holds: what it lets go is not let go any earlier. 0: since ever. */
  readonly since: number;
}

type HoldRule = Pick<GuardRule, "maxHoldMs" | "since">;

/** With fewer silent users than this, the service is not the likely cause. */
const SERVICE_MINIMUM_USERS = 5;

/**
 * The rule of the service's guard, which counts users. It never opens by time alone: while it is closed no delete is
 * permitted, and `guardAnswer` permits everything else after a while.
 */
export function serviceRule(standard: GuardRule): GuardRule {
  return {
    ...standard,
    minimumInstances: SERVICE_MINIMUM_USERS,
    maxHoldMs: Number.POSITIVE_INFINITY,
  };
}

/**
 * The rule by which a user votes "silent". Of the user's own settings only a longer window counts, because it must cover
 * the time between two heartbeats. A single instance is enough, since a user with one or two needs the service's guard
 * most. While the service's guard is closed, the vote lasts as long as the outage.
 */
export function voteRule(standard: GuardRule, user: GuardRule, service: Guard): GuardRule {
  return {
    ...standard,
    minimumInstances: 1,
    windowMs: Math.max(standard.windowMs, user.windowMs),
    maxHoldMs: service.closedAt === null ? standard.maxHoldMs : Number.POSITIVE_INFINITY,
  };
}

/**
 * When an orphan was last known to be alive, hibernated or not; null for an instance that is no orphan. One that counts as never
 * heard is silent since it is awaited: it is not awake, but it did not fall silent either, and so is not counted with those
 * that did.
 */
export function silentSince(state: Pick<InstanceState, "phase" | "clock" | "profile">): number | null {
  const { phase, clock } = state;
  const orphan = orphanOf(phase);
  if (orphan === null) return null;
  if (isUnheard(phase)) return awaitedFrom(state);
  // A later `countsFrom` stems from a downtime of the service, and one with which maintenance ended is no sign of life either.
  const { countsFrom: from, maintainedUntil } = clock;
  const countsFrom = from !== null && from <= orphan.since && from !== maintainedUntil ? from : null;
  return seenAt({ ...clock, countsFrom }) ?? orphan.since;
}

/** Which silent instances belong to one outage. Both ends are included. */
export interface OutageSpan {
  readonly seenFrom: number;
  readonly seenUntil: number;
  /** Whoever became an orphan at this moment or earlier belongs to an outage that is over. */
  readonly orphanedAfter: number;
}

/**
 * Which instances to count. For a closed guard: those of the outage that closed it. For an open one: those last seen
 * within the window around `seen`, the last sign of life of the instance in question. Null when that instance is not
 * silent, because then an open guard does not close.
 */
export function outageSpan(guard: GuardWithOutage, seen: number | null, rule: GuardRule): OutageSpan | null {
  const orphanedAfter = guard.openedAt ?? 0;
  if (guard.closedAt !== null) {
    return { seenFrom: guard.seenFrom, seenUntil: Number.MAX_SAFE_INTEGER, orphanedAfter };
  }
  return seen === null
    ? null
    : { seenFrom: seen - rule.windowMs, seenUntil: seen + rule.windowMs, orphanedAfter };
}

export type GuardChange = "closes" | "opens" | "opens for good" | null;

/**
 * What the count means for the guard. It closes when enough fell silent together. It opens when enough of them came back,
 * or after `maxHoldMs`, so that a fleet that really was abandoned does not cost money forever.
 */
export function reviewGuard(guard: Guard, count: FleetCount, rule: GuardRule, now: number): GuardChange {
  const outage = rule.enabled && isMassOutage(count, rule);
  if (guard.closedAt === null) return outage ? "closes" : null;
  if (!outage) return "opens";
  return now >= longestHoldEnd(guard.closedAt, rule) ? "opens for good" : null;
}

/**
 * When a guard that closed at `closedAt` lets go at the latest. A rule that shortens the hold does not act on the past:
 * else each silence since then would have lasted long enough for the last step, at once.
 */
export function longestHoldEnd(closedAt: number, { maxHoldMs, since }: HoldRule): number {
  return Math.max(closedAt + maxHoldMs, since);
}

function isMassOutage({ silent, awake }: FleetCount, rule: GuardRule): boolean {
  // Division, not multiplication: in floating point 0.55 × 100 is slightly more than 55.
  return silent >= rule.minimumInstances && silent / (silent + awake) >= rule.fraction;
}

/** The guard after a change that a count of `span` brought about at `now`. */
export function changeGuard(
  guard: GuardWithOutage,
  change: Exclude<GuardChange, null>,
  span: OutageSpan,
  rule: GuardRule,
  now: number,
): GuardWithOutage {
  switch (change) {
    case "closes":
      return { ...guard, closedAt: now, seenFrom: span.seenFrom };
    case "opens":
      return { ...guard, closedAt: null, openedAt: now };
    case "opens for good":
      // Not `now`: whoever fell silent in between does not belong to the outage that is over.
      return { ...guard, closedAt: null, openedAt: longestHoldEnd(guard.closedAt ?? now, rule) };
  }
}

export type GuardAnswer =
  | { readonly held: true }
  | { readonly held: false; readonly openedAt: number | null };

/**
 * Whether a step may be taken. The service's guard holds back deletes for as long as it is closed, and everything else for
 * at most as long as the user's rule says.
 */
export function guardAnswer(
  step: GuardedStep,
  user: Guard,
  service: Guard,
  rule: HoldRule,
  now: number,
): GuardAnswer {
  const released = service.closedAt === null ? null : longestHoldEnd(service.closedAt, rule);
  const heldByService = released !== null && (step === "delete" || now < released);
  if (user.closedAt !== null || heldByService) return { held: true };
  const openings = [user.openedAt, service.openedAt, released].filter((moment) => moment !== null);
  return { held: false, openedAt: openings.length === 0 ? null : Math.max(...openings) };
}
