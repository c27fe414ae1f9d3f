import { REPORT_BACKOFF_MS } from "../fleet/report.ts";
import type { PendingEffect } from "../lifecycle/model/effects.ts";
import { isForget } from "../lifecycle/model/outbox.ts";
import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";

/** Which effects of an instance's outbox are tried when, and what their failures lead to. Pure. */

/** To whom effects go. Each is tried by itself, and holds up no other. */
export const TARGETS = ["history", "fleet", "order"] as const;
export type DeliveryTarget = (typeof TARGETS)[number];

/** A target that failed this many times in a row. */
export interface FailingTarget {
  readonly target: DeliveryTarget;
  readonly failures: number;
  readonly retryAt: number;
  /** When the first of them failed. */
  readonly since: number;
  /** How many of the last tries in a row had no answer at all. */
  readonly unanswered: number;
}

/** What has become of an effect that is not done. */
export interface EffectProgress {
  /** The targets that have it. */
  readonly delivered: readonly DeliveryTarget[];
  /** The targets that failed to take it while they were not down. */
  readonly failing: readonly FailingTarget[];
}

export interface WaitingEffect extends EffectProgress {
  readonly pending: PendingEffect;
}

/** The progress of an effect, which stands elsewhere. */
export interface TriedEffect extends EffectProgress {
  readonly id: number;
}

/** How the delivery of the effects in the state's row stands. Empty while all goes well. */
export interface Attempts {
  /** Those that are down. */
  readonly targets: readonly FailingTarget[];
  readonly effects: readonly TriedEffect[];
}

/** What became of a try. */
export interface TargetOutcome {
  readonly target: DeliveryTarget;
  readonly passed: readonly number[];
  readonly failed: readonly number[];
  /** Whether it waited for an answer in vain. */
  readonly isUnanswered: boolean;
}

/** When a try ends. `spread`: a number from 0 to 1 of the instance's own, by which instances are kept from coming together. */
export interface Moment {
  readonly now: number;
  readonly spread: number;
}

const LONGEST_BACKOFF_MS = 60 * MINUTE_MS;
const SHORTEST_REPORT_BACKOFF_MS = 30 * SECOND_MS;

/** An effect that failed so often, while others of its target passed, is parked. */
export const ATTEMPTS_BEFORE_PARKING = 10;

/** An outbox that is being emptied is looked at again after this long, should the object crash on the way. */
const CRASH_RETRY_MS = 5 * MINUTE_MS;

/**
 * By how often something failed in a row: 1, 2, 4 … 60 minutes. A fleet has to know soon who is silent, and hears from all
 * of its instances when it comes back: 30, 60, 120 seconds, less up to half of it.
 */
export function backoffMs(target: DeliveryTarget, failures: number, spread: number): number {
  const doublings = 2 ** (failures - 1);
  return target === "fleet"
    ? Math.round(Math.min(SHORTEST_REPORT_BACKOFF_MS * doublings, REPORT_BACKOFF_MS) * (1 - spread / 2))
    : Math.min(MINUTE_MS * doublings, LONGEST_BACKOFF_MS);
}

/** An effect is done once all of these have it. */
export function targetsOf({ effect }: PendingEffect): readonly DeliveryTarget[] {
  switch (effect.type) {
    case "chunk":
      return ["history"];
    case "event":
      return ["history", "fleet"];
    case "projection":
    case "guard":
    case "forget":
      return ["fleet"];
    case "action":
      return ["order"];
  }
}

/** Effects with what has become of them. */
export function withProgress(
  effects: readonly PendingEffect[],
  tried: readonly TriedEffect[],
): WaitingEffect[] {
  return effects.map((pending) => {
    const { delivered, failing } = tried.find(({ id }) => id === pending.id) ?? NEVER_TRIED;
    return { pending, delivered, failing };
  });
}

const NEVER_TRIED: EffectProgress = { delivered: [], failing: [] };

/** Whether the effect is still to be taken by this target. */
export function waitsFor({ pending, delivered }: WaitingEffect, target: DeliveryTarget): boolean {
  return targetsOf(pending).includes(target) && !delivered.includes(target);
}

/**
 * What is due now. `forget` waits until all events are delivered: the fleet ignores events of an instance that it has
 * forgotten.
 */
export function dueEffects(
  target: DeliveryTarget,
  waiting: readonly WaitingEffect[],
  down: readonly FailingTarget[],
  now: number,
): WaitingEffect[] {
  return waiting.filter((one) => waitsFor(one, target) && dueAt(one, target, waiting, down) <= now);
}

/** When a target that is down is tried again; null for one that is not down, or whose time has come. */
export function restsUntil(
  target: DeliveryTarget,
  down: readonly FailingTarget[],
  now: number,
): number | null {
  const until = retryAt(down, target);
  return until > now ? until : null;
}

/**
 * What of that goes together. After each try without an answer it is half as much, and another part of it: so all gets
 * through to a target that is slow in the end, and one effect that it never answers holds up no other for long. To forget
 * comes last.
 */
export function batchOf(
  target: DeliveryTarget,
  due: readonly WaitingEffect[],
  down: readonly FailingTarget[],
  atMost: number,
): readonly WaitingEffect[] {
  const first = due.slice(0, atMost);
  const unanswered = down.find((each) => each.target === target)?.unanswered ?? 0;
  const size = Math.ceil(first.length / 2 ** unanswered);
  if (size >= first.length) return first;
  const rest = first.filter(({ pending }) => !isForget(pending));
  const start = (unanswered % Math.ceil(rest.length / size)) * size;
  return rest.slice(start, start + size);
}

/** When this target must be tried again; null when nothing waits for it. */
export function nextTryAt(
  target: DeliveryTarget,
  waiting: readonly WaitingEffect[],
  down: readonly FailingTarget[],
  now: number,
): number | null {
  const moments = waiting
    .filter((one) => waitsFor(one, target))
    .map((one) => dueAt(one, target, waiting, down));
  return moments.length === 0 ? null : Math.min(...moments.map((moment) => nextLookAt(moment, now)));
}

/** When what is due at `moment` must be looked at. What is due already is being done right now. */
export function nextLookAt(moment: number, now: number): number {
  return moment <= now ? now + CRASH_RETRY_MS : moment;
}

function dueAt(
  one: WaitingEffect,
  target: DeliveryTarget,
  waiting: readonly WaitingEffect[],
  down: readonly FailingTarget[],
): number {
  const isBefore = ({ pending }: WaitingEffect) => pending.effect.type === "event";
  const before = isForget(one.pending)
    ? waiting.filter((other) => isBefore(other) && waitsFor(other, target))
    : [];
  return Math.max(retryAt(down, target), ...[one, ...before].map(({ failing }) => retryAt(failing, target)));
}

function retryAt(failing: readonly FailingTarget[], target: DeliveryTarget): number {
  return failing.find((each) => each.target === target)?.retryAt ?? 0;
}

interface Settled {
  readonly down: readonly FailingTarget[];
  /** The effects as they are after the try. */
  readonly effects: readonly WaitingEffect[];
}

/**
 * What a try leads to. A target that took nothing is down, and that is held against none of its effects; unless all that it
 * was given have failed before while it was not down.
 */
export function settle(
  tried: readonly WaitingEffect[],
  outcome: TargetOutcome,
  down: readonly FailingTarget[],
  moment: Moment,
): Settled {
  const isDown = isTargetDown(tried, outcome);
  return {
    down: isDown ? withFailure(down, outcome, moment) : without(down, outcome.target),
    effects: tried.map((one) => afterTry(one, outcome, isDown, moment)),
  };
}

function isTargetDown(tried: readonly WaitingEffect[], { target, passed, failed }: TargetOutcome): boolean {
  const isSuspect = ({ pending, failing }: WaitingEffect) =>
    !failed.includes(pending.id) || failing.some((each) => each.target === target);
  return passed.length === 0 && !tried.every(isSuspect);
}

function afterTry(
  one: WaitingEffect,
  outcome: TargetOutcome,
  isDown: boolean,
  moment: Moment,
): WaitingEffect {
  const { target, passed, failed } = outcome;
  const { id } = one.pending;
  if (passed.includes(id)) {
    return { ...one, delivered: [...one.delivered, target], failing: without(one.failing, target) };
  }
  if (isDown || !failed.includes(id)) return one;
  return { ...one, failing: withFailure(one.failing, outcome, moment) };
}

function withFailure(
  failing: readonly FailingTarget[],
  { target, isUnanswered }: TargetOutcome,
  { now, spread }: Moment,
): FailingTarget[] {
  const before = failing.find((each) => each.target === target) ?? NEVER_FAILED;
  const failures = before.failures + 1;
  const after = {
    target,
    failures,
    retryAt: now + backoffMs(target, failures, spread),
    since: before.since ?? now,
    unanswered: isUnanswered ? before.unanswered + 1 : 0,
  };
  return [...without(failing, target), after];
}

const NEVER_FAILED = { failures: 0, since: null, unanswered: 0 };

function without(failing: readonly FailingTarget[], target: DeliveryTarget): FailingTarget[] {
  return failing.filter((each) => each.target !== target);
}

export function isDone({ pending, delivered }: WaitingEffect): boolean {
  return targetsOf(pending).every((target) => delivered.includes(target));
}

/** Whether it failed so often that it is parked. What only asks for the state as it is now never is: the next one replaces it. */
export function isToPark({ pending: { effect }, failing }: WaitingEffect): boolean {
  const isParkable = effect.type === "chunk" || effect.type === "event" || effect.type === "action";
  return isParkable && failing.some(({ failures }) => failures >= ATTEMPTS_BEFORE_PARKING);
}
