import { compilePolicy, type Policy } from "../lifecycle/model/policy.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { Agreement, LATE_MS } from "./agreement.ts";
import { beginningOf } from "./beginning.ts";
import { textIn } from "./detail.ts";
import { type Difference, isSame } from "./differences.ts";
import { type Heard, heardOf, reportHeard } from "./heard.ts";
import { type Input, inputsOf } from "./outside.ts";
import { type Standing, type Stepped, standingAt, step, steps } from "./step.ts";
import type { PastEvent, PolicyInForce, Span, Story } from "./story.ts";
import { takeOver } from "./take-over.ts";
import { LOOK_AHEAD, lateAhead, type Told, toldAgainAt, toldBy } from "./told.ts";

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

/** Decides upon the story once more, and says where that differs from what was decided then. */
export function retrace(story: Story, options: RetraceOptions = {}): Retraced {
  const retracing = new Retracing(story, options);
  retracing.run();
  return retracing.result();
}

class Retracing extends Agreement {
  readonly #policyOf: (inForce: PolicyInForce) => Policy;
  readonly #until: number;
  readonly #heard: readonly Heard[];
  /** Alarms up to then have come late. */
  #lateUntil = 0;

  constructor(story: Story, { policyOf, until }: RetraceOptions) {
    const beginning = beginningOf(story);
    const { at } = beginning;
    const heard = heardOf(
      story.readings.filter((reading) => reading.at >= at),
      story.events.filter((event) => event.at >= at),
    );
    const policies = policyOf ?? (({ settings, suspended }) => compilePolicy(settings, 1, suspended));
    super(story, beginning, heard, policies(inForceAt(story, at)));
    this.#heard = heard;
    this.#policyOf = policies;
    this.#until = Math.min(until ?? story.to, story.to);
  }

  result(): Retraced {
    const { reproduced, differences } = this.account;
    return { standing: this.standing, reproduced, differences };
  }

  run(): void {
    // Each turn takes a reading, an event or an alarm.
    while (this.#advance());
  }

  #advance(): boolean {
    const heardAt = this.#heard[this.nextHeard]?.reading.at ?? Number.POSITIVE_INFINITY;
    const event = this.events[this.nextEvent];
    const eventAt = event?.toldAt ?? Number.POSITIVE_INFINITY;
    const confirmedAt = this.confirmedAt ?? Number.POSITIVE_INFINITY;
    const wakeAt = this.standing.wakeAt ?? Number.POSITIVE_INFINITY;
    const late = this.#late(heardAt);
    const lateAt = late?.to ?? Number.POSITIVE_INFINITY;
    const next = Math.min(heardAt, eventAt, confirmedAt, wakeAt, lateAt);
    if (next > this.#until) return false;
    if (wakeAt === next) this.#alarm(wakeAt, Math.min(heardAt, confirmedAt), late);
    else if (late !== null && lateAt === next) this.#comeLate(late);
    else if (confirmedAt === next) this.#confirm(confirmedAt);
    else if (heardAt === next) this.#hear();
    else if (event !== undefined) this.#take(event);
    return true;
  }

  /** It may come a little late, but not after what was heard next, unless that then brings it about. */
  #alarm(dueAt: number, before: number, late: Span | null): void {
    const atOnce = step(this.standing, { type: "alarm", dueAt }, dueAt);
    const isTold = this.events[this.nextEvent]?.detail.late_until !== undefined && atOnce.events.length > 0;
    const isLate = late !== null && dueAt > late.from - SECOND_MS;
    if (!(isLate && isTold) && this.agree(atOnce)) return;
    if (isLate) {
      this.standing = { ...this.standing, wakeAt: null };
      return;
    }
    const actualAt = this.events[this.nextEvent]?.at;
    if (actualAt !== undefined && actualAt > dueAt && actualAt <= Math.min(dueAt + LATE_MS, before)) {
      if (this.agree(step(this.standing, { type: "alarm", dueAt }, actualAt))) return;
    }
    const event = this.events[this.nextEvent];
    // It happened at this very moment, and so not upon what was heard next.
    if (event?.toldAt === dueAt && this.#isBrought(event)) return;
    if (before <= dueAt + LATE_MS && this.#heard[this.nextHeard]?.reading.at === before) {
      const heard = this.#afterHearing();
      if (heard !== null && this.fits(heard.events) !== null) {
        this.#hear();
        return;
      }
    }
    // It had not come yet: what came first may have left nothing to do.
    const isOvertaken = event !== undefined && event.toldAt <= dueAt + LATE_MS && event.toldAt > dueAt;
    if (isOvertaken || dueAt + LATE_MS > this.#until) {
      this.standing = { ...this.standing, wakeAt: null };
      return;
    }
    this.settle(atOnce);
  }

  /** The alarm that came late next, as an event says; null without one. */
  #late(heardAt: number): Span | null {
    const late = lateAhead(this.events, this.nextEvent);
    if (late === null || late.to <= this.#lateUntil) return null;
    // What a heartbeat has found overdue came with that.
    const isGone = late.to < this.standing.now || late.to === heardAt;
    return isGone ? { from: late.from, to: Number.POSITIVE_INFINITY } : late;
  }

  #comeLate({ from, to }: Span): void {
    this.#lateUntil = to;
    const after = step(this.standing, { type: "alarm", dueAt: from }, to);
    // What was due came with something else, which nobody takes for the end of a downtime.
    const withElse = step(this.standing, { type: "alarm", dueAt: to }, to);
    if ((this.fits(withElse.events) ?? 0) > (this.fits(after.events) ?? 0)) {
      this.agree(withElse);
      return;
    }
    if (this.agree(after)) return;
    const event = this.events[this.nextEvent];
    if (event?.toldAt === to && this.#isBrought(event)) return;
    this.settle(after);
  }

  #confirm(at: number): void {
    this.confirmedAt = null;
    const { phase } = this.standing.state;
    if (phase.status !== "waking") return;
    const { id: actionId } = phase.action;
    const event = {
      type: "action.succeeded",
      actionId,
      snapshotId: null,
      confirmedBy: "its provider",
    } as const;
    const after = step(this.standing, event, at);
    if (!this.agree(after)) this.settle(after);
  }

  #afterHearing(): Stepped | null {
    const heard = this.#heard[this.nextHeard];
    if (heard === undefined) return null;
    const { state } = this.standing;
    const report = reportHeard(heard, state, this.events.slice(this.nextEvent, this.nextEvent + LOOK_AHEAD));
    return step(this.standing, { type: "heartbeat", report }, heard.reading.at);
  }

  #hear(): void {
    const heard = this.#heard[this.nextHeard];
    const after = this.#afterHearing();
    if (heard === undefined || after === null) return;
    this.nextHeard += 1;
    if (!this.agree(after)) this.settle(after);
  }

  /** What came from outside, or was not predicted. */
  #take(event: Told): void {
    const next = this.#policyAt(event.at);
    if (this.#isBrought(event)) return;
    if (this.#isToldLater(event)) return;
    this.differ(event.kind, event.at, event);
    this.nextEvent += 1;
    const { policy } = this.standing;
    const state = takeOver(this.standing.state, event);
    this.standing = standingAt(
      state,
      event.kind === "policy_changed" ? next : policy,
      Math.max(event.at, this.standing.now),
    );
    this.follow(event);
  }

  /** Whether something from outside has brought it about: that is taken then. */
  #isBrought(event: Told): boolean {
    const next = this.#policyAt(event.at);
    for (const input of this.#inputsAt(event, next)) {
      const standing = { ...this.standing, policy: input.policy ?? this.standing.policy };
      const after = steps(standing, input.events, event.at);
      if (after.events.length === 0 || !this.agree(after)) continue;
      return true;
    }
    return false;
  }

  /** The time of a step is its deadline, though it may be taken later, as after maintenance. */
  #isToldLater(event: Told): boolean {
    const wakeAt = toldBy(event, this.standing) ?? this.#toldByHearing(event);
    if (wakeAt === null) return false;
    this.events = toldAgainAt(this.events, this.nextEvent, wakeAt);
    return true;
  }

  #toldByHearing(event: Told): number | null {
    const isTold = this.#afterHearing()?.events.some((each) => isSame(each, event)) === true;
    const heardAt = this.#heard[this.nextHeard]?.reading.at ?? 0;
    return isTold && heardAt > event.at ? heardAt : null;
  }

  /** What may have brought about the events of this moment. */
  #inputsAt(event: Told, next: Policy): readonly Input[] {
    const { state, policy } = this.standing;
    const together = this.events
      .slice(this.nextEvent, this.nextEvent + LOOK_AHEAD)
      .filter(({ toldAt }) => toldAt === event.toldAt);
    return together.flatMap((each) => inputsOf(each, { state, policy, next, reason: this.#reasonOf(each) }));
  }

  #reasonOf(event: PastEvent): string | null {
    const preparation = textIn(event.detail, "preparation_id");
    const order =
      preparation === null
        ? event
        : this.events.find(
            ({ kind, detail }) => kind === "hibernating" && detail.preparation_id === preparation,
          );
    const end = order === undefined ? null : this.fates.get(order.id)?.end;
    return end == null ? null : textIn(end.detail, "reason");
  }

  #policyAt(at: number): Policy {
    return this.#policyOf(inForceAt(this.story, at));
  }
}

function inForceAt({ policies }: Story, at: number): PolicyInForce {
  const inForce = policies.findLast(({ from }) => from <= at) ?? policies[0];
  if (inForce === undefined) throw new Error("a story has a policy");
  return inForce;
}
