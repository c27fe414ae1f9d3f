import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OPEN_GUARD } from "../../src/lifecycle/rules/outage-guard.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { credentialsSetAt } from "../../src/providers/connections.ts";
import type { Provider, Sighting } from "../../src/providers/provider.ts";
import * as registry from "../../src/providers/registry.ts";
import * as service from "../../src/service/service.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";
import { introspectHurriedOrders, introspectOrders } from "./introspect.ts";

/** What an order may do depends on what its provider shows; here the provider is a stub of the interface. */

const MINUTE = 60_000;
const DAYS_8 = 8 * 24 * 60 * MINUTE;
const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;

let sightings: Sighting[];
let orders: string[];
let snapshot: Awaited<ReturnType<Provider["snapshot"]>>;

const shown = (
  state: "running" | "starting" | "stopping" | "stopped",
  gpus: number | null = null,
): Sighting => ({
  state,
  gpus,
  obstacle: null,
});

/** Each look sees the next sighting; the last one stays. */
function show(...next: Sighting[]): void {
  sightings = next;
}

beforeEach(() => {
  setClock(DAY);
  orders = [];
  show(shown("running"));
  snapshot = { snapshotId: "snap-1", done: true };
  const order = (name: string, after?: Sighting) => async () => {
    orders.push(name);
    if (after !== undefined) show(after);
    return "accepted" as const;
  };
  const provider: Provider = {
    hibernate: order("hibernate", shown("stopped")),
    forceHibernate: order("force_hibernate", shown("stopped")),
    wake: order("wake"),
    delete: order("delete"),
    snapshot: async () => {
      orders.push("snapshot");
      return snapshot;
    },
    snapshotState: async () => "pending",
    status: async () => {
      const [sighting = shown("running"), ...rest] = sightings;
      if (rest.length > 0) sightings = rest;
      return sighting;
    },
    list: null,
    verify: async () => {},
  };
  vi.spyOn(registry, "openProvider").mockImplementation(async (env, userId, kind) => ({
    provider,
    credentialsSetAt: (await credentialsSetAt(env, userId, kind)) ?? 0,
  }));
  // Each test is a user that falls silent: five at once would be an outage of the service.
  vi.spyOn(service, "reportTotals").mockResolvedValue({ isTaken: true, guard: OPEN_GUARD });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function watched(sight = true): Promise<Instance> {
  const user = await newUser();
  const kept = await call("PUT", "/api/agent/providers/webhook?verify=false", {
    token: user.token,
    json: { url: "https://plane.example.com/orders", secret: SECRET },
  });
  expect(kept.status).toBe(200);
  const one = await Instance.register(user, "rig", { provider: "webhook" }, `?sight=${sight}`);
  await one.heartbeat();
  return one;
}

async function silentFor(one: Instance, duration: number): Promise<void> {
  await one.until(DAY + duration);
  await one.settled();
}

/** Hibernated for silence and seven days an orphan: the cleanup orders its deletion, which finds what `before` shows. */
async function expired(before: readonly Sighting[], sight = true): Promise<Instance> {
  const one = await watched(sight);
  await silentFor(one, 30 * MINUTE);
  await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
  await one.until(DAY + DAYS_8);
  show(...before);
  orders = [];
  await one.actor.cleanUp();
  await one.settled();
  return one;
}

async function lastEvent(one: Instance) {
  await one.settled();
  return (await one.ask("GET", "/events")).body.events[0];
}

describe("an order that stems from silence", () => {
  it("is not carried out while nobody can say how the machine is, and its owner is told", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await watched();
    show({ state: "unknown", because: "it answered a page" });
    await silentFor(one, 30 * MINUTE);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("orphaned");
    expect(orders).toEqual([]);
    expect(await lastEvent(one)).toMatchObject({
      kind: "hibernate_failed",
      severity: "critical",
      message: expect.stringContaining("it answered a page"),
    });
  });

  it("does nothing to a machine that is stopped already", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await watched();
    show(shown("stopped"));
    await silentFor(one, 30 * MINUTE);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(orders).toEqual([]);
  });

  it("leaves alone what would be replaced, and says so", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await watched();
    show({ state: "running", gpus: null, obstacle: "it is a member of an Auto Scaling group" });
    await silentFor(one, 30 * MINUTE);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("orphaned");
    expect(orders).toEqual([]);
    expect((await lastEvent(one)).message).toContain("Auto Scaling group");
  });

  it("of an instance whose machine another one watches is refused", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await watched();
    await runInDurableObject(fleetOf(env, one.userId), (_, { storage }) => {
      storage.sql.exec("UPDATE machines SET instance_id = 'newer'");
    });
    await silentFor(one, 30 * MINUTE);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("orphaned");
    expect(orders).toEqual([]);
    expect((await lastEvent(one)).message).toContain("this machine is watched as newer");
  });
});

describe("a machine that is not shown", () => {
  const MISSING: Sighting = { state: "missing" };

  it("is gone when these credentials have shown it before, and do not minutes later either", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await watched();
    show(MISSING);
    await silentFor(one, 30 * MINUTE);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("deleted");
    expect((await lastEvent(one)).kind).toBe("gone");
  });

  it("is there when the second look shows it", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await watched();
    show(MISSING, shown("running"));
    await silentFor(one, 30 * MINUTE);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(orders).toEqual(["hibernate"]);
  });

  it.each(["was never shown", "was shown with other credentials"])("is unknown when it %s", async (when) => {
    await using _ = await introspectHurriedOrders();
    const one = await watched(when !== "was never shown");
    if (when === "was shown with other credentials") {
      setClock(DAY + MINUTE);
      await call("PUT", "/api/agent/providers/webhook?verify=false", {
        token: one.userToken,
        json: { url: "https://other.example.com/orders", secret: SECRET },
      });
    }
    show(MISSING);
    await silentFor(one, 30 * MINUTE);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("orphaned");
    expect(await lastEvent(one)).toMatchObject({ kind: "hibernate_failed", severity: "critical" });
    expect(orders).toEqual([]);
  });
});

describe("a delete", () => {
  it("of a hibernated machine that runs is none: somebody uses it", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await expired([shown("running")]);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("pending");
    expect(orders).toEqual([]);
    expect(await lastEvent(one)).toMatchObject({ kind: "found_running", severity: "critical" });
  });

  it("of a machine that is started while its snapshot is taken is none", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await expired([shown("stopped"), shown("running")]);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("pending");
    expect(orders).toEqual(["snapshot"]);
  });

  it("is none while nobody can say how the machine is", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await expired([{ state: "unknown", because: "no answer" }]);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(orders).toEqual([]);
    expect(await lastEvent(one)).toMatchObject({ kind: "delete_failed", severity: "critical" });
  });

  it("is over once the machine is not shown any more, and not by a result while it is", async () => {
    await using introspector = await introspectOrders();
    await introspector.modifyAll(async (each) => {
      await each.disableSleeps();
      await each.disableRetryDelays();
      await each.mockEvent({
        type: "result-delete",
        payload: { outcome: "succeeded", snapshotId: null, because: null },
      });
      for (let wait = 2; wait <= 35; wait++) await each.forceEventTimeout({ name: `delete, wait ${wait}` });
    });
    const one = await expired([shown("stopped"), shown("stopped"), shown("stopped"), shown("running")]);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(orders).toEqual(["snapshot", "delete"]);
    expect((await lastEvent(one)).kind).toBe("delete_failed");
  });

  it("takes the result of its snapshot for that of its snapshot alone, however often it comes", async () => {
    await using introspector = await introspectOrders();
    await introspector.modifyAll(async (each) => {
      await each.disableRetryDelays();
      const payload = { outcome: "succeeded", snapshotId: "snap-2", because: null };
      await each.mockEvent({ type: "result-snapshot", payload });
      await each.mockEvent({ type: "result-snapshot", payload });
      for (let wait = 1; wait <= 35; wait++) await each.forceEventTimeout({ name: `delete, wait ${wait}` });
    });
    snapshot = { snapshotId: null, done: false };
    const one = await expired([shown("stopped")]);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(orders).toEqual(["snapshot", "delete"]);
    expect(await lastEvent(one)).toMatchObject({
      kind: "delete_failed",
      message: "Not deleted: webhook still shows it as stopped after half an hour",
    });
  });
});

describe("a wake", () => {
  async function woken(...next: Sighting[]): Promise<Instance> {
    const one = await watched();
    await one.ask("POST", "/hibernate");
    await one.settled();
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    orders = [];
    show(...next);
    await one.ask("POST", "/wake");
    await one.settled();
    return one;
  }

  it("that comes without the GPUs has failed, and the start is cancelled", async () => {
    await using _ = await introspectHurriedOrders();
    show(shown("running", 2));
    const one = await woken(shown("running", 0));
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(orders).toEqual(["wake", "hibernate"]);
    expect(await lastEvent(one)).toMatchObject({
      kind: "wake_failed",
      severity: "critical",
      message: expect.stringContaining("it started with 0 GPUs in place of 2; the start was cancelled"),
    });
  });

  it("that comes with all its GPUs waits for its first heartbeat", async () => {
    await using introspector = await introspectHurriedOrders();
    show(shown("running", 2));
    const one = await woken(shown("starting"), shown("running", 2));
    const runs = await introspector.get();
    await Promise.all(runs.map((run) => run.waitForStatus("complete")));
    expect([await one.status(), orders]).toEqual(["waking", ["wake"]]);
    await one.heartbeat();
    expect(await one.status()).toBe("running");
  });
});
