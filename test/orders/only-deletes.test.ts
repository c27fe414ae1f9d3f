import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeLambda, ID, instance, KEY } from "../providers/lambda/fake.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";
import { introspectHurriedOrders } from "./introspect.ts";

/** An instance whose provider can only delete, from its registration to its end. Lambda Cloud is a function in place of `fetch`. */

const HOUR = 3_600_000;
const WHY = "lambda can only delete a machine, which is billed until then";
const DELETE = { orphan: { delete_while_running: true, snapshot_before_delete: false } };

let cloud: FakeLambda;
let orders: string[];
/** Comes before each look is answered. */
let onLook: () => Promise<void>;

beforeEach(() => {
  setClock(DAY);
  cloud = new FakeLambda();
  cloud.put(instance());
  orders = [];
  onLook = async () => {};
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const { pathname } = new URL(String(input));
    const method = init?.method ?? "GET";
    const path = pathname.replace("/api/v1", "");
    if (method !== "GET") orders.push(path);
    else await onLook();
    const headers = Object.fromEntries([...new Headers(init?.headers)]);
    const { status, body } = cloud.answer({ method, path, headers, body: String(init?.body ?? "") });
    return new Response(body, { status });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function owner() {
  const user = await newUser();
  const json = { api_key: KEY };
  expect((await call("PUT", "/api/agent/providers/lambda", { token: user.token, json })).status).toBe(200);
  return user;
}

async function registered(policy: Record<string, unknown> = {}): Promise<Instance> {
  const machine = { provider: "lambda", provider_ref: ID, hourly_cost: 35.92, policy };
  return Instance.register(await owner(), "rig", machine);
}

/** Silent for more than a week, until the cleanup comes. */
async function expire(one: Instance): Promise<void> {
  await one.heartbeat();
  for (const hours of [1, 3, 8 * 24]) await one.until(DAY + hours * HOUR);
  await one.actor.cleanUp();
  await one.settled();
}

const kindsOf = async (one: Instance): Promise<string[]> => {
  const { body } = await one.ask("GET", "/events?limit=100");
  return body.events.map(({ kind }: { kind: string }) => kind);
};

it("is registered as it comes, and its owner's order to hibernate is refused with the reason", async () => {
  const one = await registered();
  await one.heartbeat();
  const refused = await one.ask("POST", "/hibernate");
  expect([refused.status, refused.body.error]).toEqual([
    409,
    expect.objectContaining({ code: "no_provider", message: `${WHY}: delete it where it is rented` }),
  ]);
  expect(orders).toEqual([]);
});

it("is not registered with the word to delete it and no word on the snapshot that nobody can take", async () => {
  const { token } = await owner();
  const policy = { orphan: { delete_while_running: true } };
  const json = { instance_id: "rig", provider: "lambda", provider_ref: ID, policy };
  const reply = await call("POST", "/api/agent/instances", { token, json });
  expect(reply.status).toBe(400);
  expect(reply.body.error.issues).toMatchObject([
    {
      path: "body.policy.orphan.snapshot_before_delete",
      message: expect.stringContaining("lambda cannot take snapshots"),
    },
  ]);
});

it("that falls silent for good is told of, and runs on", async () => {
  await using _ = await introspectHurriedOrders();
  const one = await registered();
  await expire(one);
  expect(await one.status()).toBe("orphaned");
  expect(await kindsOf(one)).toEqual(
    expect.arrayContaining(["orphaned", "silent", "abandoned", "would_delete"]),
  );
  expect(orders).toEqual([]);
});

it("is terminated by its owner's word, once it is shown, and counts as deleted when Lambda Cloud shows so", async () => {
  await using _ = await introspectHurriedOrders();
  const one = await registered(DELETE);
  await expire(one);
  await expect.poll(() => orders, { timeout: 60_000 }).toEqual(["/instance-operations/terminate"]);
  cloud.put(instance("terminated"));
  await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("deleted");
  expect(orders).toHaveLength(1);
  expect(await kindsOf(one)).not.toContain("hibernating");
});

it("is not terminated when it is heard during the last look before that", async () => {
  await using _ = await introspectHurriedOrders();
  const one = await registered(DELETE);
  await one.heartbeat();
  for (const hours of [1, 3, 8 * 24]) await one.until(DAY + hours * HOUR);
  let looks = 0;
  onLook = async () => {
    // The first is before the order is tried.
    if (++looks === 2) await one.heartbeat();
  };
  await one.actor.cleanUp();
  await one.settled();
  await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("running");
  expect(looks).toBe(2);
  expect(orders).toEqual([]);
});
