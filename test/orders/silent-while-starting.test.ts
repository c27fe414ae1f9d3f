import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";
import { introspectOrders } from "./introspect.ts";

const MINUTE = 60_000;
const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;
let orders: string[] = [];

beforeEach(() => {
  setClock(DAY);
  orders = [];
  // Vast.ai's contract runs and its GPU is paid while the container is `loading`; RunPod's pod is STARTING for good.
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
    const order = JSON.parse(String(init?.body)).type.replace("instance.", "");
    if (order === "status") return Response.json({ state: "starting" });
    orders.push(order);
    return Response.json({ status: "done" });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("a silent machine that hangs in its start is stopped some day, and not deleted without having been", async () => {
  await using introspector = await introspectOrders();
  await introspector.modifyAll(async (each) => {
    await each.disableSleeps();
    await each.disableRetryDelays();
  });
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
  const waitUntil = async (moment: number) => {
    await one.until(moment);
    await one.settled();
    await expect.poll(() => one.status(), { timeout: 60_000, interval: 20 }).not.toBe("hibernating");
  };
  // Half an hour is patience with a slow start, two hours are not.
  await waitUntil(DAY + 30 * MINUTE);
  expect(orders).toEqual([]);
  await waitUntil(DAY + 120 * MINUTE);
  expect(orders).toEqual(["force_hibernate"]);
});
