import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { vi } from "vitest";
import type { InstanceActor } from "../src/instance/actor.ts";

/** The service inside workerd, as its users meet it: by HTTP, on a clock that the test moves. */

const ORIGIN = "https://dumont.test";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly body: any;
}

export async function call(
  method: string,
  path: string,
  options: { token?: string; json?: unknown; raw?: BodyInit; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const response = await exports.default.fetch(`${ORIGIN}${path}`, {
    method,
    headers: {
      ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    body: options.raw ?? (options.json === undefined ? undefined : JSON.stringify(options.json)),
  });
  const text = await response.text();
  const isJson = response.headers.get("Content-Type")?.includes("json") ?? false;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

export const ADMIN_TOKEN = "test-admin-token-0123456789abcdef0123456789";

/** A new user with a token. */
export async function newUser(name = "Ada"): Promise<{ userId: string; token: string; tokenId: string }> {
  const user = await call("POST", "/api/admin/users", { token: ADMIN_TOKEN, json: { name } });
  const issued = await call("POST", `/api/admin/users/${user.body.user_id}/tokens`, { token: ADMIN_TOKEN });
  return { userId: user.body.user_id, token: issued.body.token, tokenId: issued.body.token_id };
}

/** A registered instance of a user, with the means to beat and look. */
export class Instance {
  readonly id: string;
  readonly userId: string;
  readonly userToken: string;
  token: string;

  private constructor(user: { userId: string; token: string }, id: string, token: string) {
    this.userId = user.userId;
    this.userToken = user.token;
    this.id = id;
    this.token = token;
  }

  static async register(
    user: { userId: string; token: string },
    id: string,
    more: Record<string, unknown> = {},
    query = "",
  ): Promise<Instance> {
    const reply = await call("POST", `/api/agent/instances${query}`, {
      token: user.token,
      json: { instance_id: id, ...more },
    });
    if (reply.status !== 201) throw new Error(JSON.stringify(reply.body));
    return new Instance(user, id, reply.body.token);
  }

  heartbeat(report: Record<string, unknown> = { gpu_utilization: 87 }): Promise<Reply> {
    return call("POST", "/api/agent/status", {
      token: this.token,
      json: { instance_id: this.id, ...report },
    });
  }

  /** Calls a path below the instance. */
  ask(method: string, path = "", json?: unknown): Promise<Reply> {
    return call(method, `/api/agent/instances/${this.id}${path}`, { token: this.userToken, json });
  }

  get actor(): DurableObjectStub<InstanceActor> {
    return env.INSTANCES.getByName(`${this.userId}/${this.id}`);
  }

  /** Waits until every effect so far is carried out, as happens after the answer. */
  async settled(): Promise<void> {
    await vi.waitFor(
      async () => {
        const waiting = await runInDurableObject(this.actor, (_, state) => {
          const { json } = state.storage.sql.exec<{ json: string }>("SELECT json FROM instance").one();
          const { state: stored, waitingFrom = Number.POSITIVE_INFINITY } = JSON.parse(json);
          return stored.outbox.filter(({ id }: { id: number }) => id < waitingFrom).length;
        });
        if (waiting > 0) throw new Error(`${waiting} effects wait`);
      },
      { timeout: 60_000, interval: 10 },
    );
  }

  async status(): Promise<string> {
    return (await this.ask("GET")).body.status;
  }

  armedAt(): Promise<number | null> {
    return runInDurableObject(this.actor, (_, state) => state.storage.getAlarm());
  }

  /** Moves the clock to `moment`; every alarm that falls due on the way fires at its time. */
  async until(moment: number): Promise<void> {
    for (;;) {
      const armedAt = await this.armedAt();
      if (armedAt === null || armedAt > moment) break;
      setClock(Math.max(armedAt, Date.now()));
      await runDurableObjectAlarm(this.actor);
    }
    setClock(moment);
  }

  /** Kinds of its events, oldest first. */
  async eventKinds(): Promise<string[]> {
    await this.settled();
    const { body } = await this.ask("GET", "/events?limit=1000");
    return body.events.map((event: { kind: string }) => event.kind).reverse();
  }
}

/** All rows that an object keeps in its own database, by table. */
export async function rowsOf(object: DurableObjectStub<undefined>): Promise<Record<string, unknown[]>> {
  return runInDurableObject(object, (_, { storage: { sql } }) => {
    const tables = sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
      )
      .toArray();
    return Object.fromEntries(
      tables.map(({ name }) => [name, sql.exec(`SELECT * FROM "${name}"`).toArray()]),
    );
  });
}

/** Waits until `check` throws no more: on a machine that is busy with other work that takes longer than vitest would wait. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 60_000, interval: 20 });
}

/** A day far ahead, so that the alarm scheduler, which keeps real time, never fires an alarm by itself. */
export const DAY = Date.UTC(2030, 0, 7);

export function setClock(moment: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: moment });
}
