import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fleetOf } from "../../src/platform/address.ts";
import { storyOf } from "../../src/previews/story.ts";
import type { Story } from "../../src/replay/story.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

async function storyFrom(one: Instance, from: number): Promise<Story> {
  const found = await storyOf(env, one.userId, one.id, { from, to: Date.now() }, []);
  if (found.outcome !== "found") throw new Error(found.outcome);
  return found.story;
}

describe("the story of an instance", () => {
  it("has each heartbeat once, whether it is in the history or still waits", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", { hourly_cost: 2 });
    for (let minute = 1; minute <= 45; minute++) {
      setClock(DAY + minute * MINUTE);
      await one.heartbeat({ gpu_utilization: minute });
    }
    await one.settled();
    const story = await storyFrom(one, DAY);
    expect(story.readings.map(({ gpuPercent }) => gpuPercent)).toEqual(
      Array.from({ length: 45 }, (_, index) => index + 1),
    );
    expect(story).toMatchObject({ hasGpu: true, profile: { hourlyCost: 2, hibernatedHourlyCost: null } });
    expect(story.events.map(({ kind }) => kind)).toContain("registered");
    const later = await storyFrom(one, DAY + 40 * MINUTE);
    expect(later.readings).toHaveLength(6);
  });

  it("has the policies that were in force", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    setClock(DAY + 10 * MINUTE);
    await call("PUT", "/api/agent/policy", { token: user.token, json: { idle: { threshold_percent: 9 } } });
    await one.settled();
    setClock(DAY + 20 * MINUTE);
    const { policies } = await storyFrom(one, DAY);
    expect(
      policies.map(({ from, settings, unknownBecause }) => [
        from,
        settings.idle.threshold_percent,
        unknownBecause,
      ]),
    ).toEqual([
      [DAY, 5, null],
      [DAY + 10 * MINUTE, 9, null],
    ]);
  });

  it("is nobody's where the instance is unknown", async () => {
    const { userId } = await newUser();
    expect(await storyOf(env, userId, "nobody", { from: DAY, to: DAY }, [])).toEqual({ outcome: "removed" });
  });
});

describe("the times in which a fleet's guard was closed", () => {
  it("are those of its events, as far as they fall into the period", async () => {
    const { userId } = await newUser();
    const fleet = fleetOf(env, userId);
    await fleet.policy();
    const turns: readonly (readonly [number, string])[] = [
      [1, "guard_opened"],
      [10, "guard_closed"],
      [20, "guard_opened"],
      [30, "guard_closed"],
      [31, "guard_closed"],
      [40, "guard_opened"],
      [50, "guard_closed"],
    ];
    await runInDurableObject(fleet, (_, { storage: { sql } }) => {
      for (const [number, [minute, kind]] of turns.entries()) {
        sql.exec(
          `INSERT INTO events (number, at, instance_id, id, kind, severity, message, detail, told)
           VALUES (?, ?, '', ?, ?, 'critical', '', '{}', NULL)`,
          1000 + number,
          DAY + minute * MINUTE,
          `e${number}`,
          kind,
        );
      }
    });
    const closed = async (from: number, to: number) =>
      (await fleet.guardClosed({ from: DAY + from * MINUTE, to: DAY + to * MINUTE })).map((span) => [
        (span.from - DAY) / MINUTE,
        (span.to - DAY) / MINUTE,
      ]);
    expect(await closed(0, 60)).toEqual([
      [10, 20],
      [30, 40],
      [50, 60],
    ]);
    expect(await closed(15, 35)).toEqual([
      [15, 20],
      [30, 35],
    ]);
    expect(await closed(21, 29)).toEqual([]);
  });
});
