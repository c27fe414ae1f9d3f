import type { HeartbeatReport } from "../../src/lifecycle/model/heartbeat.ts";
import { preparationOf } from "../../src/lifecycle/model/phase.ts";
import type { HeartbeatAnswer } from "../../src/lifecycle/views/heartbeat-answer.ts";
import type { Database } from "./database.ts";
import type { Outline } from "./happenings.ts";
import { registrationOf } from "./owner.ts";
import { Platform } from "./platform.ts";
import { drawRates } from "./rates.ts";
import { outcomeOf, Rig } from "./rig.ts";
import { Scheduler } from "./scheduler.ts";

/**
 * Machines with hooks, of which some hang and some fail first, meet crashes, lost answers, evictions and alarms that come twice. None
 * is stopped before its hooks have ended, or their limit has passed.
 */

const MINUTE = 60_000;
const START = Date.UTC(2030, 0, 7);
const USER = "u-hooks";
const MACHINES = 5;
const LIMIT_MS = 5 * MINUTE;
/** After so long a silent machine is an orphan. */
const ORPHAN_MS = 5 * MINUTE;

const POLICY = {
  idle: { warn_after_seconds: 60, hibernate_after_seconds: 120, prepare_max_seconds: LIMIT_MS / 1000 },
  guard: { enabled: false },
} as const;

export interface PreparedLives {
  readonly violations: readonly string[];
  /** How preparations ended. */
  readonly outcomes: ReadonlyMap<string, number>;
}

/** What its hooks do with one preparation. */
interface Run {
  readonly id: string;
  readonly beganAt: number;
  /** When they succeed; infinite: they hang. */
  readonly endsAt: number;
  /** Until then they fail. */
  readonly failsUntil: number;
}

class HookedMachine {
  readonly rig: Rig;
  /** The preparations whose hooks have truly ended. */
  readonly prepared = new Set<string>();
  heardAt = 0;
  readonly #platform: Platform;
  #generation = 0;
  #run: Run | null = null;
  #busyUntil = 0;
  #silentUntil = 0;

  constructor(platform: Platform, name: string) {
    this.#platform = platform;
    this.rig = new Rig(platform, USER, name, name, () => {});
  }

  async begin(): Promise<void> {
    const { rig } = this;
    const registration = { ...registrationOf(rig, rig.instanceId, null), overrides: POLICY };
    await rig.host.call("register", [registration]).catch(() => "cut off");
    const generation = rig.host.stored?.tokenGeneration;
    const { scheduler } = this.#platform;
    if (generation === undefined) {
      scheduler.at(scheduler.now + 1000, () => void this.begin());
      return;
    }
    this.#generation = generation;
    this.#liveOn();
  }

  #liveOn(): void {
    const { scheduler } = this.#platform;
    const { rig } = this;
    if (scheduler.chance(0.3)) rig.host.evict();
    if (scheduler.chance(0.02)) this.#silentUntil = scheduler.now + scheduler.between(1, 12) * MINUTE;
    if (scheduler.chance(0.03)) this.#busyUntil = scheduler.now + scheduler.between(1, 6) * MINUTE;
    if (scheduler.chance(0.02)) rig.ask("keepAlive", 2);
    if (scheduler.chance(0.02)) rig.ask("hibernate");
    if (!rig.isRunning && scheduler.chance(0.3)) rig.ask("wake");
    if (rig.isRunning) void this.#beat();
    else this.#run = null;
    scheduler.at(scheduler.now + MINUTE + scheduler.between(-3000, 3000), () => this.#liveOn());
  }

  async #beat(): Promise<void> {
    const { scheduler } = this.#platform;
    if (scheduler.now < this.#silentUntil) return;
    const at = scheduler.now;
    try {
      const heard = await this.rig.host.call("heartbeat", [this.#generation, this.#report()]);
      if (outcomeOf(heard) !== "accepted") return;
      this.heardAt = Math.max(this.heardAt, at);
      this.#obey(answerIn(heard));
    } catch {
      // Whether it was heard is not known. The next beat says it again.
      if (scheduler.chance(0.5)) scheduler.at(scheduler.now + 5_000, () => void this.#beat());
    }
  }

  #report(): HeartbeatReport {
    const { now } = this.#platform.scheduler;
    const run = this.#run;
    const hooks = ["warning", "prepare"] as const;
    if (run === null) return { gpu_utilization: now < this.#busyUntil ? 90 : 1, hooks: [...hooks] };
    const state = now >= run.endsAt ? "succeeded" : now < run.failsUntil ? "failed" : "running";
    if (state === "succeeded") this.prepared.add(run.id);
    return {
      gpu_utilization: 97,
      hooks: [...hooks],
      status: state === "succeeded" ? "prepared" : "preparing",
      preparation: { id: run.id, state, seconds: (now - run.beganAt) / 1000, line: "saving" },
    };
  }

  #obey({ actions }: HeartbeatAnswer): void {
    const { scheduler } = this.#platform;
    const asked = actions.find((action) => action.type === "prepare");
    if (asked === undefined) {
      if (actions.every(({ type }) => type !== "hibernating")) this.#run = null;
      return;
    }
    if (this.#run?.id === asked.preparation_id) return;
    const hangs = scheduler.random() < 0.3;
    const fails = scheduler.random() < 0.4;
    const beganAt = scheduler.now;
    const failsFor = hangs ? 60 : scheduler.between(1, 3);
    const failsUntil = fails ? beganAt + failsFor * MINUTE : 0;
    const endsAt = hangs
      ? Number.POSITIVE_INFINITY
      : Math.max(beganAt, failsUntil) + scheduler.between(5, 400) * 1000;
    this.#run = { id: asked.preparation_id, beganAt, endsAt, failsUntil };
    if (!hangs) scheduler.at(endsAt, () => void this.#beat());
  }
}

function answerIn(heard: unknown): HeartbeatAnswer {
  if (typeof heard !== "object" || heard === null || !("answer" in heard)) throw new Error("no answer");
  return heard.answer as HeartbeatAnswer;
}

/** Why the order that these machines were given comes too early; null when it does not. */
function tooEarly(machine: HookedMachine, before: Outline, after: Outline, at: number): string | null {
  const { phase } = after;
  if (phase.status !== "hibernating" || before.phase.status === "hibernating") return null;
  if (phase.reason !== "idle" && phase.reason !== "owner") return null;
  const preparation = preparationOf(before.phase);
  if (preparation === null) {
    const isSilent = before.phase.status !== "running" || at - machine.heardAt > 2 * MINUTE - 60_000;
    return isSilent ? null : "it was not prepared";
  }
  if (preparation.limitAt - preparation.beganAt < LIMIT_MS) return "its limit was cut short";
  if (at >= preparation.limitAt || machine.prepared.has(preparation.id)) return null;
  // What its owner wants stopped in any case is stopped where nobody is left to prepare it.
  if (phase.reason === "owner" && at - machine.heardAt >= ORPHAN_MS) return null;
  return `${preparation.id} had not ended`;
}

export async function preparedLives(
  seed: number,
  database: Database,
  setNow: (scheduler: Scheduler) => void,
): Promise<PreparedLives> {
  database.empty();
  const scheduler = new Scheduler(seed, START);
  setNow(scheduler);
  const platform = new Platform(scheduler, database, drawRates(scheduler));
  const machines = new Map<string, HookedMachine>();
  const violations: string[] = [];
  const outcomes = new Map<string, number>();
  const ended = new Set<string>();
  platform.onHappening = (happening) => {
    if (happening.type !== "saved") return;
    const { before, after, state, at, instance } = happening;
    const machine = machines.get(instance);
    if (machine === undefined || before === null || after === null) return;
    const violation = tooEarly(machine, before, after, at);
    if (violation !== null) violations.push(`seed ${seed}: ${instance} was stopped, and ${violation}`);
    const last = state?.lastPreparation;
    if (last === undefined || ended.has(`${instance} ${last.id}`)) return;
    ended.add(`${instance} ${last.id}`);
    outcomes.set(last.outcome, (outcomes.get(last.outcome) ?? 0) + 1);
  };
  for (let number = 1; number <= MACHINES; number += 1) {
    const machine = new HookedMachine(platform, `rig-${number}`);
    machines.set(machine.rig.name, machine);
    scheduler.at(START + scheduler.between(0, MINUTE), () => void machine.begin());
  }
  await scheduler.runUntil(START + 90 * MINUTE);
  return { violations, outcomes };
}
