import {
  type ListedMachine,
  type Progress,
  type Provider,
  ProviderError,
  type ProviderErrorCode,
  type Sighting,
  type Snapshot,
  type Target,
} from "../../src/providers/provider.ts";
import type { Deed } from "./happenings.ts";
import type { Rates } from "./rates.ts";
import type { Scheduler } from "./scheduler.ts";

export type MachineState = "running" | "starting" | "stopping" | "stopped" | "gone";

interface Machine {
  readonly ref: string;
  state: MachineState;
  gpus: number;
  /** A start waits for a GPU: it comes through late, or never, unless it is cancelled. */
  isQueued: boolean;
  /** The provider has accepted to destroy it. */
  isDoomed: boolean;
  /** While it lasts the provider does not show the machine, or can't tell. */
  lie: { readonly until: number; readonly says: "missing" | "unknown" } | null;
  /** How often it came to run. */
  starts: number;
  /** Counts changes: a slow one that was overtaken comes to nothing. */
  changes: number;
}

/** What a provider may say to a call that it does not carry out. */
const REFUSALS: readonly (readonly [string, ProviderErrorCode])[] = [
  ["4xx", "refused"],
  ["429", "rate_limited"],
  ["503", "unavailable"],
];

/** The rented machines and their provider, who is slow, fails, lies, and forgets to answer. */
export class Machines {
  readonly #machines = new Map<string, Machine>();
  readonly #snapshots = new Set<string>();
  readonly #scheduler: Scheduler;
  readonly #rates: Rates;
  readonly #count: (what: string) => void;
  /** While it lasts every order is refused so. */
  refusesUntil: { readonly until: number; readonly refusal: (typeof REFUSALS)[number] } | null = null;
  /** The provider refuses calls that come sooner after another one; and every call until a moment. */
  leastIntervalMs = 0;
  refusesAllUntil = 0;
  #calledAt = 0;
  /** While the user's credentials are those of another team, no machine is shown. */
  areElsewhere = false;
  onCall: (target: Target, isLook: boolean) => void = () => {};
  /** Called once a machine is in another state. */
  onTurn: (ref: string, state: MachineState) => void = () => {};
  /** How long the next start of a machine waits for its GPU, whatever the seed brings; infinite: it never comes. */
  readonly waitingStarts = new Map<string, number>();
  /** What the provider lists; null: it has no list. */
  listed: (() => ListedMachine[]) | null = null;
  /** Dollars an hour that it says a stopped machine costs. */
  stoppedHourlyCost: (ref: string) => number | undefined = () => undefined;
  /** Called before a machine is changed. */
  onDeed: (deed: Deed, target: Target) => void = () => {};

  constructor(scheduler: Scheduler, rates: Rates, count: (what: string) => void) {
    this.#scheduler = scheduler;
    this.#rates = rates;
    this.#count = count;
  }

  stateOf(ref: string): MachineState {
    return this.#of(ref).state;
  }

  startsOf(ref: string): number {
    return this.#of(ref).starts;
  }

  isQueued(ref: string): boolean {
    return this.#of(ref).isQueued;
  }

  isDoomed(ref: string): boolean {
    return this.#of(ref).isDoomed;
  }

  hasSnapshot(workflowId: string): boolean {
    return this.#snapshots.has(workflowId);
  }

  /** By the hand of its owner, past everybody. */
  turnByHand(ref: string, state: "running" | "stopped" | "gone"): void {
    const machine = this.#of(ref);
    if (machine.isDoomed) return;
    machine.changes += 1;
    machine.isDoomed = state === "gone";
    this.#reach(machine, state, 1);
  }

  lie(ref: string, says: "missing" | "unknown", durationMs: number): void {
    this.#of(ref).lie = { says, until: this.#scheduler.now + durationMs };
  }

  refuseFor(durationMs: number): void {
    const refusal = this.#pick(REFUSALS);
    this.refusesUntil = { refusal, until: this.#scheduler.now + durationMs };
    this.#count(`${refusal[0]} for long`);
  }

  /** The provider as one caller has it. */
  provider(call: <T>(work: () => T) => Promise<T>): Provider {
    const { listed } = this;
    const ask = <T>(target: Target | null, work: () => T, isLook = false): Promise<T> =>
      call(() => {
        if (target !== null) this.onCall(target, isLook);
        this.#refuseTooMany();
        if (this.#scheduler.chance(0.05)) throw new ProviderError("unavailable", "it does not answer");
        const answer = work();
        if (this.#scheduler.chance(0.05)) throw new ProviderError("unavailable", "the answer was lost");
        return answer;
      });
    return {
      hibernate: (target) => ask(target, () => this.#turn("hibernate", target)),
      forceHibernate: (target) => ask(target, () => this.#turn("hibernate", target)),
      wake: (target) => ask(target, () => this.#turn("wake", target)),
      delete: (target) => ask(target, () => this.#turn("delete", target)),
      snapshot: (target) =>
        ask(target, (): Snapshot => {
          this.#refuseSometimes();
          this.#snapshots.add(target.actionId);
          return { snapshotId: `snap-${target.actionId}`, done: this.#scheduler.random() < 0.5 };
        }),
      snapshotState: () => ask(null, () => "ready" as const),
      status: (target) => ask(target, () => this.#show(this.#of(target.ref)), true),
      list: listed === null ? null : () => ask(null, () => ({ machines: listed(), next: null })),
      verify: async () => {},
    };
  }

  /** In plain text, without a word of when to call again. */
  #refuseTooMany(): void {
    const { now } = this.#scheduler;
    const sinceMs = now - this.#calledAt;
    this.#calledAt = now;
    if (sinceMs >= this.leastIntervalMs && now >= this.refusesAllUntil) return;
    this.#count("calls refused as too many");
    throw new ProviderError("rate_limited", "API requests too frequent");
  }

  #of(ref: string): Machine {
    const known = this.#machines.get(ref);
    if (known !== undefined) return known;
    const machine: Machine = {
      ref,
      state: "running",
      gpus: 1,
      isQueued: false,
      isDoomed: false,
      lie: null,
      starts: 1,
      changes: 0,
    };
    this.#machines.set(ref, machine);
    return machine;
  }

  #show(machine: Machine): Sighting {
    const hidden = this.#hidden(machine);
    if (hidden !== null) this.#count(`shown as ${hidden}`);
    if (hidden === "missing") return { state: "missing" };
    if (hidden === "unknown") return { state: "unknown", because: "the provider can't tell" };
    if (machine.state !== "gone") {
      const stoppedHourlyCost = this.stoppedHourlyCost(machine.ref);
      return { state: machine.state, gpus: machine.gpus, obstacle: null, stoppedHourlyCost };
    }
    return { state: this.#scheduler.random() < 0.5 ? "terminated" : "missing" };
  }

  #hidden(machine: Machine): "missing" | "unknown" | null {
    if (machine.state === "gone") return null;
    if (this.areElsewhere) return "missing";
    return machine.lie !== null && this.#scheduler.now < machine.lie.until ? machine.lie.says : null;
  }

  #refuseSometimes(): void {
    const { refusesUntil } = this;
    const lasting = refusesUntil !== null && this.#scheduler.now < refusesUntil.until ? refusesUntil : null;
    const refusal =
      lasting?.refusal ?? (this.#scheduler.chance(this.#rates.refusal) ? this.#pick(REFUSALS) : null);
    if (refusal === null) return;
    this.#count(`tries refused with ${refusal[0]}`);
    throw new ProviderError(refusal[1], `the provider said ${refusal[0]}`);
  }

  #turn(deed: Deed, target: Target): Progress {
    const machine = this.#of(target.ref);
    this.#refuseSometimes();
    if (machine.state === "gone") throw new ProviderError("not_found", "no such machine");
    if (this.#hidden(machine) === "missing") {
      this.#count("tries answered with 410");
      throw new ProviderError("not_found", "no such machine");
    }
    if (machine.isDoomed) return "accepted";
    const [passing, end] = TURNS[deed];
    if (deed === "wake" && machine.isQueued) return "accepted";
    if (machine.state === end || machine.state === passing) {
      // A stop also ends a start that is queued.
      machine.changes += 1;
      this.#reach(machine, end, machine.gpus);
      return "done";
    }
    this.onDeed(deed, target);
    machine.changes += 1;
    machine.isQueued = false;
    machine.isDoomed = deed === "delete";
    const { scheduler, change } = { scheduler: this.#scheduler, change: machine.changes };
    // Rarely a start brings none of its GPUs.
    const gpus = deed === "wake" && scheduler.chance(0.02) ? 0 : 1;
    const reached = () => {
      if (machine.changes === change) this.#reach(machine, end, gpus);
    };
    const waitsMs = deed === "wake" ? this.waitingStarts.get(target.ref) : undefined;
    if (waitsMs !== undefined) {
      this.waitingStarts.delete(target.ref);
      machine.isQueued = true;
      if (Number.isFinite(waitsMs)) scheduler.at(scheduler.now + waitsMs, reached);
      return "accepted";
    }
    if (deed === "wake" && scheduler.chance(this.#rates.queuedStart)) return this.#queue(machine, reached);
    if (scheduler.random() < 0.6) {
      reached();
      return scheduler.random() < 0.5 ? "done" : "accepted";
    }
    machine.state = passing;
    this.onTurn(machine.ref, passing);
    scheduler.at(scheduler.now + scheduler.between(2_000, 240_000), reached);
    return "accepted";
  }

  /** The GPU is taken: the start waits. Not every provider shows that it does, or says so at once. */
  #queue(machine: Machine, reached: () => void): Progress {
    const scheduler = this.#scheduler;
    this.#count("starts queued");
    machine.isQueued = true;
    if (scheduler.random() < 0.5) machine.state = "starting";
    if (scheduler.random() < 0.3) this.#count("starts that never come");
    else {
      // In the end it comes through after the wake has failed, unless it is cancelled.
      const [shortest, longest] = scheduler.random() < 0.5 ? [5, 40] : [40, 150];
      scheduler.at(scheduler.now + scheduler.between(shortest, longest) * 60_000, () => {
        if (machine.isQueued) this.#count("starts that come late");
        reached();
      });
    }
    if (scheduler.random() < 0.5) throw new ProviderError("no_capacity", "its GPU is taken: the start waits");
    return "accepted";
  }

  #reach(machine: Machine, state: MachineState, gpus: number): void {
    const isNew = machine.state !== state;
    if (state === "running" && isNew) machine.starts += 1;
    machine.state = state;
    machine.gpus = gpus;
    machine.isQueued = false;
    if (isNew) this.onTurn(machine.ref, state);
  }

  #pick<T>(among: readonly T[]): T {
    const picked = among[this.#scheduler.between(0, among.length - 1)];
    if (picked === undefined) throw new Error("there is nothing to pick from");
    return picked;
  }
}

/** Through which state each deed leads, and to which. */
const TURNS: Record<Deed, readonly [MachineState, MachineState]> = {
  hibernate: ["stopping", "stopped"],
  wake: ["starting", "running"],
  delete: ["stopping", "gone"],
};
