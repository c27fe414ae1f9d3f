import type { GuardedStep } from "./effects.ts";
import type { Policy } from "./policy.ts";

/**
 * The mass-outage guard: when many instances fall silent at once, the likely cause is a network or the service itself,
 * and nothing that stems from silence is done. After Kubernetes' node-lifecycle controller, which stops evictions
 * when 55 % of a zone is unready, and counts every node's time anew on the way out.
 */

/** The guard of one user, or of the whole service. */
export interface Guard {
  /** Since when it is closed; null while it is open. */
  readonly closedAt: number | null;
  /** When it last opened. */
  readonly openedAt: number | null;
}

export const OPEN_GUARD: Guard = { closedAt: null, openedAt: null };

/** Instances that fell silent together, and those that are heard. */
export interface FleetCount {
  readonly silent: number;
  readonly awake: number;
}

export type GuardRule = Policy["guard"];

/** How the service-wide guard differs: three instances of one user are not yet the service. */
export const SERVICE_MINIMUM_INSTANCES = 10;

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
