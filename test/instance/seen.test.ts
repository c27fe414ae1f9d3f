import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FleetActor } from "../../src/fleet/actor.ts";
import { DAY, eventually, Instance, newUser, setClock } from "../world.ts";

/** What it costs an instance that somebody may look at it. */

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function newInstance(): Promise<Instance> {
  const one = await Instance.register(await newUser(), "rig");
  await one.heartbeat();
  await one.settled();
  return one;
}

/** In these minutes. The object leaves memory between them. */
async function beat(one: Instance, ...minutes: readonly number[]): Promise<void> {
  for (const minute of minutes) {
    setClock(DAY + minute * MINUTE);
    await evictDurableObject(one.actor);
    await one.heartbeat();
    await one.settled();
  }
}

/** Until which minute it is seen; null where nothing is written. */
const seenUntil = (one: Instance) =>
  runInDurableObject(one.actor, (_, { storage: { sql } }) => {
    if (sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'seen'").toArray().length === 0) return null;
    return Math.floor((Number(sql.exec("SELECT until FROM seen").one().until) - DAY) / MINUTE);
  });

it("is nothing while nobody does: no call of the fleet, and nothing that is written", async () => {
  const heard = vi.spyOn(FleetActor.prototype, "heard");
  const one = await newInstance();
  await beat(one, 1, 2, 3);
  expect(heard).not.toHaveBeenCalled();
  expect(await seenUntil(one)).toBeNull();
});

it("is a row in five minutes, however often somebody looks, and a call a heartbeat", async () => {
  const heard = vi.spyOn(FleetActor.prototype, "heard").mockResolvedValue(true);
  const one = await newInstance();
  await one.actor.look();
  expect(await seenUntil(one)).toBe(10);
  await beat(one, 1, 2, 3, 4);
  await one.actor.look();
  expect(await seenUntil(one)).toBe(10);
  setClock(DAY + 6 * MINUTE);
  await one.actor.look();
  expect(await seenUntil(one)).toBe(16);
  expect(heard).toHaveBeenCalledTimes(4);
});

it("ends with the first heartbeat of which the fleet says that nobody looks", async () => {
  const heard = vi.spyOn(FleetActor.prototype, "heard");
  const one = await newInstance();
  await one.actor.look();
  await beat(one, 1);
  await eventually(async () => expect(await seenUntil(one)).toBeLessThan(0));
  await beat(one, 2, 3);
  expect(heard).toHaveBeenCalledTimes(1);
});

it("ends ten minutes after the last look, whatever the fleet says", async () => {
  const heard = vi.spyOn(FleetActor.prototype, "heard").mockResolvedValue(true);
  const one = await newInstance();
  await one.actor.look();
  await beat(one, 9, 11, 12);
  expect(heard).toHaveBeenCalledTimes(1);
});
