import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { actionWorkflowId, findAction } from "../../../src/orders/order.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { alertOf, passAlarms, reportOf, rows } from "../../fleet/fleets.ts";
import { introspectOrders } from "../../orders/introspect.ts";
import { expectLogged } from "../../quiet.ts";
import { ADMIN_TOKEN, call, DAY, eventually, Instance, newUser, rowsOf, setClock } from "../../world.ts";

/** What the operator looks into and does, and what it may never do. */

const MINUTE = 60_000;
const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;

/** What the provider was asked, but for how the machine is. */
let orders: string[];
let machine: string;
let obeys: boolean;
let posts: { readonly url: string; readonly id: string | null }[];

beforeEach(() => {
  setClock(DAY);
  orders = [];
  machine = "running";
  obeys = true;
  posts = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const { type } = JSON.parse(String(init?.body));
    if (!String(input).includes("plane")) {
      posts.push({ url: String(input), id: new Headers(init?.headers).get("webhook-id") });
      return new Response("ok");
    }
    if (type === "instance.status") return Response.json({ state: machine });
    orders.push(type);
    if (obeys) machine = "stopped";
    return Response.json({ status: "accepted" });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const ask = (method: string, path: string, json?: unknown) =>
  call(method, `/api/admin/users/${path}`, { token: ADMIN_TOKEN, json });

async function rig(): Promise<Instance> {
  const user = await newUser();
  await call("PUT", "/api/agent/providers/webhook?verify=false", {
    token: user.token,
    json: { url: "https://plane.example.com/orders", secret: SECRET },
  });
  const one = await Instance.register(user, "rig", { provider: "webhook", hourly_cost: 1 });
  await one.heartbeat();
  return one;
}

const pathOf = (one: Instance) => `${one.userId}/instances/${one.id}`;

async function orderOf(one: Instance): Promise<string> {
  const { body } = await ask("GET", pathOf(one));
  return body.state.phase.action.id;
}

async function workflowOf(one: Instance) {
  const workflow = await findAction(env, await actionWorkflowId(one.userId, one.id, await orderOf(one)));
  if (workflow === null) throw new Error("no workflow");
  return workflow;
}

async function newest(one: Instance, kind: string) {
  await one.settled();
  const { body } = await one.ask("GET", "/events");
  return body.events.find((event: { kind: string }) => event.kind === kind);
}

describe("an instance that is looked into", () => {
  it("shows what is stored, what waits and why, and when its alarm fires", async () => {
    const one = await rig();
    await one.settled();
    const calm = await ask("GET", pathOf(one));
    expect(calm.status).toBe(200);
    expect(calm.body).toMatchObject({
      unreadable_because: null,
      is_leaving: false,
      history_shard: 0,
      state: { phase: { status: "running" }, profile: { provider: "webhook" } },
      heartbeats: { kept: 1, waiting: 0 },
      waiting: 0,
      parked: 0,
    });
    expect(calm.body.state).not.toHaveProperty("recent");
    expect(Date.parse(calm.body.alarm_at)).toBe(await one.armedAt());

    expectLogged(/outbox not delivered \(history\)/);
    vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockRejectedValue(new Error("D1_ERROR"));
    await one.ask("POST", "/keep-alive");
    await eventually(async () => {
      const { body } = await ask("GET", pathOf(one));
      expect(body).toMatchObject({
        targets_down: [{ target: "history", failures: 1, since: "2030-01-07T00:00:00Z" }],
        waiting: 1,
        waiting_effects: [{ type: "event", what: "kept_alive", delivered: ["fleet"] }],
      });
    });
  });

  it("shows no secret of its user", async () => {
    const one = await rig();
    await one.settled();
    const [instance, fleet] = [await ask("GET", pathOf(one)), await ask("GET", `${one.userId}/fleet`)];
    const shown = JSON.stringify([instance.body, fleet.body]);
    for (const secret of [SECRET, one.token, one.userToken, "plane.example.com", "sealed"]) {
      expect(shown).not.toContain(secret);
    }
  });

  it("is nobody's for another user, and no fleet comes into being for a user that does not exist", async () => {
    const one = await rig();
    const other = await newUser();
    const gone = "u-none";
    for (const path of [
      `${other.userId}/instances/rig`,
      `${gone}/instances/rig`,
      `${gone}/fleet`,
      `${gone}/tokens`,
    ]) {
      expect([path, (await ask("GET", path)).status]).toEqual([path, 404]);
    }
    const body = { order_id: "x", because: "x" };
    for (const act of ["end", "repeat"]) {
      expect((await ask("POST", `${gone}/instances/rig/order/${act}`, body)).status).toBe(404);
      expect((await ask("POST", `${other.userId}/instances/rig/order/${act}`, body)).status).toBe(404);
    }
    expect((await ask("POST", `${gone}/digests/u-ordinary-1/deliver`, { because: "x" })).status).toBe(404);
    expect((await rowsOf(fleetOf(env, gone))).fleet ?? []).toEqual([]);
    const asUser = await call("GET", `/api/admin/users/${pathOf(one)}`, { token: one.userToken });
    expect(asUser.status).toBe(403);
  });
});

describe("an order that is stuck", () => {
  it("is ended as failed, with who did it; nothing is asked of the provider for that", async () => {
    await using _ = await introspectOrders();
    obeys = false;
    const one = await rig();
    await one.ask("POST", "/hibernate");
    await expect.poll(() => orders).toEqual(["instance.hibernate"]);
    const orderId = await orderOf(one);
    const wrong = await ask("POST", `${pathOf(one)}/order/end`, { order_id: "hibernate-0", because: "x" });
    expect([wrong.status, wrong.body.error.code]).toEqual([409, "not_possible"]);
    const ended = await ask("POST", `${pathOf(one)}/order/end`, {
      order_id: orderId,
      because: "it hangs",
      operator: "Ada",
    });
    expect(ended.status).toBe(200);
    expect(await one.status()).toBe("running");
    expect(await newest(one, "hibernate_failed")).toMatchObject({
      message: "Could not hibernate: ended by the operator (Ada): it hangs",
    });
    expect(await newest(one, "operator_acted")).toMatchObject({
      message: "The order to hibernate was ended by the operator (Ada): it hangs",
      detail: {
        act: "end_order",
        by: "the operator (Ada)",
        action_id: orderId,
        request_id: ended.headers.get("X-Request-Id"),
      },
    });
    const again = await ask("POST", `${pathOf(one)}/order/end`, { order_id: orderId, because: "it hangs" });
    expect(again.status).toBe(409);
    expect(orders).toEqual(["instance.hibernate"]);
  });

  it("is carried out anew once its workflow has ended, and not while that goes on", async () => {
    await using introspector = await introspectOrders();
    await introspector.modifyAll((each) => each.disableRetryDelays());
    obeys = false;
    const one = await rig();
    await one.ask("POST", "/hibernate");
    await expect.poll(() => orders).toEqual(["instance.hibernate"]);
    const request = { order_id: await orderOf(one), because: "its workflow was ended" };
    const busy = await ask("POST", `${pathOf(one)}/order/repeat`, request);
    expect([busy.status, busy.body.error.code]).toEqual([409, "busy"]);
    expect(await newest(one, "operator_acted")).toBeUndefined();
    await (await workflowOf(one)).terminate();
    obeys = true;
    expect((await ask("POST", `${pathOf(one)}/order/repeat`, request)).status).toBe(202);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(orders).toEqual(["instance.hibernate", "instance.hibernate"]);
    expect(await newest(one, "operator_acted")).toMatchObject({ detail: { act: "repeat_order" } });
    const over = await ask("POST", `${pathOf(one)}/order/repeat`, request);
    expect([over.status, over.body.error.code]).toEqual([409, "not_possible"]);
  });

  it("that does not stand any more stops nothing", async () => {
    const one = await rig();
    for (const act of ["end", "repeat"]) {
      const reply = await ask("POST", `${pathOf(one)}/order/${act}`, { order_id: "delete-1", because: "x" });
      expect(reply.status).toBe(409);
    }
    expect(orders).toEqual([]);
    expect(await one.status()).toBe("running");
  });
});

describe("a fleet that is looked into", () => {
  async function withChannel() {
    const user = await newUser();
    const channel = await call("POST", "/api/agent/channels", {
      token: user.token,
      json: {
        name: "hook",
        minimum_severity: "info",
        settings: { kind: "webhook", url: "https://hooks.example.com/a-secret-path", secret: SECRET },
      },
    });
    expect(channel.status).toBe(201);
    return { user, fleet: fleetOf(env, user.userId), channelId: channel.body.id };
  }

  it("shows what waits to be told, what is due, and how large it is", async () => {
    const { user, fleet } = await withChannel();
    await fleet.report(
      reportOf("rig", { events: [alertOf("e-1"), alertOf("e-2", { severity: "critical" })] }),
    );
    const { status, body } = await ask("GET", `${user.userId}/fleet`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      instances_by_status: { running: 1 },
      guard: { closed_at: null },
      waiting_alerts: { critical: 1, others: 1, oldest_at: "2030-01-07T00:00:00Z" },
      waiting_deliveries: 0,
      tables: { instances: 1, events: 2, channels: 1, deliveries: 0 },
    });
    expect(body.due.critical_digest).not.toBeNull();
    expect(Date.parse(body.alarm_at)).toBeGreaterThan(0);
    expect(JSON.stringify(body)).not.toMatch(/a-secret-path|whsec_/);
  });

  it("has a digest delivered again, under the id by which its receiver knows it", async () => {
    const { user, fleet, channelId } = await withChannel();
    await fleet.report(reportOf("rig", { events: [alertOf("e-1")] }));
    await passAlarms(fleet, Date.now() + 2 * MINUTE);
    expect(posts).toHaveLength(1);
    const { body } = await ask("GET", `${user.userId}/fleet`);
    const [digest] = body.digests;
    expect(digest).toMatchObject({ alerts: 1 });
    const again = await ask("POST", `${user.userId}/digests/${digest.digest_id}/deliver`, {
      because: "Lost",
    });
    expect([again.status, again.body]).toEqual([202, { success: true, messages: 1 }]);
    await passAlarms(fleet, Date.now() + 1000);
    expect(posts).toHaveLength(2);
    expect(posts[1]).toEqual(posts[0]);
    expect(await rows(fleet, "SELECT id FROM deliveries")).toEqual([]);
    const { body: events } = await call("GET", "/api/agent/events", { token: user.token });
    expect(events.events[0]).toMatchObject({
      kind: "operator_acted",
      message: `1 message of the digest ${digest.digest_id} sent again by the operator: Lost`,
      detail: { act: "deliver_again", digest_id: digest.digest_id },
    });
    const elsewhere = { because: "x", channel_id: `${channelId}x` };
    for (const [id, json] of [
      [digest.digest_id, elsewhere],
      ["u-ordinary-99", { because: "x" }],
      ["pending", { because: "x" }],
    ]) {
      expect((await ask("POST", `${user.userId}/digests/${id}/deliver`, json)).status).toBe(404);
    }
    expect(posts).toHaveLength(2);
  });
});

describe("the tokens of a user", () => {
  it("are listed page by page without themselves, and revoked with an event", async () => {
    const { userId, token, tokenId } = await newUser();
    const other = await newUser();
    const spare = await ask("POST", `${userId}/tokens`, { name: "spare" });
    const first = await ask("GET", `${userId}/tokens?limit=1`);
    const second = await ask("GET", `${userId}/tokens?limit=1&cursor=${first.body.next_cursor}`);
    const listed = [...first.body.tokens, ...second.body.tokens];
    expect(listed.map(({ token_id }) => token_id).sort()).toEqual([tokenId, spare.body.token_id].sort());
    expect(JSON.stringify(listed)).not.toContain(spare.body.token);
    expect(listed.map(({ revoked_at }) => revoked_at)).toEqual([null, null]);
    const gone = await call("DELETE", `/api/admin/tokens/${spare.body.token_id}`, { token: ADMIN_TOKEN });
    expect(gone.status).toBe(200);
    const after = await ask("GET", `${userId}/tokens`);
    const revoked = after.body.tokens.find(({ name }: { name: string }) => name === "spare");
    expect(revoked.revoked_at).toBe("2030-01-07T00:00:00Z");
    const { body } = await call("GET", "/api/agent/events", { token });
    expect(body.events).toMatchObject([
      { kind: "operator_acted", detail: { act: "revoke_token", by: "the operator" } },
    ]);
    expect((await call("GET", "/api/agent/events", { token: other.token })).body.events).toEqual([]);
  });
});
