import type { GuardedStep } from "../model/effects.ts";
import type { Policy } from "../model/policy.ts";
import { type InstanceState, orphanOf, seenAt } from "../model/state.ts";

/**
 * The mass-outage guard: when many instances fall silent at once, the likely cause is a network or the service itself,
 * and nothing that stems from silence is done. After Kubernetes' node-lifecycle controller, which stops evictions
 * when 55 % of a zone is unready, and counts every node's time anew on the way out.
 *
 * Each user has a guard, over its instances. The service has one over its users, each of whom has one vote: it votes
 * "silent" from when it has an outage of its own. So no tenant closes that guard for others, nor keeps it open, with
 * however many instances.
 */

/** The guard of one user, or of the whole service. */
export interface Guard {
  /** Since when it is closed; null while it is open. */
  readonly closedAt: number | null;
  /** When it last opened. */
  readonly openedAt: number | null;
}

export const OPEN_GUARD: Guard = { closedAt: null, openedAt: null };

/** A guard, or a user's vote, which stands where a guard would be closed, with the outage that it is closed for. */
export interface KeptGuard extends Guard {
  /** While it is closed: who was last heard from this moment on belongs to the outage. */
  readonly seenFrom: number;
}

export const NEVER_CLOSED: KeptGuard = { ...OPEN_GUARD, seenFrom: 0 };

/** Instances, or users, that fell silent together, and those that are heard. */
export interface FleetCount {
  readonly silent: number;
  readonly awake: number;
}

export type GuardRule = Omit<Policy["guard"], "askAgainMs">;

/** Fewer silent users than this are not yet the service. */
export const SERVICE_MINIMUM_USERS = 5;

/**
 * The rule of the service's guard, which counts users. It never opens by time alone: deletes wait for as long as it is
 * closed, and `answerGuard` lets go of all else.
 */
export function serviceRule(standard: GuardRule): GuardRule {
  return {
    ...standard,
    minimumInstances: SERVICE_MINIMUM_USERS,
    maxHoldMs: Number.POSITIVE_INFINITY,
  };
}

/**
 * By which rule a user votes "silent". Its own settings move nobody else's guard, but for the window: that is never
 * shorter than the time between two heartbeats. A single instance is enough, since a user of one or two needs the
 * service's guard most. While the service's guard is closed the vote stands for as long as the outage lasts.
 */
export function voteRule(standard: GuardRule, user: GuardRule, service: Guard): GuardRule {
  return {
    ...standard,
    minimumInstances: 1,
    windowMs: Math.max(standard.windowMs, user.windowMs),
    maxHoldMs: service.closedAt === null ? standard.maxHoldMs : Number.POSITIVE_INFINITY,
  };
}

/** When a silent instance was last known to live; null for one that is no orphan. Hibernation does not change it. */
export function silentSince({ phase, clock }: Pick<InstanceState, "phase" | "clock">): number | null {
  const orphan = orphanOf(phase);
  if (orphan === null) return null;
  // What came after it became an orphan is the service's absence, not its own sign of life.
  const countsFrom = clock.countsFrom !== null && clock.countsFrom <= orphan.since ? clock.countsFrom : null;
  return seenAt({ ...clock, countsFrom }) ?? orphan.since;
}

/** Which silent instances make one outage, both ends included. */
export interface OutageSpan {
  readonly seenFrom: number;
  readonly seenUntil: number;
  /** Whoever became an orphan no later than this belongs to an outage that is over. */
  readonly orphanedAfter: number;
}

/**
 * Who is to be counted: for a closed guard the outage that it closed for, for an open one those who were last heard
 * within the window around `seen`, the last sign of life of the instance that is looked at. Null when nobody is: an open
 * guard closes only for an instance that is silent itself.
 */
export function outageSpan(guard: KeptGuard, seen: number | null, rule: GuardRule): OutageSpan | null {
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
 * What the count means for the guard. It closes when enough fell silent together, and opens when enough of them came
 * back or, so that a fleet truly abandoned does not cost forever, once it has held for `maxHoldMs`.
 */
export function reviewGuard(guard: Guard, count: FleetCount, rule: GuardRule, now: number): GuardChange {
  const outage = rule.enabled && isMassOutage(count, rule);
  if (guard.closedAt === null) return outage ? "closes" : null;
  if (!outage) return "opens";
  return now >= guard.closedAt + rule.maxHoldMs ? "opens for good" : null;
}

function isMassOutage({ silent, awake }: FleetCount, rule: GuardRule): boolean {
  // Divided, not multiplied: 0.55 of 100 is a hair more than 55 in binary fractions.
  return silent >= rule.minimumInstances && silent / (silent + awake) >= rule.fraction;
}

/** The guard after a change that was found at `now`, looking at `span`. */
export function changeGuard(
  guard: KeptGuard,
  change: Exclude<GuardChange, null>,
  span: OutageSpan,
  rule: GuardRule,
  now: number,
): KeptGuard {
  switch (change) {
    case "closes":
      return { ...guard, closedAt: now, seenFrom: span.seenFrom };
    case "opens":
      return { ...guard, closedAt: null, openedAt: now };
    case "opens for good":
      // Not when it was looked at: whoever fell silent between the two is of no outage that is over.
      return { ...guard, closedAt: null, openedAt: (guard.closedAt ?? now) + rule.maxHoldMs };
  }
}

export type GuardAnswer =
  | { readonly held: true }
  | { readonly held: false; readonly openedAt: number | null };

/**
 * May a step go on? The service-wide guard holds deletes for as long as it is closed, everything else for `maxHoldMs`
 * at most.
 */
export function answerGuard(
  step: GuardedStep,
  user: Guard,
  service: Guard,
  maxHoldMs: number,
  now: number,
): GuardAnswer {
  const released = service.closedAt === null ? null : service.closedAt + maxHoldMs;
  const heldByService = released !== null && (step === "delete" || now < released);
  if (user.closedAt !== null || heldByService) return { held: true };
  const openings = [user.openedAt, service.openedAt, released].filter((moment) => moment !== null);
  return { held: false, openedAt: openings.length === 0 ? null : Math.max(...openings) };
}
