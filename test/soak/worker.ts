import * as worker from "../../src/worker.ts";
import { type Faults, faultsFrom } from "./faults.ts";
import { Seeded } from "./seeded.ts";

/**
 * The service, with a database and fleets that fail as it is told by `/soak/faults`. Built around any release's bundle,
 * which takes the place of the first import, and never deployed.
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

function faulty(env: Env): Env {
  return { ...env, DB: faultyDatabase(env.DB), FLEETS: faultyFleets(env.FLEETS) };
}

export class InstanceActor extends worker.InstanceActor {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, faulty(env));
  }
}

export class FleetActor extends worker.FleetActor {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, faulty(env));
  }
}

export class ServiceActor extends worker.ServiceActor {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, faulty(env));
  }
}

export class AlertDelivery extends worker.AlertDelivery {
  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, faulty(env));
  }
}

export class AlertDigest extends worker.AlertDigest {
  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, faulty(env));
  }
}

export class DailyCleanup extends worker.DailyCleanup {
  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, faulty(env));
  }
}

export class InstanceAction extends worker.InstanceAction {
  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, faulty(env));
  }
}

const { fetch } = worker.default;

export default {
  fetch: async (request, env, context) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/soak/faults") return fetch(request, faulty(env), context);
    faults = faultsFrom(searchParams);
    chance = new Seeded(faults.seed);
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler<Env>;
