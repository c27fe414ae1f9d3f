import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { actionWorkflowId, findAction, startAction } from "../../src/orders/order.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";
import { introspectOrders } from "./introspect.ts";

/** Orders as workflows, inside workerd; the control plane is a function in place of `fetch`. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;
const IDLE = { gpu_utilization: 1 };

interface Plane {
  readonly orders: string[];
  state: string;
  answer: (order: string) => Response | undefined | Promise<Response | undefined>;
}

let plane: Plane;

beforeEach(() => {
  setClock(DAY);
  plane = { orders: [], state: "running", answer: () => undefined };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
    const order = JSON.parse(String(init?.body)).type.replace("instance.", "");
    if (order === "status") return Response.json({ state: plane.state });
    plane.orders.push(order);
    const answer = await plane.answer(order);
    if (answer !== undefined) return answer;
    if (order === "hibernate" || order === "force_hibernate") plane.state = "stopped";
    if (order === "delete") plane.state = "gone";
    return order === "snapshot"
      ? Response.json({ status: "done", snapshot_id: "snap-1" })
      : Response.json({ status: "accepted" });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function owner() {
  const user = await newUser();
  const kept = await call("PUT", "/api/agent/providers/webhook?verify=false", {
    token: user.token,
    json: { url: "https://plane.example.com/orders", secret: SECRET },
  });
  expect(kept.status).toBe(200);
  return user;
}

async function instance(policy: Record<string, unknown> = {}): Promise<Instance> {
  return Instance.register(await owner(), "rig", { provider: "webhook", hourly_cost: 1, policy });
}

/** They neither sleep nor wait between tries; `failing` is a step that fails twice before it succeeds. */
async function workflows(failing?: string) {
  const introspector = await introspectOrders();
  await introspector.modifyAll(async (each) => {
    await each.disableSleeps();
    await each.disableRetryDelays();
    if (failing !== undefined) await each.mockStepError({ name: failing }, new Error("cut off"), 2);
  });
  return introspector;
}

async function idleUntilHibernating(one: Instance): Promise<void> {
  for (let minute = 0; minute <= 5; minute++) {
    await one.until(DAY + minute * MINUTE);
    await one.heartbeat(IDLE);
  }
  await one.settled();
}

/** Silent for days, hibernated on the way: the cleanup orders its deletion. */
async function expire(one: Instance): Promise<void> {
  await one.heartbeat();
  await one.until(DAY + 30 * MINUTE);
  await one.settled();
  await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
  await one.until(DAY + 8 * 24 * HOUR);
  await one.actor.cleanUp();
  await one.settled();
}

describe("hibernation", () => {
  it("is ordered once, confirmed by the provider, and its time saved from then on", async () => {
    await using _ = await workflows();
    const one = await instance();
    await idleUntilHibernating(one);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(plane.orders).toEqual(["hibernate"]);
    setClock(Date.now() + HOUR);
    const { body } = await call("GET", "/api/agent/savings", { token: one.userToken });
    expect(body.in_all).toMatchObject({ saved_total: 1, hibernated_seconds_total: 3600 });
    const { body: events } = await one.ask("GET", "/events");
    expect(events.events[0]).toMatchObject({
      kind: "hibernated",
      detail: { confirmed_by: "webhook (before: running)" },
    });
  });

  it("that was asked twice starts one workflow", async () => {
    await using _ = await workflows();
    const one = await instance();
    await idleUntilHibernating(one);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    const { body } = await one.ask("GET", "/events");
    const actionId = body.events[0].detail.action_id;
    await startAction(env, {
      userId: one.userId,
      instanceId: one.id,
      provider: "webhook",
      providerRef: one.id,
      order: {
        actionId,
        kind: "hibernate",
        reason: "idle",
        machine: { provider: "webhook", providerRef: null },
        sighted: null,
        isHibernated: false,
        snapshotFirst: false,
      },
    });
    expect(plane.orders).toEqual(["hibernate"]);
  });

  it("that the provider refuses fails with a critical alert, and the instance is what it was", async () => {
    await using _ = await workflows();
    plane.answer = () => Response.json({ error: "no" }, { status: 400 });
    const one = await instance();
    await idleUntilHibernating(one);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("running");
    const { body } = await one.ask("GET", "/events");
    expect(body.events[0]).toMatchObject({
      kind: "hibernate_failed",
      severity: "critical",
      message: expect.stringContaining("the webhook answered 400"),
    });
    expect(plane.orders).toEqual(["hibernate"]);
  });

  it("that was obeyed is confirmed, though its answer was lost and the next try refused", async () => {
    await using _ = await workflows();
    plane.answer = () => {
      if (plane.orders.length > 1) return Response.json({ error: "no" }, { status: 400 });
      plane.state = "stopped";
      return Response.json({}, { status: 503 });
    };
    const one = await instance();
    await idleUntilHibernating(one);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(plane.orders).toEqual(["hibernate", "hibernate"]);
  });

  it("is not tried again once it stands no more", async () => {
    await using introspector = await workflows();
    const one = await instance();
    plane.answer = async () => {
      const { body } = await one.ask("GET", "/events");
      const { detail } = body.events.find((event: { kind: string }) => event.kind === "hibernating");
      await one.actor.endAction(detail.action_id, { type: "failed", because: "it was over" });
      return Response.json({}, { status: 503 });
    };
    await idleUntilHibernating(one);
    const [run] = await introspector.get();
    await run?.waitForStatus("complete");
    expect(plane.orders).toEqual(["hibernate"]);
  });

  it("that is obeyed in words alone fails: the GPU is still paid for", async () => {
    await using introspector = await introspectOrders();
    await introspector.modifyAll(async (each) => {
      await each.disableRetryDelays();
      for (let wait = 1; wait <= 35; wait++)
        await each.forceEventTimeout({ name: `hibernate, wait ${wait}` });
    });
    plane.answer = () => Response.json({ status: "accepted" });
    const one = await instance();
    await idleUntilHibernating(one);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("running");
    const { body } = await one.ask("GET", "/events");
    expect(body.events[0]).toMatchObject({
      kind: "hibernate_failed",
      severity: "critical",
      message: "Could not hibernate: webhook still shows it as running after half an hour",
    });
  });

  it.each([
    "look at the machine",
    "ask before acting",
    "hibernate, try",
    "hibernate, note that it was taken",
    "hibernate, look 1",
    "tell the instance",
  ])("goes on where it was after the step '%s' has failed", async (name) => {
    await using _ = await workflows(name);
    const one = await instance();
    await idleUntilHibernating(one);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(plane.orders).toEqual(["hibernate"]);
  });
});

describe("a wake", () => {
  /** Hibernated for idleness, then asked to wake, while `act` answers its orders. */
  async function failingWake(one: Instance, answer: Plane["answer"]): Promise<void> {
    await idleUntilHibernating(one);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    plane.orders.length = 0;
    plane.answer = answer;
    await one.until(DAY + 30 * MINUTE);
    expect((await one.ask("POST", "/wake")).status).toBe(202);
    await one.settled();
  }

  it("that failed is cancelled at its provider", async () => {
    await using introspector = await workflows();
    const one = await instance();
    await failingWake(one, (order) => (order === "wake" ? Response.json({}, { status: 400 }) : undefined));
    for (const run of await introspector.get()) await run.waitForStatus("complete");
    expect(plane.orders).toEqual(["wake", "hibernate"]);
    expect(await one.status()).toBe("hibernated");
  });

  it("that is heard between two tries to cancel it is not cancelled any more", async () => {
    await using introspector = await workflows();
    const one = await instance();
    await failingWake(one, async (order) => {
      if (order === "wake") return Response.json({}, { status: 400 });
      await one.heartbeat();
      return Response.json({}, { status: 503 });
    });
    for (const run of await introspector.get()) await run.waitForStatus("complete");
    expect(plane.orders).toEqual(["wake", "hibernate"]);
    expect(await one.status()).toBe("running");
  });
});

describe("deletion", () => {
  it("takes a snapshot, then deletes, and names the snapshot", async () => {
    await using _ = await workflows();
    const one = await instance();
    await expire(one);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("deleted");
    expect(plane.orders.slice(-2)).toEqual(["snapshot", "delete"]);
    const { body } = await one.ask("GET", "/events");
    expect(body.events[0].message).toMatch(
      /^Instance auto-deleted after 7 days orphaned\. Snapshot saved: snap-1$/,
    );
  });

  it.each([
    "look at the machine",
    "look at the machine, ask",
    "snapshot",
    "look after the snapshot",
    "look after the snapshot, ask",
    "delete, try",
    "delete, note that it was taken",
    "tell the instance",
  ])("goes on where it was after the step '%s' has failed", async (name) => {
    await using _ = await workflows(name);
    const one = await instance();
    await expire(one);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("deleted");
    expect(plane.orders.filter((order) => order === "delete" || order === "snapshot")).toEqual([
      "snapshot",
      "delete",
    ]);
  });

  it("never happens when the snapshot fails for good: a critical alert says so", async () => {
    await using _ = await workflows();
    plane.answer = (order) => (order === "snapshot" ? Response.json({}, { status: 500 }) : undefined);
    const one = await instance();
    await expire(one);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    const { body } = await one.ask("GET", "/events");
    expect(body.events[0]).toMatchObject({
      kind: "delete_failed",
      severity: "critical",
      message: expect.stringContaining("Not deleted: the snapshot failed: the webhook answered 500"),
    });
    expect(plane.orders).not.toContain("delete");
    expect(plane.orders.filter((order) => order === "snapshot")).toHaveLength(6);
  });

  it("does not happen when a heartbeat comes while the snapshot is taken", async () => {
    await using _ = await workflows();
    const one = await instance();
    plane.answer = async (order) => {
      if (order === "snapshot") expect((await one.heartbeat()).status).toBe(200);
      return undefined;
    };
    await expire(one);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("running");
    const id = await actionWorkflowId(one.userId, one.id, await deleteActionOf(one));
    await expect
      .poll(async () => (await (await findAction(env, id))?.status())?.status, { timeout: 60_000 })
      .toBe("complete");
    expect(plane.orders).toContain("snapshot");
    expect(plane.orders).not.toContain("delete");
    expect(await one.status()).toBe("running");
  });

  it("without a snapshot happens only when the policy asks for none", async () => {
    await using _ = await workflows();
    const one = await instance({ orphan: { snapshot_before_delete: false } });
    await expire(one);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("deleted");
    expect(plane.orders).not.toContain("snapshot");
    expect(plane.orders.at(-1)).toBe("delete");
  });
});

async function deleteActionOf(one: Instance): Promise<string> {
  const { body } = await one.ask("GET", "/events?limit=100");
  return body.events.find((event: { kind: string }) => event.kind === "deleting").detail.action_id;
}
