import {
  type MachineState,
  type Progress,
  type Provider,
  ProviderError,
  type Snapshot,
  type Target,
} from "../../src/actions/providers/provider.ts";
import type { Scheduler } from "./scheduler.ts";

/** The rented machines and their provider, who is slow, fails, and forgets to answer. */
export class Machines {
  readonly #states = new Map<string, MachineState>();
  readonly #snapshots = new Set<string>();
  /** What the provider did in truth, in order. */
  readonly deeds: { readonly deed: string; readonly instanceId: string; readonly actionId: string }[] = [];
  readonly #scheduler: Scheduler;
  /** Called before a machine is changed, to object. */
  onDeed: (deed: string, target: Target) => void = () => {};

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  stateOf(instanceId: string): MachineState {
    return this.#states.get(instanceId) ?? "running";
  }

  hasSnapshot(actionId: string): boolean {
    return this.#snapshots.has(actionId);
  }

  /** The provider as one caller has it. */
  provider(call: <T>(work: () => T) => Promise<T>): Provider {
    const ask = <T>(work: () => T): Promise<T> =>
      call(() => {
        if (this.#scheduler.chance(0.05))
          throw new ProviderError("unavailable", "the provider does not answer");
        if (this.#scheduler.chance(0.02)) throw new ProviderError("refused", "the provider will not");
        const answer = work();
        if (this.#scheduler.chance(0.05)) throw new ProviderError("unavailable", "the answer was lost");
        return answer;
      });
    const turn = (deed: string, target: Target, state: MachineState): Promise<Progress> =>
      ask(() => {
        if (this.stateOf(target.instanceId) === "gone")
          throw new ProviderError("not_found", "no such machine");
        if (this.stateOf(target.instanceId) !== state) {
          this.onDeed(deed, target);
          this.deeds.push({ deed, instanceId: target.instanceId, actionId: target.actionId });
          this.#states.set(target.instanceId, state);
        }
        return this.#scheduler.random() < 0.5 ? "done" : "accepted";
      });
    return {
      hibernate: (target) => turn("hibernate", target, "stopped"),
      forceHibernate: (target) => turn("hibernate", target, "stopped"),
      wake: (target) => turn("wake", target, "running"),
      delete: (target) => turn("delete", target, "gone"),
      snapshot: (target) =>
        ask((): Snapshot => {
          this.#snapshots.add(target.actionId);
          return { snapshotId: `snap-${target.actionId}`, done: this.#scheduler.random() < 0.5 };
        }),
      snapshotState: () => ask(() => "ready" as const),
      status: (target) => ask(() => this.stateOf(target.instanceId)),
      verify: async () => {},
    };
  }
}
