import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Holds every exchange with the database until it is let go. */
function holdDatabase(): () => void {
  const prototype = Object.getPrototypeOf(env.DB);
  const { batch } = prototype;
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  vi.spyOn(prototype, "batch").mockImplementation(async function (this: unknown, ...values: unknown[]) {
    await gate;
    return Reflect.apply(batch, this, values);
  });
  return () => release();
}

describe("an outbox that is being emptied", () => {
  it("has an alarm five minutes ahead, should the object crash on the way", async () => {
    const one = await Instance.register(await newUser(), "rig", { policy: { orphan: { enabled: false } } });
    await one.until(DAY + 6 * MINUTE);
    expect(await one.armedAt()).toBeNull();
    setClock(DAY + 10 * MINUTE);
    const release = holdDatabase();
    expect((await one.heartbeat()).status).toBe(200);
    // Nothing else would wake the instance: its ladder is switched off.
    expect(await one.armedAt()).toBe(DAY + 15 * MINUTE);
    release();
    await one.settled();
  });
});

describe("an alarm that has not fired for ten minutes after its time", () => {
  async function overdue(since: number): Promise<Instance> {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await one.settled();
    expect(await one.armedAt()).toBe(DAY + 5 * MINUTE);
    setClock(DAY + 5 * MINUTE + since);
    return one;
  }

  it("never will: the next heartbeat arms another", async () => {
    const one = await overdue(10 * MINUTE);
    await one.heartbeat();
    const armedAt = await one.armedAt();
    expect(armedAt).toBeGreaterThan(Date.now());
    expect(armedAt).toBeLessThanOrEqual(DAY + 20 * MINUTE);
    expect(await one.status()).toBe("running");
  });

  it("is waited for until then", async () => {
    const one = await overdue(10 * MINUTE - 1);
    await one.heartbeat();
    expect(await one.armedAt()).toBe(DAY + 5 * MINUTE);
  });

  it("is armed anew by the daily look, which moves nobody along for the time that it was lost", async () => {
    const one = await overdue(3 * HOUR);
    await runInDurableObject(one.actor, (actor) => actor.cleanUp());
    expect((await one.ask("GET")).body).toMatchObject({
      status: "orphaned",
      orphaned_since: "2030-01-07T00:05:00Z",
      lifecycle: { next_step: "hibernate" },
    });
    await one.until(DAY + 3 * HOUR + 35 * MINUTE - 1);
    expect(await one.eventKinds()).not.toContain("silent");
    await one.until(DAY + 3 * HOUR + 35 * MINUTE);
    expect(await one.eventKinds()).toContain("silent");
  });
});
