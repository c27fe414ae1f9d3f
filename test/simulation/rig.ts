import type { HeartbeatReport } from "../../src/lifecycle/model/heartbeat.ts";
import type { InstanceHost } from "./instance-host.ts";
import type { Platform } from "./platform.ts";
import type { Say } from "./promises/promise.ts";

const MINUTE = 60_000;

/** One start of a machine: the number of its last heartbeat, and over how long it was heard. */
interface Boot {
  sequence: number;
  firstHeardAt: number | null;
  heardForMs: number;
}

/** A machine's agent: it beats while its machine runs, but for silences, and its readings and numbers may be forged. */
export class Rig {
  readonly userId: string;
  readonly instanceId: string;
  /** Each heartbeat that was answered and not forged, by the number that it carried as its cost. */
  readonly acknowledged = new Set<number>();
  silentUntil = 0;
  readonly #platform: Platform;
  readonly #say: Say;
  #tokenGeneration: number | null = null;
  #ref: string;
  #sent = 0;
  #idleUntil = 0;
  readonly #boots = new Map<string, Boot>();

  constructor(platform: Platform, userId: string, instanceId: string, ref: string, say: Say) {
    this.#platform = platform;
    this.userId = userId;
    this.instanceId = instanceId;
    this.#ref = ref;
    this.#say = say;
  }

  get name(): string {
    return `${this.userId}/${this.instanceId}`;
  }

  get host(): InstanceHost {
    return this.#platform.actor(this.name);
  }

  /** The machine that it is on: the one that the service knows. */
  get ref(): string {
    return this.host.outline?.profile.providerRef ?? this.#ref;
  }

  get isRunning(): boolean {
    return this.#platform.machines.stateOf(this.ref) === "running";
  }

  /** Asks the actor, as a request would; whether that is heard is not known. */
  ask(method: string, ...parameters: unknown[]): void {
    this.host.call(method, parameters).catch(() => {});
  }

  /** It has its token: from now on it beats. */
  begin(tokenGeneration: number): void {
    this.#tokenGeneration = tokenGeneration;
    this.#liveOn();
  }

  #liveOn(): void {
    const { scheduler } = this.#platform;
    const isOn = this.isRunning && scheduler.now >= this.silentUntil;
    if (scheduler.hostile) {
      if (scheduler.chance(0.03)) this.silentUntil = scheduler.now + scheduler.between(1, 25) * MINUTE;
      if (scheduler.chance(0.08)) this.#idleUntil = scheduler.now + scheduler.between(2, 8) * MINUTE;
      if (scheduler.chance(0.3)) this.host.evict();
      if (isOn) void this.#beat(this.#report());
      scheduler.at(scheduler.now + MINUTE + scheduler.between(-3000, 3000), () => this.#liveOn());
      return;
    }
    // At rest everybody is silent, but none before it was heard for so long that it can't be missed.
    if (isOn && this.#boot.heardForMs < 3 * MINUTE) void this.#beat(this.#report());
    scheduler.at(scheduler.now + 4 * MINUTE, () => this.#liveOn());
  }

  get #bootId(): string {
    return `${this.ref}, start ${this.#platform.machines.startsOf(this.ref)}`;
  }

  get #boot() {
    const known = this.#boots.get(this.#bootId);
    if (known !== undefined) return known;
    const boot: Boot = { sequence: 0, firstHeardAt: null, heardForMs: 0 };
    this.#boots.set(this.#bootId, boot);
    return boot;
  }

  #report(): HeartbeatReport {
    const { scheduler } = this.#platform;
    const boot = this.#boot;
    this.#sent += 1;
    boot.sequence += 1;
    return {
      gpu_utilization: scheduler.now < this.#idleUntil ? 1 : 90,
      cost_accumulated: this.#sent,
      boot_id: this.#bootId,
      sequence: boot.sequence,
    };
  }

  async #beat(honest: HeartbeatReport): Promise<void> {
    const { scheduler, rates } = this.#platform;
    const isForged = scheduler.chance(rates.forged);
    const report = isForged ? { ...honest, sequence: this.#forge() } : honest;
    const [at, ref, boot] = [scheduler.now, this.ref, this.#boot];
    try {
      const heard = await this.host.call("heartbeat", [this.#tokenGeneration, report]);
      if (outcomeOf(heard) !== "accepted") {
        this.#say(`${this.name} was not heard: ${outcomeOf(heard)}`);
        return;
      }
      boot.firstHeardAt ??= at;
      boot.heardForMs = at - boot.firstHeardAt;
      if (!isForged) this.acknowledged.add(Number(report.cost_accumulated));
      const sign = report.gpu_utilization === 90 ? "busy" : "idle";
      this.#platform.onHappening({ type: "heard", at, instance: this.name, ref, sign });
    } catch {
      // The object was reset: the agent does not know whether it was heard, and may say the same again.
      if (isForged || !scheduler.chance(0.5)) return;
      this.#platform.count("heartbeats sent again");
      scheduler.at(scheduler.now + 5_000, () => void this.#beat(honest));
    }
  }

  #forge(): number {
    const { scheduler } = this.#platform;
    this.#platform.count("forged sequences");
    const kind = scheduler.random();
    if (kind < 0.34) return Number.MAX_SAFE_INTEGER;
    // Numbers that were never used begin at 1.
    return kind < 0.67 ? 0 : Math.max(0, this.#boot.sequence - scheduler.between(1, 3));
  }
}

/** What an actor's answer says came of it. */
export function outcomeOf(answer: unknown): unknown {
  return typeof answer === "object" && answer !== null && "outcome" in answer ? answer.outcome : undefined;
}
