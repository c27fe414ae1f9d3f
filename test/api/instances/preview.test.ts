import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InstanceActor } from "../../../src/instance/actor.ts";
import { PRESET_VALUES } from "../../../src/lifecycle/model/presets.ts";
import { actorOf } from "../../../src/platform/address.ts";
import { call, DAY, Instance, newUser, setClock } from "../../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Idle for four minutes, and warned. */
async function idle(): Promise<Instance> {
  const one = await Instance.register(await newUser(), "rig");
  for (let minute = 0; minute <= 4; minute++) {
    await one.until(DAY + minute * MINUTE);
    await one.heartbeat({ gpu_utilization: 1 });
  }
  await one.settled();
  return one;
}

describe("a preview", () => {
  it("shows what would come next under another policy, as it then comes", async () => {
    const one = await idle();
    const preview = async (json: object) => (await one.ask("POST", "/lifecycle/preview", json)).body;
    expect((await preview({})).lifecycle).toMatchObject({ next_step: "hibernate", in_seconds: 60 });
    expect((await preview({ mode: "observe" })).lifecycle).toMatchObject({
      next_step: "hibernate",
      blocked_by: "observe",
    });
    const careful = await preview({ preset: "careful" });
    expect(careful).toMatchObject({
      preset: "careful",
      policy: { idle: PRESET_VALUES.careful.idle, orphan: { delete_after_days: null } },
      lifecycle: { next_step: "hibernate", at: "2030-01-07T01:00:00Z" },
    });
    // What the new policy would have done already counts from now on.
    const short = { idle: { warn_after_seconds: 60, hibernate_after_seconds: 120 } };
    const { schedule: _, ...sooner } = await preview(short);
    expect(sooner.lifecycle).toMatchObject({ next_step: "hibernate", in_seconds: 60 });
    await one.ask("PATCH", "", { policy: short });
    expect((await one.ask("GET")).body).toMatchObject(sooner);
  });

  it("shows when the windows of a policy would begin and end", async () => {
    const one = await idle();
    // 2030-01-07 is a Monday.
    const nights = { awake: [{ days: ["tue"], from: "08:00", to: "20:00" }], outside: "hibernate" };
    const { body } = await one.ask("POST", "/lifecycle/preview", { schedule: nights });
    expect(body.schedule).toEqual([
      { at: "2030-01-08T08:00:00Z", what: "awake" },
      { at: "2030-01-08T20:00:00Z", what: "hibernate" },
    ]);
  });

  it("changes nothing", async () => {
    const one = await idle();
    const row = () =>
      runInDurableObject(actorOf(env, one.userId, "rig"), async (_, { storage }) => [
        storage.sql.exec("SELECT json FROM instance").one(),
        await storage.getAlarm(),
      ]);
    const before = await row();
    for (const json of [{ preset: "careful" }, { idle: { enabled: false } }, { mode: "observe" }]) {
      expect((await one.ask("POST", "/lifecycle/preview", json)).status).toBe(200);
    }
    expect(await row()).toEqual(before);
  });

  it("says what contradicts itself, as the change would", async () => {
    const one = await idle();
    const { status, body } = await one.ask("POST", "/lifecycle/preview", {
      idle: { warn_after_seconds: 300 },
    });
    expect(status).toBe(400);
    expect(body.error.issues).toEqual([
      {
        path: "body.idle.warn_after_seconds",
        message: "must be less than idle.hibernate_after_seconds (300 s), but is 300 s",
      },
    ]);
  });

  it("of another user's instance is of none", async () => {
    await idle();
    const bob = await newUser("Bob");
    const path = "/api/agent/instances/rig/lifecycle/preview";
    expect((await call("POST", path, { token: bob.token, json: {} })).status).toBe(404);
  });

  it("is not there while its object runs a former release", async () => {
    const one = await idle();
    vi.spyOn(InstanceActor.prototype, "preview").mockImplementation(() => {
      throw new TypeError('The RPC receiver does not implement the method "preview".');
    });
    expect((await one.ask("POST", "/lifecycle/preview", {})).status).toBe(503);
  });
});
