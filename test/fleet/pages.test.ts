import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Registry } from "../../src/fleet/tables/registry.ts";
import { readSavings } from "../../src/fleet/views/savings.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";
import { alertOf, type FleetStub, reportOf } from "./fleets.ts";

/** A row that can't be read is left out of its page, and ends nothing. */

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.useRealTimers();
});

const IDS = ["a", "b", "c", "d", "e"];

/** The pages of a list, as its reader follows them. */
async function pagesOf<T>(
  path: string,
  token: string,
  entries: (body: Record<string, T[]>) => T[] | undefined,
): Promise<T[][]> {
  const pages: T[][] = [];
  for (let cursor = ""; pages.length < 10; ) {
    const { status, body } = await call("GET", `${path}${cursor}`, { token });
    expect(status).toBe(200);
    pages.push(entries(body) ?? []);
    if (body.next_cursor === null) break;
    cursor = `&cursor=${body.next_cursor}`;
  }
  return pages;
}

async function spoil(fleet: FleetStub, statement: string): Promise<void> {
  await runInDurableObject(fleet, (_, { storage }) => void storage.sql.exec(statement));
  await evictDurableObject(fleet);
}

async function fleetOfFive() {
  const user = await newUser();
  const fleet = fleetOf(env, user.userId);
  for (const [index, id] of IDS.entries()) {
    await fleet.report(reportOf(id, { events: [alertOf(`e-${id}`, { at: DAY + index })] }));
  }
  return { ...user, fleet };
}

const UNREADABLE_VIEW = "UPDATE instances SET view = 'no JSON' WHERE instance_id = 'b'";

describe("a row that can't be read ends no page", () => {
  it("of a fleet's events", async () => {
    const { token, fleet } = await fleetOfFive();
    await spoil(fleet, "UPDATE events SET message = x'00' WHERE instance_id IN ('b', 'd')");
    const pages = await pagesOf<{ instance_id: string }>(
      "/api/agent/events?limit=2",
      token,
      ({ events }) => events,
    );
    expect(pages.map((page) => page.map(({ instance_id }) => instance_id))).toEqual([["e"], ["c"], ["a"]]);
  });

  it("of an instance's events", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await one.ask("POST", "/keep-alive");
    await one.settled();
    await env.DB.prepare("UPDATE events SET message = x'00' WHERE user_id = ? AND kind = 'first_heartbeat'")
      .bind(one.userId)
      .run();
    const pages = await pagesOf<{ kind: string }>(
      "/api/agent/instances/rig/events?limit=2",
      one.userToken,
      ({ events }) => events,
    );
    expect(pages.flat().map(({ kind }) => kind)).toEqual(["kept_alive", "registered"]);
  });

  it("of summaries, and of savings", async () => {
    const { token, fleet } = await fleetOfFive();
    await spoil(fleet, UNREADABLE_VIEW);
    for (const path of ["/api/agent/instances?view=summary&limit=2", "/api/agent/savings?limit=2"]) {
      const pages = await pagesOf<{ instance_id: string }>(path, token, ({ instances }) => instances);
      expect(pages.flat().map(({ instance_id }) => instance_id)).toEqual(["a", "c", "d", "e"]);
    }
  });

  it("of the rows whose savings are summed up", async () => {
    const { fleet } = await fleetOfFive();
    await spoil(fleet, UNREADABLE_VIEW);
    await runInDurableObject(fleet, (_, { storage }) => {
      const registry = new Registry(storage.sql);
      expect(registry.list("", 2)).toMatchObject({ rows: [{ instanceId: "a" }], end: "b" });
      expect(registry.changedAfter(0, 2).end).toBeGreaterThan(0);
      expect(readSavings(registry, "", 2, DAY)).toMatchObject({ end: "b" });
    });
  });

  it("of heartbeats, and of hours", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.settled();
    const samples = [1, 2, "odd", 4, 5].map((gpu, index) => [
      DAY + index,
      gpu,
      ...Array.from({ length: 7 }, () => null),
    ]);
    await env.DB.prepare(
      "INSERT INTO heartbeat_chunks (user_id, instance_id, first_at, first_sequence, last_at, samples) VALUES (?, 'rig', ?, 1, ?, ?)",
    )
      .bind(one.userId, DAY, DAY + 4, JSON.stringify(samples))
      .run();
    setClock(DAY + 60_000);
    const pages = await pagesOf<{ gpu_utilization: number | null }>(
      "/api/agent/instances/rig/heartbeats?limit=2",
      one.userToken,
      ({ heartbeats }) => heartbeats,
    );
    // What can't be read of one is unknown.
    expect(pages.map((page) => page.map((beat) => beat.gpu_utilization))).toEqual([[5, 4], [null, 2], [1]]);
    const hours = await call("GET", "/api/agent/instances/rig/heartbeats?resolution=hour", {
      token: one.userToken,
    });
    expect(hours.status).toBe(200);
  });
});
