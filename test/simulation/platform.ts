import type { ActionParameters } from "../../src/orders/order.ts";
import { ActorHost, Reset } from "./actor-host.ts";
import { type Database, databaseBinding } from "./database.ts";
import { type Happening, instanceOf } from "./happenings.ts";
import { Machines } from "./machines.ts";
import type { Rates } from "./rates.ts";
import type { Scheduler } from "./scheduler.ts";
import { WorkflowHost } from "./workflow-host.ts";

/**
 * Durable Objects, Workflows and D1 as the platform promises them and no better: the real actor and the real workflow
 * run on it. At every point where one of them waits, it may crash, with what it asked for done or not.
 */

const NEVER = new Promise<never>(() => {});

/** A process, from its start to its crash. */
export interface Life {
  readonly isAlive: boolean;
  crash(): void;
}

export class Platform {
  readonly scheduler: Scheduler;
  readonly database: Database;
  readonly machines: Machines;
  readonly rates: Rates;
  databaseIsDown = false;
  crashes = 0;
  /** How often each thing happened that the seed need not bring. */
  readonly counts = new Map<string, number>();
  onHappening: (happening: Happening) => void = () => {};
  readonly #actors = new Map<string, ActorHost>();
  readonly #workflows = new Map<string, WorkflowHost>();

  constructor(scheduler: Scheduler, database: Database, rates: Rates) {
    this.scheduler = scheduler;
    this.database = database;
    this.rates = rates;
    this.machines = new Machines(scheduler, rates, (what) => this.count(what));
    this.machines.onCall = (target, isLook) => {
      const parameters = this.workflow(target.actionId)?.parameters;
      if (parameters === undefined) return;
      const { ref, actionId: workflowId } = target;
      this.onHappening({ type: "called", at: scheduler.now, isLook, ref, workflowId, parameters });
    };
    this.machines.onDeed = (deed, target) => {
      const parameters = this.workflow(target.actionId)?.parameters;
      if (parameters === undefined) throw new Error(`${deed} by nobody's order`);
      const { ref, actionId: workflowId } = target;
      this.count(deed);
      this.onHappening({ type: "deed", at: scheduler.now, deed, ref, workflowId, parameters });
    };
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  actor(name: string): ActorHost {
    const known = this.#actors.get(name);
    if (known !== undefined) return known;
    const host = new ActorHost(this, name);
    this.#actors.set(name, host);
    return host;
  }

  get actors(): readonly ActorHost[] {
    return [...this.#actors.values()];
  }

  workflow(id: string): WorkflowHost | undefined {
    return this.#workflows.get(id);
  }

  get unfinishedWorkflows(): number {
    return [...this.#workflows.values()].filter(({ state }) => state === "running").length;
  }

  /** One request to the service, which dies with the process that answers it. */
  request<T>(work: (env: Env) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const life = {
        isAlive: true,
        crash: () => {
          life.isAlive = false;
          this.crashes += 1;
          reject(new Reset("the request was cut off"));
        },
      };
      // The platform's own types cannot be made by hand; what is used of them is here.
      const env: Env = Object.assign(Object.create(null), this.bindings(life));
      work(env).then(resolve, reject);
    });
  }

  /** The bindings as one process has them; `life` says whether that process still is, and lets it crash. */
  bindings(life: Life) {
    const call = <T>(work: () => T) => this.#call(life, work);
    return {
      SIMULATION_SPEED: "1",
      DB: databaseBinding(this.database, this.scheduler, () => this.databaseIsDown, call),
      METER: { getByName: () => ({ add: async () => {} }) },
      INSTANCES: {
        getByName: (name: string) =>
          new Proxy(
            {},
            {
              get: (_, method) =>
                typeof method === "string" && method !== "then"
                  ? (...parameters: unknown[]) => this.#relay(life, name, method, parameters)
                  : undefined,
            },
          ),
      },
      INSTANCE_ACTION: {
        create: ({ id, params }: { id: string; params: ActionParameters }) =>
          call(() => {
            if (this.scheduler.chance(0.02)) throw new Error("the service of workflows is busy");
            if (this.#workflows.has(id)) throw new Error("instance.already_exists");
            const host = new WorkflowHost(this, id, params);
            this.#workflows.set(id, host);
            host.start();
            if (this.scheduler.chance(0.02)) throw new Error("the answer was lost");
          }),
        get: (id: string) =>
          call(() => {
            if (!this.#workflows.has(id)) throw new Error("instance.not_found");
          }),
      },
      ALERT_DIGEST: { create: async () => {}, get: async () => {} },
      provider: this.machines.provider(call),
    };
  }

  /** Asks for something outside and waits. */
  #call<T>(life: Life, work: () => T): Promise<T> {
    const { scheduler } = this;
    return new Promise((resolve, reject) => {
      scheduler.at(scheduler.now + scheduler.latencyMs(), () => {
        if (!life.isAlive) return;
        if (scheduler.chance(0.01)) return life.crash();
        try {
          const answer = work();
          if (scheduler.chance(0.01)) return life.crash();
          scheduler.at(scheduler.now + scheduler.latencyMs(), () => life.isAlive && resolve(answer));
        } catch (error) {
          scheduler.at(scheduler.now + scheduler.latencyMs(), () => life.isAlive && reject(error));
        }
      });
    });
  }

  async #relay(life: Life, name: string, method: string, parameters: unknown[]): Promise<unknown> {
    await this.#call(life, () => {});
    const answer = await this.actor(name).call(method, parameters);
    return life.isAlive ? answer : NEVER;
  }
}

/** Which actor an order is of, and which of its orders it is. */
export function orderKey(parameters: ActionParameters): string {
  return `${instanceOf(parameters)} ${parameters.order.actionId}`;
}
