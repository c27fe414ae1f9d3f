import { DurableObject } from "cloudflare:workers";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import { waitingHeartbeats } from "../lifecycle/model/outbox.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { type PolicyOverrides, withoutGuard } from "../lifecycle/model/policy-settings.ts";
import type { Language } from "../lifecycle/model/words/said.ts";
import { orderOf } from "../lifecycle/rules/order.ts";
import { detailView, type LiveView, liveView } from "../lifecycle/views/instance-view.ts";
import { type MetricsSample, metricsSample } from "../lifecycle/views/metrics-sample.ts";
import { type PreparationsView, preparationsView } from "../lifecycle/views/preparation-view.ts";
import type { ActionParameters } from "../orders/order.ts";
import type { WatchedMachine } from "../providers/machines.ts";
import type { WaitingRange } from "./held.ts";
import { type InstanceInspection, inspectInstance } from "./inspection.ts";
import { InstanceLife } from "./life.ts";
import type { DetailWithPolicy, Unreadable } from "./outcomes.ts";
import { type PreviewOutcome, preview } from "./preview.ts";
import { settingsOf } from "./settings-of.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";
import { type StoryBasis, storyBasis } from "./story-basis.ts";
import { orderParameters } from "./targets.ts";

/** What a Worker of a version before asks for, which names no range. */
const NEWEST: WaitingRange = {
  from: 0,
  before: { at: Number.MAX_SAFE_INTEGER, sequence: 0 },
  limit: 1000,
};

/** What can be seen of an instance. Nothing here changes it. */
export class InstanceViews extends DurableObject<Env> {
  protected readonly life: InstanceLife;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.life = new InstanceLife(ctx, env);
  }

  /** The order under way, for whoever begins it anew; null without one that a provider carries out. */
  async orderUnderWay(): Promise<ActionParameters | Unreadable | null> {
    return this.#view((stored) => {
      const order = orderOf(stored.state);
      return order === null ? null : orderParameters(stored, order);
    });
  }

  /** All that is stored of the instance, for the operator; null for one that was never registered. */
  async inspect(): Promise<InstanceInspection | null> {
    return inspectInstance(this.life, this.ctx.storage);
  }

  /** For whom it is worded. A worker of the former release does not say: neither here nor below. */
  async live(
    language: Language = "en",
    timeZone: string | null = null,
  ): Promise<LiveView | Unreadable | null> {
    const reader = { language, timeZone };
    return this.#view(({ instanceId, state }, policy, now) =>
      liveView(instanceId, state, policy, now, reader),
    );
  }

  async detail(
    language: Language = "en",
    timeZone: string | null = null,
  ): Promise<DetailWithPolicy | Unreadable | null> {
    const reader = { language, timeZone };
    return this.#view((stored, policy, now) => ({
      ...detailView(stored.instanceId, stored.state, policy, now, reader),
      policy: settingsOf(stored),
      policy_overrides: { user: stored.userPolicy, instance: withoutGuard(stored.overrides) },
    }));
  }

  /** What would come next with these as its own overrides. */
  async preview(
    overrides: PolicyOverrides,
    language: Language = "en",
    timeZone: string | null = null,
  ): Promise<PreviewOutcome> {
    return preview(this.life, overrides, { language, timeZone });
  }

  /** Its preparation under way and the last one; null for an unknown instance. */
  async preparations(): Promise<PreparationsView | Unreadable | null> {
    return this.#view(({ state }) => preparationsView(state));
  }

  /** The machine that it watches, whoever can reach it; null for an unknown instance. */
  async machine(): Promise<WatchedMachine | Unreadable | null> {
    return this.#view(({ instanceId, state: { profile } }) => ({
      provider: profile.provider,
      ref: profile.providerRef ?? instanceId,
    }));
  }

  async sample(): Promise<MetricsSample | Unreadable | null> {
    return this.#view((stored, policy, now) => {
      const sample = metricsSample(stored.instanceId, stored.state, policy, now);
      const held = this.life.outbox.countHeldHeartbeats(stored);
      return { ...sample, waitingHeartbeats: sample.waitingHeartbeats + held };
    });
  }

  /**
   * Where its heartbeats are kept, and those of a range that may not be there yet: all that its row has, and of all others the
   * newest. Null for an unknown instance.
   */
  async history(
    range: WaitingRange = NEWEST,
  ): Promise<{ readonly shard: number; readonly waiting: Heartbeat[] } | Unreadable | null> {
    return this.#view((stored) => ({
      shard: stored.historyShard,
      waiting: [
        ...this.life.outbox.heldHeartbeats(stored, range).toReversed(),
        ...waitingHeartbeats(stored.state),
      ],
    }));
  }

  /** What it knows of its past, with its heartbeats of a range that may be in no database yet; null for an unknown instance. */
  async storyBasis(range: WaitingRange): Promise<StoryBasis | Unreadable | null> {
    return this.#view((stored, _, now) => storyBasis(stored, this.life.outbox, range, now));
  }

  #view<T>(view: (stored: StoredInstance, policy: Policy, now: number) => T): T | Unreadable | null {
    const stored = this.life.known();
    if (stored === null) return this.life.unreadable();
    return view(stored, this.life.policy(stored), Date.now());
  }
}
