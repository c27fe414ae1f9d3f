import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { appendChunk } from "../../src/history/append.ts";
import { InstanceStorage } from "../../src/instance/storage.ts";
import { heartbeat } from "../instance/outbox-of.ts";
import { expectLogged } from "../quiet.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** `count` heartbeats, one a minute; each tells its number by its cost. */
async function beat(one: Instance, count: number, from = 1): Promise<void> {
  for (let number = from; number < from + count; number++) {
    const { status } = await one.heartbeat({ gpu_utilization: 50, cost_accumulated: number });
    expect(status).toBe(200);
    await one.until(Date.now() + MINUTE);
  }
}

async function readAll(one: Instance, limit: number, query = ""): Promise<number[]> {
  const numbers: number[] = [];
  let cursor = "";
  do {
    const { body } = await one.ask("GET", `/heartbeats?limit=${limit}${query}${cursor}`);
    expect(body.heartbeats.length).toBeLessThanOrEqual(limit);
    numbers.push(...body.heartbeats.map((each: { cost_accumulated: number }) => each.cost_accumulated));
    cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
  } while (cursor !== "");
  return numbers;
}

const descending = (from: number, to: number) =>
  Array.from({ length: from - to + 1 }, (_, index) => from - index);

const ascending = (to: number) => descending(to, 1).reverse();

/** The numbers of the heartbeats in the database. */
async function keptNumbers(one: Instance): Promise<number[]> {
  const { results } = await env.DB.prepare(
    "SELECT cost_accumulated AS number FROM heartbeats WHERE user_id = ? ORDER BY sequence",
  )
    .bind(one.userId)
    .all<{ number: number }>();
  return results.map(({ number }) => number);
}

function failDatabase() {
  return vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockRejectedValue(new Error("D1 is down"));
}

describe("the history", () => {
  it("holds each heartbeat once, newest first, page by page, those that still wait included", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await beat(one, 37);
    for (const limit of [1, 7, 10, 1000]) expect(await readAll(one, limit)).toEqual(descending(37, 1));
    const kept = await env.DB.prepare("SELECT COUNT(*) AS chunks FROM heartbeat_chunks WHERE user_id = ?")
      .bind(one.userId)
      .first("chunks");
    // The first heartbeat is a transition and travels alone; then thirty by thirty: 1, 2–31.
    expect(kept).toBe(2);
  });

  it("is read by range, both ends included", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await beat(one, 37);
    const query = `&from=2030-01-07T00:04:00Z&to=2030-01-07T01:33:00%2B01:00`;
    expect(await readAll(one, 5, query)).toEqual(descending(34, 5));
    expect(
      (await one.ask("GET", "/heartbeats?from=2030-01-08T00:00:00Z&to=2030-01-07T00:00:00Z")).status,
    ).toBe(400);
    expect((await one.ask("GET", "/heartbeats?from=yesterday")).body.error.issues[0].path).toBe("query.from");
    expect((await one.ask("GET", "/heartbeats?cursor=bm9uc2Vuc2U")).status).toBe(400);
  });

  it("unrolls into the view `heartbeats`, one row a heartbeat with its readings", async () => {
    const one = await Instance.register(await newUser(), "rig");
    for (let minute = 0; minute < 32; minute++) {
      await one.heartbeat({
        gpu_utilization: 87,
        gpu_utilization_max: 99,
        sources: [{ name: "cpu_cores", value: 1.5 }],
        vram_used_gb: 18.4,
        cpu_utilization: 45,
        ram_used_gb: 12,
        disk_used_gb: 45.2,
        cost_accumulated: 2.4,
        uptime_seconds: 7200,
        status: "running",
      });
      await one.until(Date.now() + MINUTE);
    }
    const { results } = await env.DB.prepare(
      "SELECT * FROM heartbeats WHERE user_id = ? ORDER BY at DESC LIMIT 1",
    )
      .bind(one.userId)
      .all();
    expect(results).toEqual([
      {
        user_id: one.userId,
        instance_id: "rig",
        chunk_first_at: DAY + MINUTE,
        at: DAY + 30 * MINUTE,
        sequence: 31,
        gpu_utilization: 87,
        vram_used_gb: 18.4,
        cpu_utilization: 45,
        ram_used_gb: 12,
        disk_used_gb: 45.2,
        cost_accumulated: 2.4,
        uptime_seconds: 7200,
        status: "running",
        gpu_utilization_max: 99,
        sample: `[${DAY + 30 * MINUTE},87,18.4,45,12,45.2,2.4,7200,"running",99,null,[null,null,null,1.5]]`,
      },
    ]);
  });

  it("gives one entry an hour when asked", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await beat(one, 152);
    const first = await one.ask("GET", "/heartbeats?resolution=hour&limit=2");
    expect(first.body.hours).toEqual([
      expect.objectContaining({ hour: "2030-01-07T02:00:00Z", heartbeats: 31, max_cost_accumulated: 151 }),
      {
        hour: "2030-01-07T01:00:00Z",
        heartbeats: 60,
        avg_gpu_utilization: 50,
        max_gpu_utilization: 50,
        avg_cpu_utilization: null,
        max_vram_used_gb: null,
        max_ram_used_gb: null,
        max_cost_accumulated: 120,
        work_heartbeats: 60,
      },
    ]);
    const second = await one.ask(
      "GET",
      `/heartbeats?resolution=hour&limit=2&cursor=${first.body.next_cursor}`,
    );
    expect(second.body.hours.map((each: { hour: string }) => each.hour)).toEqual(["2030-01-07T00:00:00Z"]);
    expect(second.body.next_cursor).toBeNull();
  });

  it("gives one entry a UTC day when asked, page by page", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await beat(one, 1470);
    const first = await one.ask("GET", "/heartbeats?resolution=day&limit=1");
    expect(first.body.days).toMatchObject([{ day: "2030-01-08", max_cost_accumulated: expect.any(Number) }]);
    const second = await one.ask(
      "GET",
      `/heartbeats?resolution=day&limit=1&cursor=${first.body.next_cursor}`,
    );
    expect(second.body.days).toMatchObject([
      { day: "2030-01-07", heartbeats: 1440, avg_gpu_utilization: 50 },
    ]);
    expect(second.body.next_cursor).toBeNull();
  });

  it("gives the events of a time, of some kinds and of some severities", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await beat(one, 2);
    await one.until(DAY + 40 * MINUTE);
    const kinds = async (query: string) =>
      (await one.ask("GET", `/events?${query}`)).body.events.map(({ kind }: { kind: string }) => kind);
    await expect.poll(() => kinds("")).toContain("orphaned");
    const all: string[] = await kinds("");
    expect(await kinds("kind=orphaned&kind=registered")).toEqual(["orphaned", "registered"]);
    expect(await kinds("severity=warning&severity=critical")).toEqual(
      expect.not.arrayContaining(["registered"]),
    );
    expect(await kinds("severity=info&kind=orphaned")).toEqual([]);
    expect(await kinds(`to=${new Date(DAY + MINUTE).toISOString()}`)).toEqual(
      all.slice(all.indexOf("first_heartbeat")),
    );
    expect(await kinds(`from=${new Date(DAY + 5 * MINUTE).toISOString()}`)).not.toContain("registered");
    const refused = await one.ask("GET", "/events?from=2030-01-02T00:00:00Z&to=2030-01-01T00:00:00Z");
    expect(refused.status).toBe(400);
  });

  it("hands heartbeats over that have waited for an hour", async () => {
    const one = await Instance.register(await newUser(), "rig", {
      policy: { heartbeat_interval_seconds: 180, orphan: { orphan_after_seconds: 600 } },
    });
    await one.heartbeat({ cost_accumulated: 1 });
    await one.ask("POST", "/keep-alive", { minutes: 1440 });
    await one.until(DAY + 60 * MINUTE);
    const kept = await env.DB.prepare("SELECT COUNT(*) AS count FROM heartbeats WHERE user_id = ?")
      .bind(one.userId)
      .first("count");
    expect(kept).toBe(1);
  });

  it("loses nothing while the database is down, and catches up when it is back", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await beat(one, 5);
    const down = failDatabase();
    expectLogged(/outbox not delivered/);
    await beat(one, 40, 6);
    expect(down).toHaveBeenCalled();
    await evictDurableObject(one.actor);
    down.mockRestore();
    // The next alarm empties the outbox by itself: no heartbeat is needed for it.
    await one.until(Date.now() + 2 * MINUTE);
    const kept = await env.DB.prepare("SELECT sequence FROM heartbeats WHERE user_id = ? ORDER BY sequence")
      .bind(one.userId)
      .all<{ sequence: number }>();
    expect(kept.results.map((row) => row.sequence)).toEqual(descending(31, 1).reverse());
    expect(await readAll(one, 100)).toEqual(descending(45, 1));
  });

  it("carries a chunk out again after a crash without counting it twice", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await beat(one, 30);
    const batch = env.DB.batch.bind(env.DB);
    const crash = vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockImplementation(async (statements) => {
      await batch(statements as D1PreparedStatement[]);
      throw new Error("the answer was lost");
    });
    expectLogged(/outbox not delivered/);
    await beat(one, 3, 31);
    crash.mockRestore();
    await one.until(Date.now() + 5 * MINUTE);
    expect(await readAll(one, 100)).toEqual(descending(33, 1));
  });

  it("keeps a chunk once that was delivered before its beat was saved, when the object crashes in between", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await beat(one, 31);
    vi.spyOn(InstanceStorage.prototype, "save").mockImplementationOnce(() => {
      throw new Error("the object crashed");
    });
    expectLogged(/"message":"request failed".*"method":"POST"/);
    expect((await one.heartbeat({ gpu_utilization: 50, cost_accumulated: 32 })).status).toBe(503);
    await evictDurableObject(one.actor);
    expect(await keptNumbers(one)).toEqual(ascending(31));
    // What has been read from the state and from the database is shown once.
    expect(await readAll(one, 100)).toEqual(descending(31, 1));
    await beat(one, 32, 32);
    expect(await keptNumbers(one)).toEqual(ascending(61));
    expect(await readAll(one, 100)).toEqual(descending(63, 1));
  });

  it("keeps the longer of two chunks with the same first heartbeat", async () => {
    const beats = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ ...heartbeat(index + 1), at: DAY + index }));
    const count = async (heartbeats: number) => {
      const [first, ...rest] = beats(heartbeats);
      if (first !== undefined) await appendChunk(env.DB, "u", "longer", [first, ...rest]).run();
      return env.DB.prepare(
        "SELECT COUNT(*) AS count, MAX(at) AS at FROM heartbeats WHERE instance_id = 'longer'",
      ).first();
    };
    expect(await count(3)).toEqual({ count: 3, at: DAY + 2 });
    expect(await count(2)).toEqual({ count: 3, at: DAY + 2 });
    expect(await count(5)).toEqual({ count: 5, at: DAY + 4 });
  });

  it("does not keep an answer waiting: a slow database gets the chunk later", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await beat(one, 31);
    const batch = env.DB.batch.bind(env.DB);
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockImplementation(async (statements) => {
      await gate;
      return batch(statements as D1PreparedStatement[]);
    });
    const before = performance.now();
    expect((await one.heartbeat({ gpu_utilization: 50, cost_accumulated: 32 })).status).toBe(200);
    // A chunk is waited for a quarter of a second. Whatever else could let the answer go does so after half a minute.
    expect(performance.now() - before).toBeLessThan(10_000);
    const { body } = await one.ask("GET", "/heartbeats?limit=100");
    expect(body.heartbeats).toHaveLength(32);
    release();
    slow.mockRestore();
    await one.settled();
    expect(await keptNumbers(one)).toEqual(ascending(31));
    expect(await readAll(one, 100)).toEqual(descending(32, 1));
  });

  it("gives up the oldest heartbeats after seven days without a database, and says so", async () => {
    const one = await Instance.register(await newUser(), "rig", { provider: "none" });
    const down = failDatabase();
    expectLogged(/outbox not delivered/);
    await beat(one, 20);
    await one.until(DAY + 60 * MINUTE);
    // It is tried once an hour for a week; the last hours show as much as all of them.
    setClock(DAY + 7 * 24 * 60 * MINUTE - 30 * MINUTE);
    await one.until(DAY + 7 * 24 * 60 * MINUTE + 60 * MINUTE);
    await beat(one, 10, 21);
    down.mockRestore();
    await one.until(Date.now() + 61 * MINUTE);
    expect(await readAll(one, 100)).toEqual(descending(30, 21));
    const { body } = await one.ask("GET", "/events");
    expect(body.events).toContainEqual(
      expect.objectContaining({
        kind: "history_lost",
        severity: "warning",
        detail: expect.objectContaining({ heartbeats: 20 }),
      }),
    );
  }, 600_000);
});

describe("events", () => {
  it("are read page by page, of one instance and of all of a user's", async () => {
    const user = await newUser();
    const [a, b] = [await Instance.register(user, "a"), await Instance.register(user, "b")];
    await Promise.all([a.heartbeat(), b.heartbeat()]);
    await a.ask("POST", "/keep-alive");
    expect(await a.eventKinds()).toEqual(["registered", "first_heartbeat", "kept_alive"]);

    const seen: string[] = [];
    let cursor = "";
    do {
      const { body } = await call("GET", `/api/agent/events?limit=2${cursor}`, { token: user.token });
      seen.push(
        ...body.events.map(
          (event: { instance_id: string; kind: string }) => `${event.instance_id} ${event.kind}`,
        ),
      );
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen.sort()).toEqual([
      "a first_heartbeat",
      "a kept_alive",
      "a registered",
      "b first_heartbeat",
      "b registered",
    ]);
  });

  it("keep rule, threshold, evidence and times", async () => {
    const one = await Instance.register(await newUser(), "rig");
    for (let minute = 0; minute <= 3; minute++) {
      await one.until(DAY + minute * MINUTE);
      await one.heartbeat({ gpu_utilization: minute });
    }
    const { body } = await one.ask("GET", "/events?limit=1");
    expect(body.events[0]).toEqual({
      id: expect.any(String),
      at: "2030-01-07T00:03:00Z",
      instance_id: "rig",
      kind: "idle",
      severity: "warning",
      message: "GPU <5% utilization for 3min. Hibernating in 2min.",
      detail: {
        rule: "idle",
        metric: "GPU",
        threshold_percent: 5,
        highest_percent: 2,
        idle_since: "2030-01-07T00:00:00Z",
        heartbeats: 3,
        step_at: "2030-01-07T00:05:00Z",
      },
    });
  });
});
