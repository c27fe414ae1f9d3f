import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";
import { introspectOrders } from "./introspect.ts";

const MINUTE = 60_000;
const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;
let orders: string[] = [];
let gate: Promise<void> = Promise.resolve();

beforeEach(() => {
  setClock(DAY);
  orders = [];
  // A control plane that does not know the question for the status, as it need not.
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
    await gate;
    const order = JSON.parse(String(init?.body)).type.replace("instance.", "");
    if (order === "status") return Response.json({});
    orders.push(order);
    return Response.json({ status: order === "hibernate" ? "done" : "accepted" });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("a machine that was woken and is kept alive by hand is not stopped because nobody can say how it is", async () => {
  await using introspector = await introspectOrders();
  await introspector.modifyAll(async (each) => {
    await each.disableSleeps();
    await each.disableRetryDelays();
    for (let wait = 1; wait <= 35; wait++) await each.forceEventTimeout({ name: `wake, wait ${wait}` });
  });
  const user = await newUser();
  await call("PUT", "/api/agent/providers/webhook?verify=false", {
    token: user.token,
    json: { url: "https://plane.example.com/orders", secret: SECRET },
  });
  const one = await Instance.register(user, "rig", { provider: "webhook" });
  await one.heartbeat();
  await one.ask("POST", "/hibernate");
  await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
  setClock(Date.now() + 10 * MINUTE);
  orders = [];
  let hold = () => {};
  gate = new Promise<void>((resolve) => {
    hold = resolve;
  });
  expect((await one.ask("POST", "/wake")).status).toBe(202);
  expect((await one.ask("POST", "/keep-alive", { minutes: 480 })).status).toBe(200);
  // Half an hour passes, in which the workflow looks in vain.
  await one.until(Date.now() + 31 * MINUTE);
  hold();
  for (const run of await introspector.get()) await run.waitForStatus("complete");
  expect(orders).toEqual(["wake"]);
});
