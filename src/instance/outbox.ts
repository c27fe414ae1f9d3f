import type { UserPolicy } from "../fleet/report.ts";
import type { PendingEffect } from "../lifecycle/model/effects.ts";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import {
  BACKLOG_MS,
  countHeartbeats,
  heartbeatsOf,
  recordLoss,
  withoutEffects,
} from "../lifecycle/model/outbox.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import { within } from "../platform/within.ts";
import { count } from "../service/meter.ts";
import { dueEffects, nextTryAt, settle, targetsOf } from "./attempts.ts";
import { type Delivery, deliver } from "./delivery.ts";
import { HeldEffects, type ParkedEffect } from "./held.ts";
import { givenUp, PARKED_RETRY_MS, recordGivingUp, recordParking } from "./parking.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";
import { historyIn, targetsIn } from "./targets.ts";

/** Far below the 1,000 queries that D1 grants an invocation; a longer backlog goes in several batches. */
const EFFECTS_PER_BATCH = 100;

/** An answer waits for the history at most this long. */
const CHUNK_LIMIT_MS = 250;

/** An outbox larger than the first, in characters of JSON, is moved to rows of its own, until it is down to the second. */
const LARGEST_OUTBOX = 24 * 1024;
const SMALL_OUTBOX = 8 * 1024;

/** A few effects are never too large: one holds a chunk at most. */
const FEW_EFFECTS = 3;

/** The instance whose outbox it is. */
export interface Owner {
  stored(): StoredInstance | null;
  save(stored: StoredInstance): void;
  policy(stored: StoredInstance): Policy;
  decide(stored: StoredInstance, event: InstanceEvent, now: number): Promise<unknown>;
  takeUserPolicy(policy: UserPolicy): Promise<void>;
  armForOutbox(): Promise<void>;
  forget(): Promise<void>;
}

/** Empties an instance's outbox: tries what is due, keeps account of what fails, and holds what the state's row can't. */
export class Outbox {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #owner: Owner;
  readonly #held: HeldEffects;
  /** The runs that empty it, one after the other. */
  #emptying: Promise<void> = Promise.resolve();

  constructor(ctx: DurableObjectState, env: Env, owner: Owner) {
    this.#ctx = ctx;
    this.#env = env;
    this.#owner = owner;
    this.#held = new HeldEffects(ctx.storage.sql);
  }

  /** Empties it after the answer, so that the caller need not wait. */
  emptySoon(): void {
    if (this.#isAnythingDue()) this.#ctx.waitUntil(this.empty());
  }

  /** Carries out what is due. Never throws. One run at a time. */
  async empty(): Promise<void> {
    this.#emptying = this.#emptying
      .then(() => this.#emptyAll())
      .catch((error) => console.error("outbox not emptied", error));
    await this.#emptying;
  }

  /** When it must be looked at again: see `nextAlarm`. */
  tryAt(stored: StoredInstance, now: number): number | null {
    return nextTryAt(this.#waiting(stored), stored.delivery.attempts, now);
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
  heldHeartbeats({ delivery }: StoredInstance): Heartbeat[] {
    const waiting = delivery.held === 0 ? [] : this.#held.oldest(Number.MAX_SAFE_INTEGER);
    const parked = delivery.parked === null ? [] : this.#held.parked();
    return [...waiting, ...parked.map(({ pending }) => pending)].flatMap(heartbeatsOf);
  }

  /** The same instance with an outbox that the state's row can hold. The rest moves to rows of its own in the same write. */
  small(stored: StoredInstance): StoredInstance {
    const { outbox } = stored.state;
    if (outbox.length <= FEW_EFFECTS || sizeOf(outbox) <= LARGEST_OUTBOX) return stored;
    const moved: PendingEffect[] = [];
    let size = sizeOf(outbox);
    for (const pending of outbox) {
      if (size <= SMALL_OUTBOX) break;
      if (pending.effect.type !== "chunk" && pending.effect.type !== "event") continue;
      moved.push(pending);
      size -= sizeOf([pending]);
    }
    if (moved.length === 0) return stored;
    this.#held.hold(moved);
    return {
      ...stored,
      state: withoutEffects(stored.state, new Set(moved.map(({ id }) => id))),
      delivery: { ...stored.delivery, held: this.#held.count().waiting },
    };
  }

  /** All that waits to be delivered, oldest first; of what the state's row can't hold, the next batch. */
  #waiting({ state, delivery }: StoredInstance): readonly PendingEffect[] {
    return delivery.held === 0 ? state.outbox : [...this.#held.oldest(EFFECTS_PER_BATCH), ...state.outbox];
  }

  #isAnythingDue(): boolean {
    const stored = this.#owner.stored();
    if (stored === null) return false;
    const now = Date.now();
    const { attempts, parked } = stored.delivery;
    return (
      dueEffects(this.#waiting(stored), attempts, now).length > 0 || (parked !== null && parked.tryAt <= now)
    );
  }

  async #emptyAll(): Promise<void> {
    await this.#tryParked();
    for (;;) {
      const before = this.#owner.stored();
      if (before === null) return;
      const waiting = this.#waiting(before);
      const due = dueEffects(waiting, before.delivery.attempts, Date.now()).slice(0, EFFECTS_PER_BATCH);
      if (due.length === 0) break;
      const delivery = await deliver(due, targetsIn(this.#env, before, this.#owner.policy(before)));
      if (delivery.isForgotten) return await this.#owner.forget();
      // Heartbeats may have come in meanwhile: what is saved is the state as it is now.
      const after = this.#owner.stored() ?? before;
      this.#owner.save(
        this.#settled(
          after,
          due.map(({ pending }) => pending),
          delivery,
        ),
      );
      if (delivery.policy !== null) await this.#owner.takeUserPolicy(delivery.policy);
      for (const answer of delivery.answers) {
        await this.#owner.decide(this.#owner.stored() ?? after, answer, Date.now());
      }
      this.#report(delivery);
    }
    await this.#owner.armForOutbox();
  }

  /** The instance after a try. */
  #settled(stored: StoredInstance, tried: readonly PendingEffect[], delivery: Delivery): StoredInstance {
    const now = Date.now();
    const { attempts, done, parked } = settle(tried, delivery.outcomes, stored.delivery.attempts, now);
    const chunks = tried.filter(({ id, effect }) => effect.type === "chunk" && done.has(id)).length;
    if (chunks > 0) count(this.#env, this.#ctx, "chunks", {}, chunks);
    const left = new Set([...done, ...parked]);
    const holdsSome = stored.delivery.held > 0;
    if (holdsSome) this.#held.remove(left);
    const next: StoredInstance = { ...stored, state: withoutEffects(stored.state, left) };
    const toPark = tried.filter(({ id }) => parked.has(id));
    const parkedNow = toPark.length === 0 ? next : this.#park(next, toPark, now);
    const lost = holdsSome ? this.#held.dropBefore(now - BACKLOG_MS) : 0;
    const state = lost === 0 ? parkedNow.state : recordLoss(parkedNow.state, lost, now);
    const held = holdsSome ? this.#held.count().waiting : 0;
    // Of what is held only the next effects are at hand, so any of the tried ones may still wait.
    const stillWait = new Set(state.outbox.map(({ id }) => id));
    return {
      ...parkedNow,
      state,
      delivery: {
        ...parkedNow.delivery,
        held,
        attempts: {
          ...attempts,
          effects: attempts.effects.filter(({ id }) => held > 0 || stillWait.has(id)),
        },
      },
    };
  }

  #park(stored: StoredInstance, effects: readonly PendingEffect[], now: number): StoredInstance {
    count(this.#env, this.#ctx, "parked_deliveries", {}, effects.length);
    const tried = stored.delivery.attempts.effects;
    for (const pending of effects) {
      const delivered = tried.find(({ id }) => id === pending.id)?.delivered ?? [];
      this.#held.park({ pending, delivered, parkedAt: now });
    }
    const dropped = this.#giveUp(now);
    const state = recordGivingUp(recordParking(stored.state, effects, now), dropped, now);
    const tryAt = stored.delivery.parked?.tryAt ?? now + PARKED_RETRY_MS;
    return { ...stored, state, delivery: { ...stored.delivery, parked: { tryAt } } };
  }

  #giveUp(now: number): ParkedEffect[] {
    const dropped = givenUp(this.#held.parked(), now);
    this.#held.remove(dropped.map(({ pending }) => pending.id));
    return dropped;
  }

  /** Tries what is parked, one by one, once an hour. */
  async #tryParked(): Promise<void> {
    const before = this.#owner.stored();
    if (before === null || before.delivery.parked === null) return;
    if (before.delivery.parked.tryAt > Date.now()) return;
    const targets = targetsIn(this.#env, before, this.#owner.policy(before));
    const dropped = this.#giveUp(Date.now());
    for (const { pending, delivered, parkedAt } of this.#held.parked()) {
      const remaining = targetsOf(pending).filter((target) => !delivered.includes(target));
      const { outcomes } = await deliver([{ pending, targets: remaining }], targets);
      const passed = outcomes.filter((one) => one.passed.length > 0).map(({ target }) => target);
      if (passed.length === remaining.length) this.#held.remove([pending.id]);
      else if (passed.length > 0) {
        this.#held.park({ pending, delivered: [...delivered, ...passed], parkedAt });
      }
    }
    const after = this.#owner.stored();
    if (after === null) return;
    const now = Date.now();
    const parked = this.#held.count().parked === 0 ? null : { tryAt: now + PARKED_RETRY_MS };
    const state = recordGivingUp(after.state, dropped, now);
    this.#owner.save({ ...after, state, delivery: { ...after.delivery, parked } });
  }

  /**
   * Logs and counts what failed. A chunk that waits counts once for each minute until the next try, so the counter grows by
   * the backlog each minute.
   */
  #report({ errors }: Delivery): void {
    for (const { target, error } of errors) {
      console.warn(`outbox not delivered (${target}), will be tried again`, error);
    }
    if (errors.length === 0) return;
    count(this.#env, this.#ctx, "outbox_failures", {});
    const stored = this.#owner.stored();
    const retryAt = stored?.delivery.attempts.targets.find(({ target }) => target === "history")?.retryAt;
    if (stored === null || retryAt === undefined) return;
    const minutes = Math.max(1, Math.round((retryAt - Date.now()) / MINUTE_MS));
    const chunks = stored.state.outbox.filter((pending) => countHeartbeats([pending]) > 0).length;
    const waiting = chunks + stored.delivery.held;
    if (waiting > 0) count(this.#env, this.#ctx, "waiting_chunks", {}, waiting * minutes);
  }
}

function sizeOf(effects: readonly PendingEffect[]): number {
  return JSON.stringify(effects).length;
}
