import { createExecutionContext, createScheduledController, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { FleetActor } from "../../src/fleet/actor.ts";
import { InstanceActor } from "../../src/instance/actor.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { ServiceActor } from "../../src/service/actor.ts";
import { coordinatorOf, shardOf } from "../../src/service/address.ts";
import worker from "../../src/worker.ts";
import { expectLogged } from "../quiet.ts";
import { ADMIN_TOKEN, Instance, newUser } from "../world.ts";

/** The empty text once deleted every event there was. */
const WRONG = { ...env, EVENT_RETENTION_DAYS: "" };

afterEach(() => vi.restoreAllMocks());

const ask = (bindings: Env, path: string, init: RequestInit = {}) =>
  worker.fetch(new Request(`https://dumont.test${path}`, init), bindings, createExecutionContext());

it("a wrong setting answers every request with 503, and says which it is", async () => {
  const one = await Instance.register(await newUser(), "rig");
  const asked: [string, RequestInit][] = [
    ["/healthz", {}],
    ["/openapi.json", {}],
    ["/nowhere", {}],
    ["/api/agent/status", { method: "POST", body: JSON.stringify({ instance_id: "rig" }) }],
    ["/api/admin/cleanup", { method: "POST", headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } }],
    ["/metrics", { headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } }],
  ];
  for (const [path, init] of asked) {
    const response = await ask(WRONG, path, init);
    expect([path, response.status, await response.json()]).toEqual([
      path,
      503,
      {
        success: false,
        error: {
          code: "misconfigured",
          message:
            "The service does not run: wrong settings: EVENT_RETENTION_DAYS must be a whole number from 1 to 3650",
          issues: [{ path: "EVENT_RETENTION_DAYS", message: "must be a whole number from 1 to 3650" }],
        },
      },
    ]);
    expect(response.headers.get("Retry-After")).toBe("60");
  }
  expect(await one.status()).toBe("pending");
});

it("the cron does nothing by a wrong setting, and logs it", async () => {
  const create = vi.spyOn(Object.getPrototypeOf(env.DAILY_CLEANUP), "create");
  const controller = createScheduledController({ scheduledTime: new Date("2031-01-01T03:17:00Z") });
  expectLogged(/no cleanup: wrong settings: EVENT_RETENTION_DAYS must be/);
  await worker.scheduled(controller, WRONG);
  expect(create).not.toHaveBeenCalled();
});

it("actors decide nothing by a wrong setting, and keep their alarms", async () => {
  const one = await Instance.register(await newUser(), "rig");
  await one.heartbeat();
  await one.settled();
  expectLogged(/alarm failed/);
  await runInDurableObject(one.actor, async (_, state) => {
    const before = state.storage.sql.exec("SELECT * FROM instance").toArray();
    const actor = new InstanceActor(state, WRONG);
    await expect(actor.hibernate()).rejects.toThrow("EVENT_RETENTION_DAYS must be");
    await expect(actor.cleanUp()).rejects.toThrow("EVENT_RETENTION_DAYS must be");
    await actor.alarm();
    expect(state.storage.sql.exec("SELECT * FROM instance").toArray()).toEqual(before);
    expect(await state.storage.getAlarm()).not.toBeNull();
  });
  expectLogged(/fleet not started/);
  expectLogged(/the fleet's alarm failed/);
  await runInDurableObject(fleetOf(env, one.userId), async (_, state) => {
    const actor = new FleetActor(state, WRONG);
    await expect(actor.instanceIds("", 10)).rejects.toThrow("EVENT_RETENTION_DAYS must be");
    await actor.alarm();
    expect(await state.storage.getAlarm()).not.toBeNull();
  });
  expectLogged(/the shard's alarm failed/);
  await runInDurableObject(shardOf(env, one.userId), async (_, state) => {
    await new ServiceActor(state, WRONG).alarm();
    expect(await state.storage.getAlarm()).not.toBeNull();
  });
  await runInDurableObject(coordinatorOf(env), async (_, state) => {
    await expect(new ServiceActor(state, WRONG).read()).rejects.toThrow("EVENT_RETENTION_DAYS must be");
  });
});

it("a simulation says so on each answer", async () => {
  const fast = { ...env, DEPLOYED: "false", SIMULATION_SPEED: "60" };
  const [real, simulated] = [await ask(env, "/healthz"), await ask(fast, "/healthz")];
  expect([real.headers.get("X-Simulation-Speed"), await real.json()]).toEqual([
    null,
    { status: "ok", simulation_speed: 1 },
  ]);
  expect([simulated.headers.get("X-Simulation-Speed"), await simulated.json()]).toEqual([
    "60",
    { status: "ok", simulation_speed: 60 },
  ]);
  expect((await ask({ ...env, SIMULATION_SPEED: "60" }, "/healthz")).status).toBe(503);
});
