import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProviderError, type Sighting } from "../../src/providers/provider.ts";
import * as registry from "../../src/providers/registry.ts";
import { introspectHurriedOrders } from "../orders/introspect.ts";
import { machineProvider } from "../orders/machine-provider.ts";
import { setBackTo, snapshotOf } from "../snapshots.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

/** What becomes of a hibernated instance whose storage was set back, as its provider shows the machine: one read, and no order. */

const MINUTE = 60_000;
const A_DAY = 24 * 60 * MINUTE;

let sighting: Sighting | Error;
let orders: string[];
let looks: number;
/** Whoever looks gets no answer before this. */
let shownAfter: Promise<void>;

const shown = (state: "running" | "stopped"): Sighting => ({ state, gpus: null, obstacle: null });

beforeEach(() => {
  setClock(DAY);
  orders = [];
  looks = 0;
  shownAfter = Promise.resolve();
  sighting = shown("running");
  vi.spyOn(registry, "openProvider").mockImplementation(async () => ({
    provider: machineProvider(
      (name) => {
        orders.push(name);
        if (name === "hibernate") sighting = shown("stopped");
      },
      async () => {
        looks++;
        await shownAfter;
        if (sighting instanceof Error) throw sighting;
        return sighting;
      },
    ),
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
  looks = 0;
  sighting = now;
  await one.actor.resume({ origin: "restore", knownUntil: null, lastId: 0, tokenGeneration: 0 });
  setClock(DAY + A_DAY + 6 * MINUTE);
  return one;
}

async function lastKinds(one: Instance): Promise<string[]> {
  await one.settled();
  const { events } = (await one.ask("GET", "/events")).body;
  return events.slice(0, 2).map(({ kind }: { kind: string }) => kind);
}

describe("a hibernated instance that was set back", () => {
  it("counts as never heard when its provider shows it running, and nothing is ordered, by no workflow", async () => {
    await using workflows = await introspectHurriedOrders();
    const one = await setBack(shown("running"));
    const before = (await workflows.get()).length;
    await runDurableObjectAlarm(one.actor);
    expect(await one.status()).toBe("pending");
    expect(await lastKinds(one)).toContain("found_running");
    expect(looks).toBe(1);
    expect(orders).toEqual([]);
    expect(await workflows.get()).toHaveLength(before);
  });

  it("stays hibernated when it is stopped, and is asked for no more", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await setBack(shown("stopped"));
    await runDurableObjectAlarm(one.actor);
    expect(await lookOf(one)).toBeUndefined();
    expect(await one.status()).toBe("hibernated");
    await runDurableObjectAlarm(one.actor);
    expect(looks).toBe(1);
    expect(orders).toEqual([]);
  });

  it("counts as deleted when its provider shows it as destroyed", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await setBack({ state: "terminated" });
    await runDurableObjectAlarm(one.actor);
    expect(await one.status()).toBe("deleted");
    expect(await lastKinds(one)).toContain("gone");
  });

  it("is its owner's to look after when the provider refuses to tell, or does not show it, and is asked again", async () => {
    await using _ = await introspectHurriedOrders();
    for (const nothing of [
      new ProviderError("unauthorised", "it does not know these credentials"),
      { state: "missing" } as const,
      { state: "unknown", because: "who knows" } as const,
    ]) {
      setClock(DAY);
      sighting = shown("running");
      const one = await setBack(nothing);
      await runDurableObjectAlarm(one.actor);
      expect(await lastKinds(one)).toContain("unwatched");
      expect(await one.status()).toBe("hibernated");
      expect(orders).toEqual([]);
      sighting = shown("running");
      setClock(DAY + A_DAY + 17 * MINUTE);
      await runDurableObjectAlarm(one.actor);
      expect(await one.status()).toBe("pending");
    }
  });

  it("is asked for again, and nobody is told, when the provider is down for a moment", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await setBack(new ProviderError("unavailable", "503"));
    await runDurableObjectAlarm(one.actor);
    expect(await lookOf(one)).toMatchObject({ tries: 1, isTold: false });
    expect(await lastKinds(one)).not.toContain("unwatched");
    await evictDurableObject(one.actor);
    sighting = shown("stopped");
    setClock(DAY + A_DAY + 17 * MINUTE);
    await runDurableObjectAlarm(one.actor);
    expect(await lookOf(one)).toBeUndefined();
    expect(looks).toBe(2);
  });

  it("is looked at once, however many alarms fire meanwhile, and goes on hearing", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await setBack(shown("running"));
    const { promise, resolve } = Promise.withResolvers<void>();
    shownAfter = promise;
    const asking = runInDurableObject(one.actor, (actor) => Promise.all([actor.alarm(), actor.alarm()]));
    await expect.poll(() => looks).toBe(1);
    await one.heartbeat();
    expect(await one.status()).toBe("running");
    resolve();
    await asking;
    expect(looks).toBe(1);
    expect(await one.status()).toBe("running");
    expect(await lastKinds(one)).not.toContain("found_running");
  });
});

/** What the stored phase says of a look that is open. */
function lookOf(one: Instance): Promise<unknown> {
  return runInDurableObject(one.actor, (_, { storage: { sql } }) => {
    const { state } = JSON.parse(String(sql.exec("SELECT json FROM instance").one().json));
    return state.phase.openLook;
  });
}
