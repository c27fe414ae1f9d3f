import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { actorOf, fleetOf } from "../../src/platform/address.ts";
import { readService } from "../../src/service/service.ts";
import { introspectOrders } from "../orders/introspect.ts";
import { expectLogged, mayLog } from "../quiet.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A database that refuses everything. */
function failDatabase(): void {
  const database = Object.getPrototypeOf(env.DB);
  const statement = Object.getPrototypeOf(env.DB.prepare("SELECT 1"));
  const down = () => Promise.reject(new Error("D1_ERROR: secret detail of the database"));
  vi.spyOn(database, "batch").mockImplementation(down);
  for (const method of ["first", "run", "all", "raw"]) vi.spyOn(statement, method).mockImplementation(down);
}

describe("while the database is down", () => {
  it("heartbeats are accepted, and nothing of them is lost", async () => {
    const one = await Instance.register(await newUser(), "rig");
    failDatabase();
    expectLogged(/outbox not delivered/);
    for (let minute = 0; minute < 25; minute++) {
      setClock(DAY + minute * 60_000);
      expect((await one.heartbeat()).status).toBe(200);
    }
    vi.restoreAllMocks();
    await one.until(Date.now() + 2 * 60_000);
    expect((await one.ask("GET", "/heartbeats")).body.heartbeats).toHaveLength(25);
  });

  it("everything that needs it answers 503 with Retry-After and no detail", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    failDatabase();
    expectLogged(/request failed/);
    mayLog(/outbox not delivered/);
    const answers = [
      await one.ask("GET"),
      await one.ask("GET", "/events"),
      await one.ask("GET", "/heartbeats"),
      await call("GET", "/api/agent/instances", { token: user.token }),
      await call("POST", "/api/agent/instances", { token: user.token, json: { instance_id: "rig-2" } }),
      await one.ask("POST", "/keep-alive"),
      await call("PUT", "/api/agent/policy", { token: user.token, json: {} }),
      await call("GET", "/api/admin/users", { token: ADMIN_TOKEN }),
    ];
    for (const { status, headers, body } of answers) {
      expect(status).toBe(503);
      expect(Number(headers.get("Retry-After"))).toBeGreaterThan(0);
      expect(body).toEqual({
        success: false,
        error: { code: "unavailable", message: "The service cannot answer right now" },
      });
    }
  });

  it("a fleet that runs goes on: guard, orders, policy, lists and the user's events", async () => {
    const user = await newUser();
    await call("PUT", "/api/agent/providers/webhook?verify=false", {
      token: user.token,
      json: { url: "https://plane.example.com/orders", secret: `whsec_${btoa("0".repeat(32))}` },
    });
    const one = await Instance.register(user, "rig", { provider: "webhook" }, "?sight=false");
    await one.heartbeat();
    await one.settled();
    const fleet = fleetOf(env, user.userId);
    await readService(env);
    await using orders = await introspectOrders();
    failDatabase();
    mayLog(/outbox not delivered/);

    // What comes of the guard's word may wait for the next try.
    await one.until(DAY + 32 * MINUTE);
    await vi.waitFor(async () => expect(await orders.get()).toHaveLength(1), 30_000);
    expect(await fleet.instanceIds("", 10, { status: "hibernating" })).toEqual(["rig"]);
    expect((await fleet.events(null, 10)).entries.map(({ kind }) => kind)).toContain("silent");
    expect(await fleet.setPolicy({ keep_alive_minutes: 7 })).toMatchObject({ version: 1 });
    const detail = await one.actor.detail();
    expect(detail).toMatchObject({ status: "hibernating", policy: { keep_alive_minutes: 7 } });

    vi.restoreAllMocks();
    // What was tried in vain for half an hour is tried again within the next.
    await one.until(Date.now() + 35 * MINUTE);
    expect(await one.eventKinds()).toEqual([
      "registered",
      "first_heartbeat",
      "orphaned",
      "silent",
      "hibernating",
      "policy_changed",
    ]);
  });

  it("an instance that is registered anyhow is in the list, and its history comes once the database is back", async () => {
    const user = await newUser();
    // The first call starts the fleet.
    await call("GET", "/api/agent/policy", { token: user.token });
    const batch = vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockRejectedValue(new Error("down"));
    expectLogged(/outbox not delivered \(history\)/);
    const one = await Instance.register(user, "rig");
    const list = await call("GET", "/api/agent/instances", { token: user.token });
    expect(list.body.instances).toMatchObject([{ instance_id: "rig", status: "pending" }]);
    expect((await one.ask("GET")).status).toBe(200);
    expect((await one.ask("GET", "/events")).body.events).toEqual([]);
    batch.mockRestore();
    await one.until(Date.now() + 2 * MINUTE);
    expect(await one.eventKinds()).toEqual(["registered"]);
  });

  it("a fleet that has never run begins once the database is back, and instances wait for it", async () => {
    const user = await newUser();
    const registered = { token: user.token, json: { instance_id: "rig" } };
    const batch = vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockRejectedValue(new Error("down"));
    expectLogged(/request failed/);
    expectLogged(/outbox not delivered \(fleet\)/);
    const refused = await call("POST", "/api/agent/instances", registered);
    expect([refused.status, refused.headers.get("Retry-After")]).toEqual([503, "5"]);
    // As one that a version without fleets has registered.
    const former = actorOf(env, user.userId, "former");
    const profile = {
      name: "former",
      provider: "agent",
      providerRef: null,
      hourlyCost: null,
      hibernatedHourlyCost: null,
    } as const;
    const policy = { overrides: {}, userPolicy: {}, userPolicyVersion: 0 };
    const known = { userId: user.userId, instanceId: "former", profile, sighted: null, ...policy };
    expect((await former.register(known)).outcome).toBe("registered");
    expect((await former.heartbeat(Date.now(), { gpu_utilization: 87 })).outcome).toBe("accepted");
    batch.mockRestore();

    expect((await call("POST", "/api/agent/instances", registered)).status).toBe(201);
    setClock(Date.now() + 2 * MINUTE);
    await runDurableObjectAlarm(former);
    const list = await call("GET", "/api/agent/instances?limit=10", { token: user.token });
    expect(list.body.instances).toMatchObject([
      { instance_id: "former", status: "running" },
      { instance_id: "rig", status: "pending" },
    ]);
  });
});
