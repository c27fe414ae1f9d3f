import { type Decision, decide } from "../../src/lifecycle/decide.ts";
import { breachesOf } from "../../src/lifecycle/invariants.ts";
import type { Effect } from "../../src/lifecycle/model/effects.ts";
import type { HeartbeatReport } from "../../src/lifecycle/model/heartbeat.ts";
import type { HistoryEvent } from "../../src/lifecycle/model/history-event.ts";
import type { InstanceEvent, LookAnswer } from "../../src/lifecycle/model/instance-event.ts";
import { withoutEffects } from "../../src/lifecycle/model/outbox.ts";
import { orphanOf } from "../../src/lifecycle/model/phase.ts";
import { compilePolicy, type Policy } from "../../src/lifecycle/model/policy.ts";
import { mergePolicy, type PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import type { ProviderKind } from "../../src/lifecycle/model/provider.ts";
import { type InstanceState, newState, type Profile } from "../../src/lifecycle/model/state.ts";
import { dueLook } from "../../src/lifecycle/rules/look.ts";
import type { Refusal } from "../../src/lifecycle/rules/refusals.ts";
import { answerHeartbeat, type HeartbeatAnswer } from "../../src/lifecycle/views/heartbeat-answer.ts";
import { type DetailView, detailView } from "../../src/lifecycle/views/instance-view.ts";

/** 2025-12-19T00:00:00Z: tests count their times from here. */
export const START = Date.UTC(2025, 11, 19);

/** `at("3:00")` is three minutes after the start, `at("1:00:00")` an hour; a fraction of a second may follow. */
export function at(clock: string): number {
  const parts = clock.split(":").map(Number);
  return START + Math.round(1000 * parts.reduce((total, part) => total * 60 + part, 0));
}

/**
 * One instance on a made-up clock, driven as the actor drives it: the alarm is armed lazily and fires when it is due,
 * and effects leave the outbox once they are seen.
 */
export class Timeline {
  state: InstanceState;
  policy: Policy;
  now = START;
  armedAt: number | null = null;
  readonly effects: Effect[] = [];
  /** What its provider shows when its machine is looked at; null: it does not answer, and nobody says so. */
  shows: LookAnswer | null = null;
  /** When it was looked at. */
  readonly looks: number[] = [];

  constructor(
    options: {
      provider?: ProviderKind;
      overrides?: PolicyOverrides;
      profile?: Partial<Profile>;
    } = {},
  ) {
    this.policy = compilePolicy(mergePolicy(options.overrides ?? {}));
    this.state = newState({
      name: "Rig",
      provider: options.provider ?? "webhook",
      providerRef: null,
      hourlyCost: 0.4,
      hibernatedHourlyCost: 0.01,
      registeredAt: START,
      ...options.profile,
    });
    this.apply({ type: "registered", sighted: null });
  }

  apply(event: InstanceEvent): Decision {
    const decision = decide(this.state, event, this.policy, this.now);
    const breaches = breachesOf(this.state, decision.state, this.now, { event, policy: this.policy });
    if (breaches.length > 0) throw new Error(`${event.type} breaks ${breaches.join(", ")}`);
    this.state = decision.state;
    if (decision.wakeAt !== null && (this.armedAt === null || this.armedAt > decision.wakeAt)) {
      this.armedAt = Math.max(decision.wakeAt, this.now + 1);
    }
    return decision;
  }

  /** Sees every effect, and lets it leave the outbox. */
  drain(): void {
    for (const { effect } of this.state.outbox) this.effects.push(effect);
    this.state = withoutEffects(this.state, new Set(this.state.outbox.map(({ id }) => id)));
  }

  /** Lets time pass up to and including `moment`, with every alarm on the way. */
  until(moment: number): this {
    while (this.armedAt !== null && this.armedAt <= moment) {
      this.now = this.armedAt;
      this.armedAt = null;
      this.apply({ type: "alarm", dueAt: this.now });
      this.#lookIfDue();
      this.drain();
    }
    this.now = moment;
    return this;
  }

  #lookIfDue(): void {
    const machine = dueLook(this.state, this.policy, this.now);
    if (machine === null) return;
    this.looks.push(this.now);
    this.apply({ type: "look.begun" });
    if (this.shows !== null) this.apply({ type: "looked", machine, answer: this.shows, sighted: null });
  }

  heartbeat(report: HeartbeatReport = { gpu_utilization: 87 }): HeartbeatAnswer {
    this.apply({ type: "heartbeat", report });
    this.drain();
    return answerHeartbeat(this.state, this.policy, this.now);
  }

  /** One heartbeat a minute from now up to and including `moment`. */
  beatUntil(moment: number, report: HeartbeatReport = { gpu_utilization: 87 }): this {
    for (let next = this.now; next <= moment; next += 60_000) {
      this.until(next);
      this.heartbeat(report);
    }
    return this.until(moment);
  }

  command(event: InstanceEvent): Pick<Refusal, "code" | "message"> | null {
    const { refusal } = this.apply(event);
    this.drain();
    return refusal === null ? null : { code: refusal.code, message: refusal.message };
  }

  /** The guard permits the step about which it was asked. */
  permit(openedAt: number | null = null): void {
    const step = orphanOf(this.state.phase)?.guard?.step ?? "hibernate";
    this.command({ type: "guard.permitted", step, openedAt });
  }

  /** The guard holds back the step about which it was asked. */
  defer(): void {
    const step = orphanOf(this.state.phase)?.guard?.step ?? "hibernate";
    this.command({ type: "guard.deferred", step });
  }

  /** The guard answers, if it was asked. */
  answerGuard(isPermitted: boolean): void {
    if (orphanOf(this.state.phase)?.guard == null) return;
    if (isPermitted) this.permit();
    else this.defer();
  }

  /** Whoever carries out the order under way makes a try, which is accepted. */
  accept(): void {
    const { actionId } = this;
    this.command({ type: "action.tried", actionId });
    this.command({ type: "action.accepted", actionId });
  }

  /** The order under way succeeds. */
  succeed(snapshotId: string | null = null): this {
    const { actionId } = this;
    this.command({ type: "action.succeeded", actionId, snapshotId, confirmedBy: "webhook" });
    return this;
  }

  /** The order under way fails. */
  fail(because = "503"): this {
    this.command({ type: "action.failed", actionId: this.actionId, because });
    return this;
  }

  /** The owner replaces the overrides of the policy. */
  changePolicy(overrides: PolicyOverrides): this {
    const former = this.policy;
    this.policy = compilePolicy(mergePolicy(overrides));
    this.command({ type: "policy.changed", former });
    return this;
  }

  get events(): HistoryEvent[] {
    return this.effects.flatMap((effect) => (effect.type === "event" ? [effect.event] : []));
  }

  get kinds(): string[] {
    return this.events.map((event) => event.kind);
  }

  /** Orders given to the provider so far. */
  get orders(): string[] {
    return this.effects.flatMap((effect) => (effect.type === "action" ? [effect.order.kind] : []));
  }

  get guardQuestions(): string[] {
    return this.effects.flatMap((effect) => (effect.type === "guard" ? [effect.step] : []));
  }

  get view(): DetailView {
    return detailView("28864630", this.state, this.policy, this.now);
  }

  /** The id of the action under way. */
  get actionId(): string {
    const { phase } = this.state;
    return "action" in phase ? phase.action.id : "none";
  }
}
