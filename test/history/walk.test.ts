import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  deleteCostDaysPage,
  deleteEventsPage,
  deleteHoursPage,
  rollUpPage,
} from "../../src/history/retention.ts";
import { oldChunks, WALK_START } from "../../src/history/walk.ts";
import { expectLogged } from "../quiet.ts";
import { DAY } from "../world.ts";
import { age, walk } from "./age.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

beforeEach(async () => {
  await env.DB.batch(
    ["heartbeat_chunks", "heartbeat_hours", "events", "cost_days"].map((table) =>
      env.DB.prepare(`DELETE FROM ${table}`),
    ),
  );
});
afterEach(() => vi.restoreAllMocks());

const one = async (sql: string, ...values: unknown[]) =>
  (
    await env.DB.prepare(sql)
      .bind(...values)
      .first<{ n: number }>()
  )?.n;

/** Chunks of a minute's heartbeat each, `each` of every one of these instances of every user, from DAY on. */
async function chunks(users: number, instances: number, each: number): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${users * instances * each})
     INSERT INTO heartbeat_chunks (user_id, instance_id, first_at, first_sequence, last_at, samples)
     SELECT 'u-' || (i / ${instances * each}), 'rig-' || (i / ${each} % ${instances}), ${DAY} + i % ${each} * ${MINUTE},
            i % ${each}, 0, json_array(json_array(${DAY} + i % ${each} * ${MINUTE}, 50, 1, 50, 1, 1, 1, 1, null))
     FROM n`,
  ).run();
}

async function chunk(instanceId: string, minute: number, samples: string): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO heartbeat_chunks (user_id, instance_id, first_at, first_sequence, last_at, samples)
     VALUES ('ada', ?, ?, ?, 0, ?)`,
  )
    .bind(instanceId, DAY + minute * MINUTE, minute, samples)
    .run();
}

const sample = (minute: number) => JSON.stringify([[DAY + minute * MINUTE, 50, 1, 50, 1, 1, 1, 1, null]]);

describe("a walk through the heartbeats", () => {
  it("comes to every instance of every user, in bounded pages", async () => {
    await chunks(3, 300, 2);
    const walked = await walk((from) => rollUpPage(env.DB, from, DAY + MINUTE, 0));
    expect(walked).toMatchObject({ rows: 900, unreadable: 0 });
    expect(walked.calls).toBeLessThanOrEqual(12);
    expect(await one("SELECT COUNT(*) AS n FROM heartbeat_chunks")).toBe(900);
    expect(await one("SELECT SUM(heartbeats) AS n FROM heartbeat_hours")).toBe(900);
    expect(await age(DAY + HOUR, 0)).toBe(900);
    expect(await one("SELECT SUM(heartbeats) AS n FROM heartbeat_hours")).toBe(1800);
    expect(await age(DAY + HOUR, 0)).toBe(0);
  });

  it("goes on within an instance that holds more than a page", async () => {
    await chunks(1, 1, 1_300);
    expect(await age(DAY + 1_200 * MINUTE, 0)).toBe(1_200);
    expect(await one("SELECT COUNT(*) AS n FROM heartbeat_chunks")).toBe(100);
  });

  it("reads nothing of what is young, however much of it there is", async () => {
    await chunks(1, 190, 100);
    let read = 0;
    const { prepare } = env.DB;
    vi.spyOn(Object.getPrototypeOf(env.DB), "prepare").mockImplementation(function (
      this: D1Database,
      ...[sql]
    ) {
      const statement: D1PreparedStatement = Reflect.apply(prepare, this, [sql]);
      const { bind } = statement;
      return Object.assign(statement, {
        bind: (...values: unknown[]) => {
          const bound = bind.apply(statement, values);
          const { all } = bound;
          return Object.assign(bound, {
            all: async () => {
              const result = await all.call(bound);
              read += result.meta.rows_read;
              return result;
            },
          });
        },
      });
    });
    expect((await oldChunks(env.DB, WALK_START, DAY)).keys).toEqual([]);
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(5 * 190);
  });
});

describe("a chunk that can't be read", () => {
  const MALFORMED = ["no JSON", "[[", "[1]", '{"a":1}', '[["yesterday",1]]', "[[null]]", "null"];

  it.each(MALFORMED)("is %j: it stays, is counted, and holds up nobody else", async (samples) => {
    for (let minute = 0; minute < 40; minute++) {
      await chunk("a", minute, minute === 17 ? samples : sample(minute));
      await chunk("b", minute, sample(minute));
    }
    expectLogged(/a chunk of heartbeats can't be read/);
    const walked = await walk((from) => rollUpPage(env.DB, from, DAY + HOUR, 0));
    expect(walked).toMatchObject({ rows: 79, unreadable: 1 });
    expect(walked.calls).toBeLessThan(40);
    expect(await one("SELECT SUM(heartbeats) AS n FROM heartbeat_hours")).toBe(79);
    expect(await one("SELECT COUNT(*) AS n FROM heartbeat_chunks")).toBe(1);
    // The next day it is tried again.
    expect(await walk((from) => rollUpPage(env.DB, from, DAY + HOUR, 0))).toMatchObject({
      rows: 0,
      unreadable: 1,
    });
    // It goes when its hours would.
    const last = await walk((from) => rollUpPage(env.DB, from, DAY + 99 * HOUR, DAY + 90 * HOUR));
    expect(last).toMatchObject({ rows: 1, unreadable: 0 });
    expect(await one("SELECT COUNT(*) AS n FROM heartbeat_chunks")).toBe(0);
  });

  it("is not taken for a database that is out of reach", async () => {
    await chunk("a", 0, sample(0));
    vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockRejectedValue(new Error("away"));
    const first = Object.getPrototypeOf(env.DB.prepare("SELECT 1"));
    vi.spyOn(first, "first").mockRejectedValue(new Error("away"));
    await expect(rollUpPage(env.DB, WALK_START, DAY + HOUR, 0)).rejects.toThrow("away");
  });

  it("costs a bounded number of calls, however many there are", async () => {
    for (let minute = 0; minute < 300; minute++) await chunk("a", minute, "no JSON");
    await chunk("b", 0, sample(0));
    expectLogged(/a chunk of heartbeats can't be read/);
    const walked = await walk((from) => rollUpPage(env.DB, from, DAY + 24 * HOUR, 0));
    expect(walked.unreadable).toBeGreaterThanOrEqual(300);
    expect(walked.calls).toBeLessThan(220);
  });
});

describe("hours and events", () => {
  it("go when their time is over, also those of instances that have no heartbeats any more", async () => {
    await chunks(2, 3, 60);
    await age(DAY + 24 * HOUR, 0);
    expect(await one("SELECT COUNT(*) AS n FROM heartbeat_chunks")).toBe(0);
    expect(await one("SELECT COUNT(*) AS n FROM heartbeat_hours")).toBe(6);
    expect((await walk((from) => deleteHoursPage(env.DB, from, DAY))).rows).toBe(0);
    expect((await walk((from) => deleteHoursPage(env.DB, from, DAY + HOUR))).rows).toBe(6);
    expect(await one("SELECT COUNT(*) AS n FROM heartbeat_hours")).toBe(0);
  });

  it("go in bounded pages, those of the service itself too", async () => {
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < 1500)
       INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail)
       SELECT iif(i % 3 = 0, '', 'u-' || (i % 30)), ${DAY} + i, 'rig', 'e' || i, 'registered', 'info', '', '{}' FROM n`,
    ).run();
    const walked = await walk((from) => deleteEventsPage(env.DB, from, DAY + 1_400));
    expect(walked.rows).toBe(1_400);
    expect(walked.calls).toBeLessThan(12);
    expect(await one("SELECT COUNT(*) AS n FROM events")).toBe(100);
  });
});

describe("days of costs", () => {
  it("go in bounded pages when their time is over, however many instances have one", async () => {
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < 3000)
       INSERT INTO cost_days (user_id, day, instance_id, working_seconds, working, idle_seconds, idle, silent_seconds, silent,
                              hibernated_seconds, hibernated, wasted, saved, reported, unpriced_seconds, provider, tags, closed_at)
       SELECT 'u-' || (i % 2), ${DAY} + i % 3 * ${24 * HOUR}, 'rig-' || i, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'none', '{}', 1 FROM n`,
    ).run();
    const walked = await walk((from) => deleteCostDaysPage(env.DB, from, DAY + 48 * HOUR));
    expect(walked.rows).toBe(2_000);
    expect(walked.calls).toBeLessThan(16);
    expect(await one("SELECT COUNT(*) AS n FROM cost_days")).toBe(1_000);
    expect(await one(`SELECT COUNT(*) AS n FROM cost_days WHERE day < ${DAY + 48 * HOUR}`)).toBe(0);
  });
});
