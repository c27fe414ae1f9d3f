import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";
import { introspectOrders } from "./introspect.ts";

/** What an order does to a machine whose standing changed after the last look at it. */

const MINUTE = 60_000;
const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;

let orders: string[] = [];
let state = "running";
let gpus: number | null = null;
let answer: (order: string) => Response | undefined | Promise<Response | undefined> = () => undefined;

beforeEach(() => {
  setClock(DAY);
  orders = [];
  state = "running";
  gpus = null;
  answer = () => undefined;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
    const order = JSON.parse(String(init?.body)).type.replace("instance.", "");
    if (order === "status") return (await answer("status")) ?? Response.json({ state, gpus });
    orders.push(order);
    const given = await answer(order);
    if (given !== undefined) return given;
    if (order === "hibernate" || order === "force_hibernate") state = "stopped";
    if (order === "wake") state = "running";
    if (order === "delete") state = "gone";
    return Response.json({ status: "accepted" });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function instance(query = ""): Promise<Instance> {
  const user = await newUser();
  await call("PUT", "/api/agent/providers/webhook?verify=false", {
    token: user.token,
    json: { url: "https://plane.example.com/orders", secret: SECRET },
  });
  return Instance.register(
    user,
    "rig",
    { provider: "webhook", policy: { orphan: { snapshot_before_delete: false } } },
    query,
  );
}

async function workflows(mock?: { name: string; result: unknown }) {
  const introspector = await introspectOrders();
  await introspector.modifyAll(async (each) => {
    await each.disableSleeps();
    await each.disableRetryDelays();
    if (mock !== undefined) await each.mockStepResult({ name: mock.name }, mock.result);
  });
  return introspector;
}

async function hibernatedByOwner(one: Instance): Promise<void> {
  await one.heartbeat();
  expect((await one.ask("POST", "/hibernate")).status).toBe(202);
  await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
  setClock(Date.now() + 10 * MINUTE);
  orders = [];
}

describe("the start that is cancelled after a failed wake", () => {
  it("is not cancelled once the machine beats, though the cancel has to be tried again", async () => {
    await using introspector = await workflows();
    const one = await instance();
    await hibernatedByOwner(one);
    let cancels = 0;
    let looks = 0;
    answer = async (order) => {
      // The first wake was heard; its answer, and all others, were lost in the provider's bad minutes.
      if (order === "wake") return Response.json({}, { status: 503 });
      // Only when it is to be cancelled, the start is seen.
      if (order === "status") {
        looks += 1;
        return looks <= 6 ? Response.json({}, { status: 503 }) : Response.json({ state: "starting" });
      }
      if (order === "hibernate") {
        cancels += 1;
        if (cancels > 1) return undefined;
        // The machine is up by now, and at work.
        state = "running";
        expect((await one.heartbeat({ gpu_utilization: 99 })).status).toBe(200);
        return Response.json({}, { status: 503 });
      }
      return undefined;
    };
    expect((await one.ask("POST", "/wake")).status).toBe(202);
    await expect.poll(() => cancels, { timeout: 60_000 }).toBeGreaterThan(0);
    for (const run of await introspector.get()) await run.waitForStatus("complete");
    expect(await one.status()).toBe("running");
    expect(cancels).toBe(1);
    expect(state).toBe("running");
  });

  it("is not cancelled for a machine that has no GPUs at all and was never seen running", async () => {
    await using introspector = await workflows();
    // As a row from before this deployment, or one registered with sight=false: nothing was seen of it.
    const one = await instance("?sight=false");
    gpus = 0;
    await one.heartbeat({ cpu_utilization: 50 });
    answer = (order) =>
      order === "status"
        ? Response.json({ state: state === "running" ? "unknown" : state, gpus })
        : undefined;
    expect((await one.ask("POST", "/hibernate")).status).toBe(202);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    answer = () => undefined;
    setClock(Date.now() + 10 * MINUTE);
    orders = [];
    expect((await one.ask("POST", "/wake")).status).toBe(202);
    await expect.poll(() => orders, { timeout: 60_000 }).toContain("wake");
    for (const run of await introspector.get()) await run.waitForStatus("complete");
    expect(orders).toEqual(["wake"]);
  });
});

describe("a delete", () => {
  it("is not tried again at a machine that its owner has started since the look", async () => {
    await using introspector = await workflows();
    const one = await instance();
    await one.heartbeat();
    await one.until(DAY + 30 * MINUTE);
    await one.settled();
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    await one.until(DAY + 8 * 24 * 60 * MINUTE);
    let deletes = 0;
    answer = (order) => {
      if (order !== "delete") return undefined;
      deletes += 1;
      if (deletes > 1) return undefined;
      // Between this try and the next its owner starts it by hand.
      state = "running";
      return Response.json({}, { status: 503 });
    };
    await one.actor.cleanUp();
    await one.settled();
    await expect.poll(() => deletes, { timeout: 60_000 }).toBeGreaterThan(0);
    for (const run of await introspector.get()) await run.waitForStatus("complete");
    expect(deletes).toBe(1);
    expect(await one.status()).not.toBe("deleted");
  });
});

describe("a workflow that the former code began", () => {
  it("and that had taken a 404 or 410 for 'gone' is no proof that the machine is gone", async () => {
    // The result of the former code's step "hibernate", kept when this code takes over.
    await using introspector = await workflows({ name: "hibernate", result: "gone" });
    const one = await instance();
    await one.heartbeat();
    expect((await one.ask("POST", "/hibernate")).status).toBe(202);
    await expect.poll(async () => (await introspector.get()).length, { timeout: 60_000 }).toBe(1);
    for (const run of await introspector.get()) await run.waitForStatus("complete");
    // The order is given anew, by what is seen now.
    expect([orders, await one.status()]).toEqual([["hibernate"], "hibernated"]);
  });
});
