import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DAY, Instance, newUser, setClock } from "../world.ts";

/** The clock of a machine of the service may be set, or a heartbeat land on another machine whose clock is off. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

async function beating(minutes: number): Promise<Instance> {
  const one = await Instance.register(await newUser(), "rig");
  for (let minute = 0; minute <= minutes; minute++) {
    setClock(DAY + minute * MINUTE);
    await one.heartbeat({ gpu_utilization: 90 });
  }
  return one;
}

/** The alarm that the jump made due, with the time for which it was armed, as the platform tells it. */
async function lateAlarm(one: Instance): Promise<void> {
  const scheduledTime = await one.armedAt();
  if (scheduledTime === null || scheduledTime > Date.now()) return;
  await runInDurableObject(one.actor, async (actor, state) => {
    await state.storage.deleteAlarm();
    await actor.alarm({ scheduledTime, isRetry: false, retryCount: 0 });
  });
}

describe("a clock that jumps", () => {
  it("an hour ahead is told as silence, but moves nobody along the ladder, and the next heartbeat ends it", async () => {
    const one = await beating(10);
    setClock(DAY + 10 * MINUTE + HOUR);
    await lateAlarm(one);
    expect(await one.status()).toBe("orphaned");
    expect((await one.heartbeat({ gpu_utilization: 90 })).status).toBe(200);
    const { body } = await one.ask("GET");
    expect(body).toMatchObject({ status: "running", health: "healthy", total_heartbeats: 12 });
    expect((await one.eventKinds()).sort()).toEqual([
      "first_heartbeat",
      "orphaned",
      "recovered",
      "registered",
    ]);
  });

  it("an hour back refuses nobody, counts nothing below zero, and goes on where the clock goes on", async () => {
    const one = await beating(10);
    setClock(DAY + 10 * MINUTE - HOUR);
    expect((await one.heartbeat({ gpu_utilization: 90 })).status).toBe(200);
    await lateAlarm(one);
    const { body } = await one.ask("GET");
    expect(body).toMatchObject({ status: "running", total_heartbeats: 12, missed_heartbeats: 0 });
    expect(body.seconds_since_heartbeat).toBeGreaterThanOrEqual(0);
    expect(body.cost_today).toBeGreaterThanOrEqual(0);

    for (let minute = 11; minute <= 30; minute++) {
      setClock(DAY + minute * MINUTE);
      expect((await one.heartbeat({ gpu_utilization: 90 })).status).toBe(200);
    }
    await one.settled();
    const { body: history } = await one.ask("GET", "/heartbeats?limit=1000&from=2030-01-06T00:00:00Z");
    expect(history.heartbeats).toHaveLength(32);
    expect(await one.eventKinds()).not.toContain("orphaned");
  });

  it("back and forth never hibernates an instance that works", async () => {
    const one = await beating(5);
    for (let turn = 0; turn < 6; turn++) {
      setClock(DAY + 6 * MINUTE + (turn % 2 === 0 ? HOUR : -HOUR));
      await lateAlarm(one);
      expect((await one.heartbeat({ gpu_utilization: 90 })).status).toBe(200);
    }
    expect(await one.status()).toBe("running");
    const known = ["registered", "first_heartbeat", "orphaned", "recovered", "flapping"];
    expect((await one.eventKinds()).filter((kind) => !known.includes(kind))).toEqual([]);
  });
});
