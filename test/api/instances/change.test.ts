import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DAY, Instance, newUser, setClock } from "../../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

describe("changing", () => {
  it("keeps what is left out and takes a cost away with null", async () => {
    const one = await Instance.register(await newUser(), "rig", { name: "rig", hourly_cost: 2 });
    const changed = await one.ask("PATCH", "", { name: "new", provider: "none" });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ name: "new", provider: "none", hourly_cost: 2 });
    expect((await one.ask("PATCH", "", { hourly_cost: null })).body.hourly_cost).toBeNull();
    expect((await one.ask("PATCH", "", {})).body).toMatchObject({ name: "new", hourly_cost: null });
    expect(await one.eventKinds()).toContain("changed");
  });

  it("replaces the instance's overrides as a whole and moves its clock", async () => {
    const one = await Instance.register(await newUser(), "rig", {
      policy: { idle: { threshold_percent: 20 }, keep_alive_minutes: 5 },
    });
    await one.heartbeat({ gpu_utilization: 90 });
    await one.ask("PATCH", "", { policy: { orphan: { orphan_after_seconds: 180 } } });
    expect((await one.ask("GET")).body.policy).toMatchObject({
      idle: { threshold_percent: 5 },
      keep_alive_minutes: 60,
      orphan: { orphan_after_seconds: 180 },
    });
    await one.until(DAY + 3 * MINUTE);
    expect(await one.status()).toBe("orphaned");
  });

  it("refuses a policy that contradicts itself once merged, and keeps the former", async () => {
    const one = await Instance.register(await newUser(), "rig");
    const refused = await one.ask("PATCH", "", { name: "x", policy: { idle: { warn_after_seconds: 300 } } });
    expect(refused.status).toBe(400);
    expect(refused.body.error.issues).toEqual([
      {
        path: "body.policy.idle.warn_after_seconds",
        message: "must be less than idle.hibernate_after_seconds (300 s), but is 300 s",
      },
    ]);
    expect((await one.ask("GET")).body).toMatchObject({
      name: "rig",
      policy: { idle: { warn_after_seconds: 180 } },
    });
  });
});
