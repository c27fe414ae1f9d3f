import type { Life, Platform } from "./platform.ts";
import { type Connection, Socket } from "./sockets.ts";

/** Whoever called something that crashed hears this, and does not know what was done. */
export class Reset extends Error {}

/** The platform gives `blockConcurrencyWhile` so long, and then resets the object. */
const BLOCK_LIMIT_MS = 30_000;

const NEVER = new Promise<never>(() => {});

/** No call for this long, and nothing that a call began can still be under way. */
const IDLE_MS = 60_000;

/** Of a lost alarm `getAlarm` still tells, though it never fires. */
const LOST_ALARM = 0.002;

/** What an object keeps. What it wrote without an await in between is there as a whole, whenever it crashes. */
export interface ObjectStorage {
  readonly sql: Pick<SqlStorage, "exec">;
  transactionSync<T>(work: () => T): T;
  deleteAll(): void;
}

/** A process of an object, from its start to its crash. */
interface Awake {
  readonly actor: object;
  readonly life: Life & { isAlive: boolean };
  /** Calls that wait for an answer hear of a crash here. */
  readonly calls: Set<(error: Error) => void>;
  /** What holds everything else up until it is done. */
  readonly blocks: Set<Promise<void>>;
}

/** A Durable Object: one actor, its storage and its alarm. Its memory is lost with each crash. */
export abstract class ObjectHost {
  readonly name: string;
  protected readonly platform: Platform;
  #awake: Awake | null = null;
  #alarmAt: number | null = null;
  #calledAt = 0;
  #connections: Connection[] = [];
  #runningAlarm: Promise<unknown> | null = null;

  constructor(platform: Platform, name: string) {
    this.platform = platform;
    this.name = name;
  }

  /** Its storage, as it is from one process to the next. */
  protected abstract readonly storage: ObjectStorage;

  /** A new process of it. The platform's own types cannot be made by hand; what is used of them is in `context`. */
  protected abstract create(context: object, bindings: object): object;

  /** Calls a method of the actor; throws when it crashes on the way. */
  async call(method: string, parameters: readonly unknown[]): Promise<unknown> {
    this.#calledAt = this.platform.scheduler.now;
    const awake = this.#awake ?? this.#wake();
    let crash = (_: Error) => {};
    const crashed = new Promise<never>((_, reject) => {
      crash = reject;
      awake.calls.add(reject);
    });
    crashed.catch(() => {});
    for (const block of awake.blocks) await Promise.race([block, crashed]);
    const work: unknown = Reflect.get(awake.actor, method);
    if (typeof work !== "function") throw new Error(`the actor has no ${method}`);
    try {
      return await Promise.race([Reflect.apply(work, awake.actor, parameters), crashed]);
    } finally {
      awake.calls.delete(crash);
      this.#calledAt = this.platform.scheduler.now;
    }
  }

  /** Memory is gone, as on a crash, and open connections with it. */
  evict(): void {
    this.#awake?.life.crash();
  }

  /** Memory is gone, as after a while without a request. Open connections stay. */
  hibernate(): void {
    const isIdle = this.#awake?.calls.size === 0 && this.platform.scheduler.now > this.#calledAt + IDLE_MS;
    if (this.#awake === null || !isIdle) return;
    this.#awake.life.isAlive = false;
    this.#awake = null;
    if (this.#open().length > 0) this.platform.count("hibernations with open connections");
  }

  #open(): Connection[] {
    this.#connections = this.#connections.filter(({ isOpen }) => isOpen);
    return this.#connections;
  }

  #wake(): Awake {
    const calls = new Set<(error: Error) => void>();
    const life = {
      isAlive: true,
      crash: () => {
        if (!life.isAlive) return;
        life.isAlive = false;
        this.platform.crashes += 1;
        if (this.#awake?.life === life) this.#awake = null;
        for (const connection of this.#open()) connection.crash();
        for (const reject of calls) reject(new Reset("the object was reset"));
      },
    };
    const blocks = new Set<Promise<void>>();
    const context = {
      id: idOf(this.name),
      storage: this.#storageOf(life),
      waitUntil: () => {},
      acceptWebSocket: (socket: Socket) => this.#accept(socket, life),
      setWebSocketAutoResponse: () => {},
      getWebSockets: () => (life.isAlive ? this.#open().map((each) => new Socket(each, life)) : []),
      blockConcurrencyWhile: (work: () => Promise<unknown>) => {
        const run = work();
        const block = this.#block(life, run).finally(() => blocks.delete(block));
        blocks.add(block);
        return run;
      },
    };
    const actor = this.create(context, this.platform.bindings(life));
    this.#awake = { actor, life, calls, blocks };
    return this.#awake;
  }

  #accept(socket: Socket, life: Life): void {
    if (!life.isAlive) throw new Reset("the object is no more");
    const { connection } = socket;
    socket.belongTo(life);
    this.#connections.push(connection);
    connection.accepted((text) => {
      const { life: now } = this.#awake ?? this.#wake();
      this.call("webSocketMessage", [new Socket(connection, now), text]).catch(() => {});
    });
  }

  async #block(life: Life, run: Promise<unknown>): Promise<void> {
    let isDone = false;
    const { scheduler } = this.platform;
    scheduler.at(scheduler.now + BLOCK_LIMIT_MS, () => {
      if (!isDone) life.crash();
    });
    try {
      await run;
    } catch {
      life.crash();
    }
    isDone = true;
  }

  /** The storage as one process has it: once that is dead, it writes no more. */
  #storageOf(life: Life) {
    const whileAlive = <T>(work: () => T): T => {
      if (!life.isAlive) throw new Reset("the object is no more");
      return work();
    };
    const soon = <T>(work: () => T): Promise<T> => (life.isAlive ? Promise.resolve(work()) : NEVER);
    const { storage } = this;
    return {
      sql: {
        exec: (query: string, ...values: unknown[]) => whileAlive(() => storage.sql.exec(query, ...values)),
      },
      transactionSync: <T>(work: () => T) => whileAlive(() => storage.transactionSync(work)),
      getAlarm: () => soon(() => this.#alarmAt),
      setAlarm: (at: number) => soon(() => this.#arm(at)),
      deleteAlarm: () =>
        soon(() => {
          this.#alarmAt = null;
        }),
      deleteAll: () =>
        soon(() => {
          this.#alarmAt = null;
          storage.deleteAll();
        }),
    };
  }

  #arm(at: number): void {
    this.#alarmAt = at;
    const { scheduler } = this.platform;
    if (scheduler.chance(LOST_ALARM)) {
      this.platform.count("alarms lost");
      return;
    }
    // The platform's alarms are never early, mostly on time, and now and then late by minutes.
    const lateMs = scheduler.chance(0.02) ? scheduler.between(1_000, 600_000) : scheduler.between(0, 50);
    scheduler.at(at + lateMs, () => void this.#fire(at, 0));
  }

  /** At least once: what crashes is tried again, and now and then what did not. Never two at the same time. */
  async #fire(at: number, retryCount: number): Promise<void> {
    while (this.#runningAlarm !== null) await this.#runningAlarm.catch(() => {});
    if (retryCount === 0) {
      if (this.#alarmAt !== at) return;
      this.#alarmAt = null;
    }
    const { scheduler } = this.platform;
    if (scheduler.now < this.platform.awayUntil) {
      this.#alarmAt = at;
      const backAt = this.platform.awayUntil + scheduler.between(0, 60_000);
      scheduler.at(backAt, () => void this.#fire(at, 0));
      return;
    }
    const again = () => scheduler.at(scheduler.now + 2_000, () => void this.#fire(at, retryCount + 1));
    try {
      this.#runningAlarm = this.call("alarm", [
        { scheduledTime: at, isRetry: retryCount > 0, retryCount },
      ]).finally(() => {
        this.#runningAlarm = null;
      });
      await this.#runningAlarm;
      if (scheduler.chance(0.02)) again();
    } catch {
      if (retryCount < 6) again();
    }
  }
}

export function idOf(name: string) {
  return { name, toString: () => name, equals: (other: { readonly name?: string }) => other.name === name };
}
