import type { UserPolicy } from "../fleet/report.ts";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import { hashText } from "../platform/hash.ts";
import { within } from "../platform/within.ts";
import { count } from "../service/meter.ts";
import { type DeliveryTarget, dueEffects, type Moment, settle, TARGETS, waitsFor } from "./attempts.ts";
import {
  type AfterTry,
  Bookkeeping,
  EFFECTS_PER_BATCH,
  isParkedDue,
  withParkedTried,
} from "./bookkeeping.ts";
import { type DeliveryResult, deliver } from "./delivery.ts";
import type { ParkedEffect } from "./held.ts";
import { isGone, withLeaving } from "./leaving.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";
import { historyIn, targetsIn } from "./targets.ts";

/** An answer waits for the history at most this long. */
const CHUNK_LIMIT_MS = 250;

/** The instance whose outbox it is. */
export interface Owner {
  stored(): StoredInstance | null;
  save(stored: StoredInstance): void;
  policy(stored: StoredInstance): Policy;
  /** Decides, unless the instance is on its way out. */
  decideIfKnown(event: InstanceEvent): Promise<unknown>;
  takeUserPolicy(policy: UserPolicy): Promise<void>;
  armForOutbox(): Promise<void>;
  forget(): Promise<void>;
}

type Run = DeliveryTarget | "parked" | "old";

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

  /** Carries out what is due, and what comes of that. Never throws. */
  async empty(): Promise<void> {
    await this.#emptyAll();
    if (this.#isAnythingDue()) await this.#emptyAll();
  }

  async #emptyAll(): Promise<void> {
    await this.#run("old", async () => this.#giveUpOld());
    const runs = TARGETS.map((target) => this.emptyInto(target));
    await Promise.all([...runs, this.#run("parked", () => this.#tryParked())]);
  }

  /** Carries out what is due at one target. Never throws. */
  async emptyInto(target: DeliveryTarget): Promise<void> {
    await this.#run(target, () => this.#empty(target));
  }

  async #run(kind: Run, run: () => Promise<void>): Promise<void> {
    const next = (this.#runs.get(kind) ?? Promise.resolve())
      .then(run)
      .catch((error) => console.error("outbox not emptied", error));
    this.#runs.set(kind, next);
    await next;
  }

  /** When it must be looked at again: see `nextAlarm`. */
  tryAt(stored: StoredInstance, now: number): number | null {
    return this.#books.tryAt(stored, now);
  }

  #giveUpOld(): void {
    const before = this.#owner.stored();
    if (before === null) return;
    const after = this.#books.giveUpOld(before, Date.now());
    if (after !== before) this.#owner.save(after);
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

  /** Heartbeats on their way to the history that are not in the state's row. */
  heldHeartbeats(stored: StoredInstance): Heartbeat[] {
    return this.#books.heldHeartbeats(stored);
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
    const isDue = TARGETS.some((target) => this.#due(target, stored, now).length > 0);
    return isDue || isParkedDue(stored, now);
  }

  #due(target: DeliveryTarget, stored: StoredInstance, now: number) {
    const waiting = this.#books.waitingFor(target, stored);
    return dueEffects(target, waiting, stored.delivery.attempts.targets, now).slice(0, EFFECTS_PER_BATCH);
  }

  async #empty(target: DeliveryTarget): Promise<void> {
    for (;;) {
      const before = this.#owner.stored();
      if (before === null) return;
      if (isGone(before, Date.now())) return await this.#owner.forget();
      const due = this.#due(target, before, Date.now()).map(({ pending }) => pending);
      if (due.length === 0) break;
      const targets = targetsIn(this.#env, before, this.#owner.policy(before));
      const delivery = await deliver(target, due, targets);
      // Much may have happened meanwhile: what is saved is the instance as it is now.
      const after = this.#owner.stored();
      if (after === null) return;
      const settled = this.#books.afterTry(after, delivery.outcome, momentOf(after));
      this.#owner.save(settled.stored);
      this.#report(delivery, settled);
      await this.#applyAnswer(delivery);
    }
    await this.#owner.armForOutbox();
  }

  /** Applies what came back from the fleet. An order that comes of it waits for nobody else. */
  async #applyAnswer({ policy, answers, isUserDeleted }: DeliveryResult): Promise<void> {
    if (isUserDeleted) return this.#owner.forget();
    if (policy !== null) await this.#owner.takeUserPolicy(policy);
    for (const answer of answers) await this.#owner.decideIfKnown(answer);
    if (policy !== null || answers.length > 0) this.emptySoon();
  }

  /** Tries what is parked, once an hour. */
  async #tryParked(): Promise<void> {
    const before = this.#owner.stored();
    if (before === null || !isParkedDue(before, Date.now())) return;
    // First of all, so that a try that fails on the way is not begun again at once.
    this.#owner.save(withParkedTried(before, Date.now()));
    const parked = this.#books.parked();
    const tried = await TARGETS.reduce(
      async (each, target) => this.#tryParkedAt(target, await each, before),
      Promise.resolve<readonly ParkedEffect[]>(parked),
    );
    const after = this.#owner.stored();
    if (after === null) return;
    this.#owner.save(this.#books.afterParkedTry(after, tried, Date.now()));
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
  #report({ errors, outcome: { target } }: DeliveryResult, { stored, done, parked }: AfterTry): void {
    const chunks = done.filter(({ pending }) => pending.effect.type === "chunk").length;
    if (chunks > 0) count(this.#env, this.#ctx, "chunks", {}, chunks);
    if (parked.length > 0) count(this.#env, this.#ctx, "parked_deliveries", {}, parked.length);
    const [error] = errors;
    if (error === undefined) return;
    console.warn(`outbox not delivered (${target}), will be tried again`, error);
    count(this.#env, this.#ctx, "outbox_failures", {});
    if (target === "history") this.#countWaitingChunks(stored);
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

function momentOf({ userId, instanceId }: StoredInstance): Moment {
  return { now: Date.now(), spread: hashText(`${userId}/${instanceId}`) / 2 ** 32 };
}
