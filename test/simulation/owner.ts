import { whileHolding } from "../../src/api/instances/machine.ts";
import type { UserPolicy } from "../../src/fleet/report.ts";
import { ApiError } from "../../src/http/errors.ts";
import type { Registration } from "../../src/instance/outcomes.ts";
import { isUnreadable } from "../../src/instance/outcomes.ts";
import type { Sighted } from "../../src/lifecycle/model/effects.ts";
import type { PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import { actorOf, fleetOf } from "../../src/platform/address.ts";
import { calledMachine, releaseMachine } from "../../src/providers/machines.ts";
import { openProvider } from "../../src/providers/registry.ts";
import type { Platform } from "./platform.ts";
import { outcomeOf, type Rig } from "./rig.ts";

const MINUTE = 60_000;

/** Short ladders, so that a life sees all of them. */
const POLICY: PolicyOverrides = {
  heartbeat_interval_seconds: 60,
  idle: { warn_after_seconds: 120, hibernate_after_seconds: 240 },
  orphan: {
    orphan_after_seconds: 180,
    hibernate_after_seconds: 300,
    force_hibernate_after_seconds: 600,
    delete_after_days: 0.012,
    never_heard_after_seconds: 240,
    act_on_never_heard: true,
  },
};

/** The user's own: a guard is a user's, not an instance's. */
export const USER_POLICY: PolicyOverrides = { guard: { window_seconds: 180, max_hold_seconds: 600 } };

export function registrationOf(
  rig: Rig,
  ref: string | null,
  sighted: Sighted | null,
  userPolicy: UserPolicy = { overrides: USER_POLICY, version: 1 },
): Registration {
  return {
    userId: rig.userId,
    instanceId: rig.instanceId,
    profile: {
      name: rig.instanceId,
      provider: ref === null ? "none" : "webhook",
      providerRef: ref,
      hourlyCost: 1,
      hibernatedHourlyCost: 0,
    },
    sighted,
    overrides: POLICY,
    userPolicy: userPolicy.overrides,
    userPolicyVersion: userPolicy.version,
  };
}

/** Who rents the machine of a rig, and does with it and with the service whatever comes to mind. */
export class Owner {
  readonly #platform: Platform;
  readonly #rig: Rig;
  #machines = 1;

  constructor(platform: Platform, rig: Rig) {
    this.#platform = platform;
    this.#rig = rig;
  }

  /** Registers the rig, as often as that is cut off, and looks after it from then on. */
  start(): void {
    const { scheduler } = this.#platform;
    const attempt = async () => {
      await this.register(this.#rig, this.#rig.ref).catch(() => "cut off");
      const generation = this.#rig.host.stored?.tokenGeneration;
      if (generation === undefined) scheduler.at(scheduler.now + 1000, () => void attempt());
      else {
        const { rates } = this.#platform;
        const lateMs = scheduler.chance(rates.lateAgent) ? scheduler.between(1, 25) * MINUTE : 0;
        if (lateMs === 0) this.#rig.begin(generation);
        else scheduler.at(scheduler.now + lateMs, () => this.#rig.begin(generation));
        this.#lookAfter();
      }
    };
    scheduler.at(scheduler.now + scheduler.between(0, MINUTE), () => void attempt());
  }

  /** As the API does it: the machine is looked at, claimed, and then registered. */
  async register(rig: Rig, ref: string): Promise<"registered" | "refused"> {
    const { userId, instanceId } = rig;
    const machine = { provider: "webhook", ref } as const;
    return this.#platform.request(async (env) => {
      try {
        const admission = await fleetOf(env, userId).admit(instanceId);
        if (admission === null) return "refused";
        const sighted = await sight(env, userId, ref, instanceId);
        return await whileHolding(env, userId, machine, instanceId, async () => {
          const registered = await actorOf(env, userId, instanceId).register(
            registrationOf(rig, ref, sighted, admission.policy),
          );
          if (registered.outcome === "exists") throw new ApiError("exists", "it is registered already");
          return "registered" as const;
        });
      } catch (error) {
        if (error instanceof ApiError) return "refused";
        throw error;
      }
    });
  }

  #lookAfter(): void {
    const { scheduler, rates, machines } = this.#platform;
    if (!scheduler.hostile) return;
    const state = machines.stateOf(this.#rig.ref);
    if (scheduler.chance(0.02)) void this.#keepAlive(scheduler.between(1, 10));
    if (scheduler.chance(0.02)) this.#rig.ask("hibernate");
    if (scheduler.chance(0.06)) this.#rig.ask("wake");
    if (scheduler.chance(rates.startedByHand) && state === "stopped") this.#startByHand();
    if (scheduler.chance(rates.stoppedByHand) && state === "running") this.#turnByHand("stopped");
    if (scheduler.chance(rates.deletedByHand) && state !== "gone") this.#turnByHand("gone");
    if (scheduler.chance(rates.moved)) void this.#move().catch(() => {});
    if (scheduler.chance(rates.policyChanged)) void this.changePolicy().catch(() => {});
    scheduler.at(scheduler.now + MINUTE, () => this.#lookAfter());
  }

  async changePolicy(): Promise<void> {
    const { scheduler } = this.#platform;
    const policy: PolicyOverrides = {
      guard: { ...USER_POLICY.guard, max_hold_seconds: scheduler.between(300, 600) },
      keep_alive_minutes: scheduler.between(1, 60),
      idle: { enabled: scheduler.random() < 0.8 },
    };
    await this.#platform.request(async (env) => {
      const set = await fleetOf(env, this.#rig.userId).setPolicy(policy);
      this.#platform.count("version" in set ? "policies changed" : "policies refused");
    });
  }

  async #keepAlive(minutes: number): Promise<void> {
    const [at, { name, ref }] = [this.#platform.scheduler.now, this.#rig];
    const answer = await this.#rig.host.call("keepAlive", [minutes]).catch(() => null);
    if (outcomeOf(answer) !== "accepted") return;
    this.#platform.onHappening({ type: "heard", at, instance: name, ref, sign: "kept alive" });
  }

  #startByHand(): void {
    const { scheduler } = this.#platform;
    const isSilent = scheduler.random() < 0.5;
    this.#rig.silentUntil = isSilent ? scheduler.now + scheduler.between(1, 25) * MINUTE : 0;
    this.#turnByHand("running");
  }

  #turnByHand(state: "running" | "stopped" | "gone"): void {
    const { machines, scheduler } = this.#platform;
    machines.turnByHand(this.#rig.ref, state);
    const isSilent = state === "running" && this.#rig.silentUntil > scheduler.now;
    this.#platform.count(`${state} by hand${isSilent ? ", in silence" : ""}`);
  }

  /** To a new machine, or back to one of before, as the API does it. */
  async #move(): Promise<void> {
    const { scheduler, machines } = this.#platform;
    const { userId, instanceId } = this.#rig;
    const next = scheduler.between(1, this.#machines + 1);
    const ref = `${instanceId}-${next}`;
    if (machines.stateOf(ref) === "gone") return;
    await this.#platform.request(async (env) => {
      const held = await fleetOf(env, userId).claimsOf(instanceId);
      const former = await actorOf(env, userId, instanceId).machine();
      if (former === null || isUnreadable(former) || former.ref === ref) return;
      const sighted = await sight(env, userId, ref, instanceId);
      const machine = { provider: "webhook", ref } as const;
      await whileHolding(env, userId, machine, instanceId, async () => {
        const changed = await actorOf(env, userId, instanceId).change({
          profile: { provider: "webhook", providerRef: ref },
          sighted,
        });
        if (changed.outcome !== "accepted") throw new ApiError("not_possible", "not now");
        this.#machines = Math.max(this.#machines, next);
        this.#platform.count("moved to another machine");
      });
      const left = calledMachine(former);
      if (left !== null) await releaseMachine(env, userId, left, instanceId, held);
    });
  }
}

/** What a registration sees of the machine; throws an `ApiError` when its provider shows no such machine. */
async function sight(env: Env, userId: string, ref: string, instanceId: string): Promise<Sighted | null> {
  const at = Date.now();
  const { provider, credentialsSetAt } = await openProvider(env, userId, "webhook");
  const sighting = await provider.status({ ref, instanceId, actionId: "sight" }).catch(() => null);
  if (sighting === null) return null;
  switch (sighting.state) {
    case "missing":
    case "terminated":
      throw new ApiError("not_seen", "it is not shown");
    case "unknown":
      return null;
    default:
      return { at, credentialsSetAt, gpus: sighting.gpus };
  }
}
