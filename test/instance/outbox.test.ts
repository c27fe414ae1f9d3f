import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as meter from "../../src/service/meter.ts";
import { expectLogged } from "../quiet.ts";
import { DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** The database refuses each batch that holds a statement with such a value. */
function refuse(isRefused: (value: unknown) => boolean): { mockRestore(): void } {
  const prototype = Object.getPrototypeOf(env.DB);
  const { batch } = prototype;
  return vi.spyOn(prototype, "batch").mockImplementation(async function (this: unknown, ...[statements]) {
    if (valuesIn(statements).some(isRefused)) throw new Error("D1 refuses it");
    return Reflect.apply(batch, this, [statements]);
  });
}

/** The values that are bound to statements. */
function valuesIn(statements: unknown): unknown[] {
  if (!Array.isArray(statements)) return [];
  return statements.flatMap((statement) => Reflect.get(statement, "params"));
}

async function beat(one: Instance, count: number, from: number, everyMs = MINUTE): Promise<void> {
  for (let number = from; number < from + count; number++) {
    expect((await one.heartbeat({ gpu_utilization: 50, cost_accumulated: number })).status).toBe(200);
    await one.until(Date.now() + everyMs);
  }
}

async function keptNumbers(one: Instance): Promise<number[]> {
  const { results } = await env.DB.prepare(
    "SELECT cost_accumulated AS number FROM heartbeats WHERE user_id = ? ORDER BY at",
  )
    .bind(one.userId)
    .all<{ number: number }>();
  return results.map(({ number }) => number);
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

function rowOf(one: Instance): Promise<string> {
  return runInDurableObject(one.actor, (_, { storage }) =>
    String(storage.sql.exec("SELECT json FROM instance").one().json),
  );
}

/** Writes the row as the release before this one does, which leaves out what it does not know, and another table alone. */
async function writeAsFormer(one: Instance): Promise<void> {
  const { delivery, waitingFrom, ...known } = JSON.parse(await rowOf(one));
  expect(delivery.held > 0 || delivery.parked !== null).toBe(true);
  await runInDurableObject(one.actor, (_, { storage }) => {
    storage.sql.exec("UPDATE instance SET json = ?", JSON.stringify(known));
  });
  await evictDurableObject(one.actor);
}

async function parkedEvents(one: Instance): Promise<{ message: string; detail: object }[]> {
  const { body } = await one.ask("GET", "/events?limit=1000");
  return body.events.filter(({ kind }: { kind: string }) => kind === "delivery_parked");
}

/** The samples of the chunk that begins with heartbeat 2, which tells its number by its cost. */
const isSecondChunk = (value: unknown) => typeof value === "string" && value.includes(",2,null,null]");

describe("a chunk that the history refuses while it takes others", () => {
  async function parked(): Promise<{ one: Instance; mend(): void }> {
    const one = await Instance.register(await newUser(), "rig");
    await beat(one, 31, 1);
    await one.settled();
    const poison = refuse(isSecondChunk);
    expectLogged(/outbox not delivered \(history\)/);
    // Longer than ten tries take.
    await beat(one, 100, 32, 4 * MINUTE);
    return { one, mend: () => poison.mockRestore() };
  }

  it("is parked after ten tries, said once, shown all the same, and kept when it is taken at last", async () => {
    const counted = vi.spyOn(meter, "count");
    const { one, mend } = await parked();
    expect(await parkedEvents(one)).toMatchObject([
      {
        severity: "warning",
        message: "A chunk of 30 heartbeats could not be delivered 10 times, and will be tried once an hour",
        detail: { effect: "chunk", heartbeats: 30, targets: "history", given_up: false },
      },
    ]);
    const countedAsParked = counted.mock.calls.filter(
      ([, , name, labels]) => name === "events" && "kind" in labels && labels.kind === "delivery_parked",
    );
    expect(countedAsParked).toHaveLength(1);
    const row = JSON.parse(await rowOf(one));
    expect(row.state.outbox.filter(({ id }: { id: number }) => id < row.waitingFrom)).toEqual([]);
    expect(row.delivery).toMatchObject({ held: 0, parked: { tryAt: expect.any(Number) } });
    expect(await keptNumbers(one)).not.toContain(2);
    const { body } = await one.ask("GET", "/heartbeats?limit=1000&to=2030-01-07T01:07:30Z");
    expect(body.heartbeats.map((each: { cost_accumulated: number }) => each.cost_accumulated)).toEqual(
      numbers(1, 41).reverse(),
    );
    mend();
    await evictDurableObject(one.actor);
    await one.until(Date.now() + HOUR + MINUTE);
    await one.settled();
    expect(await keptNumbers(one)).toEqual(numbers(1, 131));
    expect(JSON.parse(await rowOf(one))).not.toHaveProperty("delivery");
    expect(await parkedEvents(one)).toHaveLength(1);
  }, 600_000);

  it("is found again after a release that does not know of it has written the row", async () => {
    const { one, mend } = await parked();
    await writeAsFormer(one);
    mend();
    await one.heartbeat({ gpu_utilization: 50, cost_accumulated: 132 });
    await one.until(Date.now() + HOUR + MINUTE);
    await one.settled();
    expect(await keptNumbers(one)).toEqual(numbers(1, 132));
    expect(JSON.parse(await rowOf(one))).not.toHaveProperty("delivery");
  }, 600_000);

  it("is given up after seven days, with an event", async () => {
    const { one } = await parked();
    for (let hour = 1; hour <= 7 * 24 + 2; hour++) {
      setClock(Date.now() + HOUR);
      await one.heartbeat();
    }
    await one.settled();
    expect(await parkedEvents(one)).toMatchObject([
      { detail: { heartbeats: 30, given_up: true } },
      { detail: { given_up: false } },
    ]);
    expect(JSON.parse(await rowOf(one))).not.toHaveProperty("delivery");
    expect(await keptNumbers(one)).not.toContain(2);
  }, 600_000);
});

describe("a history that is down for hours", () => {
  it("loses nothing and parks nothing, and the row of the state stays small", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await beat(one, 1, 1);
    await one.settled();
    const down = refuse(() => true);
    expectLogged(/outbox not delivered \(history\)/);
    let largest = 0;
    for (let from = 2; from < 600; from += 60) {
      await beat(one, 60, from);
      largest = Math.max(largest, (await rowOf(one)).length);
    }
    expect(largest).toBeLessThan(64 * 1024);
    const last = 601;
    expect((await one.ask("GET", "/heartbeats?limit=1")).body.heartbeats[0].cost_accumulated).toBe(last);
    const all = await one.ask("GET", "/heartbeats?limit=1000&to=2030-01-07T05:00:30Z");
    expect(all.body.heartbeats).toHaveLength(301);
    await evictDurableObject(one.actor);
    down.mockRestore();
    await one.until(Date.now() + HOUR + MINUTE);
    await one.settled();
    expect(await keptNumbers(one)).toEqual(numbers(1, last));
    expect(await parkedEvents(one)).toEqual([]);
    expect(JSON.parse(await rowOf(one))).not.toHaveProperty("delivery");
  }, 600_000);

  it("loses nothing that was held when a release that does not know of it has written the row", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await beat(one, 1, 1);
    await one.settled();
    const down = refuse(() => true);
    expectLogged(/outbox not delivered \(history\)/);
    await beat(one, 240, 2);
    await writeAsFormer(one);
    down.mockRestore();
    expect(
      (await one.ask("GET", "/heartbeats?limit=1000&to=2030-01-07T04:05:00Z")).body.heartbeats,
    ).toHaveLength(241);
    await beat(one, 1, 242);
    await one.until(Date.now() + HOUR + MINUTE);
    await one.settled();
    expect(await keptNumbers(one)).toEqual(numbers(1, 242));
  }, 600_000);
});
