import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, setClock } from "../../world.ts";

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
