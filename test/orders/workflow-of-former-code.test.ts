import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { actionWorkflowId } from "../../src/orders/order.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";
import { introspectOrders } from "./introspect.ts";

/** Workflows that the former code (62aec4a) began, and that this code finds half-way. */

const MINUTE = 60_000;
const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;
let orders: string[] = [];
let state = "running";
let gate: Promise<void> = Promise.resolve();

beforeEach(() => {
  setClock(DAY);
  orders = [];
  state = "running";
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
    const order = JSON.parse(String(init?.body)).type.replace("instance.", "");
    if (order === "status") {
      await gate;
      return Response.json({ state });
    }
    orders.push(order);
    if (order === "hibernate" || order === "force_hibernate") state = "stopped";
    if (order === "delete") state = "gone";
    return Response.json({ status: "accepted" });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function expired(): Promise<Instance> {
  const user = await newUser();
  await call("PUT", "/api/agent/providers/webhook?verify=false", {
    token: user.token,
    json: { url: "https://plane.example.com/orders", secret: SECRET },
  });
  const one = await Instance.register(user, "rig", {
    provider: "webhook",
    policy: { orphan: { snapshot_before_delete: false } },
  });
  await one.heartbeat();
  await one.until(DAY + 30 * MINUTE);
  await one.settled();
  await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
  await one.until(DAY + 8 * 24 * 60 * MINUTE);
  return one;
}

describe("a delete", () => {
  it("that its provider had accepted under the former code ends as a deletion", async () => {
    const introspector = await introspectOrders();
    await introspector.modifyAll(async (each) => {
      await each.disableSleeps();
      await each.disableRetryDelays();
    });
    const one = await expired();
    // From here on: what the former code's steps left.
    await introspector.dispose();
    await using next = await introspectOrders();
    await next.modifyAll(async (each) => {
      await each.disableSleeps();
      await each.disableRetryDelays();
      await each.mockStepResult({ name: "look before acting" }, "stopped");
      await each.mockStepResult({ name: "ask whether it still stands" }, true);
      await each.mockStepResult({ name: "delete" }, "accepted");
    });
    state = "gone";
    await one.actor.cleanUp();
    await one.settled();
    for (const run of await next.get()) await run.waitForStatus("complete");
    const { body } = await one.ask("GET", "/events?limit=1");
    expect([await one.status(), body.events[0].message]).toEqual(["deleted", expect.anything()]);
  });

  it("that the former code ordered does not delete what runs though it counts as hibernated", async () => {
    await using introspector = await introspectOrders();
    await introspector.modifyAll(async (each) => {
      await each.disableSleeps();
      await each.disableRetryDelays();
    });
    const one = await expired();
    await one.settled();
    // Its owner has started it by hand.
    state = "running";
    let open = () => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const next = await runInDurableObject(one.actor, (_, ctx) => {
      const { json } = ctx.storage.sql.exec<{ json: string }>("SELECT json FROM instance").one();
      return JSON.parse(json).state.nextEffectId as number;
    });
    // Parameters as the former code wrote them: no machine, no `sighted`, no `isHibernated`. The look is under way.
    for (const ahead of [0, 1, 2, 3, 4]) {
      const actionId = `delete-${(next + ahead).toString(36)}`;
      const params: unknown = {
        userId: one.userId,
        instanceId: one.id,
        provider: "webhook",
        providerRef: one.id,
        order: { actionId, kind: "delete", reason: "silence", snapshotFirst: false },
      };
      const id = await actionWorkflowId(one.userId, one.id, actionId);
      await env.INSTANCE_ACTION.create({ id, params: params as never });
    }
    await one.actor.cleanUp();
    await one.settled();
    expect(await one.status()).toBe("deleting");
    open();
    for (const run of await introspector.get()) await run.waitForStatus("complete");
    expect(orders).not.toContain("delete");
    expect(await one.status()).not.toBe("deleted");
  });
});
