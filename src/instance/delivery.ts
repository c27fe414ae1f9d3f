import { REPORT_LIMIT_MS, type Report, type ReportAnswer, type UserPolicy } from "../fleet/report.ts";
import type { ActionOrder, GuardedStep, PendingEffect } from "../lifecycle/model/effects.ts";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import { isForget } from "../lifecycle/model/outbox.ts";
import { NoAnswer, within } from "../platform/within.ts";
import type { DeliveryTarget, TargetOutcome } from "./attempts.ts";

/**
 * Carries effects out, at one target. All that is for it goes together; if that fails they go one by one, so that one that
 * can't be delivered holds up no other.
 */

/** Each may be asked twice for the same and then changes nothing more. Each throws when it fails. */
export interface Targets {
  /** Keeps heartbeats and events for long. */
  history(chunks: readonly (readonly Heartbeat[])[], events: readonly HistoryEvent[]): Promise<void>;
  /** Reports to the user's fleet. */
  fleet(report: Pick<Report, "events" | "questions">): Promise<ReportAnswer>;
  /** Starts an order. */
  order(order: ActionOrder): Promise<void>;
  /** Takes the instance out of the registry. */
  forget(): Promise<void>;
}

export interface DeliveryResult {
  readonly outcome: TargetOutcome;
  /** What the guard said, to be decided on. */
  readonly answers: readonly InstanceEvent[];
  /** The user's policy, if it is newer than the instance's. */
  readonly policy: UserPolicy | null;
  /** A revision above the instance's that the fleet has seen; null if there is none. */
  readonly laterRevision: number | null;
  /** The user was deleted. */
  readonly isUserDeleted: boolean;
  readonly errors: readonly unknown[];
}

/**
 * Whoever does not answer a call for this long is down. A slow database or fleet answers within a few seconds, and what was
 * asked in vain is asked again.
 */
const CALL_LIMIT_MS = REPORT_LIMIT_MS;

/** So many failures in a row, one by one, and the target is down: the rest need not be tried. */
const FAILURES_OF_A_TARGET = 5;

/** Lasts twice the limit at most. */
export async function deliver(
  target: DeliveryTarget,
  due: readonly PendingEffect[],
  targets: Targets,
  limitMs = CALL_LIMIT_MS,
): Promise<DeliveryResult> {
  const send = (batch: readonly PendingEffect[]) => within(limitMs, sendTo(target, batch, targets));
  const until = Date.now() + limitMs;
  if (due.length === 0) return resultOf(target, NOTHING);
  try {
    const answer = await send(due);
    return resultOf(target, { ...NOTHING, passed: due.map(({ id }) => id), answers: [answer] });
  } catch (error) {
    return due.length === 1 || error instanceof NoAnswer
      ? resultOf(target, { ...NOTHING, failed: due.map(({ id }) => id), errors: [error] })
      : resultOf(target, await sendOneByOne(due, send, until));
  }
}

/** What the target was given and said. */
interface Attempt {
  readonly passed: readonly number[];
  readonly failed: readonly number[];
  readonly answers: readonly (ReportAnswer | null)[];
  readonly errors: readonly unknown[];
}

const NOTHING: Attempt = { passed: [], failed: [], answers: [], errors: [] };

/** The newest first. After the first, no more is begun once `until` has passed, or when the target proves to be down. */
async function sendOneByOne(
  batch: readonly PendingEffect[],
  send: (batch: readonly PendingEffect[]) => Promise<ReportAnswer | null>,
  until: number,
): Promise<Attempt> {
  let attempt = NOTHING;
  for (const one of forgetLast(batch.toReversed())) {
    const isDown = attempt.passed.length === 0 && attempt.failed.length >= FAILURES_OF_A_TARGET;
    const isLate = attempt !== NOTHING && Date.now() > until;
    if (isDown || isLate) break;
    try {
      const answer = await send([one]);
      attempt = {
        ...attempt,
        passed: [...attempt.passed, one.id],
        answers: [...attempt.answers, answer],
      };
    } catch (error) {
      attempt = {
        ...attempt,
        failed: [...attempt.failed, one.id],
        errors: [...attempt.errors, error],
      };
      if (error instanceof NoAnswer) break;
    }
  }
  return attempt;
}

function forgetLast(batch: readonly PendingEffect[]): PendingEffect[] {
  return [...batch.filter((one) => !isForget(one)), ...batch.filter(isForget)];
}

async function sendTo(
  target: DeliveryTarget,
  batch: readonly PendingEffect[],
  targets: Targets,
): Promise<ReportAnswer | null> {
  switch (target) {
    case "history":
      await targets.history(chunksIn(batch), eventsIn(batch));
      return null;
    case "fleet":
      return reportToFleet(batch, targets);
    case "order":
      for (const one of ordersIn(batch)) await targets.order(one);
      return null;
  }
}

/** All that the instance has to say comes before it leaves. */
async function reportToFleet(
  batch: readonly PendingEffect[],
  targets: Targets,
): Promise<ReportAnswer | null> {
  const answer = batch.every(isForget)
    ? null
    : await targets.fleet({ events: eventsIn(batch), questions: questionsIn(batch) });
  if (batch.some(isForget)) await targets.forget();
  return answer;
}

function resultOf(target: DeliveryTarget, { passed, failed, answers, errors }: Attempt): DeliveryResult {
  const given = answers.filter((answer) => answer !== null);
  return {
    outcome: { target, passed, failed, isUnanswered: errors.some((error) => error instanceof NoAnswer) },
    answers: given.flatMap((answer) => answer.answers.map(decisionOf)),
    isUserDeleted: given.some((answer) => answer.isUserDeleted),
    policy: given.reduce<UserPolicy | null>((newest, { policy }) => policy ?? newest, null),
    laterRevision: given.reduce<number | null>((later, { laterRevision }) => laterRevision ?? later, null),
    errors,
  };
}

function chunksIn(batch: readonly PendingEffect[]): (readonly Heartbeat[])[] {
  return batch.flatMap(({ effect }) => (effect.type === "chunk" ? [effect.heartbeats] : []));
}

function eventsIn(batch: readonly PendingEffect[]): HistoryEvent[] {
  return batch.flatMap(({ effect }) => (effect.type === "event" ? [effect.event] : []));
}

function questionsIn(batch: readonly PendingEffect[]): GuardedStep[] {
  return batch.flatMap(({ effect }) => (effect.type === "guard" ? [effect.step] : []));
}

function ordersIn(batch: readonly PendingEffect[]): ActionOrder[] {
  return batch.flatMap(({ effect }) => (effect.type === "action" ? [effect.order] : []));
}

/** The guard's answer as the lifecycle takes it. */
function decisionOf({ step, answer }: ReportAnswer["answers"][number]): InstanceEvent {
  return answer.held
    ? { type: "guard.deferred", step }
    : { type: "guard.permitted", step, openedAt: answer.openedAt };
}
