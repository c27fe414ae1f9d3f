import type { PendingEffect } from "../lifecycle/model/effects.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";

/** Which effects of an instance's outbox are tried when, and what their failures lead to. Pure. */

/** To whom effects go. */
export const TARGETS = ["history", "fleet", "order", "forget"] as const;
export type Target = (typeof TARGETS)[number];

/** A target that failed, as a whole, this many times in a row. */
export interface FailingTarget {
  readonly target: Target;
  readonly failures: number;
  readonly retryAt: number;
}

/** An effect that is not done, though it was tried. */
export interface TriedEffect {
  readonly id: number;
  /** The targets that have it. */
  readonly delivered: readonly Target[];
  /** How often it failed while its target was not down. */
  readonly failures: number;
  readonly retryAt: number;
}

/** How the delivery of an instance's effects stands. Empty while all goes well. */
export interface Attempts {
  readonly targets: readonly FailingTarget[];
  readonly effects: readonly TriedEffect[];
}

/** An effect with the targets that it is to be tried at now. */
export interface DueEffect {
  readonly pending: PendingEffect;
  readonly targets: readonly Target[];
}

/** What became of a try, at each target. */
export interface TargetOutcome {
  readonly target: Target;
  readonly passed: readonly number[];
  readonly failed: readonly number[];
}

const LONGEST_BACKOFF_MS = 60 * MINUTE_MS;

/** An effect that failed so often, while others of its target passed, is parked. */
export const ATTEMPTS_BEFORE_PARKING = 10;

/** An outbox that is being emptied is looked at again after this long, should the object crash on the way. */
export const CRASH_RETRY_MS = 5 * MINUTE_MS;

/** 1, 2, 4 … 60 minutes, by how often something failed in a row. */
export function backoffMs(failures: number): number {
  return Math.min(MINUTE_MS * 2 ** (failures - 1), LONGEST_BACKOFF_MS);
}

/** An effect is done once all of these have it. */
export function targetsOf({ effect }: PendingEffect): readonly Target[] {
  switch (effect.type) {
    case "chunk":
      return ["history"];
    case "event":
      return ["history", "fleet"];
    case "projection":
    case "guard":
      return ["fleet"];
    case "action":
      return ["order"];
    case "forget":
      return ["forget"];
  }
}

/** What of the waiting effects is to be tried now. To forget comes last: when all else is done, or about to be. */
export function dueEffects(waiting: readonly PendingEffect[], attempts: Attempts, now: number): DueEffect[] {
  const due = waiting
    .map((pending) => ({
      pending,
      targets: remainingTargets(pending, attempts).filter(
        (target) => dueAt(pending, target, attempts) <= now,
      ),
    }))
    .filter(({ targets }) => targets.length > 0);
  const isAllDue = waiting.every((pending) =>
    due.some(
      (one) => one.pending === pending && one.targets.length === remainingTargets(pending, attempts).length,
    ),
  );
  return isAllDue ? due : due.filter(({ pending }) => pending.effect.type !== "forget");
}

/** When the outbox must be looked at again; null when nothing waits. */
export function nextTryAt(waiting: readonly PendingEffect[], attempts: Attempts, now: number): number | null {
  const others = waiting.filter(({ effect }) => effect.type !== "forget");
  const moments = (others.length > 0 ? others : waiting).flatMap((pending) =>
    remainingTargets(pending, attempts).map((target) => dueAt(pending, target, attempts)),
  );
  // What is due is being tried right now.
  return moments.length === 0
    ? null
    : Math.min(...moments.map((moment) => (moment <= now ? now + CRASH_RETRY_MS : moment)));
}

function remainingTargets(pending: PendingEffect, { effects }: Attempts): readonly Target[] {
  const delivered = effects.find(({ id }) => id === pending.id)?.delivered ?? [];
  return targetsOf(pending).filter((target) => !delivered.includes(target));
}

function dueAt({ id }: PendingEffect, target: Target, { targets, effects }: Attempts): number {
  return Math.max(
    targets.find((failing) => failing.target === target)?.retryAt ?? 0,
    effects.find((tried) => tried.id === id)?.retryAt ?? 0,
  );
}

export interface Settled {
  readonly attempts: Attempts;
  /** Effects that all their targets have. */
  readonly done: ReadonlySet<number>;
  /** Effects to be parked. */
  readonly parked: ReadonlySet<number>;
}

/**
 * What a try leads to. A target that took nothing is down, and that is held against none of its effects; unless all that it
 * was given have failed before while it was not down.
 */
export function settle(
  tried: readonly PendingEffect[],
  outcomes: readonly TargetOutcome[],
  attempts: Attempts,
  now: number,
): Settled {
  const effects = tried.map((pending) => afterTry(pending, outcomes, attempts, now));
  const done = new Set<number>();
  const parked = new Set<number>();
  for (const [index, pending] of tried.entries()) {
    const after = effects[index];
    if (after === undefined) continue;
    if (targetsOf(pending).every((target) => after.delivered.includes(target))) done.add(pending.id);
    else if (after.failures >= ATTEMPTS_BEFORE_PARKING && isParkable(pending)) parked.add(pending.id);
  }
  const isTried = new Set(tried.map(({ id }) => id));
  const kept = effects.filter(
    ({ id, delivered, failures }) =>
      !done.has(id) && !parked.has(id) && (delivered.length > 0 || failures > 0),
  );
  return {
    attempts: {
      targets: targetsAfterTry(outcomes, attempts, now),
      effects: [...attempts.effects.filter(({ id }) => !isTried.has(id)), ...kept],
    },
    done,
    parked,
  };
}

function afterTry(
  { id }: PendingEffect,
  outcomes: readonly TargetOutcome[],
  attempts: Attempts,
  now: number,
): TriedEffect {
  const before = attempts.effects.find((tried) => tried.id === id) ?? NEVER_TRIED;
  const passed = outcomes.flatMap((one) => (one.passed.includes(id) ? [one.target] : []));
  const isAtFault = outcomes.some((one) => one.failed.includes(id) && !isDown(one, attempts));
  const failures = before.failures + (isAtFault ? 1 : 0);
  return {
    id,
    delivered: [...before.delivered, ...passed],
    failures,
    retryAt: isAtFault ? now + backoffMs(failures) : before.retryAt,
  };
}

const NEVER_TRIED = { delivered: [], failures: 0, retryAt: 0 } as const;

function targetsAfterTry(
  outcomes: readonly TargetOutcome[],
  attempts: Attempts,
  now: number,
): FailingTarget[] {
  const before = attempts.targets;
  const untried = before.filter(({ target }) => !outcomes.some((one) => one.target === target));
  const down = outcomes.filter((one) => isDown(one, attempts));
  return [
    ...untried,
    ...down.map(({ target }) => {
      const failures = (before.find((failing) => failing.target === target)?.failures ?? 0) + 1;
      return { target, failures, retryAt: now + backoffMs(failures) };
    }),
  ];
}

function isDown({ passed, failed }: TargetOutcome, { effects }: Attempts): boolean {
  const isSuspect = (failure: number) => effects.some(({ id, failures }) => id === failure && failures > 0);
  return passed.length === 0 && !failed.every(isSuspect);
}

/** What only asks for the state as it is now is never parked: the next one of its kind replaces it. */
function isParkable({ effect }: PendingEffect): boolean {
  return effect.type === "chunk" || effect.type === "event" || effect.type === "action";
}
