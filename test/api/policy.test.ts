import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DEFAULT_POLICY } from "../../src/lifecycle/model/policy-settings.ts";
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
    expect((await call("GET", "/api/agent/policy", { token })).body).toEqual({
      policy: DEFAULT_POLICY,
      overrides: {},
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
    });
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

  it("reaches an instance that could not be told with its next write to the history", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    // As if the fan-out had ended before it came to this instance.
    await env.DB.prepare("UPDATE users SET policy = ?, policy_version = policy_version + 1 WHERE id = ?")
      .bind('{"keep_alive_minutes":7}', user.userId)
      .run();
    for (let minute = 1; minute <= 10; minute++) {
      setClock(DAY + minute * MINUTE);
      await one.heartbeat();
    }
    expect((await one.ask("GET")).body.policy.keep_alive_minutes).toBe(7);
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
