import type { Report, ReportAnswer, UserPolicy } from "../fleet/report.ts";
import type { ActionOrder, GuardedStep } from "../lifecycle/model/effects.ts";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import type { DueEffect, Target, TargetOutcome } from "./attempts.ts";

/**
 * Carries effects out, target by target: one that fails holds up no other. All for a target go together; if that fails they
 * go one by one, so that one that can't be delivered holds up no other either.
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

export interface Delivery {
  /** Of each target that was tried. */
  readonly outcomes: readonly TargetOutcome[];
  /** What the guard said, to be decided upon. */
  readonly answers: readonly InstanceEvent[];
  /** The user's policy, if it is newer than the instance's. */
  readonly policy: UserPolicy | null;
  /** The registry has let go of the instance. */
  readonly isForgotten: boolean;
  readonly errors: readonly { readonly target: Target; readonly error: unknown }[];
}

/** So many failures in a row, one by one, and the target is down: the rest need not be tried. */
const FAILURES_OF_A_TARGET = 5;

interface Attempt<T> {
  readonly outcome: TargetOutcome;
  readonly answers: readonly T[];
  readonly errors: readonly unknown[];
}

export async function deliver(due: readonly DueEffect[], targets: Targets): Promise<Delivery> {
  const [history, fleet, order] = await Promise.all([
    attempt(due, "history", (batch) => targets.history(chunksIn(batch), eventsIn(batch))),
    attempt(due, "fleet", (batch) =>
      targets.fleet({ events: eventsIn(batch), questions: questionsIn(batch) }),
    ),
    attempt(due, "order", async (batch) => {
      for (const one of ordersIn(batch)) await targets.order(one);
    }),
  ]);
  const others = [history, fleet, order];
  // Last of all, when nothing of the instance waits any more.
  const isLast = others.every(({ errors }) => errors.length === 0);
  const forget = await attempt(isLast ? due : [], "forget", () => targets.forget());
  const attempts = [...others, forget];
  return {
    outcomes: attempts
      .map(({ outcome }) => outcome)
      .filter(({ passed, failed }) => passed.length + failed.length > 0),
    answers: fleet.answers.flatMap(({ answers }) => answers.map(decisionOf)),
    policy: fleet.answers.reduce<UserPolicy | null>((newest, { policy }) => policy ?? newest, null),
    isForgotten: forget.outcome.passed.length > 0,
    errors: attempts.flatMap(({ outcome: { target }, errors }) =>
      errors.slice(0, 1).map((error) => ({ target, error })),
    ),
  };
}

/** All that is for this target together; if that fails and they are several, one by one, the newest first. */
async function attempt<T>(
  due: readonly DueEffect[],
  target: Target,
  send: (batch: readonly DueEffect[]) => Promise<T>,
): Promise<Attempt<T>> {
  const batch = due.filter(({ targets }) => targets.includes(target));
  const ids = batch.map(({ pending }) => pending.id);
  if (batch.length === 0) return { outcome: { target, passed: [], failed: [] }, answers: [], errors: [] };
  try {
    return { outcome: { target, passed: ids, failed: [] }, answers: [await send(batch)], errors: [] };
  } catch (error) {
    return batch.length === 1
      ? { outcome: { target, passed: [], failed: ids }, answers: [], errors: [error] }
      : oneByOne(batch, target, send);
  }
}

async function oneByOne<T>(
  batch: readonly DueEffect[],
  target: Target,
  send: (batch: readonly DueEffect[]) => Promise<T>,
): Promise<Attempt<T>> {
  const passed: number[] = [];
  const failed: number[] = [];
  const answers: T[] = [];
  const errors: unknown[] = [];
  for (const one of batch.toReversed()) {
    if (passed.length === 0 && failed.length >= FAILURES_OF_A_TARGET) break;
    try {
      answers.push(await send([one]));
      passed.push(one.pending.id);
    } catch (error) {
      errors.push(error);
      failed.push(one.pending.id);
    }
  }
  return { outcome: { target, passed, failed }, answers, errors };
}

function chunksIn(batch: readonly DueEffect[]): (readonly Heartbeat[])[] {
  return batch.flatMap(({ pending: { effect } }) => (effect.type === "chunk" ? [effect.heartbeats] : []));
}

function eventsIn(batch: readonly DueEffect[]): HistoryEvent[] {
  return batch.flatMap(({ pending: { effect } }) => (effect.type === "event" ? [effect.event] : []));
}

function questionsIn(batch: readonly DueEffect[]): GuardedStep[] {
  return batch.flatMap(({ pending: { effect } }) => (effect.type === "guard" ? [effect.step] : []));
}

function ordersIn(batch: readonly DueEffect[]): ActionOrder[] {
  return batch.flatMap(({ pending: { effect } }) => (effect.type === "action" ? [effect.order] : []));
}

/** The guard's answer as the lifecycle takes it. */
function decisionOf({ step, answer }: ReportAnswer["answers"][number]): InstanceEvent {
  return answer.held
    ? { type: "guard.deferred", step }
    : { type: "guard.permitted", step, openedAt: answer.openedAt };
}
