import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { toIso } from "../../src/lifecycle/model/time.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, rowsOf, setClock } from "../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

/** A fleet's rows without what it has last heard of the service, which it asks now and then by itself. */
function withoutService({ fleet = [], ...rows }: Record<string, unknown[]>) {
  return {
    ...rows,
    fleet: fleet.map((row) => {
      const {
        service: _,
        due: __,
        totalsNumber: ___,
        ...state
      } = JSON.parse(z.object({ json: z.string() }).parse(row).json);
      return state;
    }),
  };
}

describe("two users with the same instance id", () => {
  it("never see or touch each other's", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const hers = await Instance.register(ada, "rig", { name: "Ada's rig", hourly_cost: 1 });
    const his = await Instance.register(bob, "rig", { name: "Bob's rig", hourly_cost: 2 });
    await hers.heartbeat({ gpu_utilization: 11, cost_accumulated: 1 });
    for (let minute = 0; minute < 12; minute++) {
      await his.until(DAY + minute * MINUTE);
      await his.heartbeat({ gpu_utilization: 99, cost_accumulated: 100 + minute });
    }
    await his.ask("PATCH", "", { name: "Bob's new name", policy: { keep_alive_minutes: 5 } });
    await call("PUT", "/api/agent/policy", { token: bob.token, json: { idle: { threshold_percent: 50 } } });
    await his.ask("POST", "/keep-alive");

    const seenByHer = await hers.ask("GET");
    expect(seenByHer.body).toMatchObject({
      name: "Ada's rig",
      total_heartbeats: 1,
      keep_alive_until: null,
      mode: "act",
      policy: { keep_alive_minutes: 60, idle: { threshold_percent: 5 } },
    });
    const list = await call("GET", "/api/agent/instances", { token: ada.token });
    expect(list.body.instances).toHaveLength(1);
    expect(list.body.instances[0].name).toBe("Ada's rig");
    expect((await hers.ask("GET", "/heartbeats")).body.heartbeats).toHaveLength(1);
    expect(await hers.eventKinds()).toEqual(["registered", "first_heartbeat"]);
    const events = await call("GET", "/api/agent/events", { token: ada.token });
    expect(events.body.events).toHaveLength(2);
    expect((await call("GET", "/api/agent/savings", { token: ada.token })).body.instances).toHaveLength(1);
    const costs = await call("GET", "/api/agent/costs?by=instance", { token: ada.token });
    expect(costs.body).toMatchObject({ rows: [{ key: "rig" }], now: { rate: 1 } });

    await his.ask("DELETE");
    expect((await his.ask("GET")).status).toBe(404);
    expect((await hers.ask("GET")).status).toBe(200);
    expect((await hers.heartbeat()).status).toBe(200);
  });

  it("have nothing in common in their fleets, whatever happens in one of them", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const ids = ["rig", "rig-2", "rig-3", "rig-4"];
    const machine = { provider: "webhook", ref: "rig" } as const;
    const settle = (rigs: Instance[]) => Promise.all(rigs.map((one) => one.settled()));
    const beating = async (user: typeof ada) => {
      const rigs = await Promise.all(ids.map((id) => Instance.register(user, id)));
      for (const one of rigs) await one.heartbeat();
      await settle(rigs);
      await fleetOf(env, user.userId).claim(machine, "rig");
      return rigs;
    };
    const [hers, his] = [await beating(ada), await beating(bob)];
    const seenByHer = async () => [
      withoutService(await rowsOf(fleetOf(env, ada.userId))),
      await Promise.all(
        [
          "instances?limit=1",
          "events",
          "policy",
          "costs?by=instance",
          "savings",
          "costs/report",
          "channels",
          "providers/webhook",
          "instances/rig",
          "instances/rig/events",
        ].map(async (path) => (await call("GET", `/api/agent/${path}`, { token: ada.token })).body),
      ),
    ];
    setClock(DAY + MINUTE);
    const before = await seenByHer();

    const as = (method: string, path: string, json: unknown) =>
      call(method, `/api/agent/${path}`, { token: bob.token, json });
    await as("PUT", "policy", { keep_alive_minutes: 5 });
    await as("PUT", "providers/webhook?verify=false", {
      url: "https://plane.example.com/orders",
      secret: `whsec_${btoa("0123456789abcdef0123456789abcdef")}`,
    });
    await as("POST", "channels", {
      name: "#bob",
      settings: { kind: "slack", url: "https://hooks.slack.com/services/T/B/x" },
    });
    await his[3]?.ask("POST", "/hibernate");
    await his[3]?.ask("DELETE");
    for (const one of his.slice(0, 3)) await one.until(DAY + 6 * MINUTE);
    await settle(his.slice(0, 3));
    expect((await fleetOf(env, bob.userId).guards()).user.closedAt).not.toBeNull();
    await his[0]?.ask("DELETE");

    setClock(DAY + MINUTE);
    expect(await seenByHer()).toEqual(before);
    expect(await fleetOf(env, ada.userId).holderOf(machine)).toBe("rig");
    expect((await fleetOf(env, ada.userId).guards()).user.closedAt).toBeNull();
    for (const one of hers) expect((await one.heartbeat()).status).toBe(200);
  });

  it("cannot use each other's instance tokens", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const hers = await Instance.register(ada, "rig");
    const his = await Instance.register(bob, "rig");
    await his.heartbeat();
    expect((await hers.ask("GET")).body.total_heartbeats).toBe(0);
    expect((await his.ask("GET")).body.total_heartbeats).toBe(1);
  });
});

describe("another user's instance", () => {
  it("is as unknown as one that never was, whatever is asked of it", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const hers = await Instance.register(ada, "rig");
    await hers.heartbeat();
    const before = await hers.ask("GET");
    const asked: [string, string, unknown?][] = [
      ["GET", ""],
      ["PATCH", "", { name: "mine" }],
      ["DELETE", ""],
      ["POST", "/token"],
      ["POST", "/keep-alive"],
      ["POST", "/hibernate"],
      ["POST", "/wake"],
      ["GET", "/preparation"],
      ["GET", "/heartbeats"],
      ["GET", "/events"],
      ["GET", `/why?at=${toIso(Date.now())}`],
    ];
    for (const [method, path, json] of asked) {
      const answers = await Promise.all(
        ["rig", "never-was", "a%2Fb", `${ada.userId}%2Frig`].map((id) =>
          call(method, `/api/agent/instances/${id}${path}`, { token: bob.token, json }),
        ),
      );
      for (const answer of answers) {
        expect(answer.status, `${method} ${path}`).toBe(404);
        expect(answer.body).toEqual({
          success: false,
          error: { code: "not_found", message: "There is no such thing here" },
        });
      }
    }
    expect((await hers.ask("GET")).body).toEqual(before.body);
  });

  it("cannot be reached by a heartbeat that names it", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    await Instance.register(ada, "hers");
    const his = await Instance.register(bob, "his");
    const reply = await call("POST", "/api/agent/status", {
      token: his.token,
      json: { instance_id: "hers" },
    });
    expect(reply.status).toBe(403);
  });
});

describe("tokens", () => {
  it("are refused at once when rotated, and the new one works", async () => {
    const one = await Instance.register(await newUser(), "rig");
    expect((await one.heartbeat()).status).toBe(200);
    const former = one.token;
    one.token = (await one.ask("POST", "/token")).body.token;
    const refused = await call("POST", "/api/agent/status", { token: former, json: { instance_id: "rig" } });
    expect(refused.status).toBe(401);
    expect(refused.body.error.code).toBe("unauthorized");
    expect((await one.heartbeat()).status).toBe(200);
    expect((await one.ask("GET")).body.total_heartbeats).toBe(2);
  });

  it("of an instance that is not watched any more are refused, also when it is registered anew", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    expect((await one.ask("DELETE")).status).toBe(200);
    expect((await one.heartbeat()).status).toBe(401);
    expect(await one.armedAt()).toBeNull();
    const anew = await Instance.register(user, "rig");
    expect((await one.heartbeat()).status).toBe(401);
    expect((await anew.heartbeat()).status).toBe(200);
    expect((await anew.ask("GET")).body.total_heartbeats).toBe(1);
  });

  it("of a user are refused once revoked; twice is as once; others go on", async () => {
    const ada = await newUser();
    const second = await call("POST", `/api/admin/users/${ada.userId}/tokens`, { token: ADMIN_TOKEN });
    for (const path of [ada.tokenId, ada.tokenId]) {
      expect((await call("DELETE", `/api/admin/tokens/${path}`, { token: ADMIN_TOKEN })).status).toBe(200);
    }
    expect((await call("GET", "/api/agent/instances", { token: ada.token })).status).toBe(401);
    expect((await call("GET", "/api/agent/instances", { token: second.body.token })).status).toBe(200);
    expect((await call("DELETE", "/api/admin/tokens/t-none", { token: ADMIN_TOKEN })).status).toBe(404);
  });

  it("open only what their scope says: 401 without, 403 with another's", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    const tokens = { instance: one.token, user: user.token, admin: ADMIN_TOKEN };
    const doors: [keyof typeof tokens, string, string][] = [
      ["instance", "POST", "/api/agent/status"],
      ["user", "GET", "/api/agent/instances"],
      ["user", "POST", "/api/agent/instances"],
      ["user", "GET", "/api/agent/instances/rig"],
      ["user", "PATCH", "/api/agent/instances/rig"],
      ["user", "DELETE", "/api/agent/instances/rig"],
      ["user", "POST", "/api/agent/instances/rig/token"],
      ["user", "POST", "/api/agent/instances/rig/keep-alive"],
      ["user", "POST", "/api/agent/instances/rig/hibernate"],
      ["user", "POST", "/api/agent/instances/rig/wake"],
      ["user", "GET", "/api/agent/instances/rig/preparation"],
      ["user", "GET", "/api/agent/instances/rig/heartbeats"],
      ["user", "GET", "/api/agent/instances/rig/events"],
      ["user", "GET", "/api/agent/instances/rig/why"],
      ["user", "GET", "/api/agent/events"],
      ["user", "GET", "/api/agent/budget"],
      ["user", "PUT", "/api/agent/budget"],
      ["user", "GET", "/api/agent/hibernate-all"],
      ["user", "POST", "/api/agent/hibernate-all"],
      ["user", "GET", "/api/agent/policy"],
      ["user", "PUT", "/api/agent/policy"],
      ["user", "GET", "/api/agent/costs"],
      ["user", "GET", "/api/agent/savings"],
      ["user", "GET", "/api/agent/costs/report"],
      ["user", "GET", "/api/agent/channels"],
      ["user", "POST", "/api/agent/channels"],
      ["user", "DELETE", "/api/agent/channels/c-1"],
      ["user", "POST", "/api/agent/channels/c-1/test"],
      ["user", "GET", "/api/agent/connections"],
      ["user", "POST", "/api/agent/connections"],
      ["user", "PATCH", "/api/agent/connections/vast"],
      ["user", "DELETE", "/api/agent/connections/vast"],
      ["user", "POST", "/api/agent/connections/vast/check"],
      ["user", "POST", "/api/agent/connections/vast/sync"],
      ["user", "GET", "/api/agent/inventory"],
      ["user", "POST", "/api/agent/inventory/adopt"],
      ["user", "GET", "/api/agent/providers/webhook"],
      ["user", "PUT", "/api/agent/providers/webhook"],
      ["user", "DELETE", "/api/agent/providers/webhook"],
      ["admin", "POST", "/api/admin/users"],
      ["admin", "GET", "/api/admin/users"],
      ["admin", "POST", `/api/admin/users/${user.userId}/tokens`],
      ["admin", "DELETE", `/api/admin/tokens/${user.tokenId}`],
      ["admin", "POST", "/api/admin/cleanup"],
      ["admin", "GET", "/api/admin/events"],
    ];
    for (const [scope, method, path] of doors) {
      const door = `${method} ${path}`;
      const without = await call(method, path);
      expect(without.status, door).toBe(401);
      expect(without.headers.get("WWW-Authenticate"), door).toBe("Bearer");
      for (const [other, token] of Object.entries(tokens)) {
        if (other !== scope)
          expect((await call(method, path, { token })).status, `${door} by ${other}`).toBe(403);
      }
    }
    expect((await call("GET", "/api/agent/instances", { token: user.token })).body.instances).toHaveLength(1);
  });

  it("are kept nowhere: no database holds a token", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    const signatures = [user.token, one.token].map((token) => token.split(".")[2] ?? "?");
    const tables = await env.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
    ).all<{ name: string }>();
    expect(tables.results.length).toBeGreaterThan(4);
    for (const { name } of tables.results) {
      const rows = JSON.stringify((await env.DB.prepare(`SELECT * FROM "${name}"`).all()).results);
      for (const signature of signatures) expect(rows).not.toContain(signature);
    }
    for (const object of [one.actor, fleetOf(env, user.userId)]) {
      const rows = JSON.stringify(await rowsOf(object));
      expect(rows).toContain("rig");
      for (const signature of signatures) expect(rows).not.toContain(signature);
    }
  });
});
