import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { visitAll } from "../../src/cleanup/visit.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { call, DAY, Instance, newUser, rowsOf, setClock } from "../world.ts";

const HOUR = 60 * 60_000;
const A_DAY = 24 * HOUR;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

/** An instance whose machine was deleted at DAY, as a release has left it that armed no alarm for it. */
async function deleted(): Promise<Instance> {
  const one = await Instance.register(await newUser(), "rig");
  await one.heartbeat();
  await one.until(DAY + 2 * HOUR);
  await one.settled();
  await runInDurableObject(one.actor, async (_, { storage }) => {
    const [row] = storage.sql.exec<{ json: string }>("SELECT json FROM instance").toArray();
    const stored = JSON.parse(row?.json ?? "");
    stored.state.phase = { status: "deleted", at: DAY };
    storage.sql.exec("UPDATE instance SET json = ?", JSON.stringify(stored));
    await storage.deleteAlarm();
  });
  await evictDurableObject(one.actor);
  await one.actor.setUserPolicy({ overrides: {}, version: 0 });
  await one.settled();
  return one;
}

const listOf = async ({ userToken }: Instance) =>
  (await call("GET", "/api/agent/instances", { token: userToken })).body.instances.map(
    ({ instance_id }: { instance_id: string }) => instance_id,
  );
const toVisit = ({ userId }: Instance) => fleetOf(env, userId).instancesToVisit("", 10);
const isStored = async (one: Instance) => "instance" in (await rowsOf(one.actor));

describe("an instance whose machine was deleted", () => {
  it("leaves list, summary, scrape and fan-out after thirty days by its own alarm; its history stays", async () => {
    const one = await deleted();
    expect(await listOf(one)).toEqual(["rig"]);
    await one.until(DAY + 30 * A_DAY - HOUR);
    expect([await listOf(one), await isStored(one)]).toEqual([["rig"], true]);
    await one.until(DAY + 30 * A_DAY);
    await expect.poll(() => isStored(one)).toBe(false);
    expect(await listOf(one)).toEqual([]);
    expect(await fleetOf(env, one.userId).instanceIds("", 10)).toEqual([]);
    const summary = await call("GET", "/api/agent/instances?view=summary", { token: one.userToken });
    expect(summary.body.instances).toEqual([]);
    expect((await one.ask("GET")).status).toBe(404);
    expect((await one.heartbeat()).status).toBe(401);
    expect(await one.armedAt()).toBeNull();
    const kept = await env.DB.prepare("SELECT COUNT(*) AS events FROM events WHERE user_id = ?")
      .bind(one.userId)
      .first<{ events: number }>();
    expect(kept?.events).toBeGreaterThan(0);
  });

  it("is taken out by the daily cleanup if its alarm was lost, and is left alone until then; twice is as once", async () => {
    const one = await deleted();
    await runInDurableObject(one.actor, (_, { storage }) => storage.deleteAlarm());
    setClock(DAY + 5 * A_DAY);
    expect(await toVisit(one)).toEqual([]);
    setClock(DAY + 32 * A_DAY);
    const listed = await toVisit(one);
    expect(listed.map(({ instanceId }) => instanceId)).toEqual(["rig"]);
    expect(await visitAll(env, one.userId, listed)).toBe(0);
    await expect.poll(() => isStored(one)).toBe(false);
    expect([await listOf(one), await toVisit(one), await isStored(one)]).toEqual([[], [], false]);
    expect(await visitAll(env, one.userId, listed)).toBe(0);
    expect(await listOf(one)).toEqual([]);
    // The id is free: another instance may have it.
    const again = await Instance.register({ userId: one.userId, token: one.userToken }, "rig");
    expect(await visitAll(env, one.userId, listed)).toBe(0);
    expect([again.id, await listOf(one)]).toEqual(["rig", ["rig"]]);
  });
});
