import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loggedLines } from "../quiet.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";
import { introspectHurriedOrders } from "./introspect.ts";

/** What the log says of an order, from the request that caused it to each call of its provider. */

const MINUTE = 60_000;
const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;
const HOOK = "https://plane.example.com/orders/a-secret-path?key=a-secret-key";

let refuses: boolean;

beforeEach(() => {
  setClock(DAY);
  refuses = false;
  let state = "running";
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
    const order = JSON.parse(String(init?.body)).type;
    if (order === "instance.status") return Response.json({ state });
    if (refuses) throw new Error(`connect to ${HOOK} with ${SECRET} failed, tell ada@example.com`);
    state = "stopped";
    return Response.json({ status: "accepted" });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function rig(): Promise<Instance> {
  const user = await newUser();
  await call("PUT", "/api/agent/providers/webhook?verify=false", {
    token: user.token,
    json: { url: HOOK, secret: SECRET },
  });
  return Instance.register(user, "rig", { provider: "webhook", hourly_cost: 1 });
}

const about = (one: Instance, fields = {}) => loggedLines({ user_id: one.userId, ...fields });

describe("an order in the log", () => {
  it("can be followed from the owner's request to the provider's calls and its end", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await rig();
    await one.heartbeat();
    const { headers, status } = await one.ask("POST", "/hibernate");
    expect(status).toBe(202);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");

    const requestId = headers.get("X-Request-Id");
    expect(requestId).toMatch(/^[\w-]{16,}$/);
    expect(about(one, { message: "request", request_id: requestId })).toMatchObject([
      { method: "POST", path: "/api/agent/instances/rig/hibernate", status: 202, scope: "user" },
    ]);
    const [placed] = about(one, { message: "order placed", request_id: requestId });
    expect(placed).toMatchObject({
      instance_id: "rig",
      kind: "hibernate",
      upon: "hibernate.requested",
      from: "running",
      to: "hibernating",
    });
    const of = { request_id: requestId, instance_id: "rig", order_id: placed?.order_id };
    const [begun] = about(one, { ...of, message: "order under way" });
    const calls = about(one, { ...of, message: "provider answered", workflow_id: begun?.workflow_id });
    expect(calls.map(({ step, answer }) => [step, answer])).toEqual([
      ["look at the machine", "running"],
      ["hibernate, try", "accepted"],
      ["hibernate, look 1", "stopped"],
    ]);
    expect(about(one, { ...of, message: "order carried out" })).toMatchObject([{ outcome: "succeeded" }]);
    expect(about(one, { message: "order ended", order_id: placed?.order_id })).toMatchObject([
      { upon: "action.succeeded", to: "hibernated" },
    ]);
  });

  it("names the heartbeat upon which it was placed; no steady heartbeat is logged", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await rig();
    const before = about(one).length;
    let last = await one.heartbeat({ gpu_utilization: 1 });
    expect(about(one, { message: "status changed" })).toMatchObject([
      { request_id: last.headers.get("X-Request-Id"), upon: "heartbeat", from: "pending", to: "running" },
    ]);
    for (let minute = 1; minute < 5; minute++) {
      setClock(DAY + minute * MINUTE);
      await one.heartbeat({ gpu_utilization: 1 });
    }
    expect(about(one).length - before).toBe(1);
    setClock(DAY + 5 * MINUTE);
    last = await one.heartbeat({ gpu_utilization: 1 });
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    const requestId = last.headers.get("X-Request-Id");
    expect(about(one, { message: "order placed", request_id: requestId })).toHaveLength(1);
    expect(about(one, { message: "provider answered", request_id: requestId })).toHaveLength(3);
  });

  it("that time alone placed names no request", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await rig();
    await one.heartbeat();
    await one.until(DAY + 31 * MINUTE);
    await one.settled();
    await expect
      .poll(() => about(one, { message: "order placed" }))
      .toMatchObject([{ upon: "guard.permitted" }]);
    expect(about(one, { message: "order placed" })[0]).not.toHaveProperty("request_id");
    await expect.poll(() => about(one, { message: "order ended" }), { timeout: 60_000 }).toHaveLength(1);
  });

  it("tells each try that failed, and no secret of its provider", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await rig();
    await one.heartbeat();
    refuses = true;
    await one.ask("POST", "/hibernate");
    await expect
      .poll(() => about(one, { message: "order carried out" }), { timeout: 60_000 })
      .toMatchObject([{ outcome: "failed", because: expect.stringContaining("does not answer") }]);
    const failed = about(one, { message: "provider failed", step: "hibernate, try" });
    expect(failed.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(JSON.stringify(loggedLines())).not.toMatch(/a-secret|whsec_[A-Z]|ada@/);
  });
});

describe("the id of a request", () => {
  it("is Cloudflare's where there is one, and made up where that is none", async () => {
    const ray = "8f2a1b3c4d5e6f70-GRU";
    const own = await call("GET", "/healthz", { headers: { "CF-Ray": ray } });
    expect(own.headers.get("X-Request-Id")).toBe(ray);
    for (const given of ['x"},"level":"error', "a".repeat(1000), ""]) {
      const { headers } = await call("GET", "/healthz", { headers: { "CF-Ray": given } });
      expect(headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it("is in every answer, refusals included", async () => {
    const { token } = await newUser();
    const replies = [
      await call("GET", "/openapi.json"),
      await call("GET", "/nowhere"),
      await call("GET", "/api/agent/policy"),
      await call("GET", "/api/agent/instances", { token }),
      await call("POST", "/api/agent/status", { token, json: {} }),
      await call("PUT", "/api/agent/policy", { token, raw: "{" }),
    ];
    expect(replies.map(({ status }) => status)).toEqual([200, 404, 401, 200, 403, 400]);
    const ids = replies.map(({ headers }) => headers.get("X-Request-Id"));
    expect(new Set(ids).size).toBe(replies.length);
    expect(ids).not.toContain(null);
  });
});
