import type { Presence, UserPolicy } from "../fleet/report.ts";
import { decide, nextWakeAt } from "../lifecycle/decide.ts";
import { breachesOf, type Invariant } from "../lifecycle/invariants.ts";
import { sayFormer } from "../lifecycle/model/former-settings.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import { attribute, type Origin } from "../lifecycle/model/origin.ts";
import { dueChunk, isLeaving, project, withoutChunk } from "../lifecycle/model/outbox.ts";
import { compilePolicy, type Policy } from "../lifecycle/model/policy.ts";
import { policyContradictions } from "../lifecycle/model/policy-issues.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { storedOverridesSchema } from "../lifecycle/model/stored.ts";
import type { Refusal } from "../lifecycle/rules/refusals.ts";
import { withhold } from "../lifecycle/withhold.ts";
import { OVERDUE_MS } from "../platform/alarm.ts";
import { logError } from "../platform/log.ts";
import { readSettings } from "../platform/settings.ts";
import { count } from "../service/meter.ts";
import { alarmToSet, nextAlarm, type Outlook } from "./alarm.ts";
import { Breaches } from "./breaches.ts";
import { eventsIn, isOverdue, logChanges } from "./changes.ts";
import { idsOf, Outbox, type Owner } from "./outbox.ts";
import { type Absent, UNAVAILABLE, UNKNOWN, type Unavailable, type Unreadable } from "./outcomes.ts";
import { resume, UNKNOWN_PAST } from "./resume.ts";
import { settingsOf } from "./settings-of.ts";
import { InstanceStorage } from "./storage.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

interface Decided {
  readonly outcome: "decided";
  readonly stored: StoredInstance;
  readonly refusal: Refusal | null;
}

/**
 * How an instance lives in its object: loaded, decided on, saved with its effects in one write, woken by its one alarm.
 * `actor.ts` says what can be asked of it, `outbox.ts` carries its effects out.
 */
export class InstanceLife implements Owner {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #storage: InstanceStorage;
  readonly outbox: Outbox;
  readonly #breaches = new Breaches();

  constructor(ctx: DurableObjectState, env: Env) {
    this.#ctx = ctx;
    this.#env = env;
    this.#storage = new InstanceStorage(ctx.storage, ctx.id.name);
    this.outbox = new Outbox(ctx, env, this);
  }

  /**
   * The alarm that was due at `dueAt` has fired. The platform tries a failed one six times and then never again, so this
   * never throws: whatever fails is tried at the next alarm. It empties the outbox before it adds to it.
   */
  async wake(dueAt: number): Promise<void> {
    try {
      readSettings(this.#env);
      if (Date.now() - dueAt > OVERDUE_MS) count(this.#env, this.#ctx, "alarms_late", {});
      if (this.unreadable() !== null) {
        await this.#armFor({ kind: "unreadable" });
        return;
      }
      await this.outbox.emptyForAWhile();
      await this.receive({ type: "alarm", dueAt });
      await this.outbox.empty();
    } catch (error) {
      logError("alarm failed", idsOf(this.stored()), error);
      await this.#armFor({ kind: "failed" });
    }
  }

  /**
   * Decides upon a heartbeat or an alarm. If nothing else waits, a chunk that is due is handed over first, so that no second
   * save is needed to take it out of the outbox.
   */
  async receive(event: InstanceEvent, requestId?: string): Promise<Decided | Unavailable | null> {
    const before = this.known();
    if (before === null) return null;
    const chunk = Outbox.isClear(before) ? dueChunk(before.state, event, Date.now()) : null;
    const isDelivered = chunk !== null && (await this.outbox.deliverChunk(before, chunk));
    // Another event may have come in meanwhile: what is decided on is the state as it is now.
    const stored = this.known();
    if (stored === null) return null;
    const state = isDelivered ? withoutChunk(stored.state, chunk) : stored.state;
    return this.decide({ ...stored, state }, event, Date.now(), { former: state, requestId });
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
    return stored === null || isLeaving(stored.state) ? null : stored;
  }

  get speed(): number {
    return readSettings(this.#env).SIMULATION_SPEED;
  }

  policy(stored: StoredInstance): Policy {
    return compilePolicy(settingsOf(stored), this.speed, stored.suspended);
  }

  /**
   * Decides, saves state and effects in one row, and arms the alarm. What breaks an invariant is not saved. `former`: what the
   * decision is held against, the saved state but for what has been delivered since. An instance on its way out takes no step.
   */
  async decide(
    stored: StoredInstance,
    event: InstanceEvent,
    now: number,
    more: Origin & { readonly former?: InstanceState } = {},
  ): Promise<Decided | Unavailable> {
    const { former = (this.stored() ?? stored).state, requestId } = more;
    if (isLeaving(former)) return UNAVAILABLE;
    // A heartbeat ends the silence that catching up would judge. By a new policy deadlines would be past that never stood.
    // One that was set back begins anew.
    const asItIs = ["heartbeat", "policy.changed", "resumed"].includes(event.type);
    const current = asItIs ? stored.state : this.#caughtUp(stored, now);
    const policy = this.policy(stored);
    const decision = decide(current, event, policy, now);
    const breaches = breachesOf(former, decision.state, now, { event, policy });
    if (breaches.length > 0) return this.#withhold(event, breaches, now);
    const state = attribute(decision.state, current.nextEffectId, more);
    const next = { ...stored, state };
    if (state !== this.stored()?.state) this.save(next);
    logChanges(idsOf(stored), former, state, event.type, requestId);
    if (isOverdue(former, state, now)) count(this.#env, this.#ctx, "orders_overdue", {});
    await this.#arm(decision.wakeAt, now);
    return { outcome: "decided", stored: next, refusal: decision.refusal };
  }

  /** A decision broke an invariant: the former state stands, and the next alarm is some time away. */
  async #withhold(event: InstanceEvent, breaches: readonly Invariant[], now: number): Promise<Unavailable> {
    count(this.#env, this.#ctx, "invariant_breaches", {});
    const former = this.stored();
    const news = this.#breaches.notYetTold(breaches, now);
    if (news.length > 0) {
      const fields = { invariants: news.join(), upon: event.type };
      logError("a decision broke an invariant", { ...idsOf(former), ...fields });
    }
    if (former === null) return UNAVAILABLE;
    const state = withhold(former.state, event, news, this.policy(former), now);
    if (state !== former.state) this.save({ ...former, state });
    await this.#armFor({ kind: "withheld" }, now);
    this.outbox.emptySoon();
    return UNAVAILABLE;
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

  async decideIfKnown(event: InstanceEvent): Promise<void> {
    const stored = this.known();
    if (stored !== null) await this.decide(stored, event, Date.now());
  }

  /** Saves it as one row, and in the same write what of its outbox goes to rows of its own. */
  save(stored: StoredInstance): void {
    const firstId = this.stored()?.state.nextEffectId ?? 0;
    const save = () => this.#storage.save(this.outbox.toSave(stored));
    // A heartbeat saves its row alone.
    if (this.outbox.mustMove(stored)) this.#storage.transaction(save);
    else save();
    this.#countEvents(stored, firstId);
  }

  #countEvents({ state }: StoredInstance, firstId: number): void {
    for (const kind of eventsIn(state, firstId)) count(this.#env, this.#ctx, "events", { kind });
  }

  change(make: (stored: StoredInstance) => StoredInstance): void {
    const before = this.stored();
    if (before === null) return;
    let after = before;
    this.#storage.transaction(() => {
      after = make(before);
      if (after !== before) this.#storage.save(this.outbox.toSave(after));
    });
    this.#countEvents(after, before.state.nextEffectId);
  }

  /** Arms the alarm for what waits to be delivered. The lifecycle's deadlines have it armed already. */
  async armForOutbox(): Promise<void> {
    await this.#arm(null, Date.now());
  }

  /** Arms an alarm that the platform has lost. Says whether it had. */
  async rearm(): Promise<boolean> {
    const now = Date.now();
    const stored = this.stored();
    return stored !== null && this.#arm(nextWakeAt(stored.state, this.policy(stored), now), now);
  }

  async #arm(wakeAt: number | null, now: number): Promise<boolean> {
    const stored = this.stored();
    if (stored === null) return false;
    const tryAt = this.outbox.tryAt(stored, now);
    return this.#armFor({ kind: "readable", wakeAt, tryAt }, now);
  }

  /** Whether the alarm had to be set. */
  async #armFor(outlook: Outlook, now = Date.now()): Promise<boolean> {
    const set = alarmToSet(nextAlarm(outlook, now), await this.#ctx.storage.getAlarm(), Date.now());
    if (set !== null) await this.#ctx.storage.setAlarm(set);
    return set !== null;
  }

  /** Queues a report of how the instance is, unless one waits already. */
  async queueReport(): Promise<void> {
    const stored = this.known();
    if (stored === null || stored.state.outbox.some(({ effect }) => effect.type === "projection")) return;
    this.save({ ...stored, state: project(stored.state) });
    await this.armForOutbox();
  }

  /** Lets an instance that is on its way out go on, since its alarm may have been lost. Says whether there is one. */
  async goOnLeaving(): Promise<Presence> {
    if (this.stored() === null) return "unknown";
    await this.armForOutbox();
    this.outbox.emptySoon();
    return "known";
  }

  /** Its fleet has seen a later revision of it: so its storage was set back. */
  async setBackFrom(revision: number): Promise<void> {
    const stored = this.known();
    const isBehind = stored !== null && stored.state.nextEffectId <= revision;
    if (isBehind) await resume(this, stored, { ...UNKNOWN_PAST, lastId: revision });
  }

  /** Takes on the user's policy, unless it is known already or an older one. */
  async takeUserPolicy({ overrides, version, suspended = false }: UserPolicy): Promise<void> {
    const stored = this.known();
    if (stored === null || version <= stored.userPolicyVersion) return;
    const userPolicy = storedOverridesSchema.parse(overrides);
    await this.applyPolicy({ userPolicy, userPolicyVersion: version, suspended }, Date.now());
  }

  /**
   * Takes on new policy levels. The former ones stand if the new ones, merged, contradict themselves, or if the decision upon
   * them is withheld; only the second is told to the caller. Whether the user is suspended counts in either case.
   */
  async applyPolicy(
    levels: Partial<Pick<StoredInstance, "overrides" | "userPolicy" | "userPolicyVersion" | "suspended">>,
    now: number,
  ): Promise<Unavailable | null> {
    const stored = this.known();
    if (stored === null) return null;
    const asked = { ...stored, ...levels, state: this.#caughtUp(stored, now) };
    const { userPolicyVersion, suspended } = asked;
    const isRefused = policyContradictions(settingsOf(asked), asked.state.profile.provider).length > 0;
    const next = isRefused ? { ...stored, userPolicyVersion, suspended, state: asked.state } : asked;
    if (isRefused && suspended === stored.suspended) {
      this.save({ ...stored, userPolicyVersion });
      return null;
    }
    const formerSettings = sayFormer(settingsOf(stored), settingsOf(next));
    const event = { type: "policy.changed", former: this.policy(stored), formerSettings } as const;
    const decided = await this.decide(next, event, now);
    return decided.outcome === "unavailable" ? decided : null;
  }

  /** Empties the storage: the instance was never here. */
  async forget(): Promise<void> {
    await this.#ctx.storage.deleteAlarm();
    await this.#ctx.storage.deleteAll();
    this.#storage.forget();
  }
}
