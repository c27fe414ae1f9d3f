import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InstanceActor } from "../../src/instance/actor.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/model/policy-settings.ts";
import { PRESET_VALUES } from "../../src/lifecycle/model/presets.ts";
import { actorOf, fleetOf } from "../../src/platform/address.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("the user's policy", () => {
  it("is the service's default until changed, and shows what was set", async () => {
    const { token } = await newUser();
    const shown = { preset: "thrifty", defaults: DEFAULT_POLICY, presets: PRESET_VALUES };
    expect((await call("GET", "/api/agent/policy", { token })).body).toEqual({
      policy: DEFAULT_POLICY,
      overrides: {},
      ...shown,
    });
    const overrides = { idle: { threshold_percent: 10 }, keep_alive_minutes: 30 };
    const put = await call("PUT", "/api/agent/policy", { token, json: overrides });
    expect(put.status).toBe(200);
    expect((await call("GET", "/api/agent/policy", { token })).body).toEqual({
      policy: {
        ...DEFAULT_POLICY,
        idle: { ...DEFAULT_POLICY.idle, threshold_percent: 10 },
        keep_alive_minutes: 30,
      },
      overrides,
      ...shown,
    });
  });

  it("takes a preset for the values that it stands for, at both levels, and keeps no name", async () => {
    const user = await newUser();
    const put = (json: object) => call("PUT", "/api/agent/policy", { token: user.token, json });
    expect((await put({ preset: "careful", orphan: { delete_after_days: 30 } })).body).toMatchObject({
      preset: "custom",
      policy: { idle: PRESET_VALUES.careful.idle, orphan: { delete_after_days: 30 } },
      overrides: { idle: PRESET_VALUES.careful.idle, orphan: { delete_after_days: 30 } },
    });
    const { body } = await put({ preset: "careful", mode: "observe" });
    expect(body.preset).toBe("careful");
    expect(body.overrides).toEqual({ mode: "observe", ...PRESET_VALUES.careful });

    const [plain, own] = [
      await Instance.register(user, "plain"),
      await Instance.register(user, "own", { policy: { preset: "thrifty" } }),
    ];
    expect((await plain.ask("GET")).body).toMatchObject({ preset: "careful", mode: "observe" });
    expect((await own.ask("GET")).body).toMatchObject({
      preset: "thrifty",
      policy_overrides: { instance: PRESET_VALUES.thrifty },
    });
    await own.ask("PATCH", "", { policy: { preset: "balanced", idle: { metric: "auto" }, mode: "act" } });
    const { body: changed } = await own.ask("GET");
    expect(changed).toMatchObject({ preset: "balanced", mode: "act" });
    expect(changed.policy_overrides.instance).toEqual({
      mode: "act",
      idle: { metric: "auto", ...PRESET_VALUES.balanced.idle },
      orphan: PRESET_VALUES.balanced.orphan,
    });
  });

  it("is refused where a preset does not go with the rest, by the field that does not", async () => {
    const { token } = await newUser();
    const json = {
      preset: "thrifty",
      heartbeat_interval_seconds: 600,
      orphan: { orphan_after_seconds: 1800 },
    };
    const refused = await call("PUT", "/api/agent/policy", { token, json });
    expect(refused.status).toBe(400);
    expect(refused.body.error.issues.map(({ path }: { path: string }) => path)).toContain(
      "body.idle.warn_after_seconds",
    );
    expect((await call("PUT", "/api/agent/policy", { token, json: { preset: "custom" } })).status).toBe(400);
  });

  it("that observes is kept so that a former release acts on nothing, and is told to instances as it is", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", { policy: { idle: { enabled: true } } });
    await one.heartbeat();
    await one.settled();
    await call("PUT", "/api/agent/policy", { token: user.token, json: { mode: "observe" } });
    const off = { idle: { enabled: false }, orphan: { enabled: false } };
    const stored = await runInDurableObject(fleetOf(env, user.userId), (_, { storage }) =>
      JSON.parse(String(storage.sql.exec("SELECT json FROM fleet").one().json)),
    );
    expect(stored.policy.overrides).toMatchObject(off);
    const row = await runInDurableObject(actorOf(env, user.userId, "rig"), (_, { storage }) =>
      JSON.parse(String(storage.sql.exec("SELECT json FROM instance").one().json)),
    );
    expect(row).toMatchObject({ overrides: off, userPolicy: off });
    for (const object of [fleetOf(env, user.userId), actorOf(env, user.userId, "rig")]) {
      await evictDurableObject(object);
    }
    expect((await one.ask("GET")).body).toMatchObject({
      mode: "observe",
      policy: { idle: { enabled: true }, orphan: { enabled: true } },
      policy_overrides: { user: { mode: "observe" }, instance: { idle: { enabled: true } } },
    });
    expect((await call("GET", "/api/agent/policy", { token: user.token })).body.overrides).toEqual({
      mode: "observe",
    });
    // An export says what was set.
    const exported = await actorOf(env, user.userId, "rig").exported();
    if (exported === null || !("row" in exported)) throw new Error("it is not exported");
    expect(JSON.parse(exported.row)).toMatchObject({
      overrides: { idle: { enabled: true } },
      userPolicy: { mode: "observe" },
    });
    for (let minute = 0; minute <= 6; minute++) {
      await one.until(DAY + minute * MINUTE);
      expect((await one.heartbeat({ gpu_utilization: 1 })).body.actions).toEqual([]);
    }
    expect(await one.status()).toBe("running");
    expect(await one.eventKinds()).toContain("would_hibernate");
  });

  it("reaches instances at once, moves their clocks, and yields to their own overrides", async () => {
    const user = await newUser();
    const plain = await Instance.register(user, "plain");
    const own = await Instance.register(user, "own", { policy: { orphan: { orphan_after_seconds: 240 } } });
    await plain.heartbeat();
    await own.heartbeat();
    const put = await call("PUT", "/api/agent/policy", {
      token: user.token,
      json: { orphan: { orphan_after_seconds: 180 } },
    });
    expect(put.status).toBe(200);
    expect((await plain.ask("GET")).body.policy.orphan.orphan_after_seconds).toBe(180);
    expect((await own.ask("GET")).body.policy.orphan.orphan_after_seconds).toBe(240);
    for (const one of [plain, own]) await one.until(DAY + 3 * MINUTE);
    expect([await plain.status(), await own.status()]).toEqual(["orphaned", "running"]);
    await own.until(DAY + 4 * MINUTE);
    expect(await own.status()).toBe("orphaned");
  });

  describe("reaches an instance that was out of reach", () => {
    const minutesOf = async (one: Instance) => (await one.ask("GET")).body.policy.keep_alive_minutes;

    /** A fleet of 60, of which `rig-30` can't be told of the user's new policy. */
    async function outOfReach(): Promise<Instance> {
      const user = await newUser();
      const rigs = await Promise.all(
        Array.from({ length: 60 }, (_, index) => Instance.register(user, `rig-${index + 10}`)),
      );
      await Promise.all(rigs.map((one) => one.heartbeat()));
      await Promise.all(rigs.map((one) => one.settled()));
      const lost = rigs[20] as Instance;
      const told = InstanceActor.prototype.setUserPolicy;
      vi.spyOn(InstanceActor.prototype, "setUserPolicy").mockImplementation(async function (
        this: InstanceActor,
        policy,
      ) {
        const view = await this.live();
        if (view !== null && "instance_id" in view && view.instance_id === lost.id) throw new Error("lost");
        return told.call(this, policy);
      });
      const json = { keep_alive_minutes: 7 };
      expect((await call("PUT", "/api/agent/policy", { token: user.token, json })).status).toBe(200);
      vi.restoreAllMocks();
      for (const one of rigs) expect(await minutesOf(one)).toBe(one === lost ? 60 : 7);
      return lost;
    }

    it("a few minutes later, by the fleet's alarm", async () => {
      const one = await outOfReach();
      const fleet = fleetOf(env, one.userId);
      await runDurableObjectAlarm(fleet);
      expect(await minutesOf(one)).toBe(60);
      setClock(Date.now() + 5 * MINUTE);
      await runDurableObjectAlarm(fleet);
      expect(await minutesOf(one)).toBe(7);
    });

    it("with its next report", async () => {
      const one = await outOfReach();
      await one.ask("POST", "/token");
      await one.settled();
      expect(await minutesOf(one)).toBe(7);
    });
  });

  it.each([
    [
      { idle: { warn_after_seconds: 300 } },
      "body.idle.warn_after_seconds",
      "must be less than idle.hibernate_after_seconds (300 s), but is 300 s",
    ],
    [
      { orphan: { orphan_after_seconds: 1800 } },
      "body.orphan.orphan_after_seconds",
      "must be less than orphan.hibernate_after_seconds (1800 s), but is 1800 s",
    ],
    [
      { orphan: { hibernate_after_seconds: 7200 } },
      "body.orphan.hibernate_after_seconds",
      "must be less than orphan.force_hibernate_after_seconds (7200 s), but is 7200 s",
    ],
    [
      { idle: { warn_after_seconds: 59 } },
      "body.idle.warn_after_seconds",
      "must be at least one heartbeat interval (60), but is 59",
    ],
    [
      { orphan: { orphan_after_seconds: 120 } },
      "body.orphan.orphan_after_seconds",
      "must be at least three heartbeat intervals (180), but is 120",
    ],
    [{ idle: { threshold_percent: 101 } }, "body.idle.threshold_percent", expect.stringContaining("100")],
    [{ idle: { threshold_percent: -1 } }, "body.idle.threshold_percent", expect.stringContaining("0")],
    [{ idel: {} }, "body", expect.stringContaining("idel")],
    [[], "body", expect.stringContaining("object")],
  ])("is refused when it is %j", async (json, path, message) => {
    const { token } = await newUser();
    const reply = await call("PUT", "/api/agent/policy", { token, json });
    expect(reply.status).toBe(400);
    expect(reply.body.error.issues[0]).toEqual({ path, message });
    expect((await call("GET", "/api/agent/policy", { token })).body.overrides).toEqual({});
  });

  it("is refused when an instance's own overrides would contradict it, naming the instance", async () => {
    const user = await newUser();
    await Instance.register(user, "rig", { policy: { idle: { hibernate_after_seconds: 240 } } });
    const reply = await call("PUT", "/api/agent/policy", {
      token: user.token,
      json: { idle: { warn_after_seconds: 270 } },
    });
    expect(reply.status).toBe(400);
    expect(reply.body.error.issues).toEqual([
      {
        path: "body.idle.warn_after_seconds",
        message:
          "for instance rig (agent, with its own overrides) must be less than idle.hibernate_after_seconds (240 s), but is 270 s",
      },
    ]);
  });

  it("that was stored before it would be refused stands, and stands in nobody's way", async () => {
    const user = await newUser();
    await env.DB.prepare("UPDATE users SET policy = ?, policy_version = policy_version + 1 WHERE id = ?")
      .bind('{"orphan":{"orphan_after_seconds":120}}', user.userId)
      .run();
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    expect((await one.ask("PATCH", "", { policy: { keep_alive_minutes: 5 } })).status).toBe(200);
    const hasty = { orphan: { orphan_after_seconds: 120 }, keep_alive_minutes: 7 };
    expect((await call("PUT", "/api/agent/policy", { token: user.token, json: hasty })).status).toBe(200);
    await one.until(DAY + 3 * MINUTE - 1);
    expect(await one.status()).toBe("running");
    await one.until(DAY + 3 * MINUTE);
    expect(await one.status()).toBe("orphaned");
  });
});

describe("an instance's own policy", () => {
  it("holds no guard, which is the user's", async () => {
    const user = await newUser();
    const policy = { guard: { enabled: false } };
    const refusal = [
      {
        path: "body.policy.guard",
        message: "is the user's, not an instance's: set it with PUT /api/agent/policy",
      },
    ];
    const registered = await call("POST", "/api/agent/instances", {
      token: user.token,
      json: { instance_id: "rig", policy },
    });
    expect([registered.status, registered.body.error.issues]).toEqual([400, refusal]);
    const one = await Instance.register(user, "rig");
    const changed = await one.ask("PATCH", "", { policy });
    expect([changed.status, changed.body.error.issues]).toEqual([400, refusal]);
    expect((await call("PUT", "/api/agent/policy", { token: user.token, json: policy })).status).toBe(200);
    expect((await one.ask("GET")).body.policy.guard.enabled).toBe(false);
  });

  it("may keep alive for a week", async () => {
    const one = await Instance.register(await newUser(), "rig", { policy: { keep_alive_minutes: 10_080 } });
    await one.heartbeat();
    expect((await one.ask("POST", "/keep-alive")).body.valid_for_minutes).toBe(10_080);
  });
});
