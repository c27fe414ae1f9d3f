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
  gpus: number;
  orders: string[];
  /** Comes before whoever looks is answered. */
  onLook: () => Promise<void>;
  onWake: () => void;
  onStop: () => void | Promise<void>;
}

let world: World;

beforeEach(() => {
  setClock(DAY);
  world = {
    state: "running",
    isQueued: false,
    gpus: 1,
    orders: [],
    onLook: async () => {},
    onWake: () => {},
    onStop: () => {},
  };
  const stop = async () => {
    world.orders.push("hibernate");
    await world.onStop();
    world.isQueued = false;
    world.state = "stopped";
    return "accepted" as const;
  };
  const status = async (): Promise<Sighting> => {
    const { state, gpus } = world;
    await world.onLook();
    return state === "unknown"
      ? { state, because: "who knows" }
      : { state, gpus, obstacle: null, stoppedHourlyCost: 0.02 };
  };
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

const WEBHOOK = {
  kind: "webhook",
  ref: "rig",
  credentials: {
    url: "https://plane.example.com/orders",
    secret: `whsec_${btoa("0123456789abcdef0123456789abcdef")}`,
  } as Record<string, string>,
};

const AZURE = {
  kind: "azure",
  ref: "ml/trainer-1",
  credentials: {
    tenant_id: "11111111-1111-4111-8111-111111111111",
    client_id: "33333333-3333-4333-8333-333333333333",
    client_secret: "a-secret-0123456789",
    subscription_id: "22222222-2222-4222-8222-222222222222",
  },
};

/** Hibernated, and then woken in vain. Its workflow has ended. */
async function wokenInVain(
  act: (world: World, one: Instance) => void,
  { kind, ref, credentials } = WEBHOOK,
): Promise<Instance> {
  await using introspector = await introspectHurriedOrders();
  await introspector.modifyAll(async (each) => {
    for (let wait = 1; wait <= 35; wait++) await each.forceEventTimeout({ name: `wake, wait ${wait}` });
  });
  const user = await newUser();
  await call("PUT", `/api/agent/providers/${kind}?verify=false`, { token: user.token, json: credentials });
  const one = await Instance.register(user, "rig", { provider: kind, provider_ref: ref });
  await one.heartbeat();
  await one.ask("POST", "/hibernate");
  await one.settled();
  await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
  world.orders = [];
  act(world, one);
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

  it("and whose machine its owner starts without GPUs, to fetch the data, is told of: nothing is stopped", async () => {
    const one = await wokenInVain((each) => away(each));
    world.onStop = () => {};
    world.state = "running";
    world.gpus = 0;
    const orders = world.orders.length;
    setClock(DAY + 6 * MINUTE);
    await runDurableObjectAlarm(one.actor);
    expect(world.orders).toHaveLength(orders);
    expect(await one.status()).toBe("pending");
    expect(await alertsOf(one)).toEqual(["found_running", "wake_failed"]);
  });

  it("and whose machine is heard while its provider is asked is not stopped", async () => {
    const one = await wokenInVain((each) => away(each));
    world.onStop = () => {};
    const orders = world.orders.length;
    world.onLook = async () => {
      await one.heartbeat();
    };
    setClock(DAY + 6 * MINUTE);
    await runDurableObjectAlarm(one.actor);
    expect(await one.status()).toBe("running");
    expect(world.orders).toHaveLength(orders);
  });

  it("and whose machine is woken anew while its provider is asked is not stopped by that", async () => {
    const one = await wokenInVain((each) => away(each));
    await using _ = await introspectHurriedOrders();
    world.onStop = () => {};
    const orders = world.orders.length;
    world.onLook = async () => {
      world.onLook = async () => {};
      await one.ask("POST", "/wake");
    };
    setClock(DAY + 6 * MINUTE);
    await runDurableObjectAlarm(one.actor);
    expect(await one.status()).toBe("waking");
    expect(world.orders.slice(orders)).not.toContain("hibernate");
  });

  it("is cancelled before the next one is tried, and not after", async () => {
    const one = await wokenInVain((each) => away(each));
    await using _ = await introspectHurriedOrders();
    const orders = world.orders.length;
    world.onStop = async () => {
      await one.ask("POST", "/wake");
      await new Promise((resolve) => setTimeout(resolve, 1000));
    };
    setClock(DAY + 6 * MINUTE);
    await runDurableObjectAlarm(one.actor);
    await expect.poll(() => world.orders.slice(orders)).toEqual(["hibernate", "wake"]);
    expect(world).toMatchObject({ isQueued: true, state: "starting" });
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

describe("a machine that comes back with fewer GPUs than it had", () => {
  const comesWithout = (each: World) => {
    each.gpus = 0;
    each.onLook = async () => {
      if (each.state === "starting") each.state = "running";
    };
  };

  it("is stopped where its provider may start it without", async () => {
    const one = await wokenInVain(comesWithout);
    expect(world.orders).toEqual(["wake", "hibernate"]);
    expect(await one.status()).toBe("hibernated");
  });

  it("is left alone where only its owner can have changed it, as a failed wake advises", async () => {
    const one = await wokenInVain(comesWithout, AZURE);
    expect(world.orders).toEqual(["wake"]);
    expect(await one.status()).toBe("waking");
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

it("a machine that is heard while it is looked at whether its start must be cancelled is not stopped", async () => {
  const one = await wokenInVain((each, woken) => {
    each.onWake = () => {
      throw new ProviderError("refused", "no");
    };
    let looks = 0;
    each.onLook = async () => {
      // The first is for the try that was refused.
      if (++looks === 2) await woken.heartbeat();
    };
  });
  expect(await one.status()).toBe("running");
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
