import { decide, nextWakeAt } from "../lifecycle/decide.ts";
import type { PendingEffect } from "../lifecycle/model/effects.ts";
import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import type { Refusal } from "../lifecycle/rules/refusals.ts";

/** Takes a step: the state before it, the state decided on, and by what. */
export type Watch = (
  before: InstanceState,
  after: InstanceState,
  event: InstanceEvent,
  policy: Policy,
  now: number,
) => void;

/**
 * An instance on a made-up clock. It is driven as its actor drives it: events come in the order of time, alarms fire when they are
 * due, and effects leave the outbox once they are seen.
 */
export class Line {
  #state: InstanceState;
  #policy: Policy;
  #now: number;
  #wakeAt: number | null = null;
  readonly #see: (effects: readonly PendingEffect[], at: number) => void;
  readonly #watch: Watch | undefined;

  /** `see`: takes what each decision asks of the outside. `watch`: takes each step, for tests. */
  constructor(
    state: InstanceState,
    policy: Policy,
    now: number,
    see: (effects: readonly PendingEffect[], at: number) => void,
    watch?: Watch,
  ) {
    this.#state = state;
    this.#policy = policy;
    this.#now = now;
    this.#see = see;
    this.#watch = watch;
  }

  get state(): InstanceState {
    return this.#state;
  }

  get policy(): Policy {
    return this.#policy;
  }

  get now(): number {
    return this.#now;
  }

  /** When its alarm fires next; null: only an event can change anything. */
  get wakeAt(): number | null {
    return this.#wakeAt;
  }

  /** What happens at `at`, which is never before the event before it. */
  apply(event: InstanceEvent, at: number): Refusal | null {
    this.#now = Math.max(at, this.#now);
    const { state, effects, wakeAt, refusal } = decide(this.#state, event, this.#policy, this.#now);
    this.#watch?.(this.#state, state, event, this.#policy, this.#now);
    this.#state = delivered(state);
    this.#wakeAt = alarmAfter(this.#now, wakeAt);
    if (effects.length > 0) this.#see(effects, this.#now);
    return refusal;
  }

  /** The alarm that is due, at its time. */
  alarm(dueAt: number): void {
    this.apply({ type: "alarm", dueAt }, dueAt);
  }

  /** Goes on from this state at `at`: what lies between was nothing to decide on. */
  resume(state: InstanceState, at: number): void {
    this.#now = Math.max(at, this.#now);
    this.#state = state;
    this.#wakeAt = alarmAfter(this.#now, nextWakeAt(state, this.#policy, this.#now));
  }

  changePolicy(policy: Policy, at: number): void {
    const former = this.#policy;
    this.#policy = policy;
    this.apply({ type: "policy.changed", former }, at);
  }
}

/** When the alarm fires that is wanted for `wakeAt`: in time to come, so that time goes on. */
export function alarmAfter(now: number, wakeAt: number | null): number | null {
  return wakeAt === null ? null : Math.max(wakeAt, now + 1);
}

/** Without what waits to be delivered: a story may be long. */
export function delivered(state: InstanceState): InstanceState {
  return { ...state, outbox: [], recent: state.recent.slice(-1), unflushed: 0 };
}

/** The events among these effects. */
export function eventsOf(effects: readonly PendingEffect[]): HistoryEvent[] {
  return effects.flatMap(({ effect }) => (effect.type === "event" ? [effect.event] : []));
}
