import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toIso } from "../../src/lifecycle/model/time.ts";
import { actorOf, fleetOf } from "../../src/platform/address.ts";
import { passAlarms } from "../fleet/fleets.ts";
import { anInstance } from "../providers/gcp/fake.ts";
import { keyFile, PROJECT_ID } from "../providers/gcp/key.ts";
import { ALL_PERMISSIONS } from "../providers/gcp/permissions.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;

/** What Google lists: names, and how they are. */
let shown: Record<string, string>;

beforeEach(() => {
  setClock(DAY);
  shown = {};
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const { host, pathname } = new URL(input instanceof Request ? input.url : String(input));
    if (host === "oauth2.googleapis.com") {
      return Response.json({ access_token: "ya29.x", expires_in: 3599, token_type: "Bearer" });
    }
    if (host === "cloudresourcemanager.googleapis.com")
      return Response.json({ permissions: ALL_PERMISSIONS });
    const instances = Object.entries(shown).map(([name, status]) => anInstance({ name, status }));
    const name = pathname.split("/instances/")[1];
    if (name === undefined) {
      return Response.json({
        kind: "compute#instanceAggregatedList",
        items: { "zones/us-central1-a": { instances } },
      });
    }
    const found = instances.find((instance) => instance.name === name);
    return found === undefined
      ? Response.json(
          { error: { code: 404, message: "not found", errors: [{ reason: "notFound" }] } },
          { status: 404 },
        )
      : Response.json(found);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const refOf = (name: string) => `projects/${PROJECT_ID}/zones/us-central1-a/instances/${name}`;

async function connected() {
  const user = await newUser();
  await call("PUT", "/api/agent/providers/gcp", { token: user.token, json: keyFile });
  return { ...user, fleet: fleetOf(env, user.userId) };
}

const inventory = (token: string, query = "") => call("GET", `/api/agent/inventory${query}`, { token });

describe("the inventory", () => {
  it("shows all machines of a connected account within one alarm, and tells of those that nobody watches", async () => {
    shown = { alpha: "RUNNING", beta: "TERMINATED", gamma: "RUNNING" };
    const { token, fleet } = await connected();
    await passAlarms(fleet, DAY + 1_000);
    const { body } = await inventory(token);
    expect(body.machines.map(({ name, state }: Record<string, string>) => [name, state])).toEqual([
      ["alpha", "running"],
      ["beta", "stopped"],
      ["gamma", "running"],
    ]);
    expect(body.machines[0]).toMatchObject({ ref: refOf("alpha"), hourly_cost: null, watched_by: null });
    expect(body.connections).toMatchObject([{ connection: "gcp", complete: true, problem: null }]);
    const events = await call("GET", "/api/agent/events", { token });
    expect(events.body.events).toMatchObject([
      {
        kind: "unwatched_machines",
        instance_id: null,
        detail: { machines: 2, hourly_cost: null, unpriced: 2 },
      },
    ]);
  });

  it("comes in pages, and by who watches", async () => {
    shown = Object.fromEntries(["a1", "b2", "c3", "d4", "e5"].map((name) => [name, "RUNNING"]));
    const user = await connected();
    await Instance.register(user, "rig", { provider: "gcp", provider_ref: refOf("c3") }, "?sight=false");
    await passAlarms(user.fleet, DAY + 1_000);
    const names: string[] = [];
    let cursor = "";
    do {
      const { body } = await inventory(user.token, `?limit=2&watched=false${cursor}`);
      names.push(...body.machines.map(({ name }: { name: string }) => name));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(names).toEqual(["a1", "b2", "d4", "e5"]);
    const { body } = await inventory(user.token, "?watched=true");
    expect(body.machines).toMatchObject([{ name: "c3", watched_by: "rig" }]);
    expect((await inventory(user.token, `?cursor=${btoa("x").replaceAll("=", "")}`)).status).toBe(400);
  });

  it("is listed on demand, once a minute", async () => {
    shown = { alpha: "RUNNING" };
    const { token, fleet } = await connected();
    await passAlarms(fleet, DAY + 1_000);
    const sync = (id = "gcp") => call("POST", `/api/agent/connections/${id}/sync`, { token });
    expect((await sync()).status).toBe(429);
    setClock(DAY + 2 * MINUTE);
    shown = {};
    const { status, body } = await sync();
    expect([status, body.listed_at]).toEqual([200, toIso(DAY + 2 * MINUTE)]);
    expect((await inventory(token)).body.machines[0].vanished_at).toBe(toIso(DAY + 2 * MINUTE));
    expect((await sync("vast")).status).toBe(404);
  });

  it("is nobody else's, is not listed for a suspended user, and goes with the credentials", async () => {
    shown = { alpha: "RUNNING" };
    const user = await connected();
    await passAlarms(user.fleet, DAY + 1_000);
    const other = await newUser();
    expect((await inventory(other.token)).body).toEqual({ machines: [], connections: [], next_cursor: null });
    const sync = (token: string) => call("POST", "/api/agent/connections/gcp/sync", { token });
    expect((await sync(other.token)).status).toBe(404);
    await call("DELETE", "/api/agent/providers/gcp", { token: user.token });
    expect((await inventory(user.token)).body.machines).toEqual([]);
    await call("PUT", "/api/agent/providers/gcp", { token: user.token, json: keyFile });
    await call("POST", `/api/admin/users/${user.userId}/suspend`, {
      token: ADMIN_TOKEN,
      json: { reason: "x" },
    });
    expect((await sync(user.token)).status).toBe(403);
  });
});

describe("the second witness", () => {
  const STOPPED = "stopped by its owner at Google";

  it(`${STOPPED}: the machine shows as hibernated without an order, and as found running once it is started there`, async () => {
    shown = { c3: "RUNNING" };
    const user = await connected();
    const rig = await Instance.register(
      user,
      "rig",
      { provider: "gcp", provider_ref: refOf("c3") },
      "?sight=false",
    );
    await rig.heartbeat();
    await passAlarms(user.fleet, DAY + 1_000);
    await rig.settled();
    expect((await rig.ask("GET")).body.status).toBe("running");
    shown = { c3: "TERMINATED" };
    await rig.until(DAY + 20 * MINUTE);
    await rig.settled();
    await passAlarms(user.fleet, DAY + 20 * MINUTE);
    await rig.settled();
    expect(await rig.status()).toBe("hibernated");
    expect(await rig.eventKinds()).toEqual(["registered", "first_heartbeat", "orphaned", "hibernated"]);
    shown = { c3: "RUNNING" };
    await passAlarms(user.fleet, DAY + 60 * MINUTE);
    await rig.settled();
    expect((await rig.eventKinds()).slice(0, 5).at(-1)).toBe("found_running");
    expect(await rig.status()).toBe("pending");
    expect((await inventory(user.token)).body.machines).toMatchObject([{ watched_by: "rig", told_at: null }]);
    // It is stopped by hand once more, and was never heard in between.
    shown = { c3: "TERMINATED" };
    await passAlarms(user.fleet, DAY + 120 * MINUTE);
    await rig.settled();
    expect(await rig.status()).toBe("hibernated");
  });

  it("is told once of a machine that its provider lists no more, and does not count it as gone", async () => {
    shown = { c3: "TERMINATED", d4: "RUNNING" };
    const user = await connected();
    await passAlarms(user.fleet, DAY + 1_000);
    const register = (id: string, name: string) =>
      Instance.register(user, id, { provider: "gcp", provider_ref: refOf(name) }, "?sight=false");
    const [rig, other] = [await register("rig", "c3"), await register("other", "d4")];
    await passAlarms(user.fleet, DAY + 40 * MINUTE);
    await rig.settled();
    expect([await rig.status(), await other.status()]).toEqual(["hibernated", "pending"]);
    shown = {};
    setClock(DAY + 42 * MINUTE);
    const { body } = await call("POST", "/api/agent/connections/gcp/sync", { token: user.token });
    expect(body.listed_at).toBe(toIso(DAY + 42 * MINUTE));
    await rig.settled();
    expect(await rig.eventKinds()).not.toContain("vanished");
    for (const minutes of [80, 100, 120]) {
      await passAlarms(user.fleet, DAY + minutes * MINUTE);
      await rig.settled();
      await other.settled();
    }
    for (const one of [rig, other]) {
      expect((await one.eventKinds()).filter((kind) => kind === "vanished")).toHaveLength(1);
    }
    expect([await rig.status(), await other.status()]).toEqual(["hibernated", "pending"]);
    await rig.until(DAY + 180 * MINUTE);
    expect(await rig.status()).toBe("hibernated");
    expect((await rig.ask("GET")).body.lifecycle.because).toContain("lists it no more");
    shown = { c3: "TERMINATED", d4: "RUNNING" };
    await passAlarms(user.fleet, DAY + 200 * MINUTE);
    await other.settled();
    expect((await other.ask("GET")).body.lifecycle.because).not.toContain("lists it no more");
  });

  it("does not hold against one that beats, nor for another machine", async () => {
    shown = { c3: "TERMINATED", d4: "TERMINATED" };
    const user = await connected();
    const rig = await Instance.register(
      user,
      "rig",
      { provider: "gcp", provider_ref: refOf("c3") },
      "?sight=false",
    );
    for (let minute = 0; minute <= 40; minute++) {
      await rig.until(DAY + minute * MINUTE);
      await rig.heartbeat();
      await passAlarms(user.fleet);
    }
    expect(await rig.status()).toBe("running");
    const listed = { at: Date.now() + 60 * MINUTE, credentialsSetAt: 1, gpus: null };
    setClock(Date.now() + 4 * MINUTE);
    await rig.actor.noteListed(
      { provider: "gcp", ref: refOf("d4") },
      { type: "machine.listed", shown: "stopped", stoppedUntil: null, hourlyCost: null, sighted: listed },
    );
    expect(await rig.status()).toBe("running");
  });
});

describe("adoption", () => {
  const adopt = (token: string, json: unknown) => call("POST", "/api/agent/inventory/adopt", { token, json });

  it("registers all that run unwatched by one call, under the names of their provider, with tokens that work", async () => {
    shown = { alpha: "RUNNING", beta: "TERMINATED", gamma: "RUNNING" };
    const { token, userId, fleet } = await connected();
    await passAlarms(fleet, DAY + 1_000);
    // The name is taken by another machine.
    await Instance.register({ userId, token }, "gamma", {});
    const { status, body } = await adopt(token, { all: true });
    expect([status, body.refused, body.is_more]).toEqual([200, [], false]);
    const [alpha, gamma] = body.adopted;
    expect([alpha.instance_id, gamma.instance_id]).toEqual(["alpha", expect.stringMatching(/^gamma-\w+$/)]);
    const instance = await call("GET", "/api/agent/instances/alpha", { token });
    expect(instance.body).toMatchObject({
      name: "alpha",
      provider: "gcp",
      provider_ref: refOf("alpha"),
      hourly_cost: null,
      status: "pending",
    });
    const beat = { instance_id: "alpha", gpu_utilization: 50 };
    expect((await call("POST", "/api/agent/status", { token: alpha.token, json: beat })).status).toBe(200);
    expect((await adopt(token, { all: true })).body).toMatchObject({ adopted: [], refused: [] });
    expect((await inventory(token, "?watched=false")).body.machines).toMatchObject([{ name: "beta" }]);
  });

  it("registers a machine once that two connections of one account list", async () => {
    shown = { alpha: "RUNNING", beta: "RUNNING" };
    const { token, fleet } = await connected();
    await passAlarms(fleet, DAY + 1_000);
    const json = { provider: "gcp", name: "Team B", credentials: keyFile };
    const second = await call("POST", "/api/agent/connections", { token, json });
    expect(second.status).toBe(201);
    await passAlarms(fleet, DAY + 2_000);
    expect((await inventory(token)).body.machines).toHaveLength(2);
    const places = [second.body.id, "gcp"].map((connection) => ({ connection, ref: refOf("alpha") }));
    const { body } = await adopt(token, { machines: places });
    expect([body.adopted.length, body.refused]).toEqual([1, []]);
    expect((await adopt(token, { all: true })).body.adopted).toMatchObject([{ instance_id: "beta" }]);
    const list = await call("GET", "/api/agent/instances?view=summary", { token });
    expect(list.body.instances).toHaveLength(2);
    for (const id of ["alpha", "beta"]) {
      expect(await fleet.holderOf({ provider: "gcp", ref: refOf(id) })).toBe(id);
    }
    const told = await call("GET", "/api/agent/events?kind=unwatched_machines", { token });
    expect(
      told.body.events.filter(({ kind }: { kind: string }) => kind === "unwatched_machines"),
    ).toHaveLength(1);
  });

  it("registers a machine at the named connection, and never at one that can't be asked for it any more", async () => {
    shown = { alpha: "RUNNING", beta: "RUNNING", gamma: "RUNNING" };
    const { token, fleet } = await connected();
    await passAlarms(fleet, DAY + 1_000);
    const json = { provider: "gcp", name: "Team B", credentials: keyFile };
    const second = await call("POST", "/api/agent/connections", { token, json });
    await passAlarms(fleet, DAY + 2_000);
    const connectionOf = async (instance: string) =>
      (await call("GET", `/api/agent/instances/${instance}`, { token })).body.connection;
    await adopt(token, { machines: [{ connection: second.body.id, ref: refOf("alpha") }] });
    expect(await connectionOf("alpha")).toBe(second.body.id);
    // The first one's credentials are replaced by those of another account, and are not listed yet.
    setClock(DAY + 10 * MINUTE);
    await call("PUT", "/api/agent/providers/gcp", { token, json: keyFile });
    await adopt(token, { machines: [{ connection: "gcp", ref: refOf("beta") }] });
    expect(await connectionOf("beta")).toBe(second.body.id);
    const changed = { credentials: keyFile };
    await call("PATCH", `/api/agent/connections/${second.body.id}`, { token, json: changed });
    const { body } = await adopt(token, { machines: [{ connection: "gcp", ref: refOf("gamma") }] });
    expect(body.refused).toMatchObject([{ because: "unavailable" }]);
  });

  it("registers each machine once, however many ask for it at the same time", async () => {
    shown = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`rig-${index}`, "RUNNING"]));
    const { token, fleet } = await connected();
    await passAlarms(fleet, DAY + 1_000);
    const answers = await Promise.all(Array.from({ length: 4 }, () => adopt(token, { all: true })));
    const adopted = answers.flatMap(({ body }) => body.adopted.map(({ ref }: { ref: string }) => ref));
    expect(adopted.toSorted()).toEqual(Object.keys(shown).map(refOf).toSorted());
    for (const [name, ref] of Object.keys(shown).map((each) => [each, refOf(each)] as const)) {
      expect(await fleet.holderOf({ provider: "gcp", ref })).toBe(name);
    }
  });

  it("takes over a claim whose instance never came to be, and none of an instance", async () => {
    shown = { alpha: "RUNNING", beta: "RUNNING" };
    const user = await connected();
    await user.fleet.claim({ provider: "gcp", ref: refOf("alpha") }, "never-came");
    await Instance.register(user, "rig", { provider: "gcp", provider_ref: refOf("beta") }, "?sight=false");
    await passAlarms(user.fleet, DAY + 1_000);
    const machines = ["alpha", "beta"].map((name) => ({ connection: "gcp", ref: refOf(name) }));
    expect((await adopt(user.token, { machines })).body.refused).toMatchObject([
      { because: "watched" },
      { because: "watched" },
    ]);
    await passAlarms(user.fleet, DAY + 20 * MINUTE);
    const { body } = await adopt(user.token, { machines });
    expect(body).toMatchObject({
      adopted: [{ instance_id: "alpha" }],
      refused: [{ ref: refOf("beta"), because: "watched" }],
    });
    expect(await user.fleet.holderOf({ provider: "gcp", ref: refOf("alpha") })).toBe("alpha");
  });

  it("registers one that is stopped if it is named, and says why it registers another not", async () => {
    shown = { beta: "TERMINATED" };
    const { token, fleet } = await connected();
    await passAlarms(fleet, DAY + 1_000);
    const machines = [
      { connection: "gcp", ref: refOf("beta") },
      { connection: "gcp", ref: refOf("none") },
    ];
    const { body } = await adopt(token, { machines });
    expect(body.adopted).toMatchObject([{ instance_id: "beta" }]);
    expect(body.refused).toEqual([{ ...machines[1], because: "unknown" }]);
    expect((await adopt(token, { machines })).body.refused).toMatchObject([{ because: "watched" }, {}]);
    for (const wrong of [{}, { all: false }, { all: true, machines }, { machines: [] }, { machines: [{}] }]) {
      expect((await adopt(token, wrong)).status).toBe(400);
    }
    const other = await newUser();
    expect((await adopt(other.token, { machines })).body.refused).toHaveLength(2);
  });

  it("without a name from its owner counts as nobody's word to stop the machine, should it never be heard", async () => {
    shown = { alpha: "RUNNING", beta: "RUNNING" };
    const user = await connected();
    await passAlarms(user.fleet, DAY + 1_000);
    await adopt(user.token, { machines: [{ connection: "gcp", ref: refOf("alpha") }] });
    await adopt(user.token, { all: true });
    const awaited = async (id: string) =>
      runInDurableObject(
        actorOf(env, user.userId, id),
        (_, { storage }) =>
          JSON.parse(String(storage.sql.exec("SELECT json FROM instance").one().json)).state.phase,
      );
    expect(await awaited("alpha")).toMatchObject({ unheard: { because: "registered" } });
    expect(await awaited("beta")).toMatchObject({ unheard: { because: "unknown" } });
  });

  it("is done by each listing under `register`, and nobody is told under `off`", async () => {
    shown = { alpha: "RUNNING" };
    for (const [policy, kinds, ids] of [
      ["register", [], ["alpha"]],
      ["off", [], []],
      ["suggest", ["unwatched_machines"], []],
    ] as const) {
      setClock(DAY);
      const { token, fleet } = await connected();
      const set = await call("PUT", "/api/agent/policy", { token, json: { inventory: { adopt: policy } } });
      expect(set.status).toBe(200);
      await passAlarms(fleet, DAY + 1_000);
      const events = await call("GET", "/api/agent/events", { token });
      const own = events.body.events.filter((event: { instance_id: unknown }) => event.instance_id === null);
      expect(own.map(({ kind }: { kind: string }) => kind)).toEqual(kinds);
      const list = await call("GET", "/api/agent/instances?view=summary", { token });
      expect(list.body.instances.map((each: { instance_id: string }) => each.instance_id)).toEqual(ids);
    }
  });
});
