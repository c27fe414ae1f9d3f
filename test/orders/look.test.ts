import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProviderError, type Sighting } from "../../src/providers/provider.ts";
import * as registry from "../../src/providers/registry.ts";
import { setBackTo, snapshotOf } from "../snapshots.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";
import { introspectHurriedOrders } from "./introspect.ts";

/** What becomes of a hibernated instance whose storage was set back, as its provider shows the machine. */

const MINUTE = 60_000;
const A_DAY = 24 * 60 * MINUTE;

let sighting: Sighting | Error;
let orders: string[];

const shown = (state: "running" | "stopped"): Sighting => ({ state, gpus: null, obstacle: null });

beforeEach(() => {
  setClock(DAY);
  orders = [];
  sighting = shown("running");
  const order = (name: string) => async () => {
    orders.push(name);
    if (name === "hibernate") sighting = shown("stopped");
    return "accepted" as const;
  };
  vi.spyOn(registry, "openProvider").mockImplementation(async () => ({
    provider: {
      hibernate: order("hibernate"),
      forceHibernate: order("force_hibernate"),
      wake: order("wake"),
      delete: order("delete"),
      snapshot: async () => ({ snapshotId: "snap-1", done: true }),
      snapshotState: async () => "pending",
      status: async () => {
        if (sighting instanceof Error) throw sighting;
        return sighting;
      },
      list: null,
      verify: async () => {},
    },
    credentialsSetAt: 0,
  }));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Hibernated, and set back to that a day later. */
async function setBack(now: Sighting | Error): Promise<Instance> {
  const user = await newUser();
  await call("PUT", "/api/agent/providers/webhook?verify=false", {
    token: user.token,
    json: {
      url: "https://plane.example.com/orders",
      secret: `whsec_${btoa("0123456789abcdef0123456789abcdef")}`,
    },
  });
  const one = await Instance.register(user, "rig", { provider: "webhook" });
  await one.heartbeat();
  await one.ask("POST", "/hibernate");
  await one.settled();
  await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
  await one.settled();
  const then = await snapshotOf(one.actor);
  setClock(DAY + A_DAY);
  await setBackTo(one.actor, then);
  orders = [];
  sighting = now;
  await one.actor.resume({ origin: "restore", knownUntil: null, lastId: 0, tokenGeneration: 0 });
  setClock(DAY + A_DAY + MINUTE);
  await runDurableObjectAlarm(one.actor);
  return one;
}

async function lastKinds(one: Instance): Promise<string[]> {
  await one.settled();
  const { events } = (await one.ask("GET", "/events")).body;
  return events.slice(0, 2).map(({ kind }: { kind: string }) => kind);
}

describe("a hibernated instance that was set back", () => {
  it("counts as running when its provider shows it running, and nothing is ordered", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await setBack(shown("running"));
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("running");
    expect(await lastKinds(one)).toContain("woken");
    expect(orders).toEqual([]);
  });

  it("stays hibernated when it is stopped", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await setBack(shown("stopped"));
    await expect.poll(() => lookOf(one), { timeout: 60_000 }).toBeUndefined();
    expect(await one.status()).toBe("hibernated");
    expect(orders).toEqual([]);
  });

  it("is its owner's to look after when the provider refuses to tell", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await setBack(new ProviderError("unauthorised", "it does not know these credentials"));
    await expect.poll(() => lastKinds(one), { timeout: 60_000 }).toContain("unwatched");
    expect(await one.status()).toBe("hibernated");
    expect(orders).toEqual([]);
  });
});

/** What the stored phase says of a look that is awaited. */
function lookOf(one: Instance): Promise<unknown> {
  return runInDurableObject(one.actor, (_, { storage: { sql } }) => {
    const { state } = JSON.parse(String(sql.exec("SELECT json FROM instance").one().json));
    return state.phase.look;
  });
}
