import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

/** The examples of the product's specification: shapes and values as documented. */

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

describe("the specification", () => {
  it("POST /api/agent/status answers as documented", async () => {
    const one = await Instance.register(await newUser(), "28864630");
    const { status, body } = await one.heartbeat({
      gpu_utilization: 87,
      vram_used_gb: 18.4,
      cpu_utilization: 45,
      ram_used_gb: 12.0,
      disk_used_gb: 45.2,
      cost_accumulated: 2.4,
      status: "running",
      uptime_seconds: 7200,
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      message: "Heartbeat received",
      next_heartbeat_in_seconds: 60,
      actions: [],
    });
  });

  it("GET /api/agent/status needs no token", async () => {
    expect((await call("GET", "/api/agent/status")).body).toEqual({
      success: true,
      message: expect.any(String),
      server_time: "2030-01-07T00:00:00Z",
    });
  });

  it("GET /api/agent/instances gives the list as documented", async () => {
    const user = await newUser();
    const farm = await Instance.register(user, "98765432", { name: "Render Farm" });
    await farm.heartbeat({ gpu_utilization: 12, cost_accumulated: 8.5 });
    await farm.until(DAY + 70 * MINUTE + 15_000);
    const rig = await Instance.register(user, "28864630", { name: "ML Training Rig" });
    await rig.heartbeat({ gpu_utilization: 87, cost_accumulated: 2.4 });
    setClock(DAY + 70 * MINUTE + 30_000);
    const { body } = await call("GET", "/api/agent/instances", { token: user.token });
    expect(body.instances).toEqual([
      expect.objectContaining({
        instance_id: "28864630",
        name: "ML Training Rig",
        status: "running",
        last_heartbeat: "2030-01-07T01:10:15Z",
        seconds_since_heartbeat: 15,
        health: "healthy",
        gpu_utilization: 87,
        cost_today: 2.4,
      }),
      expect.objectContaining({
        instance_id: "98765432",
        name: "Render Farm",
        status: "orphaned",
        last_heartbeat: "2030-01-07T00:00:00Z",
        seconds_since_heartbeat: 4230,
        health: "unhealthy",
        gpu_utilization: null,
        cost_today: 8.5,
        alert: "No heartbeat for 70 minutes. May be stuck.",
      }),
    ]);
    expect(body.instances[0]).not.toHaveProperty("alert");
  });

  it("GET /api/agent/instances/{id} gives the detail as documented: 542 received and 1 missed are 99.8 %", async () => {
    const one = await Instance.register(await newUser(), "28864630");
    for (let minute = 0; minute < 543; minute++) {
      await one.until(DAY + minute * MINUTE);
      if (minute === 200) continue;
      await one.heartbeat({
        gpu_utilization: minute % 2 === 0 ? 82 : 83,
        vram_used_gb: 18.4,
        status: "running",
      });
    }
    const { body } = await one.ask("GET");
    expect(body).toMatchObject({
      instance_id: "28864630",
      total_heartbeats: 542,
      first_heartbeat: "2030-01-07T00:00:00Z",
      last_heartbeat: "2030-01-07T09:02:00Z",
      uptime_percent: 99.8,
      missed_heartbeats: 1,
      avg_gpu_utilization: 82.5,
    });
    expect(body.recent_heartbeats.slice(0, 2)).toEqual([
      expect.objectContaining({
        timestamp: "2030-01-07T09:02:00Z",
        gpu_utilization: 82,
        vram_used_gb: 18.4,
        status: "running",
      }),
      expect.objectContaining({ timestamp: "2030-01-07T09:01:00Z", gpu_utilization: 83 }),
    ]);
  }, 300_000);

  it("POST …/keep-alive answers as documented", async () => {
    const one = await Instance.register(await newUser(), "28864630");
    const { status, body } = await one.ask("POST", "/keep-alive");
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      message: "Manual keep-alive registered",
      valid_for_minutes: 60,
      // Beyond the specification.
      keep_alive_until: expect.stringMatching(/Z$/),
    });
  });

  it("six idle minutes hibernate an instance that only sends the fields of the example", async () => {
    const one = await Instance.register(await newUser(), "test-instance");
    for (let minute = 0; minute < 6; minute++) {
      await one.until(DAY + minute * (MINUTE + 8));
      await one.heartbeat({ gpu_utilization: 2, status: "running" });
    }
    expect(await one.status()).toBe("hibernating");
    await one.until(DAY + 8 * MINUTE);
    expect(await one.status()).toBe("hibernated");
  });

  it("the weekly look for orphans finds them by their health", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "lost");
    await one.heartbeat();
    await one.until(DAY + 6 * MINUTE);
    await Instance.register(user, "new");
    const all = await call("GET", "/api/agent/instances", { token: user.token });
    expect(all.body.instances.filter((each: { health: string }) => each.health === "unhealthy")).toHaveLength(
      1,
    );
    const orphaned = await call("GET", "/api/agent/instances?status=orphaned&health=unhealthy", {
      token: user.token,
    });
    expect(orphaned.body.instances.map((each: { instance_id: string }) => each.instance_id)).toEqual([
      "lost",
    ]);
  });
});
