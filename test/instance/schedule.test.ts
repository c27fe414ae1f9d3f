import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { instantAt } from "../lifecycle/model/clocks.ts";
import { introspectHurriedOrders } from "../orders/introspect.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BUSY = { gpu_utilization: 90 };

/** What the control plane was told. */
const orders: string[] = [];

beforeEach(() => {
  setClock(DAY);
  orders.length = 0;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
    const order = JSON.parse(String(init?.body)).type.replace("instance.", "");
    if (order === "status") return Response.json({});
    orders.push(order);
    return Response.json({ status: "done" });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function beatUntil(one: Instance, moment: number, everyMs = MINUTE) {
  for (let next = Date.now(); next <= moment; next += everyMs) {
    await one.until(next);
    await one.heartbeat(BUSY);
  }
  await one.until(moment);
}

/** That day is a Monday. In São Paulo it begins three hours later. */
const OFFICE = {
  timezone: "America/Sao_Paulo",
  awake: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "09:00", to: "18:00" }],
  outside: "hibernate",
  wake_at_start: true,
};

describe("a day of a schedule, through real alarms", () => {
  it("hibernates what works at the end of its awake hours, and wakes it at their beginning", async () => {
    const end = instantAt(OFFICE.timezone, { year: 2030, month: 1, day: 7, hour: 18, minute: 0 });
    const start = instantAt(OFFICE.timezone, { year: 2030, month: 1, day: 8, hour: 9, minute: 0 });
    expect([end - DAY, start - DAY]).toEqual([21 * HOUR, 36 * HOUR]);
    setClock(end - 20 * MINUTE);
    await using _ = await introspectHurriedOrders();
    const user = await newUser();
    await call("PUT", "/api/agent/providers/webhook?verify=false", {
      token: user.token,
      json: {
        url: "https://plane.example.com/orders",
        secret: `whsec_${btoa("0123456789abcdef0123456789abcdef")}`,
      },
    });
    const one = await Instance.register(user, "28864630", {
      provider: "webhook",
      policy: { schedule: OFFICE },
    });
    await beatUntil(one, end - 15 * MINUTE);
    expect((await one.heartbeat(BUSY)).body).toMatchObject({
      actions: [{ type: "hibernate_warning", countdown_seconds: 900 }],
    });
    await beatUntil(one, end - 1);
    expect(await one.status()).toBe("running");
    expect(orders).toEqual([]);
    await one.until(end);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(orders).toEqual(["hibernate"]);
    expect((await one.ask("GET")).body).toMatchObject({
      status: "hibernated",
      lifecycle: { next_step: "wake", at: "2030-01-08T12:00:00Z" },
    });
    await one.until(start);
    await expect.poll(() => orders, { timeout: 60_000 }).toEqual(["hibernate", "wake"]);
    await one.heartbeat(BUSY);
    expect(await one.status()).toBe("running");
    expect(await one.eventKinds()).toEqual(
      expect.arrayContaining(["stop_planned", "hibernating", "hibernated", "waking", "woken"]),
    );
  });
});

describe("a window of maintenance, through real alarms", () => {
  it("lets silence count from its end", async () => {
    const one = await Instance.register(await newUser(), "28864631", {
      policy: { maintenance: { windows: [{ days: ["mon"], from: "00:10", to: "01:00" }] } },
    });
    await beatUntil(one, DAY + 8 * MINUTE);
    await one.until(DAY + HOUR - 1);
    expect((await one.ask("GET")).body).toMatchObject({
      status: "running",
      lifecycle: { next_step: "orphan", at: "2030-01-07T01:05:00Z", blocked_by: "maintenance" },
    });
    await one.until(DAY + HOUR + 5 * MINUTE - 1);
    expect(await one.status()).toBe("running");
    await one.until(DAY + HOUR + 5 * MINUTE);
    expect((await one.ask("GET")).body).toMatchObject({
      status: "orphaned",
      orphaned_since: "2030-01-07T01:05:00Z",
    });
  });
});
