import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import { compilePolicy, type Policy } from "../lifecycle/model/policy.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { Account } from "./account.ts";
import { type Beginning, beginningOf } from "./beginning.ts";
import { textIn } from "./detail.ts";
import { type Difference, isRetraced, isSame } from "./differences.ts";
import { confirmedAt, type Fate, fatesOf, handoverOf } from "./fates.ts";
import { type Heard, heardOf, reportHeard } from "./heard.ts";
import { leaveUndone } from "./leave-undone.ts";
import { type Input, inputsOf } from "./outside.ts";
import { type Standing, type Stepped, standingAt, step, steps } from "./step.ts";
import type { PastEvent, PolicyInForce, Story } from "./story.ts";
import { takeOver } from "./take-over.ts";
import { LOOK_AHEAD, type Told, toldAgainAt, toldBy, toldOf, without } from "./told.ts";

/**
 * The story decided upon once more, by the policies that were in force: it is fed with what was heard, and with what people, providers
 * and the guard did, as the events tell it. What it then decides is held against what was really decided. After a difference it goes on
 * from what really happened.
 */

export interface Retraced {
  /** How it stood at the end. */
  readonly standing: Standing;
  /** How many events were predicted as they happened. */
  readonly reproduced: number;
  /** Oldest first; the first of them, where there are more. */
  readonly differences: readonly Difference[];
}

export interface RetraceOptions {
  /** The policy of settings that were in force. */
  readonly policyOf?: ((inForce: PolicyInForce) => Policy) | undefined;
  /** No further than this. */
  readonly until?: number | undefined;
}

/** An alarm may come so late without anybody having been away. */
const LATE_MS = 15 * SECOND_MS;

export function retrace(story: Story, options: RetraceOptions = {}): Retraced {
  const retracing = new Retracing(story, options);
  retracing.run();
  return retracing.result();
}

class Retracing {
  readonly #story: Story;
  readonly #beginning: Beginning;
  readonly #policyOf: (inForce: PolicyInForce) => Policy;
  readonly #until: number;
  readonly #heard: readonly Heard[];
  /** In the order in which they were decided on. */
  #events: readonly Told[];
  readonly #fates: ReadonlyMap<string, Fate>;
  #standing: Standing;
  #nextHeard = 0;
  #nextEvent = 0;
  /** When its provider will say that it runs, of one that is being woken. */
  #confirmedAt: number | null = null;
  readonly #account: Account;

  constructor(story: Story, { policyOf, until }: RetraceOptions) {
    this.#story = story;
    this.#beginning = beginningOf(story);
    this.#policyOf = policyOf ?? (({ settings, suspended }) => compilePolicy(settings, 1, suspended));
    this.#until = Math.min(until ?? story.to, story.to);
    const { at, state } = this.#beginning;
    this.#heard = heardOf(story.readings.filter((reading) => reading.at >= at));
    this.#events = toldOf(story.events.filter((event) => event.at >= at && isRetraced(event)));
    this.#fates = fatesOf(this.#events);
    this.#standing = standingAt(state, this.#policyAt(at), at);
    this.#account = new Account(story, this.#beginning, this.#heard);
  }

  result(): Retraced {
    const { reproduced, differences } = this.#account;
    return { standing: this.#standing, reproduced, differences };
  }

  run(): void {
    // Each turn takes a reading, an event or an alarm.
    while (this.#advance());
  }

  #advance(): boolean {
    const heardAt = this.#heard[this.#nextHeard]?.reading.at ?? Number.POSITIVE_INFINITY;
    const event = this.#events[this.#nextEvent];
    const eventAt = event?.toldAt ?? Number.POSITIVE_INFINITY;
    const confirmedAt = this.#confirmedAt ?? Number.POSITIVE_INFINITY;
    const wakeAt = this.#standing.wakeAt ?? Number.POSITIVE_INFINITY;
    const next = Math.min(heardAt, eventAt, confirmedAt, wakeAt);
    if (next > this.#until) return false;
    if (wakeAt === next) this.#alarm(wakeAt, Math.min(heardAt, confirmedAt));
    else if (confirmedAt === next) this.#confirm(confirmedAt);
    else if (heardAt === next) this.#hear();
    else if (event !== undefined) this.#take(event);
    return true;
  }

  /** It may come a little late, but not after what was heard next, unless that then brings it about. */
  #alarm(dueAt: number, before: number): void {
    const atOnce = step(this.#standing, { type: "alarm", dueAt }, dueAt);
    if (this.#agree(atOnce)) return;
    const actualAt = this.#events[this.#nextEvent]?.at;
    if (actualAt !== undefined && actualAt > dueAt && actualAt <= Math.min(dueAt + LATE_MS, before)) {
      if (this.#agree(step(this.#standing, { type: "alarm", dueAt }, actualAt))) return;
    }
    if (before <= dueAt + LATE_MS && this.#heard[this.#nextHeard]?.reading.at === before) {
      const heard = this.#afterHearing();
      if (heard !== null && this.#fits(heard.events) !== null) {
        this.#hear();
        return;
      }
    }
    if (dueAt + LATE_MS > this.#until) {
      this.#standing = { ...this.#standing, wakeAt: null };
      return;
    }
    this.#settle(atOnce);
  }

  #confirm(at: number): void {
    this.#confirmedAt = null;
    const { phase } = this.#standing.state;
    if (phase.status !== "waking") return;
    const { id: actionId } = phase.action;
    const event = {
      type: "action.succeeded",
      actionId,
      snapshotId: null,
      confirmedBy: "its provider",
    } as const;
    const after = step(this.#standing, event, at);
    if (!this.#agree(after)) this.#settle(after);
  }

  #afterHearing(): Stepped | null {
    const heard = this.#heard[this.#nextHeard];
    if (heard === undefined) return null;
    const { state } = this.#standing;
    const report = reportHeard(
      heard,
      state,
      this.#events.slice(this.#nextEvent, this.#nextEvent + LOOK_AHEAD),
    );
    return step(this.#standing, { type: "heartbeat", report }, heard.reading.at);
  }

  #hear(): void {
    const heard = this.#heard[this.#nextHeard];
    const after = this.#afterHearing();
    if (heard === undefined || after === null) return;
    this.#nextHeard += 1;
    if (!this.#agree(after)) this.#settle(after);
  }

  /** What came from outside, or was not predicted. */
  #take(event: Told): void {
    const next = this.#policyAt(event.at);
    for (const input of this.#inputsAt(event, next)) {
      const standing = { ...this.#standing, policy: input.policy ?? this.#standing.policy };
      const after = steps(standing, input.events, event.at);
      if (after.events.length > 0 && this.#agree(after)) return;
    }
    if (this.#isToldLater(event)) return;
    this.#differ(event.kind, event.at, event);
    this.#nextEvent += 1;
    const { policy } = this.#standing;
    const state = takeOver(this.#standing.state, event);
    this.#standing = standingAt(
      state,
      event.kind === "policy_changed" ? next : policy,
      Math.max(event.at, this.#standing.now),
    );
    this.#follow(event);
  }

  /** The time of a step is its deadline, though it may be taken later, as after maintenance. */
  #isToldLater(event: Told): boolean {
    const wakeAt = toldBy(event, this.#standing);
    if (wakeAt === null) return false;
    this.#events = toldAgainAt(this.#events, this.#nextEvent, wakeAt);
    return true;
  }

  /** What may have brought about the events of this moment. */
  #inputsAt(event: Told, next: Policy): readonly Input[] {
    const { state, policy } = this.#standing;
    const together = this.#events
      .slice(this.#nextEvent, this.#nextEvent + LOOK_AHEAD)
      .filter(({ toldAt }) => toldAt === event.toldAt);
    return together.flatMap((each) => inputsOf(each, { state, policy, next, reason: this.#reasonOf(each) }));
  }

  #reasonOf(event: PastEvent): string | null {
    const preparation = textIn(event.detail, "preparation_id");
    const order =
      preparation === null
        ? event
        : this.#events.find(
            ({ kind, detail }) => kind === "hibernating" && detail.preparation_id === preparation,
          );
    const end = order === undefined ? null : this.#fates.get(order.id)?.end;
    return end == null ? null : textIn(end.detail, "reason");
  }

  /** Takes the step if what it tells is what happened next. */
  #agree(stepped: Stepped): boolean {
    const fitting = this.#fits(stepped.events);
    if (fitting === null) return false;
    this.#accept(stepped);
    const happened = this.#events.slice(this.#nextEvent, this.#nextEvent + fitting);
    this.#nextEvent += fitting;
    for (const event of happened) this.#account.agree(event, this.#nextHeard);
    const order = happened.findLast(({ id }) => this.#fates.has(id));
    if (order !== undefined) this.#follow(order);
    return true;
  }

  #accept({ standing }: Stepped): void {
    this.#standing = standing;
  }

  /** An order was given: who takes it, and when, follows from how it ends. */
  #follow(event: PastEvent): void {
    const fate = this.#fates.get(event.id);
    if (fate === undefined) return;
    const events = handoverOf(this.#standing.state, fate, this.#story);
    this.#accept(steps(this.#standing, events, this.#standing.now));
    const { end } = fate;
    this.#confirmedAt = event.kind === "waking" && end !== null ? confirmedAt(end) : null;
  }

  /** How many of the next events these are; null where one of them is not. */
  #fits(events: readonly HistoryEvent[]): number | null {
    const predicted = events.filter(isRetraced);
    const actual = this.#events.slice(this.#nextEvent, this.#nextEvent + predicted.length);
    const left = predicted.reduce<readonly PastEvent[]>((rest, each) => without(rest, each), actual);
    const isAll = actual.length === predicted.length && left.length === 0;
    return isAll ? predicted.length : null;
  }

  /** Of what a step tells, some did not happen: that is left undone. */
  #settle(stepped: Stepped): void {
    this.#accept(stepped);
    for (const predicted of stepped.events.filter(isRetraced)) {
      const actual = this.#events[this.#nextEvent];
      if (actual !== undefined && isSame(predicted, actual)) {
        this.#nextEvent += 1;
        this.#account.agree(actual, this.#nextHeard);
        this.#follow(actual);
        continue;
      }
      this.#differ(predicted.kind, predicted.at, null);
      const { state, policy, now } = this.#standing;
      this.#standing = standingAt(leaveUndone(state, predicted, now), policy, now);
    }
    const { wakeAt, now } = this.#standing;
    if (wakeAt !== null && wakeAt <= now + 1) this.#standing = { ...this.#standing, wakeAt: now + LATE_MS };
  }

  #differ(kind: string, at: number, actual: PastEvent | null): void {
    this.#account.differ(kind, at, actual, this.#nextHeard, this.#standing.state);
  }

  #policyAt(at: number): Policy {
    const { policies } = this.#story;
    const inForce = policies.findLast(({ from }) => from <= at) ?? policies[0];
    if (inForce === undefined) throw new Error("a story has a policy");
    return this.#policyOf(inForce);
  }
}
