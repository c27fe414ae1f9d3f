import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FleetActor } from "../../src/fleet/actor.ts";
import { VERSION } from "../../src/instance/stored/versions.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const HOUR = 3_600_000;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function rowOf(one: Instance): Promise<string> {
  return runInDurableObject(one.actor, (_, state) =>
    String(state.storage.sql.exec("SELECT json FROM instance").one().json),
  );
}

async function writeRowOf(one: Instance, json: string): Promise<void> {
  await runInDurableObject(one.actor, (_, state) => {
    state.storage.sql.exec("UPDATE instance SET json = ?", json);
  });
  await evictDurableObject(one.actor);
}

/** Changes what the user's fleet has stored, behind its back. */
async function changeFleet(userId: string, change: (storage: DurableObjectStorage) => void): Promise<void> {
  const fleet = fleetOf(env, userId);
  await runInDurableObject(fleet, (_, { storage }) => change(storage));
  await evictDurableObject(fleet);
}

/** A row as a newer version may have written it. */
async function spoil(one: Instance): Promise<string> {
  const json = JSON.stringify({ ...JSON.parse(await rowOf(one)), version: VERSION + 1 });
  await writeRowOf(one, json);
  return json;
}

const BECAUSE = `the row has version ${VERSION + 1}, and this code knows ${VERSION} at most`;

describe("an instance whose row cannot be read", () => {
  it("answers 503 to its heartbeats, is logged once, and its row stays as it is", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await one.settled();
    const json = await spoil(one);
    const log = vi.spyOn(console, "error").mockReturnValue();
    for (let beat = 0; beat < 3; beat++) {
      const { status, headers, body } = await one.heartbeat();
      expect(status).toBe(503);
      expect(headers.get("Retry-After")).toBe("60");
      expect(body.error.code).toBe("unreadable");
    }
    expect((await one.ask("POST", "/hibernate")).body.error.code).toBe("unreadable");
    expect((await one.ask("POST", "/keep-alive")).body.error.code).toBe("unreadable");
    expect((await one.ask("PATCH", "", { name: "Other" })).body.error.code).toBe("unreadable");
    expect((await one.ask("GET")).body.error.code).toBe("unreadable");
    expect((await one.ask("GET", "/heartbeats")).body.error.code).toBe("unreadable");
    expect((await one.ask("GET", "/events")).status).toBe(200);
    const ids = { user_id: one.userId, instance_id: one.id };
    const line = { level: "error", message: "the stored instance is unreadable", ...ids, because: BECAUSE };
    expect(log.mock.calls.map(([text]) => JSON.parse(text))).toEqual([line]);
    expect(await rowOf(one)).toBe(json);
  });

  it("takes nobody else of its user out of list, savings and metrics", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "bad");
    const other = await Instance.register(user, "good");
    await Promise.all([one.settled(), other.settled()]);
    await spoil(one);
    vi.spyOn(console, "error").mockReturnValue();
    const list = await call("GET", "/api/agent/instances", { token: user.token });
    expect(list.status).toBe(200);
    expect(list.body.instances).toEqual([
      { instance_id: "bad", error: { code: "unreadable", message: expect.stringContaining(BECAUSE) } },
      expect.objectContaining({ instance_id: "good", status: "pending" }),
    ]);
    const pending = await call("GET", "/api/agent/instances?status=pending", { token: user.token });
    expect(pending.body.instances.map(({ instance_id }: { instance_id: string }) => instance_id)).toEqual([
      "good",
    ]);
    const savings = await call("GET", "/api/agent/savings", { token: user.token });
    // What it saved until it last reported.
    expect(savings.body.instances).toMatchObject([{ instance_id: "bad" }, { instance_id: "good" }]);
    const metrics = await call("GET", "/metrics", { token: user.token });
    expect(metrics.body).toContain("dumont_agents_unreadable 1\n");
    expect(metrics.body).toContain("dumont_agents_scrape_errors 0\n");
  });

  it("is looked at once an hour, and its silence meanwhile moves nobody along", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await one.settled();
    const json = await rowOf(one);
    await spoil(one);
    const log = vi.spyOn(console, "error").mockReturnValue();
    setClock(DAY + 10 * 60_000);
    await runDurableObjectAlarm(one.actor);
    expect(await one.armedAt()).toBe(DAY + 10 * 60_000 + HOUR);
    expect(log).toHaveBeenCalledTimes(1);
    // The version that can read it is deployed again.
    await writeRowOf(one, json);
    setClock(DAY + 10 * 60_000 + HOUR);
    await runDurableObjectAlarm(one.actor);
    // An orphan at most, whose time counts from now: the second alert of its ladder was due half an hour ago.
    expect(await one.eventKinds()).not.toContain("silent");
    expect((await one.heartbeat()).status).toBe(200);
  });

  it("that can be read again is not judged by its silence meanwhile when its owner comes first", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await one.settled();
    const json = await rowOf(one);
    await spoil(one);
    await writeRowOf(one, json);
    setClock(DAY + HOUR);
    expect((await one.ask("PATCH", "", { name: "Other" })).status).toBe(200);
    expect(await one.eventKinds()).not.toContain("silent");
  });

  it("counts as out of reach in the cleanup", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.settled();
    await spoil(one);
    vi.spyOn(console, "error").mockReturnValue();
    // A rejected call of the test's own would count as unhandled in the actor.
    const visited = await runInDurableObject(one.actor, (actor) =>
      actor.cleanUp().then(
        () => "visited",
        () => "out of reach",
      ),
    );
    expect(visited).toBe("out of reach");
  });

  it("can be let go of, and registered anew", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.settled();
    const json = await spoil(one);
    vi.spyOn(console, "error").mockReturnValue();
    const again = await call("POST", "/api/agent/instances", {
      token: user.token,
      json: { instance_id: "rig" },
    });
    expect(again.status).toBe(409);
    expect(await rowOf(one)).toBe(json);
    expect((await one.ask("DELETE")).status).toBe(200);
    expect((await one.ask("DELETE")).status).toBe(404);
    const list = await call("GET", "/api/agent/instances", { token: user.token });
    expect(list.body.instances).toEqual([]);
    expect(await one.armedAt()).toBeNull();
    const anew = await Instance.register(user, "rig");
    expect((await one.heartbeat()).status).toBe(401);
    expect((await anew.heartbeat()).status).toBe(200);
  });

  it("is kept when the registry is out of reach as it is let go of", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.settled();
    const json = await spoil(one);
    vi.spyOn(console, "error").mockReturnValue();
    vi.spyOn(console, "warn").mockReturnValue();
    const remove = vi.spyOn(FleetActor.prototype, "remove").mockRejectedValue(new Error("away"));
    expect((await one.ask("DELETE")).status).toBe(503);
    expect(await rowOf(one)).toBe(json);
    remove.mockRestore();
    expect((await one.ask("DELETE")).status).toBe(200);
  });
});

describe("what a newer version stored in the fleet", () => {
  it("leaves the known part of a policy in force", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.settled();
    const policy = { idle: { threshold_percent: 9, mood: 1 }, curfew: true };
    await changeFleet(user.userId, ({ sql }) => {
      const fleet = JSON.parse(String(sql.exec("SELECT json FROM fleet").one().json));
      const newer = { ...fleet, policy: { overrides: policy, version: 1 }, mood: "fine" };
      sql.exec("UPDATE fleet SET json = ?", JSON.stringify(newer));
      sql.exec(`UPDATE instances SET overrides = '{"orphan":{"curfew":1}}', provider = 'lambda'`);
    });
    const read = await call("GET", "/api/agent/policy", { token: user.token });
    expect(read.body.overrides).toEqual({ idle: { threshold_percent: 9 } });
    const written = await call("PUT", "/api/agent/policy", {
      token: user.token,
      json: { idle: { threshold_percent: 8 } },
    });
    expect(written.status).toBe(200);
    expect((await one.ask("GET")).status).toBe(200);
  });

  it("shows an instance of a provider that is not known, as one that nobody can act upon", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await one.settled();
    const row = JSON.parse(await rowOf(one));
    row.state.profile.provider = "nimbus";
    await writeRowOf(one, JSON.stringify(row));
    const { status, body } = await one.ask("GET");
    expect(status).toBe(200);
    expect(body.provider).toBe("nimbus");
    expect((await one.heartbeat()).status).toBe(200);
    expect((await one.ask("POST", "/hibernate")).body.error.code).toBe("no_provider");
  });

  it("shows events of a kind, a severity and a detail that are not known", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.settled();
    await env.DB.prepare(
      `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail)
       VALUES (?, ?, 'rig', 'e-1', 'teleported', 'odd', 'It moved', 'no JSON')`,
    )
      .bind(user.userId, DAY + 1)
      .run();
    await changeFleet(user.userId, ({ sql }) => {
      sql.exec(
        `INSERT INTO events (number, at, instance_id, id, kind, severity, message, detail)
         VALUES (1000, ?, 'rig', 'e-1', 'teleported', 'odd', 'It moved', 'no JSON')`,
        DAY + 1,
      );
    });
    for (const path of ["/api/agent/events", "/api/agent/instances/rig/events"]) {
      const { status, body } = await call("GET", path, { token: user.token });
      expect(status).toBe(200);
      expect(body.events).toMatchObject([
        { kind: "teleported", severity: "odd", detail: {} },
        { kind: "registered" },
      ]);
    }
  });
});
