import type { SQLInputValue } from "node:sqlite";
import { InstanceActor } from "../../src/instance/actor.ts";
import { InstanceStorage } from "../../src/instance/storage.ts";
import type { StoredInstance } from "../../src/instance/stored/stored-instance.ts";
import type { Outline } from "./happenings.ts";
import { ObjectHost } from "./object-host.ts";
import { SqliteStorage } from "./sqlite-host.ts";

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

/** The object of an instance: its one row is kept as text, and a database holds only what its outbox parks. */
export class InstanceHost extends ObjectHost {
  #json: string | null = null;
  #hasTable = false;
  #held: SqliteStorage | null = null;
  #seen: SqliteStorage | null = null;
  #outline: Outline | null = null;
  #outlineJson = "";
  #read: { readonly json: string | null; readonly stored: StoredInstance | null } = {
    json: null,
    stored: null,
  };

  protected readonly storage = {
    sql: this.#sql(),
    transactionSync: <T>(work: () => T): T => {
      const [json, hasTable] = [this.#json, this.#hasTable];
      try {
        return this.#held === null ? work() : this.#held.transactionSync(work);
      } catch (error) {
        [this.#json, this.#hasTable] = [json, hasTable];
        throw error;
      }
    },
    deleteAll: () => {
      this.#json = null;
      this.#hasTable = false;
      this.#held = null;
      this.#seen = null;
      this.#note();
    },
  };

  /** What is stored, as the next process will find it. */
  get stored(): StoredInstance | null {
    // Many promises ask for it when nothing happens any more.
    if (this.#read.json !== this.#json) {
      const loaded = new InstanceStorage({ ...this.storage, sql: this.#sql() }).load();
      if (loaded.kind === "unreadable") throw new Error(loaded.because);
      this.#read = { json: this.#json, stored: loaded.kind === "stored" ? loaded.stored : null };
    }
    return this.#read.stored;
  }

  /** The part of it that says what the instance is and how it is. */
  get outline(): Outline | null {
    return this.#outline;
  }

  override async call(method: string, parameters: readonly unknown[]): Promise<unknown> {
    const at = this.platform.scheduler.now;
    const answer = await super.call(method, parameters);
    const [actionId] = parameters;
    if ((method === "tryOrder" || method === "checkOrder") && answer === true) {
      this.platform.onHappening({ type: "asked", at, instance: this.name, actionId: String(actionId) });
    }
    return answer;
  }

  protected create(context: object, bindings: object): InstanceActor {
    return Reflect.construct(InstanceActor, [context, bindings]);
  }

  /** The statements of `storage.ts`, `held.ts` and `seen.ts`, and no others. */
  #sql(): SqlStorage {
    const rows = (found: readonly Record<string, unknown>[]) => ({ toArray: () => found, rowsWritten: 1 });
    const exec = (query: string, ...values: SQLInputValue[]) => {
      if (/\bheld\b/.test(query)) {
        this.#held ??= new SqliteStorage();
        return this.#held.sql.exec(query, ...values);
      }
      if (/\bseen\b/.test(query)) {
        if (this.#seen === null && query.startsWith("SELECT")) return rows([]);
        this.#seen ??= new SqliteStorage();
        return this.#seen.sql.exec(query, ...values);
      }
      const [json] = values;
      if (query.includes("sqlite_master")) {
        const isTable = json === "held" ? this.#held !== null : this.#hasTable;
        return rows(isTable ? [{ 1: 1 }] : []);
      }
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
    const { scheduler } = this.platform;
    const [at, after, state] = [scheduler.now, this.#outline, saving?.state ?? null];
    this.platform.onHappening({ type: "saved", at, instance: this.name, before, after, state });
  }
}

/** The state's `profile` and `phase`, which stand side by side, as JSON. */
function outlineIn(json: string | null): string {
  if (json === null) return "null";
  const [from, to] = [json.indexOf('{"profile":'), json.indexOf(',"clock":')];
  if (from === -1 || to < from) throw new Error("profile and phase come first in a state");
  return `${json.slice(from, to)}}`;
}
