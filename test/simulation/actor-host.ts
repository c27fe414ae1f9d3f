import { InstanceActor } from "../../src/instance/actor.ts";
import { InstanceStorage } from "../../src/instance/storage.ts";
import type { StoredInstance } from "../../src/instance/stored/stored-instance.ts";
import type { Outline } from "./happenings.ts";
import type { Platform } from "./platform.ts";

/** What is being saved, before it becomes JSON: reading it back is what a life would spend most of its time on. */
let saving: StoredInstance | null = null;
const { save } = InstanceStorage.prototype;
InstanceStorage.prototype.save = function (stored) {
  saving = stored;
  try {
    save.call(this, stored);
  } finally {
    saving = null;
  }
};

/** Whoever called something that crashed hears this, and does not know what was done. */
export class Reset extends Error {}

/** A Durable Object: one actor, its row and its alarm. Its memory is lost with each crash. */
export class ActorHost {
  readonly name: string;
  readonly #platform: Platform;
  #actor: InstanceActor | null = null;
  #life: { isAlive: boolean; crash(): void; calls: Set<(error: Error) => void> } | null = null;
  #json: string | null = null;
  #hasTable = false;
  #alarmAt: number | null = null;

  #outline: Outline | null = null;
  #outlineJson = "";

  constructor(platform: Platform, name: string) {
    this.#platform = platform;
    this.name = name;
  }

  /** What is stored, as the next process will find it. */
  get stored(): StoredInstance | null {
    const loaded = new InstanceStorage(this.#sql()).load();
    if (loaded.kind === "unreadable") throw new Error(loaded.because);
    return loaded.kind === "stored" ? loaded.stored : null;
  }

  /** The part of it that says what the instance is and how it is. */
  get outline(): Outline | null {
    return this.#outline;
  }

  /** Calls a method of the actor; throws when it crashes on the way. */
  async call(method: string, parameters: readonly unknown[]): Promise<unknown> {
    const { actor, life } = this.#awake();
    const at = this.#platform.scheduler.now;
    const crashed = new Promise<never>((_, reject) => life.calls.add(reject));
    crashed.catch(() => {});
    const work: unknown = Reflect.get(actor, method);
    if (typeof work !== "function") throw new Error(`the actor has no ${method}`);
    const answer: unknown = await Promise.race([Reflect.apply(work, actor, parameters), crashed]);
    const [actionId] = parameters;
    if ((method === "tryOrder" || method === "checkOrder") && answer === true) {
      this.#platform.onHappening({ type: "asked", at, instance: this.name, actionId: String(actionId) });
    }
    return answer;
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
          this.#note();
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
      this.#note();
      return rows([]);
    };
    const sql: SqlStorage = Object.assign(Object.create(null), { exec });
    return sql;
  }

  #note(): void {
    const before = this.#outline;
    const json = outlineIn(this.#json);
    // Most saves change nothing of it, and reading whole states is what a life would spend most of its time on.
    if (json !== this.#outlineJson) {
      this.#outlineJson = json;
      this.#outline = JSON.parse(json);
    }
    const { scheduler } = this.#platform;
    const [at, after, state] = [scheduler.now, this.#outline, saving?.state ?? null];
    this.#platform.onHappening({ type: "saved", at, instance: this.name, before, after, state });
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

/** The state's `profile` and `phase`, which stand side by side, as JSON. */
function outlineIn(json: string | null): string {
  if (json === null) return "null";
  const [from, to] = [json.indexOf('{"profile":'), json.indexOf(',"clock":')];
  if (from === -1 || to < from) throw new Error("profile and phase come first in a state");
  return `${json.slice(from, to)}}`;
}
