import {
  applyD1Migrations,
  evictDurableObject,
  introspectWorkflow,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startCleanup } from "../../src/cleanup/workflow.ts";
import { historyShards } from "../../src/history/shards.ts";
import { expectLogged } from "../quiet.ts";
import { DAY, Instance, newUser, setClock } from "../world.ts";

/** The service with three databases for its history. */

const MINUTE = 60_000;

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
      await beat(one, 11);
    }
    const counts = await kept(user.userId);
    expect(counts.reduce((sum, each) => sum + each)).toBeGreaterThanOrEqual(120);
    for (const count of counts) expect(count).toBeGreaterThan(0);
    for (const one of instances) {
      const { body } = await one.ask("GET", "/heartbeats?limit=1000");
      expect(body.heartbeats.map((each: { gpu_utilization: number }) => each.gpu_utilization)).toEqual([
        10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
      ]);
      const hours = await one.ask("GET", "/heartbeats?resolution=hour");
      expect(hours.body.hours[0].heartbeats).toBeGreaterThanOrEqual(10);
    }
  });

  it("stays where it began when databases are added", async () => {
    const user = await newUser();
    // As it stood when there was one database.
    const old = await Instance.register(user, "old");
    await moveTo(old, 0);
    await beat(old, 25);
    const [first = 0, ...others] = await kept(user.userId);
    expect(first).toBeGreaterThanOrEqual(20);
    expect(others).toEqual([0, 0]);
    expect((await old.ask("GET", "/heartbeats?limit=1000")).body.heartbeats).toHaveLength(25);
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
      await beat(one, 11);
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
      expect(body.hours).toMatchObject([{ heartbeats: 11 }]);
    }
  });
});
