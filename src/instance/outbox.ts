import type { UserPolicy } from "../fleet/report.ts";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { hashText } from "../platform/hash.ts";
import { type LogIds, logError, logWarning } from "../platform/log.ts";
import { within } from "../platform/within.ts";
import { count } from "../service/meter.ts";
import { type DeliveryTarget, type Moment, settle, TARGETS, waitsFor } from "./attempts.ts";
import {
  type AfterTry,
  Bookkeeping,
  type HeldRows,
  isParkedDue,
  type Standing,
  withParkedTried,
} from "./bookkeeping.ts";
import { type DeliveryResult, deliver } from "./delivery.ts";
import type { GivenUp, ParkedEffect, WaitingRange } from "./held.ts";
import { isGone, withLeaving } from "./leaving.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";
import { historyIn, targetsIn } from "./targets.ts";

/** An answer waits for the history at most this long. */
const CHUNK_LIMIT_MS = 250;

/** An alarm empties the outbox before it adds to it, but lets a deadline wait for that at most this long. */
const EMPTY_FIRST_MS = 2 * SECOND_MS;

/** The instance whose outbox it is. */
export interface Owner {
  stored(): StoredInstance | null;
  /** Changes what is stored, with whatever else `make` writes: all of it, or nothing if it throws. */
  change(make: (stored: StoredInstance) => StoredInstance): void;
  policy(stored: StoredInstance): Policy;
  /** Decides, unless the instance is on its way out. */
  decideIfKnown(event: InstanceEvent): Promise<unknown>;
  takeUserPolicy(policy: UserPolicy): Promise<void>;
  setBackFrom(revision: number): Promise<void>;
  armForOutbox(): Promise<void>;
  forget(): Promise<void>;
}

type Run = DeliveryTarget | "parked";

/** Empties an instance's outbox, each target by itself: one that fails or does not answer holds up no other. */
export class Outbox {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #owner: Owner;
  readonly #books: Bookkeeping;
  /** The runs that empty it, of each kind one after the other. */
  readonly #runs = new Map<Run, Promise<void>>();

  constructor(ctx: DurableObjectState, env: Env, owner: Owner) {
    this.#ctx = ctx;
    this.#env = env;
    this.#owner = owner;
    this.#books = new Bookkeeping(ctx.storage.sql);
  }

  /** Empties it after the answer, so that the caller need not wait. */
  emptySoon(): void {
    if (this.#isAnythingDue()) this.#ctx.waitUntil(this.empty());
  }

  /** What does not answer by then is waited for in the background: a step of the ladder must not wait for the history. */
  async emptyForAWhile(): Promise<void> {
    const emptied = this.empty();
    await within(EMPTY_FIRST_MS, emptied).catch(() => this.#ctx.waitUntil(emptied));
  }

  /** Carries out what is due, and what comes of that. Never throws. */
  async empty(): Promise<void> {
    await this.#emptyAll();
    if (this.#isAnythingDue()) await this.#emptyAll();
  }

  async #emptyAll(): Promise<void> {
    const runs = TARGETS.map((target) => this.emptyInto(target));
    await Promise.all([...runs, this.#run("parked", () => this.#tryParked())]);
  }

  /** Carries out what is due at one target. Never throws. */
  async emptyInto(target: DeliveryTarget): Promise<void> {
    await this.#run(target, async () => {
      // Not while a loss is on its way to the history: it is counted up until then.
      if (target === "history") this.#giveUpOld();
      await this.#empty(target);
    });
  }

  /** Tries all at once that waits, whatever has failed, and what is parked. */
  async release(): Promise<void> {
    this.#owner.change((stored) => this.#books.allDue(stored, Date.now()));
    await this.empty();
    await this.#owner.armForOutbox();
  }

  /** How many effects are not delivered; null when there is no instance. */
  standing(): Standing | null {
    const stored = this.#owner.stored();
    return stored === null ? null : this.#books.standing(stored);
  }

  async #run(kind: Run, run: () => Promise<void>): Promise<void> {
    const next = (this.#runs.get(kind) ?? Promise.resolve())
      .then(run)
      .catch((error) => logError("outbox not emptied", idsOf(this.#owner.stored()), error));
    this.#runs.set(kind, next);
    await next;
  }

  /** When it must be looked at again: see `nextAlarm`. */
  tryAt(stored: StoredInstance, now: number): number | null {
    return this.#books.tryAt(stored, now);
  }

  #giveUpOld(): void {
    this.#owner.change((before) => {
      const { stored, givenUp } = this.#books.giveUpOld(before, Date.now());
      this.#countGivenUp(givenUp);
      return stored;
    });
  }

  /**
   * Hands a chunk of saved heartbeats over before the state is saved, so that one save does for both. Returns whether the
   * history has said in time that it has the chunk. If it has it all the same, it gets the same chunk again.
   */
  async deliverChunk(stored: StoredInstance, chunk: readonly Heartbeat[]): Promise<boolean> {
    try {
      await within(CHUNK_LIMIT_MS, historyIn(this.#env, stored)([chunk], []));
    } catch {
      // The chunk goes to the outbox with the save, and is tried again from there, where failures are logged.
      return false;
    }
    count(this.#env, this.#ctx, "chunks", {});
    return true;
  }

  /** Whether nothing waits and nothing has failed. */
  static isClear({ state, delivery }: StoredInstance): boolean {
    return state.outbox.length === 0 && delivery.held === 0 && delivery.attempts.targets.length === 0;
  }

  /** The newest heartbeats of a range that are on their way to the history and not in the instance's row. */
  heldHeartbeats(stored: StoredInstance, range: WaitingRange): Heartbeat[] {
    return this.#books.heldHeartbeats(stored, range);
  }

  /** How many heartbeats these are altogether. */
  countHeldHeartbeats(stored: StoredInstance): number {
    return this.#books.countHeldHeartbeats(stored);
  }

  /** Whether a part of its outbox goes to rows of its own when it is saved. */
  mustMove(stored: StoredInstance): boolean {
    return this.#books.mustMove(stored);
  }

  /** What waits in rows of its own, for the operator. */
  heldRows(stored: StoredInstance): HeldRows {
    return this.#books.heldRows(stored);
  }

  /** The instance as it is to be saved: with an outbox that its row can hold. */
  toSave(stored: StoredInstance): StoredInstance {
    const now = Date.now();
    return withLeaving(this.#books.small(stored, now), now);
  }

  #isAnythingDue(): boolean {
    const stored = this.#owner.stored();
    if (stored === null) return false;
    const now = Date.now();
    const isDue = TARGETS.some((target) => this.#books.due(target, stored, now).length > 0);
    return isDue || isParkedDue(stored, now);
  }

  async #empty(target: DeliveryTarget): Promise<void> {
    for (;;) {
      const before = this.#owner.stored();
      if (before === null) return;
      if (isGone(before, Date.now())) return await this.#owner.forget();
      const due = this.#books.due(target, before, Date.now()).map(({ pending }) => pending);
      if (due.length === 0) break;
      const targets = targetsIn(this.#env, before, this.#owner.policy(before));
      const delivery = await deliver(target, due, targets);
      // Much may have happened meanwhile: what is changed is the instance as it is now.
      this.#owner.change((after) => {
        const settled = this.#books.afterTry(after, delivery.outcome, momentOf(after));
        this.#report(delivery, settled);
        return settled.stored;
      });
      await this.#applyAnswer(delivery);
    }
    await this.#owner.armForOutbox();
  }

  /** Applies what came back from the fleet. An order that comes of it waits for nobody else. */
  async #applyAnswer({ policy, answers, isUserDeleted, laterRevision }: DeliveryResult): Promise<void> {
    if (isUserDeleted) return this.#owner.forget();
    if (laterRevision !== null) await this.#owner.setBackFrom(laterRevision);
    if (policy !== null) await this.#owner.takeUserPolicy(policy);
    for (const answer of answers) await this.#owner.decideIfKnown(answer);
    if (policy !== null || answers.length > 0) this.emptySoon();
  }

  /** Tries what is parked, once an hour. */
  async #tryParked(): Promise<void> {
    const before = this.#owner.stored();
    if (before === null || !isParkedDue(before, Date.now())) return;
    // First of all, so that a try that fails on the way is not begun again at once.
    this.#owner.change((stored) => withParkedTried(stored, Date.now()));
    const parked = this.#books.parked();
    const tried = await TARGETS.reduce(
      async (each, target) => this.#tryParkedAt(target, await each, before),
      Promise.resolve<readonly ParkedEffect[]>(parked),
    );
    this.#owner.change((after) => {
      const { stored, givenUp } = this.#books.afterParkedTry(after, tried, Date.now());
      this.#countGivenUp(givenUp);
      return stored;
    });
    // It may have been the last that kept a removed instance here.
    await this.emptyInto("history");
  }

  async #tryParkedAt(
    target: DeliveryTarget,
    parked: readonly ParkedEffect[],
    stored: StoredInstance,
  ): Promise<readonly ParkedEffect[]> {
    const due = parked.filter((one) => waitsFor(one, target));
    const targets = targetsIn(this.#env, stored, this.#owner.policy(stored));
    const { outcome } = await deliver(
      target,
      due.map(({ pending }) => pending),
      targets,
    );
    const { effects } = settle(parked, { ...outcome, failed: [] }, [], momentOf(stored));
    return parked.map((one, index) => ({ ...one, ...effects[index] }));
  }

  /** Logs and counts what came of a try. */
  #report(
    { errors, outcome: { target } }: DeliveryResult,
    { stored, done, parked, givenUp }: AfterTry,
  ): void {
    this.#countGivenUp(givenUp);
    const chunks = done.filter(({ pending }) => pending.effect.type === "chunk").length;
    if (chunks > 0) count(this.#env, this.#ctx, "chunks", {}, chunks);
    if (parked.length > 0) count(this.#env, this.#ctx, "deliveries_parked", {}, parked.length);
    const [error] = errors;
    if (error === undefined) return;
    const ids = { ...idsOf(stored), target, errors: errors.length };
    logWarning(`outbox not delivered (${target}), will be tried again`, ids, error);
    count(this.#env, this.#ctx, "outbox_failures", {});
    if (target === "history") this.#countWaitingChunks(stored);
  }

  #countGivenUp(effects: readonly GivenUp[]): void {
    for (const { target } of effects) count(this.#env, this.#ctx, "deliveries_given_up", { target });
  }

  /** Each chunk counts once for each minute until the next try, so the counter grows by the backlog each minute. */
  #countWaitingChunks(stored: StoredInstance): void {
    const down = stored.delivery.attempts.targets.find(({ target }) => target === "history");
    if (down === undefined) return;
    const minutes = Math.max(1, Math.round((down.retryAt - Date.now()) / MINUTE_MS));
    const chunks = this.#books.waitingChunks(stored);
    if (chunks > 0) count(this.#env, this.#ctx, "waiting_chunks", {}, chunks * minutes);
  }
}

/** How the log names an instance. */
export function idsOf(stored: Pick<StoredInstance, "userId" | "instanceId"> | null): LogIds {
  return { user_id: stored?.userId, instance_id: stored?.instanceId };
}

function momentOf({ userId, instanceId }: StoredInstance): Moment {
  return { now: Date.now(), spread: hashText(`${userId}/${instanceId}`) / 2 ** 32 };
}
