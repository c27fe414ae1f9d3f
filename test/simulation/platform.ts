import { AlertDelivery, type DeliveryParameters } from "../../src/alerts/delivery.ts";
import type { ActionParameters } from "../../src/orders/order.ts";
import { InstanceAction } from "../../src/orders/workflow.ts";
import { ServiceActor } from "../../src/service/actor.ts";
import { Channel } from "./channel.ts";
import { type Database, databaseBinding } from "./database.ts";
import { FleetHost } from "./fleet-host.ts";
import { type Happening, instanceOf } from "./happenings.ts";
import { InstanceHost } from "./instance-host.ts";
import { Machines } from "./machines.ts";
import { idOf, type ObjectHost, Reset } from "./object-host.ts";
import type { Rates } from "./rates.ts";
import type { Scheduler } from "./scheduler.ts";
import { SqliteHost } from "./sqlite-host.ts";
import { Workflows } from "./workflows.ts";

/**
 * Durable Objects, Workflows and D1 as the platform promises them and no better: the real actors and the real workflows
 * run on it. At every point where one of them waits, it may crash, with what it asked for done or not.
 */

/** How a call ends its id that an instance makes itself, to cancel the start of a wake that has failed. */
export const LATE_CANCEL = /-cancel-\d+$/;

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
  /** No call reaches the object of a fleet. */
  fleetsAreOutOfReach = false;
  /** The service itself is away until then: no call is answered, and its alarms wait. */
  awayUntil = 0;
  crashes = 0;
  /** How often each thing happened that the seed need not bring. */
  readonly counts = new Map<string, number>();
  onHappening: (happening: Happening) => void = () => {};
  readonly channel: Channel;
  /** By binding. */
  readonly orders: readonly Workflows<ActionParameters>[];
  readonly deliveries: Workflows<DeliveryParameters>;
  readonly #actors = new Map<string, InstanceHost>();
  readonly #fleets = new Map<string, FleetHost>();
  readonly #services = new Map<string, SqliteHost>();

  constructor(scheduler: Scheduler, database: Database, rates: Rates) {
    this.scheduler = scheduler;
    this.database = database;
    this.rates = rates;
    const orderKind = {
      make: (context: object, bindings: object) => Reflect.construct(InstanceAction, [context, bindings]),
      mayBeLost: true,
    };
    this.orders = [0, 1, 2].map(() => new Workflows(this, orderKind));
    this.deliveries = new Workflows(this, {
      make: (context, bindings) => Reflect.construct(AlertDelivery, [context, bindings]),
      // Nobody looks after a message: that it arrives is what Workflows promise.
      mayBeLost: false,
    });
    this.channel = new Channel(this);
    this.machines = new Machines(scheduler, rates, (what) => this.count(what));
    this.machines.onCall = (target, isLook) => {
      const parameters = this.#order(target.actionId);
      if (parameters === undefined) return;
      const { ref, actionId: workflowId } = target;
      if (LATE_CANCEL.test(workflowId)) this.count("starts cancelled late");
      this.onHappening({ type: "called", at: scheduler.now, isLook, ref, workflowId, parameters });
    };
    this.machines.onDeed = (deed, target) => {
      const parameters = this.#order(target.actionId);
      if (parameters === undefined) throw new Error(`${deed} by nobody's order`);
      const { ref, actionId: workflowId } = target;
      this.count(deed);
      this.onHappening({ type: "deed", at: scheduler.now, deed, ref, workflowId, parameters });
    };
  }

  /** What the order of this workflow's id is; undefined when there is none. */
  #order(actionId: string): ActionParameters | undefined {
    const workflowId = actionId.replace(LATE_CANCEL, "");
    const [order, ...others] = this.orders.flatMap((each) => each.find(workflowId) ?? []);
    if (others.length > 0) throw new Error(`${workflowId} was begun in two bindings`);
    return order?.parameters;
  }

  count(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }

  actor(name: string): InstanceHost {
    return made(this.#actors, name, () => new InstanceHost(this, name));
  }

  fleet(userId: string): FleetHost {
    return made(this.#fleets, userId, () => new FleetHost(this, userId));
  }

  service(name: string): SqliteHost {
    const make = (context: object, bindings: object) => Reflect.construct(ServiceActor, [context, bindings]);
    return made(this.#services, name, () => new SqliteHost(this, "service", name, make));
  }

  get actors(): readonly InstanceHost[] {
    return [...this.#actors.values()];
  }

  get fleets(): readonly FleetHost[] {
    return [...this.#fleets.values()];
  }

  get services(): readonly SqliteHost[] {
    return [...this.#services.values()];
  }

  get unfinishedWorkflows(): number {
    return [...this.orders, this.deliveries].reduce((sum, { unfinished }) => sum + unfinished, 0);
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
      INSTANCES_PER_USER: "100",
      DB: databaseBinding(this.database, this.scheduler, () => this.databaseIsDown, call),
      SERVICE: {
        idFromName: idOf,
        // Counters are no part of the play: they are gathered in the memory of this very process, life after life.
        getByName: (name: string) => this.#stub(life, () => this.service(name), { add: async () => {} }),
      },
      FLEETS: { getByName: (userId: string) => this.#stub(life, () => this.fleet(userId)) },
      INSTANCES: { getByName: (name: string) => this.#stub(life, () => this.actor(name)) },
      ...Object.fromEntries(
        this.orders.map((each, number) => [
          number === 0 ? "INSTANCE_ACTION" : `INSTANCE_ACTION_${number}`,
          each.binding(call),
        ]),
      ),
      ALERT_DELIVERY: this.deliveries.binding(call),
      provider: this.machines.provider(call),
      channel: this.channel.binding(call),
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

  #stub(life: Life, host: () => ObjectHost, own: Record<string, unknown> = {}) {
    return new Proxy(own, {
      get: (_, method) => {
        if (typeof method !== "string" || method === "then") return undefined;
        return own[method] ?? ((...parameters: unknown[]) => this.#relay(life, host(), method, parameters));
      },
    });
  }

  /** Calls an object. What was sent may arrive though its sender is gone, and what was done may remain unanswered. */
  #relay(life: Life, host: ObjectHost, method: string, parameters: unknown[]): Promise<unknown> {
    const { scheduler } = this;
    return new Promise((resolve, reject) => {
      const later = (act: () => void) => scheduler.at(scheduler.now + scheduler.latencyMs(), act);
      const answer = async () => {
        try {
          const answered = await host.call(method, parameters);
          if (scheduler.chance(0.005)) host.evict();
          if (scheduler.chance(0.005)) throw new Reset("the answer was lost");
          later(() => life.isAlive && resolve(answered));
        } catch (error) {
          later(() => life.isAlive && reject(error));
        }
      };
      later(() => {
        if (!life.isAlive && !scheduler.chance(0.5)) return;
        if (life.isAlive && scheduler.chance(0.01)) return life.crash();
        if (scheduler.chance(0.02)) return life.isAlive && reject(new Error("the object is overloaded"));
        if (scheduler.now < this.awayUntil) return reject(new Error("out of reach"));
        if (this.fleetsAreOutOfReach && host instanceof FleetHost) return reject(new Error("out of reach"));
        void answer();
        if (life.isAlive && scheduler.chance(0.01)) life.crash();
      });
    });
  }
}

function made<T>(hosts: Map<string, T>, name: string, make: () => T): T {
  const known = hosts.get(name);
  if (known !== undefined) return known;
  const host = make();
  hosts.set(name, host);
  return host;
}

/** Which actor an order is of, and which of its orders it is. */
export function orderKey(parameters: ActionParameters): string {
  return `${instanceOf(parameters)} ${parameters.order.actionId}`;
}
