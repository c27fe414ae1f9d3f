import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fleetOf } from "../../src/platform/address.ts";
import type { LaneCall } from "../../src/providers/pace.ts";
import { DAY, newUser, call as request, setClock } from "../world.ts";

/** The lanes as a real fleet keeps them. */

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

let userId: string;

beforeEach(async () => {
  setClock(DAY);
  const user = await newUser();
  userId = user.userId;
  await request("GET", "/api/agent/policy", { token: user.token });
});
afterEach(() => vi.useRealTimers());

const fleet = () => fleetOf(env, userId);

function callOf(id: string, more: Partial<LaneCall> = {}): LaneCall {
  return { connection: "vast", uses: ["order"], id, isUrgent: false, ...more };
}

async function takeMany(calls: number): Promise<void> {
  for (let number = 1; number <= calls; number += 1) await fleet().takeTurn(callOf(`call-${number}`));
}

it("gives one turn after the other, and keeps a turn for who comes back for it", async () => {
  await takeMany(6);
  expect(await fleet().takeTurn(callOf("seventh"))).toMatchObject({ type: "ask again", waits: 0 });
  setClock(DAY + 6 * SECOND);
  expect(await fleet().takeTurn(callOf("seventh"))).toMatchObject({ type: "go", afterMs: 1_800, waits: 1 });
});

it("lets nobody go at once after the fleet has left memory", async () => {
  await takeMany(6);
  await fleet().takeTurn(callOf("seventh"));
  await evictDurableObject(fleet());
  expect(await fleet().takeTurn(callOf("eighth"))).toMatchObject({ type: "ask again" });
  setClock(DAY + 6 * SECOND);
  expect(await fleet().takeTurn(callOf("seventh"))).toMatchObject({ type: "go", afterMs: 1_800 });
});

it("has a lane for each connection, and for each user", async () => {
  await takeMany(20);
  expect(await fleet().takeTurn(callOf("a", { connection: "vast@c-2" }))).toMatchObject({
    type: "go",
    afterMs: 0,
  });
  ({ userId } = await newUser());
  expect(await fleet().takeTurn(callOf("a"))).toMatchObject({ type: "go", afterMs: 0 });
});

it("stands still for all after a limit", async () => {
  await fleet().takeTurn(callOf("a"));
  const noted = await fleet().noteLimited(callOf("a"), 60);
  expect(noted).toMatchObject({ isFailure: false });
  expect(noted.afterMs).toBeGreaterThan(50 * SECOND);
  expect(await fleet().takeTurn(callOf("b"))).toMatchObject({ type: "ask again" });
  setClock(DAY + 62 * SECOND);
  expect(await fleet().takeTurn(callOf("c"))).toMatchObject({ type: "go" });
});

it("writes one row for a call that need not wait", async () => {
  await fleet().takeTurn(callOf("a"));
  const rows = await runInDurableObject(fleet(), (_, { storage }) => {
    const waits = storage.sql.exec("SELECT COUNT(*) AS n FROM lane_waits").one().n;
    return [storage.sql.exec("SELECT COUNT(*) AS n FROM lanes").one().n, waits];
  });
  expect(rows).toEqual([1, 0]);
});

it("forgets lanes and calls that are long over, and begins anew where a row can't be read", async () => {
  await takeMany(20);
  setClock(DAY + 30 * HOUR);
  await fleet().takeTurn(callOf("other", { connection: "runpod" }));
  for (let number = 1; number <= 20; number += 1) {
    await fleet().takeTurn(callOf(`later-${number}`, { connection: "runpod" }));
  }
  await runInDurableObject(fleet(), (_, { storage }) => {
    const kept = storage.sql.exec("SELECT connection FROM lanes").toArray();
    expect(kept).toEqual([{ connection: "runpod" }]);
    const { n } = storage.sql.exec("SELECT COUNT(*) AS n FROM lane_waits WHERE call LIKE 'call-%'").one();
    expect(n).toBe(0);
    storage.sql.exec("UPDATE lanes SET json = '{\"version\":9}'");
  });
  const turn = await fleet().takeTurn(callOf("new", { connection: "runpod" }));
  expect(turn).toMatchObject({ type: "go", afterMs: 0 });
});
