import type { PendingEffect } from "../lifecycle/model/effects.ts";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import { heartbeatsOf, isForget, withoutEffects } from "../lifecycle/model/outbox.ts";
import {
  type Attempts,
  batchOf,
  type DeliveryTarget,
  dueEffects,
  type FailingTarget,
  isDone,
  isToPark,
  type Moment,
  nextLookAt,
  nextTryAt,
  restsUntil,
  settle,
  TARGETS,
  type TargetOutcome,
  type WaitingEffect,
  waitsFor,
  withProgress,
} from "./attempts.ts";
import { type GivenUp, HeldEffects, type ParkedEffect, type WaitingRange } from "./held.ts";
import { HELD_CHARACTERS, isLoss, oldChunksIn, recordLosses, withoutLost } from "./losses.ts";
import { PARKED_RETRY_MS, recordGivingUp, recordParking, toGiveUp } from "./parking.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** Far below the 1,000 queries that D1 grants an invocation; a longer backlog goes in several batches. */
const EFFECTS_PER_BATCH = 100;

/** An outbox larger than the first, in characters of JSON, is moved to rows of its own, until it is down to the second. */
const LARGEST_OUTBOX = 16 * 1024;
const SMALL_OUTBOX = 8 * 1024;

/** One effect holds a chunk at most. */
const FEW_EFFECTS = 1;

/** An instance after a try. */
export interface AfterTry {
  readonly stored: StoredInstance;
  readonly done: readonly WaitingEffect[];
  readonly parked: readonly WaitingEffect[];
  readonly givenUp: readonly GivenUp[];
}

/** How many of an instance's effects are not delivered. */
export interface Standing {
  readonly waiting: number;
  readonly parked: number;
}

export interface HeldRows {
  readonly waiting: number;
  readonly parked: readonly ParkedEffect[];
}

/** Keeps account of what an instance has to deliver: in its row, and in rows of its own what that can't hold. */
export class Bookkeeping {
  readonly #held: HeldEffects;

  constructor(sql: SqlStorage) {
    this.#held = new HeldEffects(sql);
  }

  /** What waits for this target, oldest first; of what the row can't hold, the next batch. */
  waitingFor(target: DeliveryTarget, { state, delivery }: StoredInstance): readonly WaitingEffect[] {
    const inRow = withProgress(state.outbox, delivery.attempts.effects);
    return delivery.held === 0 ? inRow : [...this.#held.waitingFor(target, EFFECTS_PER_BATCH), ...inRow];
  }

  /** What goes to this target now. While it is down, nothing is read for it: that would be all that waits, at each heartbeat. */
  due(target: DeliveryTarget, stored: StoredInstance, now: number): readonly WaitingEffect[] {
    const down = stored.delivery.attempts.targets;
    if (restsUntil(target, down, now) !== null) return [];
    const due = dueEffects(target, this.waitingFor(target, stored), down, now);
    return batchOf(target, due, down, EFFECTS_PER_BATCH);
  }

  /** When something must be tried again or given up; null when nothing waits. */
  tryAt(stored: StoredInstance, now: number): number | null {
    const { held, parked } = stored.delivery;
    const others = [parked?.tryAt ?? null, held === 0 ? null : this.#held.giveUpAt()];
    const moments = [
      ...TARGETS.map((target) => this.#tryAt(target, stored, now)),
      ...others.map((moment) => (moment === null ? null : nextLookAt(moment, now))),
    ].filter((moment) => moment !== null);
    return moments.length === 0 ? null : Math.min(...moments);
  }

  #tryAt(target: DeliveryTarget, stored: StoredInstance, now: number): number | null {
    const down = stored.delivery.attempts.targets;
    const restsTo = restsUntil(target, down, now);
    if (restsTo === null) return nextTryAt(target, this.waitingFor(target, stored), down, now);
    return this.#isWaitingFor(target, stored) ? restsTo : null;
  }

  #isWaitingFor(target: DeliveryTarget, { state, delivery }: StoredInstance): boolean {
    if (delivery.held > 0 && this.#held.isWaitingFor(target)) return true;
    return withProgress(state.outbox, delivery.attempts.effects).some((one) => waitsFor(one, target));
  }

  /** The newest heartbeats of a range that are on their way to the history and not in the instance's row. */
  heldHeartbeats({ delivery }: StoredInstance, range: WaitingRange): Heartbeat[] {
    return isAnyHeld(delivery) ? this.#held.newest(range) : [];
  }

  /** How many heartbeats these are altogether. */
  countHeldHeartbeats({ delivery }: StoredInstance): number {
    return isAnyHeld(delivery) ? this.#held.count().heartbeats : 0;
  }

  standing({ state, delivery }: StoredInstance): Standing {
    const { waiting, parked } = isAnyHeld(delivery) ? this.#held.count() : { waiting: 0, parked: 0 };
    return { waiting: state.outbox.length + waiting, parked };
  }

  /** How many chunks wait for the history, parked ones left out. */
  waitingChunks({ state, delivery }: StoredInstance): number {
    const inRow = state.outbox.filter(({ effect }) => effect.type === "chunk").length;
    return inRow + (delivery.held === 0 ? 0 : this.#held.count().chunks);
  }

  /** Whether its outbox is too large for its row. */
  mustMove({ state }: StoredInstance): boolean {
    return surplusOf(state.outbox).length > 0;
  }

  /** The same instance with an outbox that its row can hold. The rest moves to rows of its own in the same write. */
  small(stored: StoredInstance, now: number): StoredInstance {
    const moved = surplusOf(stored.state.outbox);
    if (moved.length === 0) return stored;
    this.#held.hold(withProgress(moved, stored.delivery.attempts.effects), now);
    return this.#withHeldCount(withoutThose(stored, new Set(moved.map(({ id }) => id))));
  }

  /** The instance after a try at one target: with what is left to do of the effects that were tried. */
  afterTry(stored: StoredInstance, outcome: TargetOutcome, moment: Moment): AfterTry {
    const isTried = new Set([...outcome.passed, ...outcome.failed]);
    const tried = this.waitingFor(outcome.target, stored).filter(({ pending }) => isTried.has(pending.id));
    const { down, effects } = settle(tried, outcome, stored.delivery.attempts.targets, moment);
    const done = effects.filter((one) => isDone(one) && !isForget(one.pending));
    const parked = effects.filter(isToPark);
    // What a target that is down did not take is as it was, and costs no write.
    const settled = new Set([...done, ...parked, ...tried]);
    const changed = effects.filter((one) => !settled.has(one));

    let next = withAttempts(stored, { targets: down });
    next = this.#remove(next, done);
    next = this.#keep(next, changed, moment.now);
    const kept = this.#park(next, parked, moment.now);
    return { ...kept, done, parked };
  }

  parked(): ParkedEffect[] {
    return this.#held.parked();
  }

  /** The instance after a try of parked effects, which are as they are now. */
  afterParkedTry(stored: StoredInstance, tried: readonly ParkedEffect[], now: number): Lessened {
    this.#held.remove(tried.filter(isDone));
    this.#held.park(tried.filter((one) => !isDone(one)));
    const lost = this.#giveUpParked(now);
    const state = recordGivingUp(stored.state, lost, now);
    const parked = this.#held.count().parked === 0 ? null : { tryAt: now + PARKED_RETRY_MS };
    return { stored: { ...stored, state, delivery: { ...stored.delivery, parked } }, givenUp: lost };
  }

  /** What waits in rows of its own. */
  heldRows({ delivery }: StoredInstance): HeldRows {
    if (delivery.held === 0 && delivery.parked === null) return { waiting: 0, parked: [] };
    return { waiting: this.#held.count().waiting, parked: this.#held.parked() };
  }

  #remove(stored: StoredInstance, effects: readonly WaitingEffect[]): StoredInstance {
    if (effects.length === 0) return stored;
    const without = withoutThose(stored, new Set(effects.map(({ pending }) => pending.id)));
    if (stored.delivery.held === 0) return without;
    this.#held.remove(effects);
    return this.#withHeldCount(without);
  }

  /** Effects that still wait, each where it stands: in the row, or in one of its own. */
  #keep(stored: StoredInstance, effects: readonly WaitingEffect[], now: number): StoredInstance {
    const inRow = new Set(stored.state.outbox.map(({ id }) => id));
    this.#held.hold(
      effects.filter(({ pending }) => !inRow.has(pending.id)),
      now,
    );
    const kept = effects
      .filter(({ pending }) => inRow.has(pending.id))
      .map(({ pending: { id }, delivered, failing }) => ({ id, delivered, failing }));
    const isKept = new Set(kept.map(({ id }) => id));
    const others = stored.delivery.attempts.effects.filter(({ id }) => inRow.has(id) && !isKept.has(id));
    const tried = kept.filter(({ delivered, failing }) => delivered.length + failing.length > 0);
    return withAttempts(stored, { effects: [...others, ...tried] });
  }

  #park(stored: StoredInstance, effects: readonly WaitingEffect[], now: number): Lessened {
    if (effects.length === 0) return { stored, givenUp: [] };
    const without = this.#remove(stored, effects);
    this.#held.park(effects.map((one) => ({ ...one, parkedAt: now })));
    const told = recordParking(without.state, effects, now);
    const lost = this.#giveUpParked(now);
    const state = recordGivingUp(told, lost, now);
    const tryAt = stored.delivery.parked?.tryAt ?? now + PARKED_RETRY_MS;
    const delivery = { ...without.delivery, parked: { tryAt } };
    return { stored: { ...without, state, delivery }, givenUp: lost };
  }

  #giveUpParked(now: number): readonly GivenUp[] {
    return this.#held.giveUp(toGiveUp(this.#held.parkedRows(), now));
  }

  /** Gives up what has waited too long, and the oldest of what is too much. */
  giveUpOld(stored: StoredInstance, now: number): Lessened {
    const inRow = oldChunksIn(stored.state, now);
    const held =
      stored.delivery.held === 0
        ? []
        : [...this.#held.giveUpWaiting(now), ...this.#held.giveUpSurplus(HELD_CHARACTERS)];
    const lost = [...held, ...inRow.map((pending) => givenUpChunk(pending, now))];
    if (lost.length === 0) return { stored, givenUp: [] };
    const state = recordLosses(withoutLost(stored.state, inRow), lost, now);
    const next = { ...stored, state };
    return { stored: held.length === 0 ? next : this.#withHeldCount(next), givenUp: lost };
  }

  /** The instance with a try of everything due at once, whatever has failed and whatever is parked. */
  allDue(stored: StoredInstance, now: number): StoredInstance {
    const { attempts, held, parked } = stored.delivery;
    if (held > 0) this.#held.retryAll(now);
    const atOnce = (failing: readonly FailingTarget[]) => failing.map((each) => ({ ...each, retryAt: now }));
    const effects = attempts.effects.map((one) => ({ ...one, failing: atOnce(one.failing) }));
    const due = withAttempts(stored, { targets: atOnce(attempts.targets), effects });
    return { ...due, delivery: { ...due.delivery, parked: parked && { tryAt: now } } };
  }

  #withHeldCount(stored: StoredInstance): StoredInstance {
    return { ...stored, delivery: { ...stored.delivery, held: this.#held.count().waiting } };
  }
}

/** An instance without effects that were given up, and these. */
interface Lessened {
  readonly stored: StoredInstance;
  readonly givenUp: readonly GivenUp[];
}

function givenUpChunk(pending: PendingEffect, since: number): GivenUp {
  return { pending, heartbeats: heartbeatsOf(pending).length, since, target: "history" };
}

function isAnyHeld({ held, parked }: StoredInstance["delivery"]): boolean {
  return held > 0 || parked !== null;
}

/** What of an outbox the row can't hold: of what is kept for long, the oldest. A loss is counted up in the row. */
function surplusOf(outbox: readonly PendingEffect[]): PendingEffect[] {
  if (outbox.length <= FEW_EFFECTS || sizeOf(outbox) <= LARGEST_OUTBOX) return [];
  const moved: PendingEffect[] = [];
  let size = sizeOf(outbox);
  for (const pending of outbox) {
    if (size <= SMALL_OUTBOX) break;
    if ((pending.effect.type !== "chunk" && pending.effect.type !== "event") || isLoss(pending)) continue;
    moved.push(pending);
    size -= sizeOf([pending]);
  }
  return moved;
}

function sizeOf(effects: readonly PendingEffect[]): number {
  return JSON.stringify(effects).length;
}

/** The instance with a row that these effects have left. */
function withoutThose(stored: StoredInstance, ids: ReadonlySet<number>): StoredInstance {
  const effects = stored.delivery.attempts.effects.filter(({ id }) => !ids.has(id));
  return withAttempts({ ...stored, state: withoutEffects(stored.state, ids) }, { effects });
}

function withAttempts(stored: StoredInstance, attempts: Partial<Attempts>): StoredInstance {
  const { delivery } = stored;
  return { ...stored, delivery: { ...delivery, attempts: { ...delivery.attempts, ...attempts } } };
}

/** Whether what is parked must be tried. */
export function isParkedDue({ delivery }: StoredInstance, now: number): boolean {
  return delivery.parked !== null && delivery.parked.tryAt <= now;
}

/** The instance with the next try of what is parked an hour away. */
export function withParkedTried(stored: StoredInstance, now: number): StoredInstance {
  return { ...stored, delivery: { ...stored.delivery, parked: { tryAt: now + PARKED_RETRY_MS } } };
}
