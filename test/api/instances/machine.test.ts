import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FleetActor } from "../../../src/fleet/actor.ts";
import { InstanceActor } from "../../../src/instance/actor.ts";
import type { Registration } from "../../../src/instance/outcomes.ts";
import type { ActionOutcome, ActionParameters } from "../../../src/orders/order.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { credentialsSetAt } from "../../../src/providers/connections.ts";
import { type Provider, ProviderError, type Shown, type Sighting } from "../../../src/providers/provider.ts";
import * as registry from "../../../src/providers/registry.ts";
import { mayLog } from "../../quiet.ts";
import { call, DAY, Instance, newUser, setClock } from "../../world.ts";

/** One machine, one watcher; and a machine is seen before it is watched. The provider is a function. */

const MINUTE = 60_000;
const DAYS_8 = 8 * 24 * 60 * MINUTE;
const RUNNING: Shown = { state: "running", gpus: 8, obstacle: null };

const provider = {
  status: vi.fn<Provider["status"]>(),
  verify: vi.fn<Provider["verify"]>(),
  hibernate: vi.fn<Provider["hibernate"]>(),
  forceHibernate: vi.fn<Provider["forceHibernate"]>(),
  wake: vi.fn<Provider["wake"]>(),
  snapshot: vi.fn<Provider["snapshot"]>(),
  snapshotState: vi.fn<Provider["snapshotState"]>(),
  delete: vi.fn<Provider["delete"]>(),
  list: null,
};

beforeEach(() => {
  setClock(DAY);
  vi.spyOn(registry, "openProvider").mockImplementation(async (env, userId, kind) => ({
    provider,
    credentialsSetAt: (await credentialsSetAt(env, userId, kind)) ?? 0,
  }));
  provider.status.mockReset().mockResolvedValue(RUNNING);
  provider.verify.mockReset().mockResolvedValue();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

type User = Awaited<ReturnType<typeof newUser>>;

const CREDENTIALS = {
  webhook: {
    url: "https://plane.example.com/orders",
    secret: `whsec_${btoa("0123456789abcdef0123456789abcdef")}`,
  },
  ec2: { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret_access_key: "s".repeat(40), region: "eu-west-1" },
};
const EC2_REF = "i-0123456789abcdef0";

async function owner(): Promise<User> {
  const user = await newUser();
  for (const [kind, json] of Object.entries(CREDENTIALS)) {
    const path = `/api/agent/providers/${kind}?verify=false`;
    expect((await call("PUT", path, { token: user.token, json })).status).toBe(200);
  }
  return user;
}

const register = (user: User, id: string, more: Record<string, unknown> = {}, query = "") =>
  call("POST", `/api/agent/instances${query}`, {
    token: user.token,
    json: { instance_id: id, provider: "webhook", provider_ref: "m-1", ...more },
  });

const change = (user: User, id: string, json: Record<string, unknown>, query = "") =>
  call("PATCH", `/api/agent/instances/${id}${query}`, { token: user.token, json });

const answers = (replies: readonly Awaited<ReturnType<typeof call>>[]) =>
  replies.map(({ status, body }) => [status, body.error?.code]);

const holder = (user: User, ref: string) => fleetOf(env, user.userId).holderOf({ provider: "webhook", ref });

describe("a machine that is watched", () => {
  it("is not registered a second time, and the answer names who watches it and what to do", async () => {
    const user = await owner();
    expect((await register(user, "new")).status).toBe(201);
    const again = await register(user, "stale");
    expect([again.status, again.body.error]).toEqual([
      409,
      {
        code: "machine_watched",
        message:
          "This machine is watched already as new: remove that instance first (DELETE /api/agent/instances/new), or give another provider_ref",
      },
    ]);
    expect((await call("GET", "/api/agent/instances/stale", { token: user.token })).status).toBe(404);
  });

  it("is one instance's of many that are registered at the same time", async () => {
    const user = await owner();
    const replies = await Promise.all(
      // Each id twice: one that finds its id taken must not lose the claim of its namesake.
      ["a", "a", "b", "b", "c", "c"].map((id) => register(user, id)),
    );
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
    const { body } = await call("GET", "/api/agent/instances", { token: user.token });
    expect(body.instances).toHaveLength(1);
    expect(await holder(user, "m-1")).toBe(body.instances[0].instance_id);
  });

  it("is the one whose id is the reference of another", async () => {
    const user = await owner();
    expect((await register(user, "m-1", { provider_ref: null })).status).toBe(201);
    expect(answers([await register(user, "other")])).toEqual([[409, "machine_watched"]]);
  });

  it("is another one with another user, another provider or another reference", async () => {
    const [ada, bob] = [await owner(), await owner()];
    const replies = [
      await register(ada, "one", { provider_ref: EC2_REF }),
      await register(bob, "one", { provider_ref: EC2_REF }),
      await register(ada, "two", { provider_ref: EC2_REF, provider: "ec2" }),
      await register(ada, "three", { provider_ref: "i-2" }),
    ];
    expect(answers(replies)).toEqual(replies.map(() => [201, undefined]));
  });

  it("binds nobody whose provider is not called", async () => {
    const user = await owner();
    const replies = [
      await register(user, "called"),
      await register(user, "one", { provider: "agent" }),
      await register(user, "two", { provider: "agent" }),
      await register(user, "three", { provider: "none" }),
    ];
    expect(answers(replies)).toEqual(replies.map(() => [201, undefined]));
    expect(provider.status).toHaveBeenCalledTimes(1);
  });

  it("is free once its instance is removed", async () => {
    const user = await owner();
    await register(user, "one");
    expect((await call("DELETE", "/api/agent/instances/one", { token: user.token })).status).toBe(200);
    expect(await holder(user, "m-1")).toBeNull();
    expect((await register(user, "two")).status).toBe(201);
  });

  it("is free once its instance is deleted at the provider", async () => {
    const user = await owner();
    const orders: ActionParameters["order"][] = [];
    vi.spyOn(Object.getPrototypeOf(env.INSTANCE_ACTION), "create").mockImplementation((async ({
      params,
    }: {
      params: ActionParameters;
    }) => {
      orders.push(params.order);
    }) as never);
    const one = await Instance.register(user, "one", { provider: "webhook", provider_ref: "m-1" });
    await one.heartbeat();
    for (const moment of [30 * MINUTE, DAYS_8]) {
      await one.until(DAY + moment);
      await one.actor.cleanUp();
      await one.settled();
      const order = orders.at(-1);
      const outcome: ActionOutcome = { type: "succeeded", confirmedBy: "webhook", snapshotId: "snap-1" };
      await one.actor.endAction(order?.actionId ?? "", outcome);
      await one.settled();
    }
    expect(await one.status()).toBe("deleted");
    expect(await holder(user, "m-1")).toBeNull();
    expect((await register(user, "two")).status).toBe(201);
  });

  it("is free again after a registration that was refused", async () => {
    const user = await owner();
    await register(user, "one", { provider: "agent" });
    expect(answers([await register(user, "one")])).toEqual([[409, "exists"]]);
    expect((await register(user, "two")).status).toBe(201);
  });

  it("that a crash left claimed is registered at once under the same id, and a minute later under another", async () => {
    const user = await owner();
    const crash = async (id: string) => {
      const cutOff = vi
        .spyOn(InstanceActor.prototype, "register")
        .mockRejectedValueOnce(new Error("cut off"));
      vi.spyOn(console, "error").mockImplementationOnce(() => {});
      expect((await register(user, id)).status).toBe(503);
      cutOff.mockRestore();
    };
    await crash("one");
    expect((await register(user, "one")).status).toBe(201);
    await call("DELETE", "/api/agent/instances/one", { token: user.token });
    await crash("two");
    expect(answers([await register(user, "three")])).toEqual([[409, "machine_watched"]]);
    setClock(DAY + MINUTE + 1);
    expect((await register(user, "three")).status).toBe(201);
  });
});

describe("a change of machine", () => {
  it("takes the new one and frees the former", async () => {
    const user = await owner();
    await register(user, "one");
    expect((await change(user, "one", { provider_ref: "m-2" })).body.provider_ref).toBe("m-2");
    expect([await holder(user, "m-1"), await holder(user, "m-2")]).toEqual([null, "one"]);
    expect((await change(user, "one", { provider_ref: null })).body.provider_ref).toBeNull();
    expect([await holder(user, "m-2"), await holder(user, "one")]).toEqual([null, "one"]);
    expect((await change(user, "one", { provider: "agent" })).status).toBe(200);
    expect(await holder(user, "one")).toBeNull();
    expect((await register(user, "two")).status).toBe(201);
  });

  it("to one that is watched is refused, and both stay as they are", async () => {
    const user = await owner();
    await register(user, "one");
    await register(user, "two", { provider_ref: "m-2" });
    expect(answers([await change(user, "two", { name: "x", provider_ref: "m-1" })])).toEqual([
      [409, "machine_watched"],
    ]);
    const { body } = await call("GET", "/api/agent/instances/two", { token: user.token });
    expect(body).toMatchObject({ name: "two", provider_ref: "m-2" });
    expect([await holder(user, "m-1"), await holder(user, "m-2")]).toEqual(["one", "two"]);
  });

  it("that is refused for another reason leaves the new one free", async () => {
    const user = await owner();
    await register(user, "one");
    const policy = { idle: { warn_after_seconds: 300 } };
    expect((await change(user, "one", { provider_ref: "m-2", policy })).status).toBe(400);
    expect([await holder(user, "m-1"), await holder(user, "m-2")]).toEqual(["one", null]);
  });

  it("is asked of the provider; any other change is not", async () => {
    const user = await owner();
    await register(user, "one");
    provider.status.mockResolvedValue({ state: "missing" });
    const replies = [
      await change(user, "one", { name: "x", provider: "webhook", provider_ref: "m-1" }),
      await change(user, "one", { provider_ref: "m-2" }),
      await change(user, "one", { provider_ref: "m-2" }, "?sight=false"),
    ];
    expect(answers(replies)).toEqual([
      [200, undefined],
      [409, "not_seen"],
      [200, undefined],
    ]);
    expect(await holder(user, "m-2")).toBe("one");
  });

  it("of two at the same time ends with one instance on it", async () => {
    const user = await owner();
    await register(user, "one");
    await register(user, "two", { provider_ref: "m-2" });
    const replies = await Promise.all([
      change(user, "one", { provider_ref: "m-3" }),
      change(user, "two", { provider_ref: "m-3" }),
    ]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
  });
});

describe("the claim of a registered instance", () => {
  it("that it makes anew on its way back is not released by the change that left it, reports lost or not", async () => {
    mayLog(/outbox not delivered \(fleet\)/);
    const user = await owner();
    await register(user, "one");
    const original = InstanceActor.prototype.change;
    let isFirst = true;
    vi.spyOn(InstanceActor.prototype, "change").mockImplementation(async function (
      this: InstanceActor,
      changes,
    ) {
      const changed = await original.call(this, changes);
      if (!isFirst) return changed;
      isFirst = false;
      vi.spyOn(FleetActor.prototype, "report").mockRejectedValue(new Error("the fleet was reset"));
      expect((await change(user, "one", { provider_ref: "m-1" })).status).toBe(200);
      return changed;
    });
    expect((await change(user, "one", { provider_ref: "m-2" })).status).toBe(200);
    expect([await holder(user, "m-1"), await holder(user, "m-2")]).toEqual(["one", null]);
  });

  it("that was lost comes back with its next change of status, if nobody else has it", async () => {
    const user = await owner();
    const one = await Instance.register(user, "one", { provider: "webhook", provider_ref: "m-1" });
    const other = await Instance.register(user, "two", { provider: "webhook", provider_ref: "m-2" });
    await runInDurableObject(fleetOf(env, user.userId), (_, { storage }) => {
      storage.sql.exec("DELETE FROM machines");
      storage.sql.exec("INSERT INTO machines VALUES ('webhook', 'm-2', 'newer', ?)", DAY);
    });
    await one.heartbeat();
    await other.heartbeat();
    await Promise.all([one.settled(), other.settled()]);
    expect([await holder(user, "m-1"), await holder(user, "m-2")]).toEqual(["one", "newer"]);
  });
});

describe("what is seen of a machine at its registration", () => {
  it.each<[string, Sighting | ProviderError, string, string]>([
    [
      "missing",
      { state: "missing" },
      "not_seen",
      "webhook shows no machine m-1: is the reference right, and are the credentials those of its account, team and region?",
    ],
    [
      "destroyed",
      { state: "terminated" },
      "not_seen",
      "webhook shows m-1 as destroyed: is the reference right, and are the credentials those of its account, team and region?",
    ],
    [
      "impossible to stop",
      { ...RUNNING, obstacle: "it is a spot instance" },
      "cannot_stop",
      "webhook could not stop m-1: it is a spot instance. Register it with the provider agent or none to be told of it all the same",
    ],
    [
      "kept from the credentials",
      new ProviderError("unauthorised", "the webhook answered 403"),
      "credentials_refused",
      "The credentials for webhook were tried on m-1, and the webhook answered 403: set others with PUT /api/agent/providers/webhook",
    ],
  ])("refuses one that is %s, with the reason, and leaves it free", async (_, seen, code, message) => {
    const user = await owner();
    if (seen instanceof ProviderError) provider.status.mockRejectedValue(seen);
    else provider.status.mockResolvedValue(seen);
    const reply = await register(user, "one");
    expect([reply.status, reply.body.error]).toEqual([409, { code, message }]);
    expect(await holder(user, "m-1")).toBeNull();
    expect((await register(user, "one", {}, "?sight=false")).status).toBe(201);
  });

  it("is what its actor is told, with the age of the credentials", async () => {
    const user = await owner();
    const told = whatActorsAreTold();
    setClock(DAY + MINUTE);
    await register(user, "one");
    expect(told).toEqual([{ at: DAY + MINUTE, credentialsSetAt: DAY, gpus: 8 }]);
  });

  it.each<[string, Sighting | ProviderError]>([
    ["can't tell", { state: "unknown", because: "no answer that we know" }],
    ["does not answer", new ProviderError("unavailable", "ec2 does not answer")],
    ["asks too much", new ProviderError("refused", "ec2 answered 400")],
  ])("is nothing when the provider %s, and it is registered", async (_, seen) => {
    const user = await owner();
    const told = whatActorsAreTold();
    if (seen instanceof ProviderError) provider.status.mockRejectedValue(seen);
    else provider.status.mockResolvedValue(seen);
    expect((await register(user, "one")).status).toBe(201);
    expect(told).toEqual([null]);
  });

  it("is nothing when the provider takes too long, and it is registered", async () => {
    const user = await owner();
    const told = whatActorsAreTold();
    vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort());
    provider.status.mockReturnValue(new Promise(() => {}));
    expect((await register(user, "one")).status).toBe(201);
    expect(told).toEqual([null]);
  });

  it("is nothing when other calls to the provider come first, and what it finds too much makes all others wait", async () => {
    const user = await owner();
    const told = whatActorsAreTold();
    provider.status.mockRejectedValueOnce(new ProviderError("rate_limited", "429", 300));
    expect((await register(user, "one")).status).toBe(201);
    expect((await register(user, "two", { provider_ref: "m-2" })).status).toBe(201);
    expect(told).toEqual([null, null]);
    expect(provider.status).toHaveBeenCalledTimes(1);
    const order = { connection: "webhook", uses: ["order"], id: "order", isUrgent: true } as const;
    expect(await fleetOf(env, user.userId).takeTurn(order)).toMatchObject({ type: "ask again" });
  });

  it("includes what the credentials may do, but for a control plane of the user's own", async () => {
    const user = await owner();
    provider.verify.mockRejectedValue(new ProviderError("unauthorised", "they may not stop it"));
    expect((await register(user, "one")).status).toBe(201);
    expect(answers([await register(user, "two", { provider: "ec2", provider_ref: EC2_REF })])).toEqual([
      [409, "credentials_refused"],
    ]);
    expect(provider.verify).toHaveBeenCalledWith(
      expect.objectContaining({ ref: EC2_REF, instanceId: "two" }),
    );
  });

  it("is not asked for an id that stands, nor for a reference that can't be", async () => {
    const user = await owner();
    await register(user, "rig");
    provider.status.mockClear();
    expect(answers([await register(user, "rig")])).toEqual([[409, "exists"]]);
    for (const [provider_ref, path] of [
      ["my-rig", "body.provider_ref"],
      [null, "body.instance_id"],
    ]) {
      const reply = await register(user, "new-rig", { provider: "ec2", provider_ref });
      expect(reply.status).toBe(400);
      expect(reply.body.error.issues).toMatchObject([{ path }]);
    }
    const moved = await change(user, "rig", { provider: "ec2" });
    expect(moved.body.error.issues).toMatchObject([{ path: "body.provider_ref" }]);
    expect(provider.status).not.toHaveBeenCalled();
  });

  it("is asked by default, and the switch is 'true' or 'false'", async () => {
    const user = await owner();
    expect((await register(user, "one", {}, "?sight=no")).body.error.issues).toMatchObject([
      { path: "query.sight" },
    ]);
  });
});

/** What is sighted of each instance that is registered from now on. */
function whatActorsAreTold(): Registration["sighted"][] {
  const told: Registration["sighted"][] = [];
  const registerActor = InstanceActor.prototype.register;
  vi.spyOn(InstanceActor.prototype, "register").mockImplementation(function (
    this: InstanceActor,
    registration,
  ) {
    told.push(registration.sighted);
    return registerActor.call(this, registration);
  });
  return told;
}
