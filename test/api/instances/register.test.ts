import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FleetActor } from "../../../src/fleet/actor.ts";
import { Fleet } from "../../../src/fleet/fleet.ts";
import { InstanceActor } from "../../../src/instance/actor.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { listOf, stateOf } from "../../fleet/fleets.ts";
import { expectLogged } from "../../quiet.ts";
import { call, DAY, Instance, newUser, setClock } from "../../world.ts";

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

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
      lifecycle: { next_step: "never_heard", in_seconds: 1800 },
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

describe("an id that was let go of", () => {
  it("is registered anew in the same moment, as another instance", async () => {
    const user = await newUser();
    const fleet = fleetOf(env, user.userId);
    const tokens = new Set<string>();
    for (let turn = 1; turn <= 3; turn++) {
      const one = await Instance.register(user, "rig", { name: `turn ${turn}` });
      await one.heartbeat();
      for (const former of tokens) {
        one.token = former;
        expect((await one.heartbeat()).status).toBe(401);
      }
      one.token = (await one.ask("POST", "/token")).body.token;
      tokens.add(one.token);
      await one.ask("POST", "/hibernate");
      await one.settled();
      expect(await listOf(fleet)).toMatchObject([
        { instance_id: "rig", name: `turn ${turn}`, status: "hibernating" },
      ]);
      expect((await one.ask("DELETE")).status).toBe(200);
      expect((await stateOf(fleet)).instancesByStatus).toEqual({});
    }
    const events = await call("GET", "/api/agent/events", { token: user.token });
    const kinds = events.body.events.map(({ kind }: { kind: string }) => kind);
    expect(kinds.filter((kind: string) => kind === "registered")).toHaveLength(3);
    const orders = events.body.events.flatMap(({ detail }: { detail: { action_id?: string } }) =>
      detail.action_id === undefined ? [] : [detail.action_id],
    );
    expect(new Set(orders).size).toBe(orders.length);
  });

  it("is not brought back by a late report of the former instance", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", { name: "former" });
    const fleet = fleetOf(env, user.userId);
    const report = vi.spyOn(FleetActor.prototype, "report");
    await one.heartbeat();
    await one.settled();
    const [late] = report.mock.calls[0] ?? [];
    report.mockRestore();
    if (late === undefined) throw new Error("nothing was reported");
    await one.ask("DELETE");
    await fleet.report(late);
    expect(await fleet.instanceIds("", 10)).toEqual([]);
    await Instance.register(user, "rig", { name: "new" });
    await fleet.report(late);
    expect(await listOf(fleet)).toMatchObject([{ name: "new", status: "pending" }]);
    expect((await stateOf(fleet)).instancesByStatus).toEqual({ pending: 1 });
  });
});

describe("a user's instances", () => {
  /** The fleet with a limit of three. */
  function withLimit(): void {
    const { admit } = Fleet.prototype;
    vi.spyOn(Fleet.prototype, "admit").mockImplementation(function (this: Fleet, id, _, now) {
      return admit.call(this, id, 3, now);
    });
  }

  const register = (token: string, id: string) =>
    call("POST", "/api/agent/instances", { token, json: { instance_id: id } });

  it("are a hundred thousand at most", () => {
    expect(env.INSTANCES_PER_USER).toBe("100000");
  });

  it("are no more than a user may have, whatever comes at the same time", async () => {
    withLimit();
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const ids = Array.from({ length: 8 }, (_, index) => `rig-${index}`);
    const replies = await Promise.all(ids.map((id) => register(ada.token, id)));
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(3);
    const refused = replies.find(({ status }) => status !== 201);
    expect([refused?.status, refused?.body.error]).toEqual([
      409,
      {
        code: "too_many",
        message: "A user has 100000 instances at most: remove those that are no longer needed",
      },
    ]);
    // Which is what an id that stands is told, and says nothing of others.
    const standing = ids[replies.findIndex(({ status }) => status === 201)] ?? "";
    expect((await register(ada.token, standing)).body.error.code).toBe("exists");
    expect((await register(bob.token, standing)).status).toBe(201);

    await call("DELETE", `/api/agent/instances/${standing}`, { token: ada.token });
    expect((await register(ada.token, "another")).status).toBe(201);
    expect((await register(ada.token, "one-more")).body.error.code).toBe("too_many");
  });

  it("leave their place when the registration comes to nothing, after a minute", async () => {
    withLimit();
    const { token } = await newUser();
    await register(token, "rig-1");
    await register(token, "rig-2");
    const cutOff = vi.spyOn(InstanceActor.prototype, "register").mockRejectedValue(new Error("cut off"));
    expectLogged(/request failed/);
    expect((await register(token, "rig-3")).status).toBe(503);
    cutOff.mockRestore();
    expect((await register(token, "rig-4")).body.error.code).toBe("too_many");
    expect((await register(token, "rig-3")).status).toBe(201);
    await call("DELETE", "/api/agent/instances/rig-3", { token });
    vi.spyOn(InstanceActor.prototype, "register").mockRejectedValueOnce(new Error("cut off"));
    expect((await register(token, "rig-5")).status).toBe(503);
    setClock(DAY + 60_001);
    expect((await register(token, "rig-4")).status).toBe(201);
  });
});
