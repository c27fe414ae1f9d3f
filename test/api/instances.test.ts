import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

describe("registering", () => {
  it("answers with the token, shown once, and the instance is pending", async () => {
    const user = await newUser();
    const reply = await call("POST", "/api/agent/instances", {
      token: user.token,
      json: {
        instance_id: "rig",
        name: "  ML Training Rig  ",
        hourly_cost: 0.4,
        hibernated_hourly_cost: 0.01,
      },
    });
    expect(reply.status).toBe(201);
    expect(reply.body).toEqual({
      success: true,
      instance_id: "rig",
      token: expect.stringMatching(/^\S+\.\S+\.\S+$/),
    });
    const { body } = await call("GET", "/api/agent/instances/rig", { token: user.token });
    expect(body).toMatchObject({
      instance_id: "rig",
      name: "ML Training Rig",
      status: "pending",
      health: "inactive",
      provider: "agent",
      last_heartbeat: null,
      seconds_since_heartbeat: null,
      uptime_percent: null,
      total_heartbeats: 0,
      hourly_cost: 0.4,
      registered_at: "2030-01-07T00:00:00Z",
      lifecycle: { next_step: null },
    });
    expect(JSON.stringify(body)).not.toContain(reply.body.token);
  });

  it("is refused for an id that stands already, and changes nothing", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", { name: "first" });
    const again = await call("POST", "/api/agent/instances", {
      token: user.token,
      json: { instance_id: "rig", name: "second" },
    });
    expect([again.status, again.body.error.code]).toEqual([409, "exists"]);
    expect((await one.ask("GET")).body.name).toBe("first");
    expect((await one.heartbeat()).status).toBe(200);
  });

  it("of the same id twice at the same time succeeds once", async () => {
    const user = await newUser();
    const replies = await Promise.all(
      Array.from({ length: 5 }, () =>
        call("POST", "/api/agent/instances", { token: user.token, json: { instance_id: "rig" } }),
      ),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  });

  it("refuses a provider that cannot do what the policy asks, or that it has no credentials for", async () => {
    const user = await newUser();
    const reply = await call("POST", "/api/agent/instances", {
      token: user.token,
      json: { instance_id: "rig", provider: "vast" },
    });
    expect(reply.status).toBe(400);
    expect(reply.body.error.issues).toEqual([
      {
        path: "body.policy.orphan.snapshot_before_delete",
        message: expect.stringContaining("vast cannot take snapshots"),
      },
    ]);
    const without = await call("POST", "/api/agent/instances", {
      token: user.token,
      json: { instance_id: "rig", provider: "ec2", provider_ref: "i-1234567890abcdef0" },
    });
    expect(without.status).toBe(409);
    expect(without.body.error.message).toBe(
      "There are no credentials for ec2: set them first with PUT /api/agent/providers/ec2",
    );
  });
});

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

describe("the list", () => {
  it("comes page by page, in order, each instance once", async () => {
    const user = await newUser();
    const ids = Array.from({ length: 7 }, (_, index) => `rig-${index}`);
    await Promise.all(ids.map((id) => Instance.register(user, id)));
    const seen: string[] = [];
    let cursor = "";
    let pages = 0;
    do {
      const { body } = await call("GET", `/api/agent/instances?limit=3${cursor}`, { token: user.token });
      seen.push(...body.instances.map((each: { instance_id: string }) => each.instance_id));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
      pages += 1;
    } while (cursor !== "");
    expect(seen).toEqual(ids);
    expect(pages).toBe(3);
  });

  it("answers who has it already with 304, however much time has passed, until something happens", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat({ gpu_utilization: 90 });
    const list = (headers: Record<string, string> = {}) =>
      call("GET", "/api/agent/instances", { token: one.userToken, headers });
    const first = await list();
    const tag = first.headers.get("ETag") ?? "";
    expect(first.body).toMatchObject({
      server_time: "2030-01-07T00:00:00Z",
      instances: [{ gpu_trend: [90] }],
    });

    setClock(DAY + MINUTE / 2);
    const unchanged = await list({ "If-None-Match": `"other", ${tag}` });
    expect([unchanged.status, unchanged.body, unchanged.headers.get("ETag")]).toEqual([304, "", tag]);
    const { body } = await list({ "If-None-Match": '"other"' });
    expect(body.instances[0].seconds_since_heartbeat).toBe(30);

    await one.heartbeat({ gpu_utilization: 80 });
    const changed = await list({ "If-None-Match": tag });
    expect(changed.status).toBe(200);
    expect(changed.body.instances[0].gpu_trend).toEqual([90, 80]);
  });

  it("is filtered by status and health, and refuses what is neither", async () => {
    const user = await newUser();
    const [busy, idle] = [await Instance.register(user, "busy"), await Instance.register(user, "idle")];
    await Instance.register(user, "pending");
    for (let minute = 0; minute <= 3; minute++) {
      setClock(DAY + minute * MINUTE);
      await busy.heartbeat({ gpu_utilization: 90 });
      await idle.heartbeat({ gpu_utilization: 1 });
    }
    const ask = async (query: string) => {
      const { body } = await call("GET", `/api/agent/instances?${query}`, { token: user.token });
      return body.instances.map((each: { instance_id: string }) => each.instance_id);
    };
    expect(await ask("status=running")).toEqual(["busy", "idle"]);
    expect(await ask("health=idle")).toEqual(["idle"]);
    expect(await ask("status=running&health=healthy")).toEqual(["busy"]);
    expect(await ask("status=pending")).toEqual(["pending"]);
    for (const query of ["status=gone", "health=", "limit=0", "limit=1001", "limit=x", "cursor=*"]) {
      const reply = await call("GET", `/api/agent/instances?${query}`, { token: user.token });
      expect([query, reply.status]).toEqual([query, 400]);
    }
  });
});

describe("commands", () => {
  it("keep an instance alive for as long as asked, and refuse what is out of bounds", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    expect((await one.ask("POST", "/keep-alive", { minutes: 10_080 })).body.valid_for_minutes).toBe(10_080);
    expect((await one.ask("GET")).body).toMatchObject({
      keep_alive_until: "2030-01-14T00:00:00Z",
      lifecycle: { blocked_by: "keep_alive" },
    });
    for (const minutes of [0, 10_081, 1.5, "60", null]) {
      expect((await one.ask("POST", "/keep-alive", { minutes })).status).toBe(400);
    }
  });

  it("order hibernation by the next answer, and say why when they cannot", async () => {
    const one = await Instance.register(await newUser(), "rig");
    const silent = await one.ask("POST", "/hibernate");
    expect([silent.status, silent.body.error.code]).toEqual([409, "no_provider"]);
    await one.heartbeat();
    expect((await one.ask("POST", "/wake")).body.error.code).toBe("not_possible");
    const ordered = await one.ask("POST", "/hibernate");
    expect([ordered.status, ordered.body.status]).toEqual([202, "hibernating"]);
    expect((await one.ask("POST", "/hibernate")).body.error.code).toBe("hibernating");
    setClock(DAY + MINUTE);
    expect((await one.heartbeat()).body.actions).toEqual([
      { type: "hibernating", message: "Hibernation is under way" },
      { type: "hibernate", message: "Hibernate now", action_id: expect.any(String) },
    ]);
    await one.heartbeat({ status: "hibernating" });
    expect(await one.status()).toBe("hibernating");
    await one.until(DAY + 3 * MINUTE);
    expect(await one.status()).toBe("hibernated");
    const refused = await one.ask("POST", "/keep-alive");
    expect([refused.status, refused.body.error]).toEqual([
      409,
      { code: "hibernated", message: "The instance is hibernated: wake it first" },
    ]);
    expect((await one.ask("POST", "/wake")).body.error.code).toBe("no_provider");
  });
});

describe("savings", () => {
  it("are confirmed hours of hibernation at the difference of the costs", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", { hourly_cost: 0.4, hibernated_hourly_cost: 0.01 });
    await one.heartbeat({ status: "hibernating" });
    // Two minutes of silence confirm it.
    await one.until(DAY + 10 * 60 * MINUTE + 2 * MINUTE);
    const { body } = await call("GET", "/api/agent/savings", { token: user.token });
    const saved = {
      saved_this_month: 3.9,
      saved_total: 3.9,
      hibernated_seconds_this_month: 36_000,
      hibernated_seconds_total: 36_000,
    };
    expect(body).toMatchObject({
      in_all: saved,
      instances: [{ instance_id: "rig", ...saved }],
      next_cursor: null,
    });
  });
});
