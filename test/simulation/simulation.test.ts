import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Delivery } from "../../src/alerts/channels/channel.ts";
import type { Notice } from "../../src/alerts/notice.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { resetMeter } from "../../src/service/meter.ts";
import type { Channel } from "./channel.ts";
import { Database } from "./database.ts";
import { drill } from "./drill.ts";
import { live } from "./life.ts";
import { stopManyAtOnce, type Troubles } from "./many-orders.ts";
import { preparedLives } from "./preparing.ts";
import type { Scheduler } from "./scheduler.ts";
import { socketGlobals } from "./sockets.ts";

/**
 * Thousands of lives of the real actors, outboxes and workflows on a simulated platform. `SEED=n` lives one of them again,
 * `SEEDS=n` lives n of them, from `FIRST_SEED` on, in place of 40, and says how it went.
 */

vi.mock("../../src/accounts/digest.ts", () => ({
  // The same digest at once: threads of Node's own are nothing that a seed decides.
  sha256Hex: async (text: string) => createHash("sha256").update(text).digest("hex"),
}));
vi.mock("../../src/providers/registry.ts", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  openProvider: async (env: Pick<Env, "FLEETS"> & { readonly provider: unknown }, userId: string) => {
    const kept = await fleetOf(env, userId).credentials("webhook");
    return { provider: env.provider, credentialsSetAt: kept?.setAt ?? 0 };
  },
}));
vi.mock("../../src/alerts/channels/registry.ts", () => ({
  noteDelivery: async (
    env: Env,
    userId: string,
    channelId: string,
    delivery: Delivery,
    deliveryId?: string,
  ) => fleetOf(env, userId).noteDelivery(channelId, delivery, deliveryId),
  sendNotice: async (
    env: Pick<Env, "FLEETS"> & { readonly channel: ReturnType<Channel["binding"]> },
    _: unknown,
    userId: string,
    channelId: string,
    notice: Notice,
    digestId: string,
  ) => {
    const sealed = await fleetOf(env, userId).sealedChannel(channelId);
    return sealed === null
      ? null
      : env.channel.send(userId, `${digestId}-${channelId}`, notice, "a workflow");
  },
  sendBy: async (
    env: { readonly channel: ReturnType<Channel["binding"]> },
    _: unknown,
    { userId, id }: { readonly userId: string; readonly id: string },
    notice: Notice,
    digestId: string,
  ) => env.channel.send(userId, `${digestId}-${id}`, notice, "the fleet"),
}));

const one = process.env.SEED === undefined ? null : Number(process.env.SEED);
const first = one ?? Number(process.env.FIRST_SEED ?? 1);
const isLong = process.env.SEEDS !== undefined;
const count = one === null ? Number(process.env.SEEDS ?? 40) : 1;

const database = new Database();
let scheduler: Scheduler | null = null;
const realNow = Date.now;
const realRandom = Math.random;

beforeAll(() => {
  // Most errors are part of the play: where they were made takes long to find out.
  Error.stackTraceLimit = 0;
  // No spy: it would remember each of a hundred million calls.
  Date.now = () => scheduler?.now ?? realNow();
  Math.random = () => scheduler?.random() ?? realRandom();
  vi.stubGlobal("setTimeout", (run: () => void, ms: number) => scheduler?.after(ms, run));
  vi.stubGlobal("clearTimeout", (timer: number) => scheduler?.cancel(timer));
  const sockets = socketGlobals(() => {
    if (scheduler === null) throw new Error("no life is lived");
    return scheduler;
  });
  for (const [name, value] of Object.entries(sockets)) vi.stubGlobal(name, value);
  // A database that is down is no news here, nor is what the log tells of each order.
  const { log } = console;
  const report = (text: string) => text.startsWith("{") || log(text);
  vi.stubGlobal("console", { ...console, log: report, warn: () => {}, error: () => {} });
});
afterAll(() => {
  Date.now = realNow;
  Math.random = realRandom;
  vi.unstubAllGlobals();
});

const setNow = (next: Scheduler) => {
  scheduler = next;
  // Each life begins in an isolate of its own: else it would depend on the one before.
  resetMeter();
};

it(`lives ${count} lives, in none of which anything is lost, done twice, or done without an order`, async () => {
  const failed: string[] = [];
  const seen = new Map<string, number>();
  let [heartbeats, crashes] = [0, 0];
  for (let seed = first; seed < first + count; seed += 1) {
    const outcome = await live(seed, database, setNow);
    heartbeats += outcome.heartbeats;
    crashes += outcome.crashes;
    for (const [what, times] of outcome.counts) seen.set(what, (seen.get(what) ?? 0) + times);
    if (outcome.violations.length > 0) {
      failed.push(`SEED=${seed} npm run test:simulation\n  ${outcome.violations.join("\n  ")}`);
    }
    if (failed.length >= 5) break;
  }
  if (isLong || one !== null) {
    const happened = [...seen].sort().map(([what, times]) => `\n  ${what}: ${times}`);
    console.log(
      `${count} lives: ${heartbeats} heartbeats acknowledged, ${crashes} crashes${happened.join("")}`,
    );
  }
  expect(failed).toEqual([]);
  const unexplained = seen.get("events not retraced: unexplained") ?? 0;
  // One alarm that was lost without a trace may bring a handful of them, which says something only of many lives.
  expect(unexplained, "events of which nobody knows why").toBeLessThanOrEqual(
    Math.max(5, (seen.get("events retraced") ?? 0) / 1000),
  );
});

it("lives the same life again for the same seed", async () => {
  const again = async () => {
    const outcome = await live(first, database, setNow);
    return {
      ...outcome,
      events: database.rows("SELECT at, instance_id, id, kind, message FROM events ORDER BY id, at"),
    };
  };
  expect(await again()).toEqual(await again());
});

describe("a fleet that falls silent together", () => {
  const MINUTE = 60_000;
  const seeds = Array.from({ length: isLong ? 20 : 10 }, (_, index) => first + index);

  // They become orphans in minutes 7 to 8, and would be hibernated in 9 to 10.
  it.each([
    ["", 6],
    [", though their fleet knew of some silences before", 7.3],
  ])(
    "is not stopped by the first of it that get through after an absence of the fleet%s",
    async (_, from) => {
      for (const seed of seeds) {
        const times = { awayFromMs: from * MINUTE, awayUntilMs: 9.5 * MINUTE, endsAtMs: 60 * MINUTE };
        expect(await drill(seed, database, setNow, times), `seed ${seed}`).toEqual({
          stopped: new Set(),
          orphans: 8,
        });
      }
    },
  );
});

describe("fifty machines that are to stop at once", () => {
  const fifty = async (troubles: Troubles = {}) => {
    const outcomes = [];
    for (const seed of [first, first + 1, first + 2]) {
      outcomes.push(await stopManyAtOnce(50, seed, database, setNow, troubles));
    }
    return outcomes;
  };
  const done = { hibernated: 50, criticalAlerts: 0 };

  it("do so one after the other at a provider that takes one call a second", async () => {
    for (const outcome of await fifty()) {
      expect(outcome).toMatchObject({ ...done, refused: 0, mostTries: 1 });
      expect(outcome.tookSeconds).toBeLessThan(15 * 60);
    }
  });

  it("do so though their fleet is reset all the time", async () => {
    for (const outcome of await fifty({ evictedEveryMs: 7_000 })) {
      expect(outcome).toMatchObject(done);
      expect(outcome.mostTries).toBeLessThanOrEqual(3);
    }
  });

  it("wait for a provider that takes no call for ten minutes, and none of them fails", async () => {
    for (const outcome of await fifty({ refusesUntilMs: 10 * 60_000 })) {
      expect(outcome).toMatchObject(done);
      expect(outcome.mostTries).toBeLessThanOrEqual(3);
    }
  });
});

it("stops no machine with hooks before they have ended, or their limit has passed", async () => {
  const outcomes = new Map<string, number>();
  for (let seed = first; seed < first + (isLong ? 40 : 4); seed += 1) {
    const lives = await preparedLives(seed, database, setNow);
    expect(lives.violations).toEqual([]);
    for (const [outcome, times] of lives.outcomes)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + times);
  }
  // Else nothing was tried.
  for (const outcome of ["succeeded", "failed", "overdue", "cancelled"]) {
    expect(outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(one === null ? 0 : -1);
  }
  if (isLong) console.log(`preparations: ${JSON.stringify([...outcomes])}`);
});
