import { whileHolding } from "../../src/api/instances/machine.ts";
import type { HeartbeatReport } from "../../src/lifecycle/model/heartbeat.ts";
import type { PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import { actorOf, fleetOf } from "../../src/platform/address.ts";
import type { ListedMachine } from "../../src/providers/provider.ts";
import type { InstanceHost } from "./instance-host.ts";
import type { MachineState } from "./machines.ts";
import { type Billed, dollarsOf, type Meter, type Prices } from "./meter.ts";
import type { Platform } from "./platform.ts";
import { outcomeOf } from "./rig.ts";

/** A machine that somebody rents for a month: its agent, and what its owner and its work make of it, day by day. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Who knows what it costs: its owner says it, its provider lists it, it reports it itself; or two of them. */
export const KNOWN_BY = ["owner", "list", "reports", "owner and reports"] as const;
export type KnownBy = (typeof KNOWN_BY)[number];

const POLICY: PolicyOverrides = {
  heartbeat_interval_seconds: 600,
  idle: { warn_after_seconds: 3600, hibernate_after_seconds: 7200 },
  orphan: {
    orphan_after_seconds: 1800,
    hibernate_after_seconds: 4 * 3600,
    force_hibernate_after_seconds: 6 * 3600,
    delete_after_days: 3,
    snapshot_before_delete: false,
    never_heard_after_seconds: 1800,
  },
};

export class Rented {
  readonly userId: string;
  readonly id: string;
  readonly knownBy: KnownBy;
  prices: Prices;
  /** Who has last turned it on or off. */
  turnedBy: "order" | "hand" = "order";
  /** How often its owner has turned it past the service. */
  turnsByHand = 0;
  /** The most that it has cost an hour. */
  highestPrice = 0;
  readonly #platform: Platform;
  readonly #meter: Meter;
  #tokenGeneration: number | null = null;
  #boot = 0;
  #sequence = 0;
  #bootedAt = 0;
  #idleUntil = 0;
  #silentUntil = 0;
  #wasHeard = false;

  constructor(platform: Platform, meter: Meter, userId: string, id: string, knownBy: KnownBy) {
    const { scheduler } = platform;
    this.#platform = platform;
    this.#meter = meter;
    this.userId = userId;
    this.id = id;
    this.knownBy = knownBy;
    const awake = scheduler.between(20, 400) / 100;
    this.prices = { awake, asleep: Math.round(awake * scheduler.between(0, 5)) / 100 };
    this.highestPrice = awake;
  }

  get host(): InstanceHost {
    return this.#platform.actor(`${this.userId}/${this.id}`);
  }

  get state(): MachineState {
    return this.#platform.machines.stateOf(this.id);
  }

  get isReporting(): boolean {
    return this.knownBy === "reports" || this.knownBy === "owner and reports";
  }

  async register(): Promise<void> {
    const { userId, id } = this;
    const machine = { provider: "vast", ref: id } as const;
    const isOwners = this.knownBy === "owner" || this.knownBy === "owner and reports";
    await this.#platform.request(async (env) => {
      const admission = await fleetOf(env, userId).admit(id);
      const kept = await fleetOf(env, userId).credentials("vast");
      if (admission === null || kept === null) throw new Error(`${id} is not admitted`);
      await whileHolding(env, userId, machine, id, async () => {
        const registered = await actorOf(env, userId, id).register({
          userId,
          instanceId: id,
          profile: {
            name: id,
            provider: "vast",
            providerRef: id,
            hourlyCost: isOwners ? this.prices.awake : null,
            hibernatedHourlyCost: isOwners ? this.prices.asleep : null,
          },
          sighted: { at: this.#now, credentialsSetAt: kept.setAt, gpus: 1 },
          overrides: POLICY,
          userPolicy: admission.policy.overrides,
          userPolicyVersion: admission.policy.version,
        });
        if (registered.outcome !== "registered") throw new Error(`${id}: ${registered.outcome}`);
        this.#tokenGeneration = registered.tokenGeneration;
      });
    });
    this.#start();
    this.#liveOn();
  }

  get #now(): number {
    return this.#platform.scheduler.now;
  }

  /** Its provider has turned it. */
  turned(state: MachineState): void {
    const { scheduler } = this.#platform;
    this.#meter.turn(this.id, BILLED[state], scheduler.now);
    if (state === "running") this.#start();
    else this.#boot += 1;
  }

  #start(): void {
    const { scheduler } = this.#platform;
    this.#boot += 1;
    this.#sequence = 0;
    this.#bootedAt = scheduler.now;
    this.#idleUntil = 0;
    const boot = this.#boot;
    scheduler.at(scheduler.now + scheduler.between(20, 90) * 1000, () => this.#beatOn(boot));
  }

  #beatOn(boot: number): void {
    if (boot !== this.#boot) return;
    const { scheduler } = this.#platform;
    if (scheduler.now >= this.#silentUntil && scheduler.now >= this.#platform.awayUntil) void this.#beat();
    scheduler.at(scheduler.now + 10 * MINUTE + scheduler.between(-5000, 5000), () => this.#beatOn(boot));
  }

  async #beat(): Promise<void> {
    this.#sequence += 1;
    const isIdle = this.#now < this.#idleUntil;
    const report: HeartbeatReport = {
      gpu_utilization: isIdle ? 1 : 90,
      boot_id: `${this.id}-${this.#boot}`,
      sequence: this.#sequence,
      ...(this.isReporting ? this.#costs() : {}),
    };
    const heard = await this.host.call("heartbeat", [this.#tokenGeneration, report]);
    const outcome = outcomeOf(heard);
    this.#wasHeard ||= outcome === "accepted";
    if (outcome !== "accepted" && outcome !== "unknown") throw new Error(`${this.id}: ${String(outcome)}`);
  }

  /** As an agent says it: to the cent. */
  #costs(): Pick<HeartbeatReport, "cost_accumulated" | "uptime_seconds"> {
    const dollars = this.#meter
      .between(this.id, this.#bootedAt, this.#now)
      .reduce((sum, stretch) => sum + dollarsOf(stretch), 0);
    return {
      cost_accumulated: Math.round(100 * dollars) / 100,
      uptime_seconds: (this.#now - this.#bootedAt) / 1000,
    };
  }

  /** Each hour something may come to somebody's mind. */
  #liveOn(): void {
    const { scheduler } = this.#platform;
    const often = (timesADay: number) => scheduler.random() < timesADay / 24;
    const { state } = this;
    if (state === "running") {
      if (often(0.3)) this.#idleUntil = scheduler.now + scheduler.between(1, 12) * HOUR;
      if (often(0.08)) this.#fallSilent(scheduler.between(20, 300) * MINUTE);
      if (often(0.006) && this.#hasPrice) this.#fallSilent(Number.POSITIVE_INFINITY);
      if (often(0.05)) this.#ask("hibernate");
      if (often(0.05)) this.#byHand("stopped");
    }
    if (state === "stopped" && this.#silentUntil < Number.POSITIVE_INFINITY) {
      if (often(0.7)) this.#wake();
      if (often(0.15)) this.#byHand("running");
      if (often(0.03)) {
        this.#fallSilent(scheduler.between(1, 8) * HOUR);
        this.#byHand("running");
      }
    }
    if (state !== "gone" && often(0.003)) this.#byHand("gone");
    if (state !== "gone" && often(0.01)) this.#changePrice();
    if (state !== "gone") {
      scheduler.at(scheduler.now + scheduler.between(50, 70) * MINUTE, () => this.#liveOn());
    }
  }

  /** What a machine costs whose price nobody ever says is unknown for good: the fleet says so, and no bill can be compared. */
  get #hasPrice(): boolean {
    return this.knownBy !== "reports" || this.#wasHeard;
  }

  #fallSilent(ms: number): void {
    this.#platform.count(Number.isFinite(ms) ? "silences" : "silences for good");
    this.#silentUntil = this.#now + ms;
  }

  #ask(method: "hibernate" | "wake"): void {
    if (this.#now < this.#platform.awayUntil) return;
    this.#platform.count(`${method} by its owner`);
    this.host.call(method, []).catch(() => {});
  }

  #wake(): void {
    const { scheduler, machines } = this.#platform;
    const chance = scheduler.random();
    if (chance < 0.15) machines.waitingStarts.set(this.id, scheduler.between(5, 180) * MINUTE);
    else if (chance < 0.2) machines.waitingStarts.set(this.id, Number.POSITIVE_INFINITY);
    this.#ask("wake");
  }

  #byHand(state: "running" | "stopped" | "gone"): void {
    this.#platform.count(`${state} by hand`);
    this.turnedBy = "hand";
    this.turnsByHand += 1;
    this.#platform.machines.turnByHand(this.id, state);
  }

  /** Its owner, who has named it, says so within the hour. */
  #changePrice(): void {
    const { scheduler } = this.#platform;
    this.#platform.count("prices changed");
    const awake = Math.round(this.prices.awake * scheduler.between(80, 125)) / 100;
    this.prices = { ...this.prices, awake };
    this.highestPrice = Math.max(this.highestPrice, awake);
    this.#meter.price(this.id, this.prices, scheduler.now);
    if (this.knownBy !== "owner" && this.knownBy !== "owner and reports") return;
    const change = { profile: { hourlyCost: awake } };
    scheduler.at(scheduler.now + scheduler.between(0, 60) * MINUTE, () => {
      this.host.call("change", [change]).catch(() => {});
    });
  }

  /** As its provider lists it; null once it is not listed any more. */
  get listed(): ListedMachine | null {
    const { state } = this;
    if (state === "gone") return null;
    return {
      ref: this.id,
      name: null,
      state,
      gpu: null,
      gpus: 1,
      region: null,
      createdAt: null,
      hourlyCost: this.knownBy === "list" ? this.prices.awake : null,
      stoppedHourlyCost: this.prices.asleep,
      memberOf: null,
    };
  }
}

/** What waits for a start costs no more than what is stopped. */
const BILLED: Record<MachineState, Billed> = {
  running: "awake",
  stopping: "awake",
  starting: "asleep",
  stopped: "asleep",
  gone: "nothing",
};
