import { DurableObject } from "cloudflare:workers";
import { deleteInstance, type InstancePlace } from "../fleet/registry.ts";
import type { Sighted } from "../lifecycle/model/effects.ts";
import type { Heartbeat, HeartbeatReport } from "../lifecycle/model/heartbeat.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import { waitingHeartbeats } from "../lifecycle/model/outbox.ts";
import { withoutGuard } from "../lifecycle/model/policy-settings.ts";
import { isUnderWay } from "../lifecycle/rules/order.ts";
import { answerHeartbeat } from "../lifecycle/views/heartbeat-answer.ts";
import {
  detailView,
  type LiveView,
  liveView,
  type SavingsView,
  savingsView,
} from "../lifecycle/views/instance-view.ts";
import { type MetricsSample, metricsSample } from "../lifecycle/views/metrics-sample.ts";
import type { ActionOutcome } from "../orders/order.ts";
import type { MachineKey } from "../providers/machines.ts";
import {
  change,
  command,
  type KeepAliveLink,
  keepAlive,
  type RegisterOutcome,
  type RotateOutcome,
  register,
  rotateToken,
  useLink,
} from "./commands.ts";
import { InstanceLife, settingsOf } from "./life.ts";
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
  type Unavailable,
  type Unreadable,
} from "./outcomes.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** What a workflow's step hears, and tries again. */
const NOT_DECIDED = "the decision broke an invariant, and was not carried out";

/**
 * One instance: its live state, its one alarm, its effects. A thin shell around `decide`: load, decide, save state
 * and effects in one row, answer, then carry the effects out.
 */
export class InstanceActor extends DurableObject<Env> {
  readonly #life: InstanceLife;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#life = new InstanceLife(ctx, env);
  }

  async register(registration: Registration): Promise<RegisterOutcome> {
    return register(this.#life, this.env, registration);
  }

  async heartbeat(tokenGeneration: number, report: HeartbeatReport): Promise<HeartbeatOutcome> {
    const stored = this.#life.known();
    if (stored === null) return this.#life.absence();
    if (stored.tokenGeneration !== tokenGeneration) return { outcome: "old_token" };
    const now = Date.now();
    const decided = await this.#life.decide(stored, { type: "heartbeat", report }, now);
    if (decided.outcome === "unavailable") return decided;
    this.#life.emptyOutboxSoon();
    const { stored: next } = decided;
    return { outcome: "accepted", answer: answerHeartbeat(next.state, this.#life.policy(next), now) };
  }

  /** `minutes` null means as long as the policy says. */
  async keepAlive(minutes: number | null): Promise<KeepAliveOutcome> {
    return keepAlive(this.#life, minutes);
  }

  /** Keeps the instance alive by the link of an alert, which works once. */
  async useLink(link: KeepAliveLink): Promise<KeepAliveOutcome | { readonly outcome: "used" }> {
    return useLink(this.#life, link);
  }

  async hibernate(): Promise<CommandOutcome> {
    return command(this.#life, { type: "hibernate.requested" });
  }

  async wake(): Promise<CommandOutcome> {
    return command(this.#life, { type: "wake.requested" });
  }

  async change(changes: ProfileChanges): Promise<ChangeOutcome> {
    return change(this.#life, changes);
  }

  /** Issues a new generation of the instance's token; tokens of the former one are refused from now on. */
  async rotateToken(): Promise<RotateOutcome> {
    return rotateToken(this.#life);
  }

  /**
   * Stops watching: the registry lets go, and everything here is forgotten. The provider is not touched. A row that
   * cannot be read goes too, and as it does not say whose it was, the caller does. While the registry is out of reach such a
   * row stays, and the answer is that it is unreadable.
   */
  async remove(place: InstancePlace): Promise<{ outcome: "removed" } | Absent | Unavailable> {
    const stored = this.#life.known();
    if (stored === null) {
      const unreadable = this.#life.unreadable();
      if (unreadable === null) return UNKNOWN;
      try {
        await deleteInstance(this.env.DB, place.userId, place.instanceId).run();
      } catch (error) {
        console.warn("the registry did not let go of an unreadable instance", error);
        return unreadable;
      }
      await this.#life.forget();
      return { outcome: "removed" };
    }
    const decided = await this.#life.decide(stored, { type: "removed" }, Date.now());
    if (decided.outcome === "unavailable") return decided;
    await this.#life.emptyOutbox();
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
    this.#life.mustBeReadable();
    const stored = this.#life.known();
    if (stored === null) return false;
    const decided = await this.#life.decide(stored, event, Date.now());
    if (decided.outcome === "unavailable") throw new Error(NOT_DECIDED);
    this.#life.emptyOutboxSoon();
    return isUnderWay(decided.stored.state, event.actionId);
  }

  /** How an action ended. Said twice, it changes nothing more. */
  async endAction(actionId: string, outcome: ActionOutcome): Promise<void> {
    this.#life.mustBeReadable();
    const { outcome: heard } = await command(this.#life, endingOf(actionId, outcome));
    if (heard === "unavailable") throw new Error(NOT_DECIDED);
  }

  /** The daily look: an expired orphan is led to its end, and an alarm that the platform lost is armed again. */
  async cleanUp(): Promise<void> {
    this.#life.mustBeReadable();
    const stored = this.#life.known();
    if (stored === null) return;
    const { outcome } = await command(this.#life, { type: "cleanup" });
    if (outcome === "unavailable") throw new Error(NOT_DECIDED);
    await this.#life.emptyOutbox();
  }

  /** Reads the user's policy anew, as every exchange with the database does. */
  async refreshPolicy(): Promise<void> {
    if (this.#life.known() === null) return;
    await this.#life.emptyOutbox("even when empty");
  }

  async live(): Promise<LiveView | Unreadable | null> {
    return this.#read((stored) =>
      liveView(stored.instanceId, stored.state, this.#life.policy(stored), Date.now()),
    );
  }

  async detail(): Promise<DetailWithPolicy | Unreadable | null> {
    return this.#read((stored) => ({
      ...detailView(stored.instanceId, stored.state, this.#life.policy(stored), Date.now()),
      policy: settingsOf(stored),
      policy_overrides: { user: stored.userPolicy, instance: withoutGuard(stored.overrides) },
    }));
  }

  /** The machine that it watches, whoever can reach it; null for an unknown instance. */
  async machine(): Promise<MachineKey | Unreadable | null> {
    return this.#read((stored) => {
      const { provider, providerRef } = stored.state.profile;
      return { provider, ref: providerRef ?? stored.instanceId };
    });
  }

  async sample(): Promise<MetricsSample | Unreadable | null> {
    return this.#read((stored) =>
      metricsSample(stored.instanceId, stored.state, this.#life.policy(stored), Date.now()),
    );
  }

  async savings(): Promise<(SavingsView & { instance_id: string; name: string }) | Unreadable | null> {
    return this.#read((stored) => ({
      instance_id: stored.instanceId,
      name: stored.state.profile.name,
      ...savingsView(stored.state, Date.now()),
    }));
  }

  /** Where its heartbeats are kept, and those that may not be there yet, oldest first; null for an unknown instance. */
  async history(): Promise<{ readonly shard: number; readonly waiting: Heartbeat[] } | Unreadable | null> {
    return this.#read((stored) => ({ shard: stored.historyShard, waiting: waitingHeartbeats(stored.state) }));
  }

  /** What `view` shows of the stored instance; null for one that is unknown. */
  #read<T>(view: (stored: StoredInstance) => T): T | Unreadable | null {
    const stored = this.#life.known();
    return stored === null ? this.#life.unreadable() : view(stored);
  }

  override async alarm(invocation?: AlarmInvocationInfo): Promise<void> {
    await this.#life.wake(invocation?.scheduledTime ?? Date.now());
  }
}
