import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { appendChunk, appendEvent } from "../../src/history/append.ts";
import {
  EVENTS_BEFORE,
  NOTHING_WAITS,
  PAST_LIMITS,
  type PastRange,
  readPast,
} from "../../src/history/past.ts";
import type { Heartbeat } from "../../src/lifecycle/model/heartbeat.ts";
import { heartbeat as made } from "../instance/outbox-of.ts";
import { DAY, newUser } from "../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PLACES = { heartbeats: env.DB, events: [env.DB] };

let userId: string;
beforeEach(async () => {
  ({ userId } = await newUser());
});

const range = (more: Partial<PastRange> = {}): PastRange => ({
  userId,
  instanceId: "rig",
  hasGpu: true,
  from: DAY,
  to: DAY + 24 * HOUR,
  ...more,
});

/** The heartbeat of this minute of the day. */
const beat = (minute: number, more: Partial<Heartbeat> = {}): Heartbeat => ({
  ...made(minute),
  at: DAY + minute * MINUTE,
  ...more,
});

async function keep(heartbeats: readonly Heartbeat[]): Promise<void> {
  const [first, ...others] = heartbeats;
  if (first === undefined) throw new Error("no heartbeats");
  await appendChunk(env.DB, userId, "rig", [first, ...others]).run();
}

const beats = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => beat(from + index));

const event = (id: string, at: number, kind = "idle") => ({
  id,
  at,
  kind,
  severity: "info" as const,
  message: "It idles",
  detail: { rule: "idle" },
});

async function keepEvents(events: readonly ReturnType<typeof event>[], database = env.DB): Promise<void> {
  await database.batch(events.map((each) => appendEvent(database, userId, "rig", each, 100_000)));
}

async function keepHour(hour: number, heartbeats: number, gpuHeartbeats: number, quiet: number | null) {
  await env.DB.prepare(
    `INSERT INTO heartbeat_hours (user_id, instance_id, hour, heartbeats, gpu_sum, gpu_heartbeats, gpu_max, cpu_sum,
                                  cpu_heartbeats, quiet_heartbeats) VALUES (?, 'rig', ?, ?, 0, ?, 7, 0, 0, ?)`,
  )
    .bind(userId, hour, heartbeats, gpuHeartbeats, quiet)
    .run();
}

const minutesOf = ({ readings }: { readonly readings: readonly Heartbeat[] }) =>
  readings.map(({ at }) => (at - DAY) / MINUTE);

describe("the readings of a past", () => {
  it("are those of the range, both ends included, as they were kept, each once, and those that wait among them", async () => {
    const use = { gpuMaxPercent: 9, sources: [null, 2], unread: ["work" as const], preparation: null };
    await keep([beat(-1), beat(0, { use }), beat(1)]);
    await keep(beats(2, 3));
    await keep([beat(30), beat(31)]);
    const waiting = { heartbeats: [beat(4), beat(5), beat(99)], events: [] };
    const past = await readPast(PLACES, range({ to: DAY + 30 * MINUTE }), waiting);
    expect(minutesOf(past)).toEqual([0, 1, 2, 3, 4, 5, 30]);
    expect(past.readings[0]).toEqual(beat(0, { use }));
    expect(past.from).toBe(DAY);
  });

  it("are in the order of their times, with those that came late where they belong", async () => {
    await keep([beat(10, { sequence: 5 })]);
    await keep([4, 6, 8].map((minute) => beat(minute, { sequence: 2 + minute / 2, isLate: true })));
    expect(minutesOf(await readPast(PLACES, range(), NOTHING_WAITS))).toEqual([4, 6, 8, 10]);
  });

  it("leave out what can't be read, and nothing else", async () => {
    await keep([beat(1), beat(2)]);
    await keep([beat(3), beat(4)]);
    await keep([beat(5)]);
    const break_ = (samples: string, minute: number) =>
      env.DB.prepare("UPDATE heartbeat_chunks SET samples = ? WHERE user_id = ? AND first_at = ?")
        .bind(samples, userId, DAY + minute * MINUTE)
        .run();
    await break_(`[null, [${DAY + 2 * MINUTE}, "much"], {"at": 1}]`, 1);
    await break_("[[", 3);
    const past = await readPast(PLACES, range(), NOTHING_WAITS);
    expect(minutesOf(past)).toEqual([2, 5]);
    expect(past.readings[0]?.gpuPercent).toBeNull();
  });

  it("are the newest where there are more than a replay takes, and the past begins with them", async () => {
    for (let chunk = 0; chunk < 6; chunk++) await keep(beats(10 * chunk, 10));
    await keepHour(DAY - HOUR, 60, 60, 0);
    await keepEvents([event("1", DAY), event("2", DAY + 45 * MINUTE)]);
    for (const limits of [
      { ...PAST_LIMITS, readings: 15 },
      { ...PAST_LIMITS, bytes: 700 },
    ]) {
      const past = await readPast(PLACES, range({ from: DAY - HOUR }), NOTHING_WAITS, limits);
      expect(past.from).toBe(DAY + 40 * MINUTE);
      expect(minutesOf(past)).toEqual(Array.from({ length: 20 }, (_, index) => 40 + index));
      expect(past.hours).toEqual([]);
      // What happened before tells how it stood then.
      expect(past.events.map(({ id }) => id)).toEqual(["1", "2"]);
    }
  });

  it("come in pages, so that none is lost of many chunks", async () => {
    const statements = Array.from({ length: 1203 }, (_, minute) =>
      appendChunk(env.DB, userId, "rig", [beat(minute)]),
    );
    await env.DB.batch(statements);
    const past = await readPast(PLACES, range(), NOTHING_WAITS);
    expect(minutesOf(past)).toEqual(Array.from({ length: 1203 }, (_, minute) => minute));
  });
});

describe("the readings of a past that somebody made large", () => {
  it("are the newest of so many chunks, since each costs a row", async () => {
    await env.DB.batch(beats(0, 50).map((each) => appendChunk(env.DB, userId, "rig", [each])));
    const past = await readPast(PLACES, range(), NOTHING_WAITS, { ...PAST_LIMITS, chunks: 20 });
    expect(minutesOf(past)).toEqual(Array.from({ length: 20 }, (_, index) => 30 + index));
    expect(past.from).toBe(DAY + 30 * MINUTE);
  });

  it("are passed over where a page of them cannot be read, and the reading ends", async () => {
    await env.DB.prepare(
      `WITH RECURSIVE minutes (minute) AS (SELECT 5 UNION ALL SELECT minute + 1 FROM minutes WHERE minute < 704)
       INSERT INTO heartbeat_chunks (user_id, instance_id, first_at, first_sequence, last_at, samples)
       SELECT ?1, 'rig', ?2 + 60000 * minute, minute, ?2 + 60000 * minute, x'5b5d' FROM minutes`,
    )
      .bind(userId, DAY)
      .run();
    await keep(beats(0, 3));
    await keep(beats(710, 2));
    expect(minutesOf(await readPast(PLACES, range(), NOTHING_WAITS))).toEqual([0, 1, 2, 710, 711]);
  });
});

describe("the hours of a past", () => {
  it("are those before the first reading, and the one in which it falls", async () => {
    await keepHour(DAY - HOUR, 60, 60, 1);
    await keepHour(DAY, 60, 60, 60);
    await keepHour(DAY + HOUR, 59, 59, null);
    await keepHour(DAY + 2 * HOUR, 30, 30, 10);
    await keepHour(DAY + 3 * HOUR, 30, 30, 10);
    await keep(beats(150, 5));
    const past = await readPast(PLACES, range({ from: DAY + 30 * MINUTE }), NOTHING_WAITS);
    expect(past.hours).toEqual([
      { at: DAY, heartbeats: 60, workHeartbeats: 0, gpuMaxPercent: 7 },
      { at: DAY + HOUR, heartbeats: 59, workHeartbeats: null, gpuMaxPercent: 7 },
      { at: DAY + 2 * HOUR, heartbeats: 30, workHeartbeats: 20, gpuMaxPercent: 7 },
    ]);
  });

  it("count heartbeats without a reading of the GPU as work, where there is a GPU", async () => {
    await keepHour(DAY, 60, 50, 60);
    await keepHour(DAY + HOUR, 60, 0, 10);
    const work = async (hasGpu: boolean) =>
      (await readPast(PLACES, range({ hasGpu }), NOTHING_WAITS)).hours.map((hour) => hour.workHeartbeats);
    expect(await work(true)).toEqual([10, 60]);
    expect(await work(false)).toEqual([0, 50]);
  });
});

describe("the events of a past", () => {
  it("are those of the range and the newest before it, oldest first, each once", async () => {
    // Numbers to the base of 36: z comes before 10.
    await keepEvents([
      event("z", DAY),
      event("10", DAY),
      event("11", DAY + HOUR, "orphaned"),
      event("12", DAY + 25 * HOUR),
    ]);
    await keepEvents(
      Array.from({ length: EVENTS_BEFORE + 5 }, (_, index) => event(`b${index}`, DAY - HOUR + index)),
    );
    const waiting = { heartbeats: [], events: [event("11", DAY + HOUR), event("13", DAY + 2 * HOUR)] };
    const { events } = await readPast(PLACES, range(), waiting);
    expect(events.slice(0, EVENTS_BEFORE).map(({ id }) => id)).toEqual(
      Array.from({ length: EVENTS_BEFORE }, (_, index) => `b${index + 5}`),
    );
    expect(events.slice(EVENTS_BEFORE)).toEqual([
      { id: "z", at: DAY, kind: "idle", detail: { rule: "idle" } },
      { id: "10", at: DAY, kind: "idle", detail: { rule: "idle" } },
      { id: "11", at: DAY + HOUR, kind: "orphaned", detail: { rule: "idle" } },
      { id: "13", at: DAY + 2 * HOUR, kind: "idle", detail: { rule: "idle" } },
    ]);
  });

  it("are the newest where there are too many, and the past begins where enough are known before", async () => {
    await keep(beats(0, 90));
    await keepEvents(Array.from({ length: 80 }, (_, index) => event(`a${index + 10}`, DAY + index * MINUTE)));
    const past = await readPast(PLACES, range(), NOTHING_WAITS, { ...PAST_LIMITS, events: 60 });
    expect(past.events.map(({ id }) => id)).toEqual(
      Array.from({ length: 60 }, (_, index) => `a${index + 30}`),
    );
    expect(past.from).toBe(DAY + 70 * MINUTE);
    expect(minutesOf(past)[0]).toBe(70);
  });

  it("show no detail that can't be read", async () => {
    await keepEvents([event("1", DAY)]);
    await env.DB.prepare("UPDATE events SET detail = '[' WHERE user_id = ?").bind(userId).run();
    const { events } = await readPast(PLACES, range(), NOTHING_WAITS);
    expect(events).toEqual([{ id: "1", at: DAY, kind: "idle", detail: {} }]);
  });
});
