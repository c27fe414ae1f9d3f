import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withProgress } from "../../src/instance/attempts.ts";
import { HeldEffects } from "../../src/instance/held.ts";
import { toGiveUp } from "../../src/instance/parking.ts";
import type { PendingEffect } from "../../src/lifecycle/model/effects.ts";
import { expectLogged, mayLog } from "../quiet.ts";
import { DAY, eventually, Instance, newUser, rowsOf, setClock } from "../world.ts";
import { outboxOf } from "./outbox-of.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WEEK = 7 * 24 * HOUR;

mayLog(/unreadable/);

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** An instance whose ladder wakes it for nothing. */
async function quiet(): Promise<Instance> {
  const one = await Instance.register(await newUser(), "rig", { policy: { orphan: { enabled: false } } });
  await one.settled();
  return one;
}

/** Effects in rows of their own, of which this release can't read some, as after a rollback. */
async function withRows(
  one: Instance,
  put: (held: HeldEffects, effects: readonly PendingEffect[]) => void,
  effects: readonly PendingEffect[],
  unreadable: readonly number[],
): Promise<void> {
  await runInDurableObject(one.actor, (_, { storage: { sql } }) => {
    put(new HeldEffects(sql), effects);
    for (const id of unreadable) {
      sql.exec(`UPDATE held SET pending = '{"id":1,"effect":{"type":"teleport"}}' WHERE id = ?`, id);
    }
  });
  await evictDurableObject(one.actor);
}

const hold = (held: HeldEffects, effects: readonly PendingEffect[]) =>
  held.hold(withProgress(effects, []), DAY);
const park = (held: HeldEffects, effects: readonly PendingEffect[]) =>
  held.park(withProgress(effects, []).map((each) => ({ ...each, parkedAt: DAY })));

async function heldIds(one: Instance): Promise<unknown[]> {
  const { held = [] } = await rowsOf(one.actor);
  return held.map((row) => Reflect.get(row ?? {}, "id"));
}

async function messages(one: Instance, kind: string): Promise<string[]> {
  await one.settled();
  const { body } = await one.ask("GET", "/events?limit=1000");
  return body.events
    .filter((event: { kind: string }) => event.kind === kind)
    .map(({ message }: { message: string }) => message);
}

describe("parked effects that can't be read", () => {
  it("are looked at once an hour, never at once again", async () => {
    const one = await quiet();
    await withRows(one, park, outboxOf("chunk"), [1]);
    setClock(DAY + MINUTE);
    await one.heartbeat();
    await one.settled();
    for (let alarm = 0; alarm < 3; alarm++) {
      const armedAt = (await one.armedAt()) ?? 0;
      expect(armedAt).toBeGreaterThanOrEqual(Date.now() + MINUTE);
      setClock(armedAt);
      await runDurableObjectAlarm(one.actor);
    }
    expect(await heldIds(one)).toEqual([1]);
  });

  it("are given up after a week, with an event", async () => {
    const one = await quiet();
    await withRows(one, park, outboxOf("chunk", "event"), [1]);
    setClock(DAY + MINUTE);
    await one.heartbeat();
    const taken = DAY + WEEK + 2 * HOUR;
    await one.until(taken);
    expect(await heldIds(one)).toEqual([]);
    expect(await messages(one, "delivery_parked")).toEqual([
      "An effect that this version of the service can't read could not be delivered since 2030-01-07T00:00:00Z, and was given up",
    ]);
  });

  it("hold up no other", async () => {
    const one = await quiet();
    await withRows(one, park, outboxOf("chunk", "chunk"), [1]);
    setClock(DAY + MINUTE);
    await one.heartbeat();
    await eventually(async () => expect(await heldIds(one)).toEqual([1]));
  });
});

describe("what is given up of parked effects", () => {
  it("are the oldest beyond 256 KB, and any that is past its time", () => {
    const row = (id: number, kilobytes: number, giveUpAt = DAY + WEEK) => ({
      id,
      bytes: kilobytes * 1024,
      giveUpAt,
    });
    const rows = [row(1, 1), row(2, 1, DAY), row(3, 56), row(4, 100), row(5, 100)];
    expect(toGiveUp(rows, DAY).toSorted()).toEqual([1, 2]);
    expect(toGiveUp(rows.slice(2), DAY)).toEqual([]);
  });
});

describe("a try of parked effects that fails on the way", () => {
  it("is made again in an hour, not at once", async () => {
    const one = await quiet();
    await withRows(one, park, outboxOf("chunk"), []);
    vi.spyOn(HeldEffects.prototype, "parked").mockImplementation(() => {
      throw new Error("the object was reset");
    });
    expectLogged(/outbox not emptied/);
    setClock(DAY + MINUTE);
    await one.heartbeat();
    await one.settled();
    await eventually(async () => {
      const { instance } = await rowsOf(one.actor);
      const { delivery } = JSON.parse(String(Reflect.get(instance?.[0] ?? {}, "json")));
      expect(delivery.parked.tryAt).toBe(DAY + MINUTE + HOUR);
    });
    expect(await one.armedAt()).toBeGreaterThanOrEqual(DAY + 2 * MINUTE);
    expect(await heldIds(one)).toEqual([1]);
  });
});

describe("effects that wait and can't be read", () => {
  it("keep nothing behind them from being delivered", async () => {
    const one = await quiet();
    const effects = outboxOf(...Array.from({ length: 150 }, () => "chunk" as const), "event");
    const unreadable = Array.from({ length: 120 }, (_, index) => index + 1);
    await withRows(one, hold, effects, unreadable);
    setClock(DAY + MINUTE);
    await one.heartbeat();
    await eventually(async () => expect(await heldIds(one)).toEqual(unreadable));
    expect(await messages(one, "idle")).toEqual(["It idles"]);
  });

  it("are logged once as long as the object is in memory", async () => {
    const one = await quiet();
    await withRows(one, hold, outboxOf("chunk", "chunk"), [1]);
    const log = vi.spyOn(console, "error").mockReturnValue();
    for (let beat = 1; beat <= 3; beat++) {
      setClock(DAY + beat * MINUTE);
      await one.heartbeat();
      await one.settled();
    }
    expect(log).toHaveBeenCalledTimes(1);
  });

  it("are given up after a week, with events, and the row is clear again", async () => {
    const one = await quiet();
    await withRows(one, hold, outboxOf("chunk", "event", "chunk"), [1, 2]);
    setClock(DAY + MINUTE);
    await one.heartbeat();
    await one.until(DAY + WEEK + HOUR);
    expect(await heldIds(one)).toEqual([]);
    // The first was told before the second was given up.
    expect((await messages(one, "history_lost")).toSorted()).toEqual([
      "1 event could not be delivered in time, and was given up",
      "1 heartbeat could not be delivered in time, and was given up",
    ]);
    expect(await messages(one, "delivery_parked")).toEqual([]);
    const { instance } = await rowsOf(one.actor);
    expect(JSON.parse(String(Reflect.get(instance?.[0] ?? {}, "json")))).not.toHaveProperty("delivery");
  });

  it("keep a removed instance for a week, and no longer", async () => {
    const one = await quiet();
    await withRows(one, hold, outboxOf("event"), [1]);
    expect((await one.ask("DELETE")).status).toBe(200);
    await one.until(DAY + WEEK - HOUR);
    expect(await heldIds(one)).toEqual([1]);
    await one.until(DAY + WEEK + HOUR);
    expect(await rowsOf(one.actor)).toEqual({});
    expect(await one.armedAt()).toBeNull();
  });
});
