import { decide, nextWakeAt } from "../lifecycle/decide.ts";
import { breachesOf, type Invariant } from "../lifecycle/invariants.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import { withoutEffects } from "../lifecycle/model/outbox.ts";
import { compilePolicy, type Policy } from "../lifecycle/model/policy.ts";
import { policyContradictions } from "../lifecycle/model/policy-issues.ts";
import { mergePolicy, type PolicySettings } from "../lifecycle/model/policy-settings.ts";
import { HOUR_MS, MINUTE_MS } from "../lifecycle/model/time.ts";
import type { Refusal } from "../lifecycle/rules/commands.ts";
import { withhold } from "../lifecycle/withhold.ts";
import { simulationSpeed } from "../platform/simulation-speed.ts";
import { count } from "../service/meter.ts";
import { deliver } from "./outbox.ts";
import { type Absent, UNAVAILABLE, UNKNOWN, type Unavailable, type Unreadable } from "./outcomes.ts";
import { InstanceStorage } from "./storage.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** An outbox that could not be emptied is tried again after this long. */
const RETRY_MS = MINUTE_MS;

/**
 * An outbox that is being emptied right now has an alarm at most this far away, should the object crash on the way.
 * A running instance always has one, so a steady heartbeat arms nothing.
 */
const CRASH_RETRY_MS = 5 * MINUTE_MS;

/** A row that cannot be read is looked at again after this long: a deployment may have brought the code that can. */
const UNREADABLE_RETRY_MS = HOUR_MS;

/** What broke an invariant is tried again after this long: as long as it is decided in the same way, it will again. */
const WITHHELD_RETRY_MS = 5 * MINUTE_MS;

/** An alarm that has not fired for this long after its time never will. */
const OVERDUE_MS = 10 * MINUTE_MS;

export interface Decided {
  readonly outcome: "decided";
  readonly stored: StoredInstance;
  readonly refusal: Refusal | null;
}

/**
 * How an instance lives in its object: loaded, decided upon, saved with its effects in one write, woken by its one alarm,
 * its effects carried out. `actor.ts` says what can be asked of it.
 */
export class InstanceLife {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #storage: InstanceStorage;
  /** The runs that empty the outbox, one after the other. */
  #emptying: Promise<void> = Promise.resolve();
  /** The breaches that were logged and recorded, each with the hour of it. */
  readonly #told = new Set<string>();

  constructor(ctx: DurableObjectState, env: Env) {
    this.#ctx = ctx;
    this.#env = env;
    this.#storage = new InstanceStorage(ctx.storage.sql);
  }

  /**
   * The alarm that was due at `dueAt` has fired. The platform tries a failed one six times and then never again, so this
   * never throws: whatever fails is tried at the next alarm.
   */
  async wake(dueAt: number): Promise<void> {
    const now = Date.now();
    try {
      if (this.unreadable() !== null) return await this.#ctx.storage.setAlarm(now + UNREADABLE_RETRY_MS);
      const stored = this.stored();
      if (stored === null) return;
      await this.decide(stored, { type: "alarm", dueAt }, now);
      await this.emptyOutbox();
    } catch (error) {
      console.error("alarm failed", error);
      await this.#ctx.storage.setAlarm(now + RETRY_MS);
    }
  }

  /** Whether there is a row, readable or not. */
  isKnown(): boolean {
    return this.#storage.load().kind !== "none";
  }

  /** The stored instance; null for one that is unknown or unreadable. */
  stored(): StoredInstance | null {
    const loaded = this.#storage.load();
    return loaded.kind === "stored" ? loaded.stored : null;
  }

  unreadable(): Unreadable | null {
    const loaded = this.#storage.load();
    return loaded.kind === "unreadable" ? { outcome: "unreadable", because: loaded.because } : null;
  }

  /** Throws for whoever tries again until the instance can be read: a workflow's step, the daily cleanup. */
  mustBeReadable(): void {
    const unreadable = this.unreadable();
    if (unreadable !== null) throw new Error(`the stored instance is unreadable: ${unreadable.because}`);
  }

  /** Why there is no instance to act upon. */
  absence(): Absent {
    return this.unreadable() ?? UNKNOWN;
  }

  /** The stored instance, unless it is on its way out. */
  known(): StoredInstance | null {
    const stored = this.stored();
    if (stored === null) return null;
    const leaving = stored.state.outbox.some(({ effect }) => effect.type === "forget");
    return leaving ? null : stored;
  }

  get speed(): number {
    return simulationSpeed(this.#env);
  }

  policy(stored: StoredInstance): Policy {
    return compilePolicy(settingsOf(stored), this.speed);
  }

  /** Decides, saves state and effects in one row, and arms the alarm. What breaks an invariant is not saved. */
  async decide(stored: StoredInstance, event: InstanceEvent, now: number): Promise<Decided | Unavailable> {
    // A heartbeat ends the silence that catching up would judge. By a new policy deadlines would be past that never stood.
    const asItIs = event.type === "heartbeat" || event.type === "policy.changed";
    const current = asItIs ? stored.state : this.#caughtUp(stored, now);
    const decision = decide(current, event, this.policy(stored), now);
    const former = this.stored() ?? stored;
    const breaches = decision.state === former.state ? [] : breachesOf(former.state, decision.state, now);
    if (breaches.length > 0) return this.#withhold(event, breaches, now);
    const next = { ...stored, state: decision.state };
    if (decision.state !== stored.state) this.#storage.save(next);
    const crashRetryAt = decision.state.outbox.length > 0 ? now + CRASH_RETRY_MS : null;
    await this.#armAtLatest(earliest(decision.wakeAt, crashRetryAt));
    return { outcome: "decided", stored: next, refusal: decision.refusal };
  }

  /** A decision broke an invariant: the former state stands, and the next alarm is some time away. */
  async #withhold(event: InstanceEvent, breaches: readonly Invariant[], now: number): Promise<Unavailable> {
    count(this.#env, this.#ctx, "invariant_breaches", {});
    const former = this.stored();
    const news = this.#notYetTold(breaches, now);
    if (news.length > 0) {
      console.error("a decision broke an invariant:", news.join(), "upon", event.type, former?.instanceId);
    }
    if (former === null) return UNAVAILABLE;
    const state = withhold(former.state, event, news, this.policy(former), now);
    if (state !== former.state) this.#storage.save({ ...former, state });
    await this.#armAtLatest(now + WITHHELD_RETRY_MS);
    this.emptyOutboxSoon();
    return UNAVAILABLE;
  }

  /** Each once an hour. An object that has left memory since tells it again, and the history keeps one. */
  #notYetTold(breaches: readonly Invariant[], now: number): readonly Invariant[] {
    const key = (breach: Invariant) => `${breach} ${Math.floor(now / HOUR_MS)}`;
    const news = breaches.filter((breach) => !this.#told.has(key(breach)));
    for (const breach of news) this.#told.add(key(breach));
    return news;
  }

  /**
   * The state, after a deadline that passed long ago: whatever kept the service from it, an unreadable row above all, also
   * kept it from hearing the instance. So its silence moves it no further along.
   */
  #caughtUp(stored: StoredInstance, now: number): StoredInstance["state"] {
    const policy = this.policy(stored);
    const dueAt = nextWakeAt(stored.state, policy, now);
    if (dueAt === null || dueAt >= now - OVERDUE_MS) return stored.state;
    return decide(stored.state, { type: "alarm", dueAt }, policy, now).state;
  }

  /** The alarm is lazy: one that is armed for an earlier moment stays, and arms itself anew when it fires. */
  async #armAtLatest(moment: number | null): Promise<void> {
    if (moment === null) return;
    const armed = await this.#ctx.storage.getAlarm();
    if (armed !== null && armed <= moment && armed > Date.now() - OVERDUE_MS) return;
    // A moment in the past would be taken for now, yet be refused by some versions of the runtime.
    await this.#ctx.storage.setAlarm(Math.max(moment, Date.now() + 1));
  }

  /** Empties the outbox after the answer, so that the caller need not wait. */
  emptyOutboxSoon(): void {
    if ((this.stored()?.state.outbox.length ?? 0) > 0) {
      this.#ctx.waitUntil(this.emptyOutbox());
    }
  }

  /** Carries effects out until none is left or the database fails. Never throws. One run at a time. */
  async emptyOutbox(when: "when there is one" | "even when empty" = "when there is one"): Promise<void> {
    this.#emptying = this.#emptying.then(() => this.#deliverAll(when === "even when empty"));
    await this.#emptying;
  }

  async #deliverAll(atLeastOnce: boolean): Promise<void> {
    let ask = atLeastOnce;
    for (;;) {
      const before = this.stored();
      if (before === null || (before.state.outbox.length === 0 && !ask)) return;
      ask = false;
      try {
        const delivery = await deliver(this.#env, before);
        if (delivery.forgotten) return await this.forget();
        if (delivery.chunks > 0) count(this.#env, this.#ctx, "chunks", {}, delivery.chunks);
        // Heartbeats may have come in meanwhile: what is saved is the state as it is now.
        const after = this.stored() ?? before;
        if (delivery.done.size > 0) {
          this.#storage.save({ ...after, state: withoutEffects(after.state, delivery.done) });
        }
        const now = Date.now();
        if (delivery.userPolicy !== null && delivery.userPolicy.version > after.userPolicyVersion) {
          await this.applyPolicy(
            {
              userPolicy: delivery.userPolicy.overrides,
              userPolicyVersion: delivery.userPolicy.version,
            },
            now,
          );
        }
        for (const answer of delivery.answers) await this.decide(this.stored() ?? after, answer, now);
      } catch (error) {
        console.warn("outbox not delivered, will be tried again", error);
        const waiting = before.state.outbox.filter(({ effect }) => effect.type === "chunk").length;
        count(this.#env, this.#ctx, "outbox_failures", {});
        if (waiting > 0) count(this.#env, this.#ctx, "waiting_chunks", {}, waiting);
        await this.#armAtLatest(Date.now() + RETRY_MS);
        return;
      }
    }
  }

  /**
   * Takes on new policy levels, unless merged they would contradict themselves, or the decision upon them is withheld: then
   * the former ones stand: only of the latter the caller is told.
   */
  async applyPolicy(
    levels: Partial<Pick<StoredInstance, "overrides" | "userPolicy" | "userPolicyVersion">>,
    now: number,
  ): Promise<Unavailable | null> {
    const stored = this.stored();
    if (stored === null) return null;
    const next = { ...stored, ...levels, state: this.#caughtUp(stored, now) };
    if (policyContradictions(settingsOf(next), next.state.profile.provider).length > 0) {
      this.#storage.save({ ...stored, userPolicyVersion: next.userPolicyVersion });
      return null;
    }
    const decided = await this.decide(next, { type: "policy.changed", former: this.policy(stored) }, now);
    return decided.outcome === "unavailable" ? decided : null;
  }

  /** Empties the storage: the instance was never here. */
  async forget(): Promise<void> {
    await this.#ctx.storage.deleteAlarm();
    await this.#ctx.storage.deleteAll();
    this.#storage.forget();
  }
}

/** The policy of the instance, all levels merged. */
export function settingsOf(stored: StoredInstance): PolicySettings {
  return mergePolicy(stored.userPolicy, stored.overrides);
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
