import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Provider, ProviderError, type Sighting } from "../../src/providers/provider.ts";
import * as registry from "../../src/providers/registry.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";
import { introspectHurriedOrders } from "./introspect.ts";
import { machineProvider } from "./machine-provider.ts";

/** A wake that fails: its start is cancelled at the provider, and no machine starts later and bills unseen. */

const MINUTE = 60_000;

/** The provider: a start waits in its queue, until it is told to stop, or comes through. */
interface World {
  state: "running" | "starting" | "stopped" | "unknown";
  isQueued: boolean;
  orders: string[];
  onWake: () => void;
  onStop: () => void;
}

let world: World;

beforeEach(() => {
  setClock(DAY);
  world = { state: "running", isQueued: false, orders: [], onWake: () => {}, onStop: () => {} };
  const stop = async () => {
    world.orders.push("hibernate");
    world.onStop();
    world.isQueued = false;
    world.state = "stopped";
    return "accepted" as const;
  };
  const status = async (): Promise<Sighting> =>
    world.state === "unknown"
      ? { state: "unknown", because: "who knows" }
      : { state: world.state, gpus: 1, obstacle: null, stoppedHourlyCost: 0.02 };
  const provider: Provider = {
    ...machineProvider(() => {}, status),
    hibernate: stop,
    forceHibernate: stop,
    wake: async () => {
      world.orders.push("wake");
      world.onWake();
      world.isQueued = true;
      world.state = "starting";
      return "accepted";
    },
  };
  vi.spyOn(registry, "openProvider").mockImplementation(async () => ({ provider, credentialsSetAt: 0 }));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Hibernated, and then woken in vain. Its workflow has ended. */
async function wokenInVain(act: (world: World) => void): Promise<Instance> {
  await using introspector = await introspectHurriedOrders();
  await introspector.modifyAll(async (each) => {
    for (let wait = 1; wait <= 35; wait++) await each.forceEventTimeout({ name: `wake, wait ${wait}` });
  });
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
  world.orders = [];
  act(world);
  await one.ask("POST", "/wake");
  await one.settled();
  for (const run of await introspector.get()) await run.waitForStatus("complete");
  await one.settled();
  return one;
}

async function detailOf(one: Instance) {
  return (await one.ask("GET", "")).body;
}

async function alertsOf(one: Instance): Promise<string[]> {
  await one.settled();
  const { events } = (await one.ask("GET", "/events")).body;
  return events
    .filter(({ severity }: { severity: string }) => severity === "critical")
    .map(({ kind }: { kind: string }) => kind);
}

describe("a start that waits in the provider's queue for good", () => {
  it("is cancelled, and the instance is hibernated, says why, and what can be done", async () => {
    const one = await wokenInVain(() => {});
    expect(world).toMatchObject({ orders: ["wake", "hibernate"], isQueued: false });
    expect(await detailOf(one)).toMatchObject({
      status: "hibernated",
      hibernated_cost: 0.02,
      hibernated_cost_source: "provider",
      wake_failed: {
        because: "webhook still shows it as starting after half an hour; the start was cancelled",
        may_start: false,
        ways_on: [{ way: "wait", request: { method: "POST", path: "/api/agent/instances/rig/wake" } }],
      },
    });
    expect(await alertsOf(one)).toEqual(["wake_failed"]);
  });
});

describe("a start that can't be cancelled at once", () => {
  const away = ({ orders }: World) => {
    world.onStop = () => {
      // Of the workflow; the instance itself comes later.
      if (orders.filter((order) => order === "hibernate").length <= 6)
        throw new ProviderError("unavailable", "503");
    };
  };

  it("is cancelled by the instance later, which saves nothing before", async () => {
    const one = await wokenInVain((each) => away(each));
    world.onStop = () => {};
    expect(world.isQueued).toBe(true);
    expect(await detailOf(one)).toMatchObject({ status: "hibernated", wake_failed: { may_start: true } });
    setClock(DAY + 6 * MINUTE);
    await runDurableObjectAlarm(one.actor);
    expect(world).toMatchObject({ isQueued: false, state: "stopped" });
    expect(await detailOf(one)).toMatchObject({ status: "hibernated", wake_failed: { may_start: false } });
    expect(await alertsOf(one)).toEqual(["wake_failed"]);
  });

  it("and that comes through meanwhile is told of", async () => {
    const one = await wokenInVain((each) => away(each));
    world.onStop = () => {};
    world.state = "running";
    const orders = world.orders.length;
    setClock(DAY + 6 * MINUTE);
    await runDurableObjectAlarm(one.actor);
    expect(await one.status()).toBe("pending");
    expect(world.orders).toHaveLength(orders);
    expect(await alertsOf(one)).toEqual(["found_running", "wake_failed"]);
  });

  it("and whose machine is heard meanwhile is woken: nothing is stopped", async () => {
    const one = await wokenInVain((each) => away(each));
    world.onStop = () => {};
    world.state = "running";
    const orders = world.orders.length;
    await one.until(DAY + 4 * MINUTE);
    await one.heartbeat();
    setClock(DAY + 7 * MINUTE);
    await runDurableObjectAlarm(one.actor);
    expect(await one.status()).toBe("running");
    expect(world.orders).toHaveLength(orders);
  });
});

it("a start that comes through while it is given up counts as woken", async () => {
  const one = await wokenInVain((each) => {
    each.onWake = () => {
      // It was heard all the same.
      queueMicrotask(() => {
        world.state = "running";
      });
      throw new ProviderError("refused", "no");
    };
  });
  expect(await one.status()).not.toBe("hibernated");
  expect(world.orders).toEqual(["wake"]);
});

it("a wake that the provider refuses, and of whose machine it says nothing, has failed: nothing can start", async () => {
  const one = await wokenInVain((each) => {
    each.onWake = () => {
      throw new ProviderError("refused", "no such right");
    };
    each.state = "unknown";
  });
  expect(await detailOf(one)).toMatchObject({
    status: "hibernated",
    wake_failed: { because: "no such right", may_start: false },
  });
});
