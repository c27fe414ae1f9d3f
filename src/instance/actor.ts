import { DurableObject } from "cloudflare:workers";
import type { ActionOutcome } from "../actions/workflow.ts";
import { chooseShard } from "../history/shards.ts";
import { answerHeartbeat } from "../lifecycle/answer.ts";
import { decide, nextWakeAt, type Refusal } from "../lifecycle/decide.ts";
import type { Sighted } from "../lifecycle/effects.ts";
import type { Heartbeat, HeartbeatReport } from "../lifecycle/heartbeat.ts";
import type { InstanceEvent } from "../lifecycle/instance-event.ts";
import { isUnderWay } from "../lifecycle/order.ts";
import { waitingHeartbeats, withoutEffects } from "../lifecycle/outbox.ts";
import {
  addedIssues,
  compilePolicy,
  mergePolicy,
  type Policy,
  type PolicySettings,
  policyContradictions,
  policyIssues,
  withoutGuard,
} from "../lifecycle/policy.ts";
import { type MetricsSample, metricsSample } from "../lifecycle/sample.ts";
import { simulationSpeed } from "../lifecycle/simulation.ts";
import { newState } from "../lifecycle/state.ts";
import { HOUR_MS, MINUTE_MS } from "../lifecycle/time.ts";
import { detailView, type LiveView, liveView, type SavingsView, savingsView } from "../lifecycle/view.ts";
import { count } from "../meter/meter.ts";
import type { Machine } from "./machines.ts";
import { deliver } from "./outbox.ts";
import {
  type Absent,
  type ChangeOutcome,
  type CommandOutcome,
  type DetailWithPolicy,
  endingOf,
  type HeartbeatOutcome,
  type KeepAliveOutcome,
  type ProfileChanges,
  type Registration,
  UNKNOWN,
  type Unreadable,
} from "./outcomes.ts";
import { deleteInstance, type InstancePlace } from "./registry.ts";
import { InstanceStorage, type StoredInstance } from "./storage.ts";

/** An outbox that could not be emptied is tried again after this long. */
const RETRY_MS = MINUTE_MS;

/**
 * An outbox that is being emptied right now has an alarm at most this far away, should the object crash on the way.
 * A running instance always has one, so a steady heartbeat arms nothing.
 */
const CRASH_RETRY_MS = 5 * MINUTE_MS;

/** A row that cannot be read is looked at again after this long: a deployment may have brought the code that can. */
const UNREADABLE_RETRY_MS = HOUR_MS;

/** An alarm that has not fired for this long after its time never will. */
const OVERDUE_MS = 10 * MINUTE_MS;

/**
 * One instance: its live state, its one alarm, its effects. A thin shell around `decide`: load, decide, save state
 * and effects in one row, answer, then carry the effects out.
 */
export class InstanceActor extends DurableObject<Env> {
  readonly #storage: InstanceStorage;
  /** The runs that empty the outbox, one after the other. */
  #emptying: Promise<void> = Promise.resolve();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#storage = new InstanceStorage(ctx.storage.sql);
  }

  async register(
    registration: Registration,
  ): Promise<{ outcome: "registered"; tokenGeneration: number } | { outcome: "exists" }> {
    if (this.#storage.load().kind !== "none") return { outcome: "exists" };
    const now = Date.now();
    const stored: StoredInstance = {
      userId: registration.userId,
      instanceId: registration.instanceId,
      tokenGeneration: now,
      historyShard: chooseShard(this.env, registration.userId, registration.instanceId),
      overrides: registration.overrides,
      userPolicy: registration.userPolicy,
      userPolicyVersion: registration.userPolicyVersion,
      usedLinks: [],
      state: newState({ ...registration.profile, registeredAt: now }),
    };
    await this.#decide(stored, { type: "registered", sighted: registration.sighted }, now);
    await this.#emptyOutbox();
    return { outcome: "registered", tokenGeneration: now };
  }

  async heartbeat(tokenGeneration: number, report: HeartbeatReport): Promise<HeartbeatOutcome> {
    const stored = this.#known();
    if (stored === null) return this.#absence();
    if (stored.tokenGeneration !== tokenGeneration) return { outcome: "old_token" };
    const now = Date.now();
    const { stored: next } = await this.#decide(stored, { type: "heartbeat", report }, now);
    this.#emptyOutboxSoon();
    return { outcome: "accepted", answer: answerHeartbeat(next.state, this.#policy(next), now) };
  }

  /** `minutes` null means as long as the policy says. */
  async keepAlive(minutes: number | null): Promise<KeepAliveOutcome> {
    const stored = this.#known();
    return stored === null ? this.#absence() : this.#keepAlive(stored, minutes, Date.now());
  }

  /**
   * Keeps the instance alive by the link of an alert, which works once, and only for the registration that it was made
   * for: which links were used is forgotten with the instance.
   */
  async useLink(link: {
    readonly id: string;
    readonly expiresAt: number;
    readonly registeredAt: number;
  }): Promise<KeepAliveOutcome | { readonly outcome: "used" }> {
    const stored = this.#known();
    if (stored === null) return this.#absence();
    if (stored.state.profile.registeredAt !== link.registeredAt) return UNKNOWN;
    const { id, expiresAt } = link;
    if (stored.usedLinks.some((used) => used.id === id)) return { outcome: "used" };
    const now = Date.now();
    const stillGood = stored.usedLinks.filter((used) => used.expiresAt > now);
    const usedLinks = [...stillGood, { id, expiresAt }];
    return this.#keepAlive({ ...stored, usedLinks }, null, now);
  }

  async hibernate(): Promise<CommandOutcome> {
    return this.#command({ type: "hibernate.requested" }, Date.now());
  }

  async wake(): Promise<CommandOutcome> {
    return this.#command({ type: "wake.requested" }, Date.now());
  }

  async change(changes: ProfileChanges): Promise<ChangeOutcome> {
    const stored = this.#known();
    if (stored === null) return this.#absence();
    const overrides = changes.overrides ?? stored.overrides;
    const { provider } = stored.state.profile;
    const issues = addedIssues(
      policyIssues(settingsOf(stored), provider),
      policyIssues(mergePolicy(stored.userPolicy, overrides), changes.profile.provider ?? provider),
    );
    if (issues.length > 0) return { outcome: "bad_policy", issues };
    const now = Date.now();
    const outcome =
      Object.keys(changes.profile).length === 0
        ? null
        : await this.#command(
            { type: "changed", changes: changes.profile, sighted: changes.sighted ?? null },
            now,
          );
    if (outcome !== null && outcome.outcome !== "accepted") return outcome;
    if (changes.overrides !== undefined) await this.#applyPolicy({ overrides: changes.overrides }, now);
    await this.#emptyOutbox();
    return this.#accepted(now);
  }

  /** Issues a new generation of the instance's token; tokens of the former one are refused from now on. */
  async rotateToken(): Promise<{ outcome: "rotated"; tokenGeneration: number } | Absent> {
    const stored = this.#known();
    if (stored === null) return this.#absence();
    const now = Date.now();
    const tokenGeneration = Math.max(now, stored.tokenGeneration + 1);
    await this.#decide({ ...stored, tokenGeneration }, { type: "token.rotated" }, now);
    this.#emptyOutboxSoon();
    return { outcome: "rotated", tokenGeneration };
  }

  /**
   * Stops watching: the registry lets go, and everything here is forgotten. The provider is not touched. A row that
   * cannot be read goes too, and as it does not say whose it was, the caller does. While the registry is out of reach such a
   * row stays, and the answer is that it is unreadable.
   */
  async remove(place: InstancePlace): Promise<{ outcome: "removed" } | Absent> {
    const stored = this.#known();
    if (stored === null) {
      const unreadable = this.#unreadable();
      if (unreadable === null) return UNKNOWN;
      try {
        await deleteInstance(this.env.DB, place.userId, place.instanceId).run();
      } catch (error) {
        console.warn("the registry did not let go of an unreadable instance", error);
        return unreadable;
      }
      await this.#forget();
      return { outcome: "removed" };
    }
    await this.#decide(stored, { type: "removed" }, Date.now());
    await this.#emptyOutbox();
    return { outcome: "removed" };
  }

  /** Whether the order still stands. `sighted`: what its provider has just shown of the machine. */
  async checkOrder(actionId: string, sighted: Sighted | null): Promise<boolean> {
    return this.#order({ type: "action.checked", actionId, sighted });
  }

  /** The provider is about to be told of this order: does it still stand? */
  async tryOrder(actionId: string): Promise<boolean> {
    return this.#order({ type: "action.tried", actionId });
  }

  /** That try has failed: the order is as if it had not been given. */
  async refuseOrder(actionId: string): Promise<void> {
    await this.#order({ type: "action.refused", actionId });
  }

  /** That try was taken: from now on the order can't be called off. */
  async acceptOrder(actionId: string): Promise<void> {
    await this.#order({ type: "action.accepted", actionId });
  }

  async #order(event: Extract<InstanceEvent, { actionId: string }>): Promise<boolean> {
    this.#mustBeReadable();
    const stored = this.#known();
    if (stored === null) return false;
    const { stored: next } = await this.#decide(stored, event, Date.now());
    this.#emptyOutboxSoon();
    return isUnderWay(next.state, event.actionId);
  }

  /** How an action ended. Said twice, it changes nothing more. */
  async endAction(actionId: string, outcome: ActionOutcome): Promise<void> {
    this.#mustBeReadable();
    await this.#command(endingOf(actionId, outcome), Date.now());
  }

  /** The daily look: an expired orphan is led to its end, and an alarm that the platform lost is armed again. */
  async cleanUp(): Promise<void> {
    this.#mustBeReadable();
    const stored = this.#known();
    if (stored === null) return;
    const now = Date.now();
    const armed = await this.ctx.storage.getAlarm();
    const due = armed ?? nextWakeAt(stored.state, this.#policy(stored), now);
    // A lost alarm is one that came too late: whoever it would have moved along starts anew.
    if (due !== null && due < now - OVERDUE_MS)
      await this.#decide(stored, { type: "alarm", dueAt: due }, now);
    await this.#command({ type: "cleanup" }, now);
    await this.#emptyOutbox();
  }

  /** Reads the user's policy anew, as every exchange with the database does. */
  async refreshPolicy(): Promise<void> {
    if (this.#known() === null) return;
    await this.#emptyOutbox("even when empty");
  }

  async live(): Promise<LiveView | Unreadable | null> {
    const stored = this.#known();
    if (stored === null) return this.#unreadable();
    return liveView(stored.instanceId, stored.state, this.#policy(stored), Date.now());
  }

  async detail(): Promise<DetailWithPolicy | Unreadable | null> {
    const stored = this.#known();
    if (stored === null) return this.#unreadable();
    return {
      ...detailView(stored.instanceId, stored.state, this.#policy(stored), Date.now()),
      policy: settingsOf(stored),
      policy_overrides: { user: stored.userPolicy, instance: withoutGuard(stored.overrides) },
    };
  }

  /** The machine that it watches, whoever can reach it; null for an unknown instance. */
  async machine(): Promise<Machine | Unreadable | null> {
    const stored = this.#known();
    if (stored === null) return this.#unreadable();
    const { provider, providerRef } = stored.state.profile;
    return { provider, ref: providerRef ?? stored.instanceId };
  }

  async sample(): Promise<MetricsSample | Unreadable | null> {
    const stored = this.#known();
    if (stored === null) return this.#unreadable();
    return metricsSample(stored.instanceId, stored.state, this.#policy(stored), Date.now());
  }

  async savings(): Promise<(SavingsView & { instance_id: string; name: string }) | Unreadable | null> {
    const stored = this.#known();
    if (stored === null) return this.#unreadable();
    return {
      instance_id: stored.instanceId,
      name: stored.state.profile.name,
      ...savingsView(stored.state, Date.now()),
    };
  }

  /** Where its heartbeats are kept, and those that may not be there yet, oldest first; null for an unknown instance. */
  async history(): Promise<{ readonly shard: number; readonly waiting: Heartbeat[] } | Unreadable | null> {
    const stored = this.#known();
    if (stored === null) return this.#unreadable();
    return { shard: stored.historyShard, waiting: waitingHeartbeats(stored.state) };
  }

  /**
   * The platform tries a failed alarm six times and then never again, so this one never throws: whatever fails is
   * tried at the next alarm.
   */
  override async alarm(invocation?: AlarmInvocationInfo): Promise<void> {
    const now = Date.now();
    try {
      if (this.#unreadable() !== null) return await this.ctx.storage.setAlarm(now + UNREADABLE_RETRY_MS);
      const stored = this.#stored();
      if (stored === null) return;
      const dueAt = invocation?.scheduledTime ?? now;
      await this.#decide(stored, { type: "alarm", dueAt }, now);
      await this.#emptyOutbox();
    } catch (error) {
      console.error("alarm failed", error);
      await this.ctx.storage.setAlarm(now + RETRY_MS);
    }
  }

  /** The stored instance; null for one that is unknown or unreadable. */
  #stored(): StoredInstance | null {
    const loaded = this.#storage.load();
    return loaded.kind === "stored" ? loaded.stored : null;
  }

  #unreadable(): Unreadable | null {
    const loaded = this.#storage.load();
    return loaded.kind === "unreadable" ? { outcome: "unreadable", because: loaded.because } : null;
  }

  /** Throws for whoever tries again until the instance can be read: a workflow's step, the daily cleanup. */
  #mustBeReadable(): void {
    const unreadable = this.#unreadable();
    if (unreadable !== null) throw new Error(`the stored instance is unreadable: ${unreadable.because}`);
  }

  /** Why there is no instance to act upon. */
  #absence(): Absent {
    return this.#unreadable() ?? UNKNOWN;
  }

  /** The stored instance, unless it is on its way out. */
  #known(): StoredInstance | null {
    const stored = this.#stored();
    if (stored === null) return null;
    const leaving = stored.state.outbox.some(({ effect }) => effect.type === "forget");
    return leaving ? null : stored;
  }

  get #speed(): number {
    return simulationSpeed(this.env);
  }

  #policy(stored: StoredInstance): Policy {
    return compilePolicy(settingsOf(stored), this.#speed);
  }

  async #command(event: InstanceEvent, now: number): Promise<CommandOutcome> {
    const stored = this.#known();
    if (stored === null) return this.#absence();
    const { refusal } = await this.#decide(stored, event, now);
    if (refusal !== null) return { outcome: "refused", refusal };
    this.#emptyOutboxSoon();
    return this.#accepted(now);
  }

  #accepted(now: number): CommandOutcome {
    const stored = this.#stored();
    if (stored === null) return this.#absence();
    const detail = detailView(stored.instanceId, stored.state, this.#policy(stored), now);
    return { outcome: "accepted", detail };
  }

  async #keepAlive(stored: StoredInstance, minutes: number | null, now: number): Promise<KeepAliveOutcome> {
    const durationMs =
      minutes === null ? this.#policy(stored).keepAliveMs : (minutes * MINUTE_MS) / this.#speed;
    const { stored: next, refusal } = await this.#decide(stored, { type: "keep_alive", durationMs }, now);
    if (refusal !== null) return { outcome: "refused", refusal };
    this.#emptyOutboxSoon();
    const until = next.state.clock.keepAliveUntil ?? now;
    return {
      outcome: "accepted",
      validForMinutes: Math.ceil(((until - now) * this.#speed) / MINUTE_MS),
    };
  }

  /** Decides, saves state and effects in one row, and arms the alarm. */
  async #decide(
    stored: StoredInstance,
    event: InstanceEvent,
    now: number,
  ): Promise<{ stored: StoredInstance; refusal: Refusal | null }> {
    // A heartbeat is no silence, and a new policy would find deadlines past that never were.
    const asItIs = event.type === "heartbeat" || event.type === "policy.changed";
    const current = asItIs ? stored.state : this.#caughtUp(stored, now);
    const decision = decide(current, event, this.#policy(stored), now);
    const next = { ...stored, state: decision.state };
    if (decision.state !== stored.state) this.#storage.save(next);
    const crashRetryAt = decision.state.outbox.length > 0 ? now + CRASH_RETRY_MS : null;
    await this.#armAtLatest(earliest(decision.wakeAt, crashRetryAt));
    return { stored: next, refusal: decision.refusal };
  }

  /**
   * The state, after a deadline that passed long ago: whatever kept the service from it, an unreadable row above all, also
   * kept it from hearing the instance. So its silence moves it no further along.
   */
  #caughtUp(stored: StoredInstance, now: number): StoredInstance["state"] {
    const policy = this.#policy(stored);
    const dueAt = nextWakeAt(stored.state, policy, now);
    if (dueAt === null || dueAt >= now - OVERDUE_MS) return stored.state;
    return decide(stored.state, { type: "alarm", dueAt }, policy, now).state;
  }

  /** The alarm is lazy: one that is armed for an earlier moment stays, and arms itself anew when it fires. */
  async #armAtLatest(moment: number | null): Promise<void> {
    if (moment === null) return;
    const armed = await this.ctx.storage.getAlarm();
    if (armed !== null && armed <= moment && armed > Date.now() - OVERDUE_MS) return;
    // A moment in the past would be taken for now, yet be refused by some versions of the runtime.
    await this.ctx.storage.setAlarm(Math.max(moment, Date.now() + 1));
  }

  #emptyOutboxSoon(): void {
    if ((this.#stored()?.state.outbox.length ?? 0) > 0) {
      this.ctx.waitUntil(this.#emptyOutbox());
    }
  }

  /** Carries effects out until none is left or the database fails. Never throws. One run at a time. */
  async #emptyOutbox(when: "when there is one" | "even when empty" = "when there is one"): Promise<void> {
    this.#emptying = this.#emptying.then(() => this.#deliverAll(when === "even when empty"));
    await this.#emptying;
  }

  async #deliverAll(atLeastOnce: boolean): Promise<void> {
    let ask = atLeastOnce;
    for (;;) {
      const before = this.#stored();
      if (before === null || (before.state.outbox.length === 0 && !ask)) return;
      ask = false;
      try {
        const delivery = await deliver(this.env, before);
        if (delivery.forgotten) return await this.#forget();
        if (delivery.chunks > 0) count(this.env, this.ctx, "chunks", {}, delivery.chunks);
        // Heartbeats may have come in meanwhile: what is saved is the state as it is now.
        const after = this.#stored() ?? before;
        if (delivery.done.size > 0) {
          this.#storage.save({ ...after, state: withoutEffects(after.state, delivery.done) });
        }
        const now = Date.now();
        if (delivery.userPolicy !== null && delivery.userPolicy.version > after.userPolicyVersion) {
          await this.#applyPolicy(
            {
              userPolicy: delivery.userPolicy.overrides,
              userPolicyVersion: delivery.userPolicy.version,
            },
            now,
          );
        }
        for (const answer of delivery.answers) await this.#decide(this.#stored() ?? after, answer, now);
      } catch (error) {
        console.warn("outbox not delivered, will be tried again", error);
        const waiting = before.state.outbox.filter(({ effect }) => effect.type === "chunk").length;
        count(this.env, this.ctx, "outbox_failures", {});
        if (waiting > 0) count(this.env, this.ctx, "waiting_chunks", {}, waiting);
        await this.#armAtLatest(Date.now() + RETRY_MS);
        return;
      }
    }
  }

  /** Takes on new policy levels, unless merged they would contradict themselves: then the former ones stand. */
  async #applyPolicy(
    levels: Partial<Pick<StoredInstance, "overrides" | "userPolicy" | "userPolicyVersion">>,
    now: number,
  ): Promise<void> {
    const stored = this.#stored();
    if (stored === null) return;
    const next = { ...stored, ...levels, state: this.#caughtUp(stored, now) };
    if (policyContradictions(settingsOf(next), next.state.profile.provider).length > 0) {
      this.#storage.save({ ...stored, userPolicyVersion: next.userPolicyVersion });
      return;
    }
    await this.#decide(next, { type: "policy.changed", former: this.#policy(stored) }, now);
  }

  async #forget(): Promise<void> {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#storage.forget();
  }
}

function settingsOf(stored: StoredInstance): PolicySettings {
  return mergePolicy(stored.userPolicy, stored.overrides);
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
