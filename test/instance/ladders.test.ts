import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const IDLE = { gpu_utilization: 2 };

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

async function instance(more: Record<string, unknown> = {}): Promise<Instance> {
  return Instance.register(await newUser(), "28864630", more);
}

/** One heartbeat a minute, the first now, the last at or before `moment`. */
async function beatUntil(one: Instance, moment: number, report: Record<string, unknown> = IDLE) {
  for (let next = Date.now(); next <= moment; next += MINUTE) {
    await one.until(next);
    await one.heartbeat(report);
  }
  await one.until(moment);
}

describe("through real alarms", () => {
  it("nothing happens at 2:59 idle; the warning comes at 3:00 with 120 s; hibernation at 5:00", async () => {
    const one = await instance();
    await beatUntil(one, DAY + 3 * MINUTE - 1);
    expect((await one.ask("GET")).body).toMatchObject({ status: "running", health: "healthy" });
    expect(await one.armedAt()).toBe(DAY + 3 * MINUTE);

    await one.until(DAY + 3 * MINUTE);
    expect((await one.ask("GET")).body).toMatchObject({ status: "running", health: "idle" });
    expect((await one.heartbeat(IDLE)).body).toEqual({
      success: true,
      message: "Low utilization detected",
      next_heartbeat_in_seconds: 60,
      actions: [
        {
          type: "hibernate_warning",
          message: "GPU <5% utilization for 3min. Hibernating in 2min.",
          countdown_seconds: 120,
        },
      ],
    });
    await one.until(DAY + 4 * MINUTE);
    await one.heartbeat(IDLE);
    await one.until(DAY + 5 * MINUTE - 1);
    expect(await one.status()).toBe("running");

    await one.until(DAY + 5 * MINUTE);
    expect(await one.status()).toBe("hibernating");
    const told = await one.heartbeat(IDLE);
    expect(told.body.actions.map((action: { type: string }) => action.type)).toEqual([
      "hibernating",
      "hibernate",
    ]);
    await one.heartbeat({ ...IDLE, status: "hibernating" });
    expect(await one.status()).toBe("hibernating");
    await one.until(DAY + 7 * MINUTE);
    expect(await one.status()).toBe("hibernated");
    expect((await one.ask("GET", "/events")).body.events[0]).toMatchObject({
      message: "Instance hibernated due to low usage",
    });
  });

  it("an orphan is made at 5:00 of silence and not at 4:59, and its later steps come at 30 min and 2 h", async () => {
    const one = await instance();
    await one.heartbeat();
    await one.until(DAY + 5 * MINUTE - 1);
    expect(await one.status()).toBe("running");
    await one.until(DAY + 5 * MINUTE);
    expect((await one.ask("GET")).body).toMatchObject({
      status: "orphaned",
      health: "unhealthy",
      orphaned_since: "2030-01-07T00:05:00Z",
    });
    await one.until(DAY + 30 * MINUTE - 1);
    expect(await one.eventKinds()).toEqual(["registered", "first_heartbeat", "orphaned"]);
    await one.until(DAY + 30 * MINUTE);
    expect((await one.eventKinds()).at(-1)).toBe("silent");
    await one.until(DAY + 120 * MINUTE - 1);
    expect((await one.eventKinds()).at(-1)).toBe("silent");
    await one.until(DAY + 120 * MINUTE);
    expect((await one.eventKinds()).at(-1)).toBe("abandoned");
    // Nothing more is armed than the look after an outbox that is empty by now.
    await one.until(DAY + 126 * MINUTE);
    expect(await one.armedAt()).toBeNull();
    await one.heartbeat();
    expect((await one.eventKinds()).at(-1)).toBe("recovered");
  });

  it("a keep-alive moves the idle ladder to its end", async () => {
    const one = await instance();
    await beatUntil(one, DAY + 4 * MINUTE);
    expect((await one.ask("POST", "/keep-alive")).body.valid_for_minutes).toBe(60);
    await beatUntil(one, DAY + 66 * MINUTE);
    const end = DAY + 64 * MINUTE;
    await one.until(end + 3 * MINUTE - 1);
    expect((await one.ask("GET")).body).toMatchObject({ status: "running", health: "healthy" });
    await one.until(end + 3 * MINUTE);
    expect((await one.ask("GET")).body.health).toBe("idle");
    await one.heartbeat(IDLE);
    await one.until(end + 5 * MINUTE - 1);
    expect(await one.status()).toBe("running");
    await one.until(end + 5 * MINUTE);
    expect(await one.status()).toBe("hibernating");
  });

  it("a keep-alive moves the liveness ladder to its end", async () => {
    const one = await instance();
    await one.heartbeat();
    await one.until(DAY + 10 * MINUTE);
    expect(await one.status()).toBe("orphaned");
    await one.ask("POST", "/keep-alive", { minutes: 30 });
    expect(await one.status()).toBe("running");
    await one.until(DAY + 45 * MINUTE - 1);
    expect(await one.status()).toBe("running");
    await one.until(DAY + 45 * MINUTE);
    expect(await one.status()).toBe("orphaned");
    await one.until(DAY + 70 * MINUTE - 1);
    expect((await one.eventKinds()).at(-1)).toBe("orphaned");
    await one.until(DAY + 70 * MINUTE);
    expect((await one.eventKinds()).at(-1)).toBe("silent");
    await one.until(DAY + 160 * MINUTE);
    expect((await one.eventKinds()).at(-1)).toBe("abandoned");
  });

  it("an alarm that comes twice, and evictions between any two steps, change nothing", async () => {
    const one = await instance();
    await one.heartbeat(IDLE);
    for (let minute = 1; minute <= 4; minute++) {
      await evictDurableObject(one.actor);
      await one.until(DAY + minute * MINUTE);
      await runDurableObjectAlarm(one.actor);
      await runDurableObjectAlarm(one.actor);
      await evictDurableObject(one.actor);
      await one.heartbeat(IDLE);
    }
    await one.until(DAY + 5 * MINUTE);
    await runDurableObjectAlarm(one.actor);
    await evictDurableObject(one.actor);
    expect(await one.status()).toBe("hibernating");
    expect(await one.eventKinds()).toEqual(["registered", "first_heartbeat", "idle", "hibernating"]);
    expect((await one.ask("GET")).body).toMatchObject({ total_heartbeats: 5, missed_heartbeats: 0 });
  });

  it("an instance without a provider is only told of", async () => {
    const one = await instance({ provider: "none" });
    await beatUntil(one, DAY + 6 * MINUTE);
    expect((await one.ask("GET")).body).toMatchObject({
      status: "running",
      health: "idle",
      lifecycle: { next_step: "hibernate", blocked_by: "no_provider" },
    });
    expect((await one.eventKinds()).at(-1)).toBe("would_hibernate");
  });
});
