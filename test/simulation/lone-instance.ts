import type { SQLInputValue } from "node:sqlite";
import { vi } from "vitest";
import { InstanceActor } from "../../src/instance/actor.ts";
import type { HeartbeatReport } from "../../src/lifecycle/model/heartbeat.ts";
import type { HistoryEvent } from "../../src/lifecycle/model/history-event.ts";
import type { PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import { Database, Statement } from "./database.ts";
import { SqliteStorage } from "./sqlite-host.ts";

/** One real instance alone, on a platform that fails only as a test says: months of it pass in seconds. */

const USER = "u-1";
const ID = "rig";

/** So often the object of an instance leaves memory, in calls. */
const CALLS_OF_A_LIFE = 5_000;

export class LoneInstance {
  readonly database = new Database();
  readonly storage = new SqliteStorage();
  /** What the fleet was told. */
  readonly told: HistoryEvent[] = [];
  /** Whether the fleet has let go of it. */
  isLetGo = false;
  readonly orders: string[] = [];
  historyIsDown = false;
  /** The history never answers. */
  historyHangs = false;
  fleetIsDown = false;
  /** The write of the state's row that fails: 1 is the next one, and 0 none. */
  failingSave = 0;
  #alarmAt: number | null = null;
  #actor: InstanceActor | null = null;
  #calls = 0;
  #tokenGeneration = 0;
  #background: Promise<unknown>[] = [];

  async register(overrides: PolicyOverrides): Promise<void> {
    const answer = await this.actor.register({
      userId: USER,
      instanceId: ID,
      profile: {
        name: "The rig",
        provider: "none",
        providerRef: null,
        hourlyCost: null,
        hibernatedHourlyCost: null,
      },
      sighted: null,
      overrides,
      userPolicy: {},
      userPolicyVersion: 0,
    });
    if (answer.outcome !== "registered") throw new Error(answer.outcome);
    this.#tokenGeneration = answer.tokenGeneration;
    await this.settled();
  }

  /** The object, as it is in memory now; it leaves memory now and then. */
  get actor(): InstanceActor {
    this.#calls += 1;
    if (this.#actor === null || this.#calls % CALLS_OF_A_LIFE === 0) {
      this.#actor = Reflect.construct(InstanceActor, [this.#context(), this.#bindings()]);
    }
    if (this.#actor === null) throw new Error("there is an object");
    return this.#actor;
  }

  async heartbeat(report: HeartbeatReport): Promise<void> {
    const { outcome } = await this.actor.heartbeat(this.#tokenGeneration, report);
    if (outcome !== "accepted") throw new Error(`not heard: ${outcome}`);
  }

  /** Lets the time pass up to `to`, with whatever its alarm does on the way. */
  async until(to: number): Promise<void> {
    while (this.#alarmAt !== null && this.#alarmAt <= to) {
      const at = this.#alarmAt;
      this.#alarmAt = null;
      vi.setSystemTime(Math.max(at, Date.now()));
      await this.actor.alarm(Object.assign(Object.create(null), { scheduledTime: at }));
      await this.settled();
    }
    vi.setSystemTime(to);
  }

  /** Nothing that it does in the background is under way. */
  async settled(): Promise<void> {
    while (this.#background.length > 0) await Promise.all(this.#background.splice(0));
  }

  get alarmAt(): number | null {
    return this.#alarmAt;
  }

  get row(): string {
    return String(this.storage.rows("SELECT json FROM instance WHERE id = 1")[0]?.json ?? "");
  }

  #context(): object {
    const { storage } = this;
    return {
      id: { name: "u-1/rig" },
      storage: {
        sql: { exec: (query: string, ...values: SQLInputValue[]) => this.#exec(query, values) },
        transactionSync: <T>(work: () => T) => storage.transactionSync(work),
        getAlarm: async () => this.#alarmAt,
        setAlarm: async (at: number) => {
          this.#alarmAt = at;
        },
        deleteAlarm: async () => {
          this.#alarmAt = null;
        },
        deleteAll: async () => {
          this.#alarmAt = null;
          for (const { name } of storage.rows("SELECT name FROM sqlite_master WHERE type = 'table'"))
            storage.rows(`DROP TABLE ${String(name)}`);
        },
      },
      waitUntil: (promise: Promise<unknown>) => this.#background.push(promise),
    };
  }

  /** As the platform does: of several statements the last one takes the values. */
  #exec(query: string, values: SQLInputValue[]) {
    if (this.failingSave > 0 && query.startsWith("UPDATE instance")) {
      this.failingSave -= 1;
      if (this.failingSave === 0) throw new Error("SQLITE_IOERR: disk I/O error");
    }
    const [last = "", ...before] = query.split(";").toReversed();
    if (values.length > 0) for (const one of before.toReversed()) this.storage.sql.exec(one);
    return values.length > 0 ? this.storage.sql.exec(last, ...values) : this.storage.sql.exec(query);
  }

  #bindings(): object {
    const send = async (statements: readonly Statement[]) => {
      if (this.historyHangs) return new Promise<never>(() => {});
      if (this.historyIsDown) throw new Error("D1_ERROR: not reached");
      return this.database.transact(statements);
    };
    return {
      SIMULATION_SPEED: "1",
      DB: { prepare: (sql: string) => new Statement(sql, [], send), batch: send },
      FLEETS: {
        getByName: () => ({
          report: async ({ events }: { events: HistoryEvent[] }) => {
            if (this.fleetIsDown) throw new Error("the fleet is down");
            this.told.push(...events);
            return { policy: null, answers: [] };
          },
          remove: async () => {
            if (this.fleetIsDown) throw new Error("the fleet is down");
            this.isLetGo = true;
          },
        }),
      },
      SERVICE: { idFromName: () => ({ toString: () => "s" }), getByName: () => ({ add: async () => {} }) },
      INSTANCE_ACTION: {
        create: async ({ id }: { id: string }) => {
          this.orders.push(id);
        },
      },
    };
  }
}
