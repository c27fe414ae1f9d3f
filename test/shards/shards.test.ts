import {
  applyD1Migrations,
  evictDurableObject,
  introspectWorkflow,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startCleanup } from "../../src/cleanup/workflow.ts";
import { chooseShard, historyShards } from "../../src/history/shards.ts";
import { CHUNK_HEARTBEATS } from "../../src/lifecycle/model/state.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { expectLogged } from "../quiet.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

/** The service with three databases for its history. */

const MINUTE = 60_000;

/** So many that a full chunk of them goes to the history: one begins after the first heartbeat, and goes with the next. */
const BEATS = CHUNK_HEARTBEATS + 2;

beforeAll(async () => {
  for (const database of historyShards(env)) await applyD1Migrations(database, env.TEST_MIGRATIONS);
});
beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

async function beat(one: Instance, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    await one.heartbeat({ gpu_utilization: minute });
    setClock(Date.now() + MINUTE);
  }
  await one.settled();
}

/** How many heartbeats of the user each database keeps. */
async function kept(userId: string): Promise<number[]> {
  const counts = historyShards(env).map((database) =>
    database
      .prepare("SELECT COUNT(*) AS n FROM heartbeats WHERE user_id = ?")
      .bind(userId)
      .first<{ n: number }>(),
  );
  return (await Promise.all(counts)).map((row) => row?.n ?? 0);
}

async function moveTo(one: Instance, shard: number): Promise<void> {
  await runInDurableObject(one.actor, (_, state) => {
    const { json } = state.storage.sql.exec<{ json: string }>("SELECT json FROM instance").one();
    const stored = { ...JSON.parse(json), historyShard: shard };
    state.storage.sql.exec("UPDATE instance SET json = ? WHERE id = 1", JSON.stringify(stored));
  });
  await evictDurableObject(one.actor);
}

describe("a history in several databases", () => {
  it("is spread over all of them, each instance whole in one, and read as if it were one", async () => {
    const user = await newUser();
    const instances = await Promise.all(
      Array.from({ length: 12 }, (_, index) => Instance.register(user, `rig-${index}`)),
    );
    for (const one of instances) {
      setClock(DAY);
      await beat(one, BEATS);
    }
    const counts = await kept(user.userId);
    expect(counts.reduce((sum, each) => sum + each)).toBeGreaterThanOrEqual(12 * CHUNK_HEARTBEATS);
    for (const count of counts) expect(count).toBeGreaterThan(0);
    for (const one of instances) {
      const { body } = await one.ask("GET", "/heartbeats?limit=1000");
      expect(body.heartbeats.map((each: { gpu_utilization: number }) => each.gpu_utilization)).toEqual(
        Array.from({ length: BEATS }, (_, index) => BEATS - 1 - index),
      );
      const hours = await one.ask("GET", "/heartbeats?resolution=hour");
      expect(hours.body.hours[0].heartbeats).toBeGreaterThanOrEqual(CHUNK_HEARTBEATS);
    }
  });

  it("stays where it began when databases are added", async () => {
    const user = await newUser();
    // As it stood when there was one database.
    const old = await Instance.register(user, "old");
    await moveTo(old, 0);
    await beat(old, 2 * BEATS);
    const [first = 0, ...others] = await kept(user.userId);
    expect(first).toBeGreaterThanOrEqual(2 * CHUNK_HEARTBEATS);
    expect(others).toEqual([0, 0]);
    expect((await old.ask("GET", "/heartbeats?limit=1000")).body.heartbeats).toHaveLength(2 * BEATS);
  });

  it("is found, wherever it is, when the instance was removed", async () => {
    const user = await newUser();
    const instances = await Promise.all([0, 1, 2].map((shard) => Instance.register(user, `gone-${shard}`)));
    for (const [shard, one] of instances.entries()) {
      await moveTo(one, shard);
      setClock(DAY);
      await beat(one, BEATS);
      expect((await one.ask("DELETE", "")).status).toBe(200);
      await vi.waitFor(
        async () => {
          const { body } = await one.ask("GET", "/heartbeats?limit=1000");
          expect(body.heartbeats).toHaveLength(BEATS);
        },
        { timeout: 60_000 },
      );
      expect((await one.ask("GET", "/events")).body.events.length).toBeGreaterThan(0);
    }
  });

  it("waits, and is not lost, while its database has no binding", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await moveTo(one, 7);
    expectLogged(/outbox not delivered/);
    expectLogged(/request failed/);
    for (let minute = 0; minute < 15; minute++) {
      expect((await one.heartbeat()).status).toBe(200);
      setClock(Date.now() + MINUTE);
    }
    expect((await one.ask("GET", "/heartbeats")).status).toBe(503);
    await moveTo(one, 1);
    await one.until(Date.now() + 2 * MINUTE);
    await one.settled();
    expect((await one.ask("GET", "/heartbeats?limit=1000")).body.heartbeats).toHaveLength(15);
    vi.restoreAllMocks();
  });

  it("grows old in each of them", async () => {
    const user = await newUser();
    const instances = await Promise.all(
      Array.from({ length: 9 }, (_, index) => Instance.register(user, `rig-${index}`)),
    );
    for (const one of instances) {
      setClock(DAY);
      await beat(one, BEATS);
    }
    expect((await kept(user.userId)).every((count) => count > 0)).toBe(true);
    await using introspector = await introspectWorkflow(env.DAILY_CLEANUP);
    await introspector.modifyAll((each) => each.disableRetryDelays());
    setClock(DAY + 9 * 24 * 60 * MINUTE);
    expectLogged(/"message":"Cleanup: /);
    await startCleanup(env, "cleanup-shards", Date.now());
    const [run] = await introspector.get();
    await run?.waitForStatus("complete");
    expect(await kept(user.userId)).toEqual([0, 0, 0]);
    for (const one of instances) {
      const { body } = await one.ask("GET", "/heartbeats?resolution=hour");
      expect(body.hours).toMatchObject([{ heartbeats: CHUNK_HEARTBEATS + 1 }]);
    }
  });
});

describe("events in several databases", () => {
  /** The ids of a user's events that each database keeps. */
  async function eventsKept(userId: string): Promise<string[][]> {
    return Promise.all(
      historyShards(env).map(async (database) => {
        const { results } = await database
          .prepare("SELECT instance_id, id FROM events WHERE user_id = ? ORDER BY at, id")
          .bind(userId)
          .all<{ instance_id: string; id: string }>();
        return results.map(({ instance_id, id }) => `${instance_id}/${id}`);
      }),
    );
  }

  async function fleetOfMany(): Promise<Instance[]> {
    const user = await newUser();
    const rigs = await Promise.all(
      Array.from({ length: 9 }, (_, index) => Instance.register(user, `rig-${index}`)),
    );
    for (const one of rigs) await one.heartbeat();
    await Promise.all(rigs.map((one) => one.settled()));
    return rigs;
  }

  it("are those of an instance in one, and those of its user in the fleet", async () => {
    const rigs = await fleetOfMany();
    const [first] = rigs;
    if (first === undefined) throw new Error("no instance");
    const shards = await eventsKept(first.userId);
    expect(shards.flat()).toHaveLength(18);
    for (const one of rigs) {
      const whole = shards.filter((events) => events.some((event) => event.startsWith(`${one.id}/`)));
      expect(whole).toHaveLength(1);
      expect(await one.eventKinds()).toEqual(["registered", "first_heartbeat"]);
    }
    expect(shards.every((events) => events.length > 0)).toBe(true);
    const { body } = await call("GET", "/api/agent/events", { token: first.userToken });
    expect(body.events).toHaveLength(18);
  });

  it("of before they had shards are read with the others, page by page", async () => {
    const user = await newUser();
    // One whose first event is in the first database, as all events were.
    const id = Array.from({ length: 100 }, (_, index) => `rig-${index}`).find(
      (each) => chooseShard(env, user.userId, each) === 0,
    );
    const one = await Instance.register(user, id ?? "");
    await one.settled();
    const moved = historyShards(env)[1];
    await moveTo(one, 1);
    setClock(DAY + MINUTE);
    await one.heartbeat();
    await one.settled();
    expect(
      await moved?.prepare("SELECT kind FROM events WHERE user_id = ?").bind(one.userId).all(),
    ).toMatchObject({ results: expect.arrayContaining([{ kind: "first_heartbeat" }]) });
    for (const [index, kind] of ["orphaned", "recovered", "idle"].entries()) {
      await env.DB.prepare(
        `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail)
         VALUES (?, ?, ?, ?, ?, 'info', '', '{}')`,
      )
        .bind(one.userId, DAY + index * MINUTE, one.id, `f-${index}`, kind)
        .run();
    }
    const seen: string[] = [];
    let cursor = "";
    do {
      const { body } = await one.ask("GET", `/events?limit=2${cursor}`);
      seen.push(...body.events.map(({ kind }: { kind: string }) => kind));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen.slice(0, 3).sort()).toEqual(["first_heartbeat", "idle", "recovered"]);
    expect(seen.toSorted()).toEqual(["first_heartbeat", "idle", "orphaned", "recovered", "registered"]);
  });

  it("of an instance that can't be read are found wherever they are", async () => {
    for (const shard of [0, 1, 2]) {
      const one = await Instance.register(await newUser(), "rig");
      await one.settled();
      await moveTo(one, shard);
      setClock(Date.now() + MINUTE);
      await one.heartbeat();
      await one.settled();
      await runInDurableObject(one.actor, (_, { storage }) => {
        storage.sql.exec("UPDATE instance SET json = json_set(json, '$.version', 1000)");
      });
      await evictDurableObject(one.actor);
      vi.spyOn(console, "error").mockReturnValue();
      const { status, body } = await one.ask("GET", "/events");
      expect(status).toBe(200);
      const kinds = body.events.map(({ kind }: { kind: string }) => kind);
      expect(kinds).toContain("first_heartbeat");
      vi.restoreAllMocks();
    }
  });

  it("wait, and are not lost, while their database has no binding; their fleet knows them meanwhile", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.settled();
    await moveTo(one, 7);
    expectLogged(/outbox not delivered \(history\)/);
    expectLogged(/request failed/);
    setClock(DAY + MINUTE);
    await one.heartbeat();
    await expect
      .poll(async () => (await fleetOf(env, one.userId).events(null, 10)).entries.map(({ kind }) => kind))
      .toEqual(["first_heartbeat", "registered"]);
    expect((await one.ask("GET", "/events")).status).toBe(503);
    await moveTo(one, 2);
    await one.until(Date.now() + 2 * MINUTE);
    expect(await one.eventKinds()).toContain("first_heartbeat");
  });

  it("of the fleet itself are in the first", async () => {
    const rigs = await fleetOfMany();
    const [first] = rigs;
    if (first === undefined) throw new Error("no instance");
    for (const one of rigs) {
      setClock(DAY);
      await one.until(DAY + 6 * MINUTE);
      await one.settled();
    }
    await runDurableObjectAlarm(fleetOf(env, first.userId));
    const [own, ...others] = (await eventsKept(first.userId)).map((events) =>
      events.filter((event) => event.startsWith("/guard_closed")),
    );
    expect(own).toHaveLength(1);
    expect(others).toEqual([[], []]);
  });

  it("grow old in each of them", async () => {
    const rigs = await fleetOfMany();
    const userId = rigs[0]?.userId ?? "";
    expect((await eventsKept(userId)).every((events) => events.length > 0)).toBe(true);
    await using introspector = await introspectWorkflow(env.DAILY_CLEANUP);
    await introspector.modifyAll((each) => each.disableRetryDelays());
    setClock(DAY + 401 * 24 * 60 * MINUTE);
    expectLogged(/"message":"Cleanup: /);
    await startCleanup(env, "cleanup-events", Date.now());
    const [run] = await introspector.get();
    await run?.waitForStatus("complete");
    const old = (await eventsKept(userId)).flat().filter((event) => !event.includes("orphaned"));
    expect(old).toEqual([]);
  });
});
