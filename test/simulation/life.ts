import type { HeartbeatOutcome } from "../../src/instance/outcomes.ts";
import type { PolicyOverrides } from "../../src/lifecycle/policy.ts";
import type { Database } from "./database.ts";
import { Platform } from "./platform.ts";
import { Scheduler } from "./scheduler.ts";

/** One life of a small fleet in a hostile world, and what must hold of it whatever happens. */

const MINUTE = 60_000;
const START = Date.UTC(2030, 0, 7);
const HOSTILE_MS = 40 * MINUTE;
/** Long enough for every ladder and every retry to end. */
const REST_MS = 180 * MINUTE;
const USER = "u-1";
const INSTANCES = ["rig-1", "rig-2", "rig-3"];

/** Short ladders, so that a life sees all of them. */
const POLICY: PolicyOverrides = {
  idle: { warn_after_seconds: 120, hibernate_after_seconds: 240 },
  orphan: {
    orphan_after_seconds: 180,
    hibernate_after_seconds: 300,
    force_hibernate_after_seconds: 540,
    delete_after_days: 0.012,
  },
  guard: { window_seconds: 120, max_hold_seconds: 600 },
};

export interface Outcome {
  readonly heartbeats: number;
  readonly crashes: number;
  readonly deeds: readonly string[];
  readonly violations: readonly string[];
}

export async function live(
  seed: number,
  database: Database,
  setNow: (scheduler: Scheduler) => void,
): Promise<Outcome> {
  database.empty();
  database.rows("INSERT INTO users (id, name, created_at) VALUES (?, 'Ada', ?)", USER, START);
  const scheduler = new Scheduler(seed, START);
  setNow(scheduler);
  const platform = new Platform(scheduler, database);
  const violations: string[] = [];
  const say = (what: string) => {
    violations.push(`${((scheduler.now - START) / 1000).toFixed(1)} s: ${what}`);
  };
  watchDeeds(platform, say);
  const fleet = INSTANCES.map((instanceId) => new Rig(platform, instanceId, say));
  for (const rig of fleet) rig.start();
  troubleDatabase(platform);
  visitDaily(platform, fleet);

  await scheduler.runUntil(START + HOSTILE_MS);
  scheduler.hostile = false;
  platform.databaseIsDown = false;
  for (const rig of fleet) rig.stopBeating();
  await scheduler.runUntil(START + HOSTILE_MS + REST_MS);
  for (const rig of fleet) rig.checkAtRest();
  if (platform.unfinishedWorkflows > 0) say(`${platform.unfinishedWorkflows} workflows never ended`);
  return {
    heartbeats: fleet.reduce((sum, rig) => sum + rig.acknowledged.size, 0),
    crashes: platform.crashes,
    deeds: platform.machines.deeds.map(({ deed }) => deed),
    violations,
  };
}

/** Nothing is done to a machine but by an order that stands, and nothing is deleted without its snapshot. */
function watchDeeds(platform: Platform, say: (what: string) => void): void {
  platform.machines.onDeed = (deed, { instanceId, actionId }) => {
    const order = platform.workflow(actionId)?.parameters.order;
    const phase = platform.actor(`${USER}/${instanceId}`).stored?.state.phase;
    const action = phase !== undefined && "action" in phase ? phase.action : null;
    if (order === undefined || action?.id !== order.actionId || action.toldAt === null) {
      say(`${deed} of ${instanceId} without an order that stands: it is ${phase?.status}`);
    }
    if (deed === "delete" && !platform.machines.hasSnapshot(actionId))
      say(`${instanceId} deleted without a snapshot`);
  };
}

/** The database is away now and then, once for ten minutes. */
function troubleDatabase(platform: Platform): void {
  const { scheduler } = platform;
  const outage = (from: number, durationMs: number) => {
    scheduler.at(from, () => {
      platform.databaseIsDown = scheduler.hostile;
    });
    scheduler.at(from + durationMs, () => {
      platform.databaseIsDown = false;
    });
  };
  if (scheduler.random() < 0.3) outage(START + scheduler.between(0, 25) * MINUTE, 10 * MINUTE);
  if (scheduler.random() < 0.5)
    outage(START + scheduler.between(0, 35) * MINUTE, scheduler.between(1, 90) * 1000);
}

/** The daily look, often enough that a life sees it. */
function visitDaily(platform: Platform, fleet: readonly Rig[]): void {
  const { scheduler } = platform;
  const visit = () => {
    for (const rig of fleet) rig.ask("cleanUp");
    scheduler.at(scheduler.now + 7 * MINUTE, visit);
  };
  scheduler.at(START + 10 * MINUTE, visit);
}

class Rig {
  /** Each heartbeat that was answered, by the number that it carried as its cost. */
  readonly acknowledged = new Set<number>();
  readonly #platform: Platform;
  readonly #instanceId: string;
  readonly #say: (what: string) => void;
  #generation: number | null = null;
  #sent = 0;
  #beats = true;
  #silentUntil = 0;
  #idleUntil = 0;

  constructor(platform: Platform, instanceId: string, say: (what: string) => void) {
    this.#platform = platform;
    this.#instanceId = instanceId;
    this.#say = say;
  }

  start(): void {
    const { scheduler } = this.#platform;
    scheduler.at(START + scheduler.between(0, MINUTE), () => void this.#register());
  }

  stopBeating(): void {
    this.#beats = false;
  }

  ask(method: string, ...parameters: unknown[]): void {
    this.#host.call(method, parameters).catch(() => {});
  }

  get #host() {
    return this.#platform.actor(`${USER}/${this.#instanceId}`);
  }

  async #register(): Promise<void> {
    const { scheduler } = this.#platform;
    const registration = {
      userId: USER,
      instanceId: this.#instanceId,
      profile: {
        name: this.#instanceId,
        provider: "webhook",
        providerRef: null,
        hourlyCost: 1,
        hibernatedHourlyCost: 0,
      },
      overrides: POLICY,
      userPolicy: {},
      userPolicyVersion: 0,
    };
    await this.#host.call("register", [registration]).catch(() => {});
    this.#generation = this.#host.stored?.tokenGeneration ?? null;
    if (this.#generation === null) scheduler.at(scheduler.now + 1000, () => void this.#register());
    else this.#liveOn();
  }

  /** A minute of its life: a heartbeat, or none, and whatever its owner comes up with. */
  #liveOn(): void {
    const { scheduler, machines } = this.#platform;
    if (!this.#beats) return;
    if (scheduler.chance(0.03)) this.#silentUntil = scheduler.now + scheduler.between(1, 25) * MINUTE;
    if (scheduler.chance(0.08)) this.#idleUntil = scheduler.now + scheduler.between(2, 8) * MINUTE;
    if (scheduler.chance(0.02)) this.ask("keepAlive", scheduler.between(1, 10));
    if (scheduler.chance(0.02)) this.ask("hibernate");
    if (scheduler.chance(0.06)) this.ask("wake");
    if (scheduler.chance(0.3)) this.#host.evict();
    const isOn = machines.stateOf(this.#instanceId) === "running";
    if (isOn && scheduler.now >= this.#silentUntil) void this.#beat();
    scheduler.at(scheduler.now + MINUTE + scheduler.between(-3000, 3000), () => this.#liveOn());
  }

  async #beat(): Promise<void> {
    const { scheduler } = this.#platform;
    this.#sent += 1;
    const number = this.#sent;
    const report = { gpu_utilization: scheduler.now < this.#idleUntil ? 1 : 90, cost_accumulated: number };
    try {
      const heard = await this.#host.call("heartbeat", [this.#generation, report]);
      if (isAccepted(heard)) this.acknowledged.add(number);
      else if (this.#host.stored?.state.phase.status !== "deleted")
        this.#say(`${this.#instanceId} was not heard`);
    } catch {
      // The object was reset: the agent does not know whether it was heard.
    }
  }

  /** Once nothing fails any more, everything must have come to its end. */
  checkAtRest(): void {
    const { database, machines } = this.#platform;
    const id = this.#instanceId;
    const stored = this.#host.stored;
    if (stored === null) {
      this.#say(`${id} was forgotten`);
      return;
    }
    const { state } = stored;
    if (state.outbox.length > 0) this.#say(`${id}: ${state.outbox.length} effects were never carried out`);

    const kept = database
      .rows("SELECT cost_accumulated AS n FROM heartbeats WHERE user_id = ? AND instance_id = ?", USER, id)
      .map(({ n }) => Number(n));
    const waiting = state.unflushed === 0 ? [] : state.recent.slice(-state.unflushed);
    const all = [...kept, ...waiting.map(({ costAccumulated }) => Number(costAccumulated))];
    const found = new Set(all);
    for (const number of this.acknowledged)
      if (!found.has(number)) this.#say(`${id}: heartbeat ${number} was lost`);
    if (found.size !== all.length) this.#say(`${id}: a heartbeat is kept twice`);
    if (state.counters.totalHeartbeats !== all.length) {
      this.#say(`${id}: ${state.counters.totalHeartbeats} heartbeats counted, ${all.length} kept`);
    }

    const row = database.rows(
      "SELECT status FROM instances WHERE user_id = ? AND instance_id = ?",
      USER,
      id,
    )[0];
    if (row?.status !== state.phase.status) {
      this.#say(`${id} is ${state.phase.status}, but the registry has it as ${row?.status}`);
    }
    const machine = machines.stateOf(id);
    const { status } = state.phase;
    if (status === "hibernated" && machine === "running") this.#say(`${id} counts as hibernated and runs`);
    if (status === "deleted" && machine !== "gone") this.#say(`${id} counts as deleted and is ${machine}`);
    if (["hibernating", "waking", "deleting"].includes(status)) this.#say(`${id} is ${status} for good`);
    // Silent for three hours: whoever is not deleted yet is on the way there by the daily look, or was never an orphan.
    if (status === "running") this.#say(`${id} is silent for hours and counts as running`);
  }
}

function isAccepted(heard: unknown): heard is Extract<HeartbeatOutcome, { outcome: "accepted" }> {
  return typeof heard === "object" && heard !== null && "outcome" in heard && heard.outcome === "accepted";
}
