import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { Account } from "./account.ts";
import type { Beginning } from "./beginning.ts";
import { isRetraced, isSame } from "./differences.ts";
import { confirmedAt, type Fate, fatesOf, handoverOf } from "./fates.ts";
import type { Heard } from "./heard.ts";
import { leaveUndone } from "./leave-undone.ts";
import { type Standing, type Stepped, standingAt, steps } from "./step.ts";
import type { PastEvent, Story } from "./story.ts";
import { type Told, toldOf, without } from "./told.ts";

/** An alarm may come so late without anybody having been away. */
export const LATE_MS = 15 * SECOND_MS;

/** How far a retrace has come, and how what it predicts is held against what happened. */
export abstract class Agreement {
  protected readonly story: Story;
  protected readonly fates: ReadonlyMap<string, Fate>;
  /** In the order in which they were decided on. */
  protected events: readonly Told[];
  protected standing: Standing;
  protected nextEvent = 0;
  protected nextHeard = 0;
  /** When its provider will say that it runs, of one that is being woken. */
  protected confirmedAt: number | null = null;
  protected readonly account: Account;

  constructor(story: Story, beginning: Beginning, heard: readonly Heard[], policy: Policy) {
    const { at, state } = beginning;
    this.story = story;
    this.events = toldOf(story.events.filter((event) => event.at >= at && isRetraced(event)));
    this.fates = fatesOf(this.events);
    this.standing = standingAt(state, policy, at);
    this.account = new Account(story, beginning, heard);
  }

  /** Takes the step if what it tells is what happened next. */
  protected agree(stepped: Stepped): boolean {
    const fitting = this.fits(stepped.events);
    if (fitting === null) return false;
    this.accept(stepped);
    const happened = this.events.slice(this.nextEvent, this.nextEvent + fitting);
    this.nextEvent += fitting;
    for (const event of happened) this.account.agree(event, this.nextHeard);
    const order = happened.findLast(({ id }) => this.fates.has(id));
    if (order !== undefined) this.follow(order);
    return true;
  }

  protected accept({ standing }: Stepped): void {
    this.standing = standing;
  }

  /** An order was given: who takes it, and when, follows from how it ends. */
  protected follow(event: PastEvent): void {
    const fate = this.fates.get(event.id);
    if (fate === undefined) return;
    const events = handoverOf(this.standing.state, fate, this.story);
    this.accept(steps(this.standing, events, this.standing.now));
    const { end } = fate;
    this.confirmedAt = event.kind === "waking" && end !== null ? confirmedAt(end, event.at) : null;
  }

  /** How many of the next events these are; null where one of them is not. */
  protected fits(events: readonly HistoryEvent[]): number | null {
    const predicted = events.filter(isRetraced);
    const actual = this.events.slice(this.nextEvent, this.nextEvent + predicted.length);
    const left = predicted.reduce<readonly PastEvent[]>((rest, each) => without(rest, each), actual);
    const isAll = actual.length === predicted.length && left.length === 0;
    return isAll ? predicted.length : null;
  }

  /** Of what a step tells, some did not happen: that is left undone. */
  protected settle(stepped: Stepped): void {
    this.accept(stepped);
    for (const predicted of stepped.events.filter(isRetraced)) {
      const actual = this.events[this.nextEvent];
      if (actual !== undefined && isSame(predicted, actual)) {
        this.nextEvent += 1;
        this.account.agree(actual, this.nextHeard);
        this.follow(actual);
        continue;
      }
      this.differ(predicted.kind, predicted.at, null);
      const { state, policy, now } = this.standing;
      this.standing = standingAt(leaveUndone(state, predicted, now), policy, now);
    }
    const { wakeAt, now } = this.standing;
    if (wakeAt !== null && wakeAt <= now + 1) this.standing = { ...this.standing, wakeAt: now + LATE_MS };
  }

  protected differ(kind: string, at: number, actual: PastEvent | null): void {
    this.account.differ(kind, at, actual, this.nextHeard, this.standing.state);
  }
}
