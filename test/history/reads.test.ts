import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { appendChunk } from "../../src/history/append.ts";
import { readHours } from "../../src/history/hours.ts";
import { readHeartbeats } from "../../src/history/read.ts";
import { heartbeat } from "../instance/outbox-of.ts";
import { DAY, setClock } from "../world.ts";
import { age } from "./age.ts";

/** What reading the history costs, by the rows that the database counts. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Chunks of `size` heartbeats each, one heartbeat every `interval` ms from `DAY` on. */
async function keepChunks(instanceId: string, chunks: number, size: number, interval: number): Promise<void> {
  const statements = Array.from({ length: chunks }, (_, chunk) => {
    const [first, ...rest] = Array.from({ length: size }, (_, index) => {
      const number = chunk * size + index;
      return { ...heartbeat(number + 1), at: DAY + number * interval, costAccumulated: number };
    });
    if (first === undefined) throw new Error("a chunk holds a heartbeat");
    return appendChunk(env.DB, "reader", instanceId, [first, ...rest]);
  });
  for (let from = 0; from < statements.length; from += 200) {
    await env.DB.batch(statements.slice(from, from + 200));
  }
}

/** The database, and how many rows its statements have read. */
function counted() {
  let rowsRead = 0;
  const counting = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get(target, name) {
        if (name === "bind") return (...values: unknown[]) => counting(target.bind(...values));
        if (name !== "all") return Reflect.get(target, name).bind(target);
        return async () => {
          const result = await target.all();
          rowsRead += result.meta.rows_read;
          return result;
        };
      },
    });
  const db = new Proxy(env.DB, {
    get: (target, name) =>
      name === "prepare"
        ? (query: string) => counting(target.prepare(query))
        : Reflect.get(target, name).bind(target),
  });
  return { db, rowsRead: () => rowsRead };
}

const range = (instanceId: string, limit: number, more: { from?: number; to?: number } = {}) => ({
  userId: "reader",
  instanceId,
  from: more.from ?? 0,
  to: more.to ?? DAY + 400 * 24 * HOUR,
  limit,
  before: null,
});

describe("a page of heartbeats", () => {
  it("reads no more chunks than it needs, however many there are", async () => {
    await keepChunks("many", 3000, 30, 5 * SECOND);
    for (const [limit, chunks] of [
      [1, 60],
      [100, 70],
      [1000, 150],
    ] as const) {
      const { db, rowsRead } = counted();
      const { entries } = await readHeartbeats(db, range("many", limit), []);
      expect(entries).toHaveLength(limit);
      expect(entries[0]?.cost_accumulated).toBe(89_999);
      expect(entries.at(-1)?.cost_accumulated).toBe(90_000 - limit);
      expect(rowsRead(), `limit ${limit}`).toBeLessThan(chunks * 33);
    }
  });

  it("reaches all heartbeats, page by page, also where chunks are short or lie across each other", async () => {
    const lone = (number: number, at: number) =>
      appendChunk(env.DB, "reader", "odd", [{ ...heartbeat(number), at, costAccumulated: number }]);
    const long = Array.from({ length: 60 }, (_, index) => ({
      ...heartbeat(100 + index),
      at: DAY + index * MINUTE,
      costAccumulated: 100 + index,
    }));
    const [first, ...rest] = long;
    if (first === undefined) throw new Error("there is a first one");
    await env.DB.batch([
      appendChunk(env.DB, "reader", "odd", [first, ...rest]),
      lone(1, DAY + 10 * MINUTE + 1),
      lone(2, DAY + 20 * MINUTE + 1),
      lone(3, DAY + 20 * MINUTE + 1),
      lone(4, DAY + 3 * HOUR),
    ]);
    const whole = (await readHeartbeats(env.DB, range("odd", 1000), [])).entries;
    expect(whole).toHaveLength(64);
    for (const limit of [1, 2, 3, 10, 63, 64]) {
      const found: unknown[] = [];
      let before: Awaited<ReturnType<typeof readHeartbeats>>["next"] = null;
      do {
        const page = await readHeartbeats(env.DB, { ...range("odd", limit), before }, []);
        found.push(...page.entries);
        before = page.next;
      } while (before !== null);
      expect(found, `limit ${limit}`).toEqual(whole);
    }
  });
});

describe("a page of hours", () => {
  it("reads no more than its hours, however long the history is", async () => {
    await keepChunks("hours", 500, 30, MINUTE);
    await age(DAY + 5 * 24 * HOUR, 0);
    const { db, rowsRead } = counted();
    const { entries } = await readHours(db, range("hours", 1));
    expect(entries).toMatchObject([{ heartbeats: 60 }]);
    expect(rowsRead()).toBeLessThan(12 * 33);
  });

  it("shows whole hours, rolled up or not, also where the range begins or ends within them", async () => {
    await keepChunks("within", 8, 30, MINUTE);
    const show = async () =>
      (
        await readHours(
          env.DB,
          range("within", 10, { from: DAY + HOUR + 30 * MINUTE, to: DAY + 2 * HOUR + 10 * MINUTE }),
        )
      ).entries.map(({ hour, heartbeats }) => ({ hour, heartbeats }));
    const expected = [
      { hour: "2030-01-07T02:00:00Z", heartbeats: 60 },
      { hour: "2030-01-07T01:00:00Z", heartbeats: 60 },
    ];
    expect(await show()).toEqual(expected);
    // Half of the hour in which the range begins is rolled up, then all of it.
    for (const before of [DAY + HOUR + 30 * MINUTE, DAY + 4 * HOUR]) {
      await age(before, 0);
      expect(await show()).toEqual(expected);
    }
  });
});
