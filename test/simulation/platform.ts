import type { ActionParameters } from "../../src/actions/order.ts";
import { InstanceAction } from "../../src/actions/workflow.ts";
import { InstanceActor } from "../../src/instance/actor.ts";
import type { StoredInstance } from "../../src/instance/storage.ts";
import { InstanceStorage } from "../../src/instance/storage.ts";
import { type Database, databaseBinding } from "./database.ts";
import { Machines } from "./machines.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Durable Objects, Workflows and D1 as the platform promises them and no better: the real actor and the real workflow
 * run on it. At every point where one of them waits, it may crash, with what it asked for done or not.
 */

/** Whoever called something that crashed hears this, and does not know what was done. */
class Reset extends Error {}

const NEVER = new Promise<never>(() => {});

export class Platform {
  readonly scheduler: Scheduler;
  readonly database: Database;
  readonly machines: Machines;
  databaseIsDown = false;
  crashes = 0;
  readonly #actors = new Map<string, ActorHost>();
  readonly #workflows = new Map<string, WorkflowHost>();

  constructor(scheduler: Scheduler, database: Database) {
    this.scheduler = scheduler;
    this.database = database;
    this.machines = new Machines(scheduler);
  }

  actor(name: string): ActorHost {
    const known = this.#actors.get(name);
    if (known !== undefined) return known;
    const host = new ActorHost(this);
    this.#actors.set(name, host);
    return host;
  }

  workflow(id: string): WorkflowHost | undefined {
    return this.#workflows.get(id);
  }

  get unfinishedWorkflows(): number {
    return [...this.#workflows.values()].filter((host) => !host.finished).length;
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

/** A process, from its start to its crash. */
interface Life {
  readonly isAlive: boolean;
  crash(): void;
}

export class ActorHost {
  readonly #platform: Platform;
  #actor: InstanceActor | null = null;
  #life: { isAlive: boolean; crash(): void; calls: Set<(error: Error) => void> } | null = null;
  #json: string | null = null;
  #hasTable = false;
  #alarmAt: number | null = null;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** What is stored, as the next process will find it. */
  get stored(): StoredInstance | null {
    const loaded = new InstanceStorage(this.#sql()).load();
    if (loaded.kind === "unreadable") throw new Error(loaded.because);
    return loaded.kind === "stored" ? loaded.stored : null;
  }

  get alarmAt(): number | null {
    return this.#alarmAt;
  }

  /** Calls a method of the actor; throws when it crashes on the way. */
  async call(method: string, parameters: readonly unknown[]): Promise<unknown> {
    const { actor, life } = this.#awake();
    const crashed = new Promise<never>((_, reject) => life.calls.add(reject));
    crashed.catch(() => {});
    const work: unknown = Reflect.get(actor, method);
    if (typeof work !== "function") throw new Error(`the actor has no ${method}`);
    return Promise.race([Reflect.apply(work, actor, parameters), crashed]);
  }

  /** Memory is gone, as after ten seconds without a request, or on a crash. */
  evict(): void {
    this.#life?.crash();
  }

  #awake() {
    if (this.#actor !== null && this.#life !== null) return { actor: this.#actor, life: this.#life };
    const host = this;
    const life = {
      isAlive: true,
      calls: new Set<(error: Error) => void>(),
      crash() {
        life.isAlive = false;
        host.#platform.crashes += 1;
        if (host.#life === life) {
          host.#life = null;
          host.#actor = null;
        }
        for (const reject of life.calls) reject(new Reset("the object was reset"));
      },
    };
    const context = {
      storage: {
        sql: this.#sql(),
        getAlarm: async () => this.#alarmAt,
        setAlarm: async (at: number) => this.#arm(at),
        deleteAlarm: async () => {
          this.#alarmAt = null;
        },
        deleteAll: async () => {
          this.#json = null;
          this.#hasTable = false;
        },
      },
      waitUntil: () => {},
    };
    // The platform's own types cannot be made by hand; what the actor uses of them is here.
    const actor: InstanceActor = Reflect.construct(InstanceActor, [context, this.#platform.bindings(life)]);
    this.#actor = actor;
    this.#life = life;
    return { actor, life };
  }

  /** The statements of `storage.ts` and no others. */
  #sql(): SqlStorage {
    const rows = (found: readonly Record<string, unknown>[]) => ({ toArray: () => found, rowsWritten: 1 });
    const exec = (query: string, ...[json]: unknown[]) => {
      if (query.includes("sqlite_master")) return rows(this.#hasTable ? [{ 1: 1 }] : []);
      if (query.startsWith("SELECT json")) return rows(this.#json === null ? [] : [{ json: this.#json }]);
      if (typeof json !== "string") throw new Error(`not known here: ${query}`);
      this.#hasTable = true;
      this.#json = json;
      return rows([]);
    };
    const sql: SqlStorage = Object.assign(Object.create(null), { exec });
    return sql;
  }

  #arm(at: number): void {
    this.#alarmAt = at;
    const { scheduler } = this.#platform;
    // The platform's alarms are never early, mostly on time, and now and then late by minutes.
    const lateMs = scheduler.chance(0.02) ? scheduler.between(1_000, 600_000) : scheduler.between(0, 50);
    scheduler.at(at + lateMs, () => void this.#fire(at, 0));
  }

  /** At least once: what crashes is tried again, and now and then what did not. */
  async #fire(at: number, retryCount: number): Promise<void> {
    if (retryCount === 0) {
      if (this.#alarmAt !== at) return;
      this.#alarmAt = null;
    }
    const { scheduler } = this.#platform;
    const again = () => scheduler.at(scheduler.now + 2_000, () => void this.#fire(at, retryCount + 1));
    try {
      await this.call("alarm", [{ scheduledTime: at, isRetry: retryCount > 0, retryCount }]);
      if (scheduler.chance(0.02)) again();
    } catch {
      if (retryCount < 6) again();
    }
  }
}

/** One workflow: steps that are done stay done over crashes, and a step that crashed is done again. */
export class WorkflowHost {
  finished = false;
  readonly id: string;
  readonly parameters: ActionParameters;
  readonly #platform: Platform;
  readonly #done = new Map<string, { value: unknown } | { error: Error }>();

  constructor(platform: Platform, id: string, parameters: ActionParameters) {
    this.#platform = platform;
    this.id = id;
    this.parameters = parameters;
  }

  start(): void {
    const { scheduler } = this.#platform;
    scheduler.at(scheduler.now + scheduler.latencyMs(), () => void this.#run());
  }

  async #run(): Promise<void> {
    const life = {
      isAlive: true,
      crash: () => {
        life.isAlive = false;
        this.#platform.crashes += 1;
        this.start();
      },
    };
    const workflow: InstanceAction = Reflect.construct(InstanceAction, [
      { waitUntil: () => {} },
      this.#platform.bindings(life),
    ]);
    const event = {
      payload: this.parameters,
      timestamp: new Date(this.#platform.scheduler.now),
      instanceId: this.id,
    };
    const run: unknown = Reflect.get(workflow, "run");
    if (typeof run !== "function") throw new Error("a workflow runs");
    try {
      await Reflect.apply(run, workflow, [event, this.#step(life)]);
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
    }
    if (life.isAlive) this.finished = true;
  }

  #step(life: Life) {
    const { scheduler } = this.#platform;
    const wait = (ms: number) =>
      new Promise<void>((resolve) => scheduler.at(scheduler.now + ms, () => life.isAlive && resolve()));
    return {
      do: async (name: string, ...rest: readonly unknown[]) => {
        const known = this.#done.get(name);
        if (known !== undefined) {
          if ("error" in known) throw known.error;
          return known.value;
        }
        const work = rest.at(-1);
        if (typeof work !== "function") throw new Error("a step does something");
        for (let attempt = 0; ; attempt += 1) {
          try {
            const value: unknown = await Reflect.apply(work, null, []);
            if (!life.isAlive) return NEVER;
            // Done, but the engine crashes before it has noted that.
            if (scheduler.chance(0.02)) {
              life.crash();
              return NEVER;
            }
            this.#done.set(name, { value });
            return value;
          } catch (error) {
            if (!life.isAlive) return NEVER;
            const isFinal = error instanceof Error && error.constructor.name === "NonRetryableError";
            if (isFinal || attempt >= 5) {
              const failure = new StepFailed(error instanceof Error ? error.message : String(error));
              this.#done.set(name, { error: failure });
              throw failure;
            }
            await wait(10_000 * 2 ** attempt);
          }
        }
      },
      sleep: async (name: string, ms: number) => {
        if (this.#done.has(name)) return;
        await wait(ms);
        this.#done.set(name, { value: undefined });
      },
      waitForEvent: async (name: string, { timeout }: { timeout: number }) => {
        if (!this.#done.has(name)) await wait(timeout);
        this.#done.set(name, { value: undefined });
        throw new Error("nobody answered in time");
      },
    };
  }
}

class StepFailed extends Error {}
