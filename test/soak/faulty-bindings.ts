import { type Faults, faultsFrom } from "./faults.ts";
import { Seeded } from "./seeded.ts";

/**
 * What stands between a release and its bindings in the soak: a database and fleets that fail as it is told by
 * `/soak/faults`. `entry.ts` puts it around any release's bundle. Never deployed.
 */

let faults: Faults = { database: null, fleet: null, share: 0, seed: 1 };
let chance = new Seeded(1);

const LATE_MS = 3_000;

/** Makes one call, unless it fails before it is made, or after. */
async function call<T>(target: "database" | "fleet", make: () => T | Promise<T>): Promise<T> {
  const fault = faults[target];
  if (fault === null || chance.next() >= faults.share) return make();
  switch (fault) {
    case "away":
      throw new Error(`the ${target} is away, as the soak wants it`);
    case "forgets": {
      await make();
      throw new Error(`the ${target} did not answer, as the soak wants it`);
    }
    case "slow":
      await new Promise((wake) => setTimeout(wake, LATE_MS * chance.next()));
      return make();
  }
}

type Method = (...values: readonly unknown[]) => unknown;

function methodOf(target: object, name: PropertyKey): Method | null {
  const value: unknown = Reflect.get(target, name);
  return typeof value === "function" ? (...values) => Reflect.apply(value, target, values) : null;
}

/** The same object, each of whose methods is handed to `wrap`. */
function wrapped<T extends object>(target: T, wrap: (name: PropertyKey, method: Method) => Method): T {
  return new Proxy(target, {
    get: (_, name): unknown => {
      const method = methodOf(target, name);
      return method === null ? Reflect.get(target, name) : wrap(name, method);
    },
  });
}

/** Statements as the database itself knows them, by what is handed out in their place. */
const statements = new WeakMap<object, D1PreparedStatement>();

function faultyStatement(statement: D1PreparedStatement): D1PreparedStatement {
  const faulty = wrapped(statement, (name, method) =>
    name === "bind"
      ? (...values) => faultyStatement(statement.bind(...values))
      : (...values) => call("database", () => method(...values)),
  );
  statements.set(faulty, statement);
  return faulty;
}

function faultyDatabase(database: D1Database): D1Database {
  return wrapped(database, (name, method) => {
    switch (name) {
      case "prepare":
        return (sql) => faultyStatement(database.prepare(String(sql)));
      case "batch":
        return (batch) => {
          const own = Array.isArray(batch) ? batch.map((each: object) => statements.get(each)) : [];
          return call("database", () => method(own));
        };
      default:
        return (...values) => call("database", () => method(...values));
    }
  });
}

function faultyFleets(fleets: Env["FLEETS"]): Env["FLEETS"] {
  return wrapped(fleets, (name, method) => {
    if (name !== "getByName") return method;
    return (id) =>
      wrapped(
        fleets.getByName(String(id)),
        (_, ask) =>
          (...values) =>
            call("fleet", () => ask(...values)),
      );
  });
}

/** As on the platform, a workflow that is created is stored: the local runtime says so before it is. */
function durable<T extends object>(workflows: T): T {
  return wrapped(workflows, (name, method) => {
    if (name !== "create") return method;
    return async (options) => {
      const created = await method(options);
      await untilStarted(workflows, created);
      return created;
    };
  });
}

const STARTED_WITHIN_MS = 2_000;

async function untilStarted(workflows: object, created: unknown): Promise<void> {
  const { id } = readId(created);
  const get = methodOf(workflows, "get");
  for (const giveUpAt = Date.now() + STARTED_WITHIN_MS; Date.now() < giveUpAt; ) {
    const instance: unknown = await get?.(id);
    const status: unknown = await methodOf(Object(instance), "status")?.();
    if (Reflect.get(Object(status), "status") !== "queued") return;
    await new Promise((wake) => setTimeout(wake, 10));
  }
}

function readId(value: unknown): { readonly id: string } {
  return { id: String(Reflect.get(Object(value), "id")) };
}

/** Bindings of workflows by the workflows' names, as the server process names them. */
function workflowsOf(env: Env): ReadonlyMap<string, object> {
  const bindings: unknown = JSON.parse(String(Reflect.get(env, "SOAK_WORKFLOWS")));
  return new Map(
    Object.entries(Object(bindings)).map(([binding, name]) => [
      String(name),
      Object(Reflect.get(env, binding)),
    ]),
  );
}

/** Wakes workflows that had not ended when the former process did: an event makes the local runtime go on with one. */
async function resume(env: Env, unfinished: readonly unknown[]): Promise<void> {
  const bindings = workflowsOf(env);
  for (const each of unfinished) {
    const workflows = bindings.get(String(Reflect.get(Object(each), "workflow")));
    const instance: unknown = workflows && (await methodOf(workflows, "get")?.(readId(each).id));
    await methodOf(Object(instance), "sendEvent")?.({ type: "soak-resumes", payload: {} });
  }
}

/** The bindings as an actor or a workflow of the soak sees them. */
export function faulty(env: Env): Env {
  const workflows = new Set(workflowsOf(env).values());
  const bindings = Object.entries(env).map(([name, binding]) => [
    name,
    workflows.has(binding) ? durable(binding) : binding,
  ]);
  return {
    ...Object.fromEntries(bindings),
    DB: faultyDatabase(env.DB),
    FLEETS: faultyFleets(env.FLEETS),
  };
}

/** Answers what the soak itself asks; null for all else. */
export async function answer(request: Request, env: Env): Promise<Response | null> {
  const { pathname, searchParams } = new URL(request.url);
  switch (pathname) {
    case "/soak/faults":
      faults = faultsFrom(searchParams);
      chance = new Seeded(faults.seed);
      return new Response(null, { status: 204 });
    case "/soak/workflows": {
      const unfinished: unknown = await request.json();
      if (Array.isArray(unfinished)) await resume(env, unfinished);
      return new Response(null, { status: 204 });
    }
    default:
      return null;
  }
}
