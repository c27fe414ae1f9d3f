import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FleetActor } from "../../src/fleet/actor.ts";
import { withProgress } from "../../src/instance/attempts.ts";
import { HeldEffects } from "../../src/instance/held.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { expectLogged } from "../quiet.ts";
import { call, DAY, eventually, Instance, newUser, rowsOf, setClock } from "../world.ts";
import { outboxOf } from "./outbox-of.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** The database refuses heartbeats and events. */
function refuseHistory(): { mockRestore(): void } {
  expectLogged(/outbox not delivered \(history\)/);
  const prototype = Object.getPrototypeOf(env.DB);
  const { batch } = prototype;
  return vi.spyOn(prototype, "batch").mockImplementation(async function (this: unknown, ...[statements]) {
    const isHistory = /INTO (heartbeat_chunks|events)/.test(JSON.stringify(statements));
    if (isHistory) throw new Error("D1 refuses it");
    return Reflect.apply(batch, this, [statements]);
  });
}

/** Whom the registry knows. */
async function listed({ userId }: Instance): Promise<string[]> {
  return fleetOf(env, userId).instanceIds("", 10);
}

async function isStored(one: Instance): Promise<boolean> {
  return "instance" in (await rowsOf(one.actor));
}

/** Events of the user's fleet, oldest first. */
async function told({ userToken }: Instance): Promise<string[]> {
  const { body } = await call("GET", "/api/agent/events?limit=100", { token: userToken });
  return body.events.map(({ kind }: { kind: string }) => kind).reverse();
}

async function heard(): Promise<Instance> {
  const one = await Instance.register(await newUser(), "rig");
  await one.heartbeat();
  await one.settled();
  await one.until(DAY + MINUTE);
  await one.heartbeat();
  return one;
}

describe("an instance that is removed while the history is down", () => {
  it("leaves the registry at once, takes no step any more, and is gone once the history has all of it", async () => {
    const one = await heard();
    const down = refuseHistory();
    expect((await one.ask("DELETE")).status).toBe(200);
    expect(await listed(one)).toEqual([]);
    expect((await one.ask("GET")).status).toBe(404);
    expect((await one.heartbeat()).status).toBe(401);
    const before = await rowsOf(one.actor);
    await one.until(DAY + 3 * HOUR);
    const { state } = JSON.parse(String(Reflect.get(before.instance?.[0] ?? {}, "json")));
    const after = await rowsOf(one.actor);
    const now = JSON.parse(String(Reflect.get(after.instance?.[0] ?? {}, "json")));
    expect(now.state.phase).toEqual(state.phase);
    expect(now.state.nextEffectId).toBe(state.nextEffectId);
    down.mockRestore();
    await one.until(DAY + 5 * HOUR);
    expect(await isStored(one)).toBe(false);
    expect(await one.armedAt()).toBeNull();
    const { results } = await env.DB.prepare("SELECT at FROM heartbeats WHERE user_id = ? ORDER BY at")
      .bind(one.userId)
      .all<{ at: number }>();
    expect(results.map(({ at }) => at)).toEqual([DAY, DAY + MINUTE]);
    expect(await listed(one)).toEqual([]);
  });

  it("is given up a week later, and its alarm with it", async () => {
    const one = await heard();
    refuseHistory();
    await one.ask("DELETE");
    await one.until(DAY + MINUTE + 7 * 24 * HOUR - HOUR);
    expect(await isStored(one)).toBe(true);
    await one.until(DAY + MINUTE + 7 * 24 * HOUR + 2 * HOUR);
    expect(await isStored(one)).toBe(false);
    expect(await one.armedAt()).toBeNull();
  });

  it("takes no step even if somebody who knew it before decides on it", async () => {
    const one = await heard();
    refuseHistory();
    await one.ask("DELETE");
    await one.until(DAY + 2 * MINUTE);
    const before = await rowsOf(one.actor);
    await runInDurableObject(one.actor, async (actor) => {
      await actor.setUserPolicy({ overrides: { idle: { enabled: false } }, version: 99 });
      await actor.cleanUp();
      expect(await actor.checkOrder("hibernate-1", null)).toBe(false);
    });
    expect(await rowsOf(one.actor)).toEqual(before);
  });
});

describe("an id that is registered again while what was removed is still to be delivered", () => {
  it("works at once, and all that waited reaches the history by and by", async () => {
    const former = await heard();
    const down = refuseHistory();
    expect((await former.ask("DELETE")).status).toBe(200);
    setClock(DAY + 2 * MINUTE);
    const anew = await Instance.register({ userId: former.userId, token: former.userToken }, "rig");
    expect((await former.heartbeat()).status).toBe(401);
    expect((await anew.heartbeat()).status).toBe(200);
    expect(await listed(anew)).toEqual(["rig"]);
    expect((await anew.ask("GET")).body).toMatchObject({ status: "running", total_heartbeats: 1 });
    await runInDurableObject(anew.actor, (_, { storage: { sql } }) => {
      const { state } = JSON.parse(String(sql.exec("SELECT json FROM instance").one().json));
      const ids: number[] = state.outbox.map(({ id }: { id: number }) => id);
      expect(ids).toEqual([...new Set(ids)].toSorted((one, other) => one - other));
    });
    down.mockRestore();
    await anew.until(DAY + 3 * HOUR);
    await anew.settled();
    const { results } = await env.DB.prepare("SELECT at FROM heartbeats WHERE user_id = ? ORDER BY at")
      .bind(anew.userId)
      .all<{ at: number }>();
    expect(results.map(({ at }) => at)).toEqual([DAY, DAY + MINUTE, DAY + 2 * MINUTE]);
    expect(await listed(anew)).toEqual(["rig"]);
    const kinds = await anew.eventKinds();
    expect(kinds.filter((kind) => kind === "registered")).toHaveLength(2);
    expect(await isStored(anew)).toBe(true);
  });

  it("keeps what waited in rows of its own", async () => {
    const former = await heard();
    refuseHistory();
    await runInDurableObject(former.actor, (_, { storage: { sql } }) =>
      new HeldEffects(sql).hold(withProgress(outboxOf("chunk", "chunk"), []), DAY),
    );
    await evictDurableObject(former.actor);
    expect((await former.ask("DELETE")).status).toBe(200);
    setClock(DAY + 2 * MINUTE);
    const anew = await Instance.register({ userId: former.userId, token: former.userToken }, "rig");
    expect((await rowsOf(anew.actor)).held).toHaveLength(2);
    vi.restoreAllMocks();
    await anew.until(DAY + 3 * HOUR);
    expect((await rowsOf(anew.actor)).held).toEqual([]);
  });

  it("is answered 503, and why, until the fleet has let go", async () => {
    const former = await heard();
    const out = vi.spyOn(FleetActor.prototype, "remove").mockRejectedValue(new Error("away"));
    expectLogged(/outbox not delivered \(fleet\)/);
    expect((await former.ask("DELETE")).status).toBe(200);
    const register = () =>
      call("POST", "/api/agent/instances", { token: former.userToken, json: { instance_id: "rig" } });
    const { status, headers, body } = await register();
    expect(status).toBe(503);
    expect(headers.get("Retry-After")).toBe("60");
    expect(body.error).toEqual({
      code: "unavailable",
      message: "The instance that had this id is still being removed",
    });
    out.mockRestore();
    await former.until(DAY + 5 * MINUTE);
    expect((await register()).status).toBe(201);
  });
});

describe("an instance that is removed while its fleet is out of reach", () => {
  it("tells it the events that wait, and leaves the registry then, though the history is down", async () => {
    const one = await heard();
    const away = vi.spyOn(FleetActor.prototype, "report").mockRejectedValue(new Error("away"));
    const out = vi.spyOn(FleetActor.prototype, "remove").mockRejectedValue(new Error("away"));
    refuseHistory();
    expectLogged(/outbox not delivered \(fleet\)/);
    expect((await one.ask("POST", "/token")).status).toBe(200);
    expect((await one.ask("DELETE")).status).toBe(200);
    expect(await listed(one)).toEqual(["rig"]);
    away.mockRestore();
    out.mockRestore();
    await one.until(DAY + 4 * MINUTE);
    expect(await listed(one)).toEqual([]);
    expect((await told(one)).at(-1)).toBe("token_rotated");
    expect(await isStored(one)).toBe(true);
  });
});

describe("a fleet that does not answer", () => {
  it("delays neither the history nor an order", async () => {
    const user = await newUser();
    const credentials = {
      url: "https://plane.example.com/orders",
      secret: `whsec_${btoa("0".repeat(32))}`,
    };
    await call("PUT", "/api/agent/providers/webhook?verify=false", { token: user.token, json: credentials });
    const one = await Instance.register(user, "rig", { provider: "webhook" }, "?sight=false");
    let answer = () => {};
    const silence = new Promise<void>((resolve) => {
      answer = resolve;
      setTimeout(resolve, 20_000);
    });
    const report = vi.spyOn(FleetActor.prototype, "report").mockImplementation(async () => {
      await silence;
      return { policy: null, answers: [] };
    });
    const create = vi.spyOn(Object.getPrototypeOf(env.INSTANCE_ACTION), "create").mockResolvedValue({});
    await one.heartbeat();
    await eventually(() => expect(report).toHaveBeenCalled());
    await one.ask("POST", "/hibernate");
    const kept = async () => {
      const { results } = await env.DB.prepare("SELECT kind FROM events WHERE user_id = ? ORDER BY at, id")
        .bind(one.userId)
        .all<{ kind: string }>();
      return results.map(({ kind }) => kind);
    };
    await vi.waitFor(async () => expect(await kept()).toContain("hibernating"), { timeout: 10_000 });
    await vi.waitFor(() => expect(create).toHaveBeenCalled(), { timeout: 10_000 });
    answer();
    report.mockRestore();
    await one.settled();
    expect(await runDurableObjectAlarm(one.actor)).toBe(true);
  });
});
