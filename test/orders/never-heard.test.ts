import { evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProviderError, type Sighting } from "../../src/providers/provider.ts";
import * as registry from "../../src/providers/registry.ts";
import { fireDueAlarms } from "../fleet/fleets.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";
import { introspectHurriedOrders } from "./introspect.ts";
import { machineProvider } from "./machine-provider.ts";

/** What becomes of an instance that was registered and never heard, as its provider shows the machine. */

const MINUTE = 60_000;

let sighting: Sighting | Error;
let orders: string[];

const shown = (state: "running" | "starting" | "stopping" | "stopped"): Sighting => ({
  state,
  gpus: null,
  obstacle: null,
});

beforeEach(() => {
  setClock(DAY);
  orders = [];
  vi.spyOn(registry, "openProvider").mockImplementation(async () => ({
    provider: machineProvider(
      (name) => {
        orders.push(name);
        sighting = shown("stopped");
      },
      async () => {
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

async function registered(now: Sighting | Error, orphan: Record<string, unknown> = {}): Promise<Instance> {
  const user = await newUser();
  await call("PUT", "/api/agent/providers/webhook?verify=false", {
    token: user.token,
    json: {
      url: "https://plane.example.com/orders",
      secret: `whsec_${btoa("0123456789abcdef0123456789abcdef")}`,
    },
  });
  sighting = now;
  return Instance.register(
    user,
    "rig",
    { provider: "webhook", hourly_cost: 2.5, policy: { orphan: { act_on_never_heard: true, ...orphan } } },
    "?sight=false",
  );
}

/** With the alarms of its fleet, and whatever is ordered carried out. */
async function until(one: Instance, moment: number): Promise<void> {
  for (let next = Date.now(); next < moment; next = Math.min(next + MINUTE, moment)) {
    await one.until(Math.min(next + MINUTE, moment));
    if (next % (5 * MINUTE) === 0) await evictDurableObject(one.actor);
    await fireDueAlarms([one.userId]);
    // Before the next minute what was ordered is carried out: on a slow machine it would take more minutes than on a fast one.
    await expect.poll(() => one.status(), { timeout: 60_000, interval: 20 }).not.toBe("hibernating");
  }
  await one.settled();
}

async function alerts(one: Instance): Promise<{ kind: string; severity: string; message: string }[]> {
  const { events } = (await one.ask("GET", "/events?limit=1000")).body;
  return events
    .filter(({ severity }: { severity: string }) => severity !== "info")
    .map(({ kind, severity, message }: Record<string, string>) => ({ kind, severity, message }))
    .reverse();
}

describe("a machine that was never heard", () => {
  it("is told of and left alone by default, through any number of alarms", async () => {
    const one = await registered(shown("running"), { act_on_never_heard: false });
    await until(one, DAY + 29 * MINUTE);
    expect((await one.ask("GET")).body).toMatchObject({ status: "pending", health: "inactive" });
    await until(one, DAY + 30 * MINUTE);
    expect((await one.ask("GET")).body).toMatchObject({
      status: "pending",
      health: "unhealthy",
      alert: "Never heard. Is the agent installed?",
      lifecycle: { next_step: null, blocked_by: "policy_disabled" },
    });
    const { instances } = (await call("GET", "/api/agent/instances?view=summary", { token: one.userToken }))
      .body;
    expect(instances).toMatchObject([{ status: "pending", health: "unhealthy" }]);
    await until(one, DAY + 3 * 60 * MINUTE);
    expect(await alerts(one)).toMatchObject([{ kind: "never_heard", severity: "warning" }]);
    const { events } = (await one.ask("GET", "/events?limit=1")).body;
    expect(events).toMatchObject([{ kind: "never_heard", detail: { hourly_cost: 2.5, rate: 2.5 } }]);
    expect(orders).toEqual([]);
    expect((await call("GET", "/metrics", { token: one.userToken })).body).toContain(
      "dumont_agents_never_heard_hourly_cost_dollars 2.5",
    );
    await one.heartbeat();
    expect((await one.eventKinds()).slice(-2)).toEqual(["recovered", "first_heartbeat"]);
  });

  it("is stopped if it runs, once the guard has let it go, and never deleted", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await registered(shown("running"));
    await until(one, DAY + 34 * MINUTE);
    expect(orders).toEqual([]);
    expect((await one.ask("GET")).body.lifecycle).toMatchObject({ next_step: "hibernate", in_seconds: 60 });
    await until(one, DAY + 45 * MINUTE);
    expect(orders).toEqual(["hibernate"]);
    expect((await one.ask("GET")).body).toMatchObject({ status: "hibernated", orphaned_since: null });
    setClock(DAY + 30 * 24 * 60 * MINUTE);
    await one.actor.cleanUp();
    await one.settled();
    expect(orders).toEqual(["hibernate"]);
    expect(await one.status()).toBe("hibernated");
  });

  it("counts as hibernated if it is stopped already, and nothing is done", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await registered(shown("stopped"));
    await until(one, DAY + 45 * MINUTE);
    expect(orders).toEqual([]);
    expect(await one.status()).toBe("hibernated");
  });

  it.each([
    ["nobody knows how it is", new ProviderError("refused", "it does not say")],
    ["it is just being started", shown("starting")],
    ["it is being stopped", shown("stopping")],
  ])("is left alone where %s, by force too, and its owner is told critically, once", async (_, now) => {
    await using _introspector = await introspectHurriedOrders();
    const one = await registered(now);
    await until(one, DAY + 150 * MINUTE);
    expect(orders).toEqual([]);
    expect(await one.status()).toBe("pending");
    const failures = (await alerts(one)).filter(({ kind }) => kind === "hibernate_failed");
    expect(failures[0]).toMatchObject({
      severity: "critical",
      message: expect.stringContaining("nothing was done"),
    });
    expect(failures.length).toBeGreaterThan(1);
  });
});
