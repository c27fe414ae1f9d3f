import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { introspectHurriedOrders } from "../orders/introspect.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

/** A preparation through a real actor, its alarms, a real workflow and a fake provider. */

const MINUTE = 60_000;
const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;
const IDLE = { gpu_utilization: 2, hooks: ["prepare"] };
const LOG = "ü".repeat(2000);

let orders: { order: string; at: number }[] = [];

beforeEach(() => {
  setClock(DAY);
  orders = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
    const order = JSON.parse(String(init?.body)).type.replace("instance.", "");
    if (order === "status") return Response.json({});
    orders.push({ order, at: Date.now() });
    return Response.json({ status: "done" });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function instance(): Promise<Instance> {
  const user = await newUser();
  await call("PUT", "/api/agent/providers/webhook?verify=false", {
    token: user.token,
    json: { url: "https://plane.example.com/orders", secret: SECRET },
  });
  return Instance.register(user, "rig", { provider: "webhook" });
}

/** A beat, evictions and a second alarm at this minute, and no order before it. */
async function at(one: Instance, minute: number, report: Record<string, unknown>) {
  await evictDurableObject(one.actor);
  await one.until(DAY + minute * MINUTE);
  await runDurableObjectAlarm(one.actor);
  await evictDurableObject(one.actor);
  return (await one.heartbeat(report)).body;
}

async function preparing(one: Instance): Promise<string> {
  await one.heartbeat(IDLE);
  for (let minute = 1; minute <= 4; minute++) await at(one, minute, IDLE);
  const { actions } = await at(one, 5, IDLE);
  const prepare = actions.find(({ type }: { type: string }) => type === "prepare");
  expect(prepare).toMatchObject({ deadline_seconds: 600, because: "idle" });
  expect(await one.status()).toBe("running");
  return prepare.preparation_id;
}

const running = (id: string, seconds: number) => ({
  ...IDLE,
  gpu_utilization: 60,
  status: "preparing",
  preparation: { id, state: "running", seconds, line: `step ${seconds}` },
});

async function storedBytes(one: Instance): Promise<number> {
  return runInDurableObject(one.actor, (_, { storage }) => {
    const [row] = storage.sql.exec<{ json: string }>("SELECT json FROM instance").toArray();
    return new TextEncoder().encode(row?.json).length;
  });
}

describe("a machine with hooks that is idle", () => {
  it("is stopped once it has saved its checkpoint, four minutes later", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await instance();
    const id = await preparing(one);
    for (let minute = 6; minute <= 8; minute++) await at(one, minute, running(id, 60 * (minute - 5)));
    expect(orders).toEqual([]);
    const shown = await one.ask("GET", "/preparation");
    expect(shown.body).toEqual({
      current: {
        preparation_id: id,
        because: "idle",
        began_at: "2030-01-07T00:05:00Z",
        limit_at: "2030-01-07T00:15:00Z",
        state: "running",
        seconds: 180,
        line: "step 180",
        log: null,
      },
      last: null,
    });
    const prepared = {
      ...IDLE,
      status: "prepared",
      preparation: { id, state: "succeeded", seconds: 240, line: "saved", log: LOG },
    };
    await at(one, 9, prepared);
    // Its answer was lost: the same again.
    await one.heartbeat(prepared);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(orders).toEqual([{ order: "hibernate", at: DAY + 9 * MINUTE }]);
    await one.settled();
    expect(await one.eventKinds()).toEqual([
      "registered",
      "first_heartbeat",
      "idle",
      "preparing",
      "prepared",
      "hibernating",
      "hibernated",
    ]);
    expect((await one.ask("GET", "/preparation")).body).toMatchObject({
      current: null,
      last: { preparation_id: id, outcome: "succeeded", seconds: 240, log: LOG },
    });
    expect(await storedBytes(one)).toBeLessThan(64 * 1024);
  });

  it("is stopped at the limit where its hooks hang, and its owner is told", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await instance();
    const id = await preparing(one);
    for (let minute = 6; minute <= 14; minute++) await at(one, minute, running(id, 60 * (minute - 5)));
    await one.until(DAY + 15 * MINUTE - 1);
    expect(orders).toEqual([]);
    await one.until(DAY + 15 * MINUTE);
    await runDurableObjectAlarm(one.actor);
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(orders).toEqual([{ order: "hibernate", at: DAY + 15 * MINUTE }]);
    await one.settled();
    const { events } = (await one.ask("GET", "/events")).body;
    expect(events.slice(0, 3)).toMatchObject([
      { kind: "hibernated" },
      { kind: "hibernating", detail: { prepared: "overdue", preparation_id: id } },
      { kind: "preparation_overdue", severity: "critical" },
    ]);
  });
});

describe("a person who hibernates a machine with hooks", () => {
  it("hears until when it prepares at the latest, and may leave that out", async () => {
    await using _ = await introspectHurriedOrders();
    const one = await instance();
    expect((await one.ask("GET", "/preparation")).body).toEqual({ current: null, last: null });
    await one.heartbeat({ gpu_utilization: 90, hooks: ["warning", "prepare"] });
    const asked = await one.ask("POST", "/hibernate");
    expect([asked.status, asked.body.status]).toEqual([202, "running"]);
    expect(asked.body.preparation).toMatchObject({
      because: "owner",
      limit_at: "2030-01-07T00:10:00Z",
      state: "waiting",
    });
    const again = await one.ask("POST", "/hibernate", { prepare: true });
    expect(again.body.preparation.preparation_id).toBe(asked.body.preparation.preparation_id);
    expect((await one.ask("POST", "/hibernate", { prepare: "no" })).status).toBe(400);
    const skipped = await one.ask("POST", "/hibernate", { prepare: false });
    expect(skipped.body).toMatchObject({ preparation: null });
    await expect.poll(() => one.status(), { timeout: 60_000 }).toBe("hibernated");
    expect(orders).toEqual([{ order: "hibernate", at: DAY }]);
  });

  it("may call it off by a wake", async () => {
    const one = await instance();
    await one.heartbeat({ gpu_utilization: 90, hooks: ["prepare"] });
    await one.ask("POST", "/hibernate");
    const woken = await one.ask("POST", "/wake");
    expect([woken.status, woken.body.status, woken.body.preparation]).toEqual([202, "running", null]);
    await one.until(DAY + MINUTE);
    expect((await one.heartbeat({ gpu_utilization: 90, hooks: ["prepare"] })).body.actions).toEqual([]);
  });
});

describe("the largest row", () => {
  it("holds one log, however many preparations there were", async () => {
    const one = await instance();
    for (let round = 0; round < 3; round++) {
      const from = DAY + 20 * round * MINUTE;
      await one.until(from);
      await one.heartbeat({ gpu_utilization: 90, hooks: ["prepare"] });
      const { preparation } = (await one.ask("POST", "/hibernate")).body;
      await one.until(from + MINUTE);
      await one.heartbeat({
        hooks: ["prepare"],
        status: "preparing",
        preparation: {
          id: preparation.preparation_id,
          state: "failed",
          seconds: 1,
          line: "ü".repeat(200),
          log: LOG,
        },
      });
      await one.ask("POST", "/keep-alive", { minutes: 1 });
    }
    expect((await one.ask("GET", "/preparation")).body.last).toMatchObject({
      outcome: "cancelled",
      log: LOG,
    });
    expect(await storedBytes(one)).toBeLessThan(24 * 1024);
  });
});

describe("an agent with a dead-man switch", () => {
  it("hears by what to judge itself, and no other agent does", async () => {
    const one = await instance();
    expect((await one.heartbeat()).body).not.toHaveProperty("idle");
    await one.until(DAY + MINUTE);
    const { idle } = (await one.heartbeat({ dead_man: { hours: 6, acted_seconds_ago: null } })).body;
    expect(idle).toMatchObject({
      threshold_percent: 5,
      metric: "gpu",
      enabled: true,
      kept_until: null,
      sources: { ssh_connections: 1, cpu_cores: 0.5 },
    });
    // Where its policy hibernates nothing, nor does it.
    for (const policy of [{ mode: "observe" }, { idle: { enabled: false } }]) {
      await one.ask("PATCH", "", { policy });
      const { body } = await one.heartbeat({ dead_man: { hours: 6, acted_seconds_ago: null } });
      expect(body.idle).toMatchObject({ enabled: false });
    }
    // Nor while its owner keeps it alive.
    const { keep_alive_until } = (await one.ask("POST", "/keep-alive")).body;
    const { body } = await one.heartbeat({ dead_man: { hours: 6, acted_seconds_ago: null } });
    expect(body.idle).toMatchObject({ kept_until: Math.ceil(Date.parse(keep_alive_until) / 1000) });
  });
});
