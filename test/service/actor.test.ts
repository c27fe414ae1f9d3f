import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ServiceActor } from "../../src/service/actor.ts";
import { coordinatorOf, SHARDS, shardNumbered, shardOf } from "../../src/service/address.ts";
import { NO_FLEETS } from "../../src/service/aggregate.ts";
import { noteCleanup, readService, reportTotals as tell } from "../../src/service/service.ts";
import type { FleetTotals } from "../../src/service/totals.ts";
import { expectLogged, mayLog } from "../quiet.ts";
import { DAY, Instance, newUser, setClock } from "../world.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const A_DAY = 24 * 60 * MINUTE;

type Stub = DurableObjectStub<ServiceActor>;

const shards = Array.from({ length: SHARDS }, (_, shard) => shardNumbered(env, shard));

// A change of the guard, and a coordinator that can't be reached.
mayLog(/"kind":"guard_(closed|opened)"/);
mayLog(/the shard's alarm failed/);

beforeEach(async () => {
  setClock(DAY);
  await env.DB.batch(
    ["guards", "events", "outage_votes"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)),
  );
  await Promise.all([...shards, coordinatorOf(env)].map(empty));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function empty(stub: Stub): Promise<void> {
  await runInDurableObject(stub, async (_, state) => {
    await state.storage.deleteAlarm();
    await state.storage.deleteAll();
  });
  await evictDurableObject(stub);
}

let made = 0;

/** A user's next report. */
function totals(userId: string, more: Partial<FleetTotals> = {}): FleetTotals {
  return {
    userId,
    number: ++made,
    instancesByStatus: { running: 2 },
    isGuardClosed: false,
    hibernations: [],
    awake: 2,
    vote: null,
    ...more,
  };
}

/** A report of a user whose one instance fell silent five minutes ago. */
function silent(userId: string): FleetTotals {
  const vote = { seenAt: Date.now() - 5 * MINUTE, closedAt: Date.now() };
  return totals(userId, { instancesByStatus: { orphaned: 1 }, awake: 0, vote });
}

/** Reports, and brings back how the guard stands. */
async function reportTotals(on: typeof env, of: FleetTotals) {
  const answer = await tell(on, of);
  if (!answer.isTaken) throw new Error(`not taken: ${answer.newest} is known`);
  return answer.guard;
}

const USERS = ["u-0", "u-1", "u-2", "u-3", "u-4"];

async function reportAll(users: readonly string[], of: (userId: string) => FleetTotals) {
  setClock(Date.now() + 2 * SECOND);
  await Promise.all(users.map((userId) => reportTotals(env, of(userId))));
  // Beyond what a shard goes on to say of its own.
  setClock(Date.now() + 6 * SECOND);
  return reportTotals(env, of(users[0] ?? ""));
}

/** Fires the alarms of the shards that have one. */
async function fireAlarms(): Promise<void> {
  setClock(Date.now() + 5 * SECOND);
  for (const shard of shards) await runDurableObjectAlarm(shard);
}

/** What shards hand over, and how often. */
function watchHandOvers() {
  return runInDurableObject(coordinatorOf(env), (actor) =>
    vi.spyOn<ServiceActor, "handOver">(Object.getPrototypeOf(actor), "handOver"),
  );
}

/** From here on the coordinator does not take what shards hand over. */
async function loseCoordinator(how: () => Promise<never>) {
  return (await watchHandOvers()).mockImplementation(how);
}

/** Longer than anybody waits, and not for good: an object that answers nobody could not be emptied. */
const hang = () =>
  new Promise<never>((_, reject) => setTimeout(() => reject(new Error("too late")), 8 * SECOND));

const refuse = () => Promise.reject(new Error("out of reach"));

const fleetRows = (userId: string) =>
  runInDurableObject(shardOf(env, userId), (_, state) =>
    state.storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM fleets WHERE user_id = ?", userId).one(),
  ).then(({ n }) => n);

describe("totals", () => {
  it("of all fleets are summed, the last ones of each", async () => {
    const hibernations = [{ reason: "idle", hibernations: 3, regretted: 1 }];
    await reportTotals(env, totals("ada", { instancesByStatus: { running: 9 } }));
    setClock(DAY + MINUTE);
    await reportTotals(env, totals("ada", { hibernations, isGuardClosed: true }));
    const late = totals("ada", { number: made - 1, instancesByStatus: { deleted: 5 } });
    expect(await tell(env, late)).toEqual({ isTaken: false, newest: late.number + 1 });
    await reportTotals(env, totals("bob", { instancesByStatus: { running: 1, orphaned: 4 }, hibernations }));
    await fireAlarms();
    expect(await readService(env)).toMatchObject({
      instancesByStatus: { running: 3, orphaned: 4 },
      closedUserGuards: 1,
      hibernations: [{ reason: "idle", hibernations: 6, regretted: 2 }],
      guard: { closedAt: null, openedAt: null },
      cleanup: null,
      events: [],
    });
  });

  it("outlive the objects' memory, and count once all the same", async () => {
    await reportTotals(env, totals("ada"));
    await fireAlarms();
    for (const stub of [shardOf(env, "ada"), coordinatorOf(env)]) await evictDurableObject(stub);
    await reportTotals(env, totals("ada"));
    await reportTotals(env, totals("ada", { instancesByStatus: { running: 1, hibernated: 1 } }));
    await fireAlarms();
    expect((await readService(env)).instancesByStatus).toEqual({ running: 1, hibernated: 1 });
  });

  it("are taken though the clocks of all who tell them go back", async () => {
    await reportTotals(env, totals("ada", { instancesByStatus: { running: 9 } }));
    setClock(DAY - MINUTE);
    await reportTotals(env, totals("ada", { instancesByStatus: { running: 1 } }));
    await fireAlarms();
    expect((await readService(env)).instancesByStatus).toEqual({ running: 1 });
  });

  it("of a shard whose state was lost or put back are taken, and what was handed over before them is not", async () => {
    await reportTotals(env, totals("ada", { instancesByStatus: { running: 9 } }));
    const shard = shardOf(env, "ada");
    await runInDurableObject(shard, async (_, { storage }) => {
      storage.sql.exec("DELETE FROM kept WHERE name = 'part_number'");
    });
    setClock(DAY + MINUTE);
    await reportTotals(env, totals("ada", { instancesByStatus: { running: 1 } }));
    await fireAlarms();
    expect((await readService(env)).instancesByStatus).toEqual({ running: 1 });
    const old = { number: 1, aggregate: NO_FLEETS, counts: {} };
    expect(await coordinatorOf(env).handOver(shard.id.toString(), old)).toMatchObject({ isTaken: false });
    expect((await readService(env)).instancesByStatus).toEqual({ running: 1 });
  });

  it("that the coordinator does not take bring no word of the guard", async () => {
    await reportTotals(env, totals("ada"));
    const lost = await watchHandOvers();
    lost.mockResolvedValue({ isTaken: false, newest: 5 });
    setClock(DAY + 2 * MINUTE);
    await expect(tell(env, silent("ada"))).rejects.toThrow("did not take");
    lost.mockRestore();
  });

  it("that change nothing write no row, however often they are reported, and still outdate older ones", async () => {
    await reportTotals(env, totals("ada"));
    const written = await runInDurableObject(shardOf(env, "ada"), async (actor, state) => {
      const exec = vi.spyOn(Object.getPrototypeOf(state.storage.sql), "exec");
      for (let second = 1; second <= 4; second++) {
        setClock(DAY + second * SECOND);
        await actor.report(totals("ada"));
      }
      const late = totals("ada", { number: made - 1, instancesByStatus: { deleted: 1 } });
      expect(await actor.report(late)).toMatchObject({ isTaken: false });
      return exec.mock.calls.filter(([query]) => String(query).startsWith("INSERT INTO fleets"));
    });
    expect(written).toEqual([]);
    await fireAlarms();
    expect((await readService(env)).instancesByStatus).toEqual({ running: 2 });
  });

  it("reach the coordinator once in five seconds, however many reports there are", async () => {
    const told = await watchHandOvers();
    for (let report = 0; report < 50; report++) {
      setClock(DAY + report * 100);
      await reportTotals(env, totals("ada", { instancesByStatus: { running: report } }));
    }
    expect(told).toHaveBeenCalledTimes(1);
    await fireAlarms();
    expect(told).toHaveBeenCalledTimes(2);
    await fireAlarms();
    expect(told).toHaveBeenCalledTimes(2);
    expect((await readService(env)).instancesByStatus).toEqual({ running: 49 });
  });
});

describe("the service-wide guard", () => {
  it("closes with the fifth user who is silent, opens when enough are heard, and tells both once", async () => {
    expect(await reportAll(USERS.slice(0, 4), silent)).toEqual({ closedAt: null, openedAt: null });
    const closedAt = Date.now() + 2 * SECOND;
    setClock(closedAt);
    expect(await reportTotals(env, silent("u-4"))).toEqual({ closedAt, openedAt: null });
    setClock(DAY + A_DAY);
    expect(await reportAll(USERS.slice(0, 1), silent)).toMatchObject({ closedAt });
    const guard = await reportAll(USERS.slice(0, 3), totals);
    expect(guard).toMatchObject({ closedAt: null });
    const service = await readService(env);
    expect(service.guard).toEqual(guard);
    expect(service.events.map(({ kind, severity }) => [kind, severity])).toEqual([
      ["guard_opened", "info"],
      ["guard_closed", "critical"],
    ]);
    expect(service.events[1]?.message).toContain("5 of the service's 5 users fell silent at once");
  });

  it("is not closed by one tenant, whatever it reports and however often", async () => {
    for (let report = 0; report < 6; report++) {
      setClock(DAY + report * 2 * SECOND);
      const many = { instancesByStatus: { orphaned: 5_000 }, isGuardClosed: true };
      expect(await reportTotals(env, { ...silent("u-0"), ...many })).toMatchObject({ closedAt: null });
    }
  });

  it("hears at once of votes that come while an exchange is under way", async () => {
    // All of one shard: the first travels alone, the others together.
    const shard = shardOf(env, "u-0").id.toString();
    const users = Array.from({ length: 2_000 }, (_, user) => `v-${user}`)
      .filter((userId) => shardOf(env, userId).id.toString() === shard)
      .slice(0, 8);
    const told = await watchHandOvers();
    const guards = await Promise.all(users.map((userId) => reportTotals(env, silent(userId))));
    expect(users).toHaveLength(8);
    expect(told.mock.calls.length).toBeLessThanOrEqual(3);
    expect(guards.at(-1)?.closedAt).toBe(DAY);
  });

  it("is known for a minute while the coordinator is out of reach, then to nobody", async () => {
    await reportTotals(env, totals("ada"));
    const lost = await loseCoordinator(refuse);
    setClock(DAY + 59 * SECOND);
    expect(await reportTotals(env, totals("ada", { awake: 1 }))).toEqual({ closedAt: null, openedAt: null });
    setClock(DAY + 61 * SECOND);
    await expect(reportTotals(env, silent("ada"))).rejects.toThrow("out of reach");
    expect(lost).toHaveBeenCalledTimes(2);
    // What was reported meanwhile counts: the shard's alarm hands it over.
    await fireAlarms();
    lost.mockRestore();
    setClock(DAY + 2 * MINUTE);
    await fireAlarms();
    expect((await readService(env)).instancesByStatus).toEqual({ orphaned: 1 });
    expect(await reportTotals(env, silent("ada"))).toEqual({ closedAt: null, openedAt: null });
  });

  it("is known to nobody who asks a shard that never heard of it", async () => {
    await loseCoordinator(refuse);
    await expect(reportTotals(env, totals("ada"))).rejects.toThrow("out of reach");
  });

  it("is not waited for longer than a few seconds", async () => {
    await loseCoordinator(hang);
    await expect(reportTotals(env, totals("ada"))).rejects.toThrow("no answer within 2000 ms");
  });
});

describe("a fleet that is not heard any more", () => {
  /** Fires a shard's daily alarm so many times, each a day after the last. */
  async function passDays(days: number, users: readonly string[]): Promise<void> {
    for (let day = 0; day < days; day++) {
      setClock(Date.now() + A_DAY + MINUTE);
      for (const userId of users) await runDurableObjectAlarm(shardOf(env, userId));
      setClock(Date.now() + 10 * SECOND);
      for (const userId of users) await runDurableObjectAlarm(shardOf(env, userId));
    }
  }

  it("votes no more after two whole days, so that users who left do not hold the guard closed", async () => {
    expect((await reportAll(USERS, silent)).closedAt).not.toBeNull();
    await passDays(2, USERS);
    expect((await readService(env)).guard.closedAt).not.toBeNull();
    await passDays(1, USERS);
    const { guard, instancesByStatus } = await readService(env);
    expect(guard).toEqual({ closedAt: null, openedAt: expect.any(Number) });
    expect(instancesByStatus).toEqual({ orphaned: 5 });
  });

  it("votes on after the service itself was away for a week", async () => {
    expect((await reportAll(USERS, silent)).closedAt).not.toBeNull();
    setClock(DAY + 7 * A_DAY);
    await fireAlarms();
    await fireAlarms();
    expect((await readService(env)).guard.closedAt).not.toBeNull();
  });

  it("votes on as long as it reports, though it reports the same each day", async () => {
    await reportAll(USERS, silent);
    const report = totals("u-0", { vote: { seenAt: DAY, closedAt: DAY } });
    for (let day = 0; day < 5; day++) {
      await passDays(1, ["u-0"]);
      await reportTotals(env, { ...report, number: ++made });
    }
    await fireAlarms();
    const row = await runInDurableObject(shardOf(env, "u-0"), (_, state) =>
      state.storage.sql.exec<{ json: string }>("SELECT json FROM fleets WHERE user_id = 'u-0'").one(),
    );
    expect(JSON.parse(row.json)).toMatchObject({ vote: { seenAt: DAY } });
  });

  it("leaves no row after 30 days, and an empty one none after a day", async () => {
    await reportTotals(env, totals("ada"));
    await passDays(30, ["ada"]);
    expect(await fleetRows("ada")).toBe(1);
    await passDays(1, ["ada"]);
    expect(await fleetRows("ada")).toBe(0);
    expect((await readService(env)).instancesByStatus).toEqual({});

    await reportTotals(env, totals("ada", { instancesByStatus: {}, awake: 0 }));
    await passDays(1, ["ada"]);
    expect(await fleetRows("ada")).toBe(1);
    await passDays(1, ["ada"]);
    expect(await fleetRows("ada")).toBe(0);
  }, 300_000);
});

describe("what D1 kept of the service", () => {
  const report = { startedAt: DAY - A_DAY, instances: 12, unreachable: 1 };

  async function keepInD1(): Promise<void> {
    const event = (at: number, id: string, kind: string, detail: object) =>
      env.DB.prepare(
        `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail)
         VALUES ('', ?, '', ?, ?, 'info', 'Something happened', ?)`,
      ).bind(at, id, kind, JSON.stringify(detail));
    await env.DB.batch([
      env.DB.prepare(
        "INSERT INTO guards (user_id, closed_at, opened_at, silent_from, seen_from) VALUES ('', ?1, 7, ?1, ?1)",
      ).bind(DAY - MINUTE),
      event(DAY - 40 * A_DAY, "too-old", "cleanup", { startedAt: 1, instances: 1, unreachable: 1 }),
      event(DAY - A_DAY, "cleanup-a", "cleanup", { ...report, rolledUp: 3 }),
      event(DAY - MINUTE, "guard_closed-a", "guard_closed", { rule: "guard", silent: 5, users: 5 }),
    ]);
  }

  it("is taken over once", async () => {
    await keepInD1();
    const service = await readService(env);
    expect(service).toMatchObject({ guard: { closedAt: DAY - MINUTE, openedAt: 7 }, cleanup: report });
    expect(service.events.map(({ id }) => id)).toEqual(["guard_closed-a", "cleanup-a"]);
    expect(service.events[0]?.detail).toEqual({ rule: "guard", silent: 5, users: 5 });

    await env.DB.prepare("DELETE FROM guards").run();
    await evictDurableObject(coordinatorOf(env));
    expect(await readService(env)).toEqual(service);
  });

  it("counts the votes that stood there, until a cleanup has had every fleet begin", async () => {
    const vote = (userId: string, closedAt: number | null) =>
      env.DB.prepare(
        "INSERT INTO outage_votes (user_id, closed_at, opened_at, seen_from, seen_at) VALUES (?, ?, NULL, 1, ?)",
      ).bind(userId, closedAt, DAY - 5 * MINUTE);
    // Four fell silent just before the upgrade, and have nothing to report for a while.
    await env.DB.batch([
      ...["b-1", "b-2", "b-3", "b-4"].map((userId) => vote(userId, DAY)),
      vote("heard again", null),
      vote("long lapsed", DAY - 7 * 60 * MINUTE),
    ]);
    expect(await reportTotals(env, silent("u-0"))).toMatchObject({ closedAt: DAY });
    const event = { id: "c", kind: "cleanup", severity: "info", message: "", detail: {} } as const;
    const cleanup = { startedAt: DAY - MINUTE, instances: 0, unreachable: 0 };
    setClock(DAY + MINUTE);
    await noteCleanup(env, cleanup, { ...event, at: DAY });
    expect(await reportTotals(env, silent("u-0"))).toMatchObject({ closedAt: DAY });
    await noteCleanup(env, { ...cleanup, startedAt: DAY + 1 }, { ...event, at: DAY + 1 });
    await evictDurableObject(coordinatorOf(env));
    setClock(DAY + 2 * MINUTE);
    expect(await reportTotals(env, silent("u-0"))).toMatchObject({ closedAt: null });
  });

  it("is waited for: without D1 nobody gets an answer, and the next one tries again", async () => {
    await keepInD1();
    const down = vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockRejectedValue(new Error("D1 is down"));
    await expect(readService(env)).rejects.toThrow("D1 is down");
    await expect(reportTotals(env, totals("ada"))).rejects.toThrow("D1 is down");
    down.mockRestore();
    setClock(DAY + 2 * SECOND);
    expect(await reportTotals(env, totals("ada"))).toEqual({ closedAt: DAY - MINUTE, openedAt: 7 });
  });

  it("is not waited for endlessly: the next one asks a D1 that answers", async () => {
    await keepInD1();
    const down = vi
      .spyOn(Object.getPrototypeOf(env.DB), "batch")
      .mockImplementation(() => new Promise<never>(() => undefined));
    const before = performance.now();
    await expect(readService(env)).rejects.toThrow("no answer within 10000 ms");
    expect(performance.now() - before).toBeLessThan(15 * SECOND);
    down.mockRestore();
    expect(await readService(env)).toMatchObject({ guard: { closedAt: DAY - MINUTE, openedAt: 7 } });
  });

  it("as a closed guard does not open before every fleet had the time to report", async () => {
    await keepInD1();
    await reportAll(USERS, totals);
    expect((await readService(env)).guard.closedAt).toBe(DAY - MINUTE);
    setClock(DAY + 2 * A_DAY);
    expect(await reportAll(USERS, (userId) => totals(userId, { awake: 1 }))).toMatchObject({
      closedAt: null,
    });
  });
});

describe("counters", () => {
  it("go on from what the one meter had, and are summed over the shards", async () => {
    // A row as the class wrote it before there were shards.
    await runInDurableObject(coordinatorOf(env), (_, state) => {
      state.storage.sql.exec("CREATE TABLE IF NOT EXISTS meter (id INTEGER PRIMARY KEY, json TEXT NOT NULL)");
      state.storage.sql.exec(`INSERT INTO meter (id, json) VALUES (1, '{"chunks{}":40}')`);
    });
    await coordinatorOf(env).add({ "chunks{}": 2 });
    await shardNumbered(env, 3).add({ "chunks{}": 5, "heartbeats{}": 1 });
    await shardNumbered(env, 7).add({ "chunks{}": 3 });
    await fireAlarms();
    expect((await readService(env)).counts).toEqual({ "chunks{}": 50, "heartbeats{}": 1 });
    await evictDurableObject(shardNumbered(env, 3));
    await shardNumbered(env, 3).add({ "chunks{}": 1 });
    await fireAlarms();
    expect((await readService(env)).counts).toEqual({ "chunks{}": 51, "heartbeats{}": 1 });
  });

  it.each([
    ["no JSON", { "chunks{}": 2 }, true],
    ["[1]", { "chunks{}": 2 }, true],
    ['{"chunks{}":40,"alerts{}":"many","heartbeats{}":1}', { "chunks{}": 42, "heartbeats{}": 1 }, false],
  ])("that are stored as %s go on from what can be read of them", async (json, counts, isLogged) => {
    if (isLogged) expectLogged(/counters can't be read/);
    await runInDurableObject(coordinatorOf(env), (_, state) => {
      state.storage.sql.exec("CREATE TABLE IF NOT EXISTS meter (id INTEGER PRIMARY KEY, json TEXT NOT NULL)");
      state.storage.sql.exec("INSERT INTO meter (id, json) VALUES (1, ?)", json);
    });
    await coordinatorOf(env).add({ "chunks{}": 2 });
    expect((await readService(env)).counts).toEqual(counts);
  });

  it.each([
    ["fails", 1, refuse],
    ["doesn't answer", 2, hang],
  ])("keep no heartbeat waiting when the shard %s", async (_, minute, how) => {
    expectLogged(/counts not handed over/);
    const add = await runInDurableObject(shardNumbered(env, 0), (actor) =>
      vi.spyOn(Object.getPrototypeOf(actor), "add").mockImplementation(how),
    );
    // Nobody waits for what was gathered before; the next one that comes late enough hands over.
    const rig = await Instance.register(await newUser(), "rig");
    setClock(DAY + minute * MINUTE);
    const before = performance.now();
    expect((await rig.heartbeat()).status).toBe(200);
    expect(performance.now() - before).toBeLessThan(4_000);
    await vi.waitFor(() => expect(add).toHaveBeenCalled(), 20_000);
  });
});

it("the last thousand events are kept, and the last cleanup besides", async () => {
  const note = (startedAt: number, id: string) =>
    noteCleanup(
      env,
      { startedAt, instances: 3, unreachable: 0 },
      { id, at: startedAt, kind: "cleanup", severity: "info", message: "Cleanup", detail: {} },
    );
  for (const id of ["a", "a", "b"]) await note(DAY, id);
  await note(DAY - MINUTE, "older");
  const { events, cleanup } = await readService(env);
  expect(cleanup).toEqual({ startedAt: DAY, instances: 3, unreachable: 0 });
  expect(events.map(({ id }) => id)).toEqual(["b", "a", "older"]);
  for (let minute = 1; minute <= 1_000; minute++) await note(DAY + minute * MINUTE, `run-${minute}`);
  const kept = await runInDurableObject(coordinatorOf(env), (_, state) =>
    state.storage.sql
      .exec<{ n: number; first: number }>("SELECT COUNT(*) AS n, MIN(at) AS first FROM events")
      .one(),
  );
  expect(kept).toEqual({ n: 1_000, first: DAY + MINUTE });
});
