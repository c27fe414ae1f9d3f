import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readGuards, reviewGuards } from "../../src/fleet/outage-guard.ts";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/model/policy-settings.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ONE_DAY = 24 * HOUR;

beforeEach(async () => {
  setClock(DAY);
  // The service's guard counts whoever an earlier test has left.
  const tables = ["instances", "fleets", "guards", "outage_votes", "events"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

type User = Awaited<ReturnType<typeof newUser>>;

/** Orders that were given, in place of the workflow that would carry them out. */
function watchOrders(): string[] {
  const orders: string[] = [];
  vi.spyOn(Object.getPrototypeOf(env.INSTANCE_ACTION), "create").mockImplementation((async ({
    params,
  }: {
    params: { instanceId: string };
  }) => {
    orders.push(params.instanceId);
  }) as never);
  return orders;
}

async function fleet(count: number, user?: User): Promise<Instance[]> {
  const owner = user ?? (await newUser());
  await call("PUT", "/api/agent/providers/webhook?verify=false", {
    token: owner.token,
    json: { url: "https://plane.example.com/", secret: `whsec_${btoa("0123456789abcdef0123456789abcdef")}` },
  });
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      Instance.register(owner, `rig-${index}`, { provider: "webhook" }, "?sight=false"),
    ),
  );
}

async function beatAll(instances: readonly Instance[]): Promise<void> {
  await Promise.all(instances.map((one) => one.heartbeat()));
  await Promise.all(instances.map((one) => one.settled()));
}

/** Moves all along together, minute by minute, as time does. */
async function until(instances: readonly Instance[], moment: number): Promise<void> {
  for (let next = Date.now(); next < moment; next = Math.min(next + MINUTE, moment)) {
    for (const one of instances) await one.until(Math.min(next + MINUTE, moment));
  }
  await Promise.all(instances.map((one) => one.settled()));
}

async function guardOf(one: Instance) {
  return (await call("GET", "/api/agent/instances", { token: one.userToken })).body.guard;
}

async function guardEvents(one: Instance): Promise<string[]> {
  const { body } = await call("GET", "/api/agent/events?limit=1000", { token: one.userToken });
  return body.events
    .filter((event: { instance_id: string | null }) => event.instance_id === null)
    .map((event: { kind: string }) => event.kind)
    .reverse();
}

async function serviceEvents(): Promise<string[]> {
  const { body } = await call("GET", "/api/admin/events", { token: ADMIN_TOKEN });
  return body.events.map((event: { kind: string }) => event.kind).reverse();
}

/** The order that is under way has succeeded. */
async function finishOrder(one: Instance): Promise<void> {
  await one.settled();
  const { events } = (await one.ask("GET", "/events?limit=1000")).body;
  const ordered = events.find((event: { kind: string }) => event.kind === "hibernating");
  const actionId: string = ordered.detail.action_id;
  await one.actor.endAction(actionId, { type: "succeeded", confirmedBy: "the provider", snapshotId: null });
  await one.settled();
}

function fail(): never {
  throw new Error("there is none");
}

describe("when most of a fleet falls silent at once", () => {
  it("the guard closes, told once, and nothing is hibernated until it is clear", async () => {
    const orders = watchOrders();
    const rigs = await fleet(5);
    const [first, ...rest] = rigs;
    if (first === undefined) throw new Error("a fleet has a first");
    await beatAll(rigs);
    await until(rigs, DAY + 6 * MINUTE);
    expect(await guardOf(first)).toMatchObject({ state: "closed", closed_at: "2030-01-07T00:05:00Z" });
    expect(await guardEvents(first)).toEqual(["guard_closed"]);

    await until(rigs, DAY + 2 * HOUR + 10 * MINUTE);
    expect(orders).toEqual([]);
    expect((await first.ask("GET")).body).toMatchObject({
      status: "orphaned",
      lifecycle: { blocked_by: "guard" },
    });

    // All but one come back: the guard opens, told once, and the one's silence counts anew.
    await beatAll(rest);
    expect(await guardOf(first)).toMatchObject({ state: "open", closed_at: null });
    expect(await guardEvents(first)).toEqual(["guard_closed", "guard_opened"]);
    const openedAt = Date.now();
    await until([first], openedAt + 29 * MINUTE);
    expect(orders).toEqual([]);
    await until([first], openedAt + 36 * MINUTE);
    expect(orders).toEqual(["rig-0"]);
  });

  it("for good, it is let go after six hours, and the same silence does not close the guard again", async () => {
    const orders = watchOrders();
    const rigs = await fleet(3);
    const [first] = rigs;
    if (first === undefined) throw new Error("a fleet has a first");
    await beatAll(rigs);
    await until(rigs, DAY + 6 * HOUR + 4 * MINUTE);
    expect(orders).toEqual([]);
    await until(rigs, DAY + 6 * HOUR + 15 * MINUTE);
    expect(await guardOf(first)).toMatchObject({ state: "open" });
    expect(orders).toEqual([]);
    await until(rigs, DAY + 6 * HOUR + 50 * MINUTE);
    expect([...new Set(orders)].sort()).toEqual(["rig-0", "rig-1", "rig-2"]);
    expect(await guardEvents(first)).toEqual(["guard_closed", "guard_opened"]);
  });

  it("an outage that was over before anybody asked moves nobody along all the same", async () => {
    const orders = watchOrders();
    const rigs = await fleet(4);
    const [first, ...rest] = rigs;
    if (first === undefined) throw new Error("a fleet has a first");
    await beatAll(rigs);
    await until(rigs, DAY + 20 * MINUTE);
    await beatAll(rest);
    await until([first], DAY + 45 * MINUTE);
    expect(orders).toEqual([]);
    await until([first], DAY + 51 * MINUTE);
    expect(orders).toEqual(["rig-0"]);
  });
});

describe("what is no mass outage", () => {
  it("two of two, or half of many, are acted upon", async () => {
    const orders = watchOrders();
    const two = await fleet(2);
    await beatAll(two);
    await until(two, DAY + 31 * MINUTE);
    expect(orders.sort()).toEqual(["rig-0", "rig-1"]);
    setClock(DAY);
    const many = await fleet(6);
    await beatAll(many);
    for (let minute = 1; minute <= 31; minute++) {
      await until(many, DAY + minute * MINUTE);
      await beatAll(many.slice(0, 3));
    }
    expect(orders.slice(2).sort()).toEqual(["rig-3", "rig-4", "rig-5"]);
  }, 300_000);

  it("one user's outage holds back nobody else's instance", async () => {
    const orders = watchOrders();
    const down = await fleet(5);
    const [other] = await fleet(1);
    if (other === undefined) throw new Error("a fleet has a first");
    await beatAll([...down, other]);
    await until([...down, other], DAY + 31 * MINUTE);
    expect(orders).toEqual(["rig-0"]);
    expect(await other.status()).toBe("hibernating");
    expect(await guardOf(other)).toMatchObject({ state: "open" });
  });
});

it("how many are awake is counted right through every change", async () => {
  watchOrders();
  const user = await newUser();
  const rigs = await fleet(4, user);
  const awake = async () => {
    const counted = await env.DB.prepare("SELECT awake FROM fleets WHERE user_id = ?")
      .bind(user.userId)
      .first<{ awake: number }>();
    const recounted = await env.DB.prepare(
      "SELECT COUNT(*) AS awake FROM instances WHERE user_id = ? AND status IN ('running', 'waking', 'hibernating') AND silent_since IS NULL",
    )
      .bind(user.userId)
      .first<{ awake: number }>();
    expect(counted?.awake ?? 0).toBe(recounted?.awake);
    return recounted?.awake;
  };
  expect(await awake()).toBe(0);
  await beatAll(rigs);
  expect(await awake()).toBe(4);
  await until(rigs.slice(0, 1), DAY + 6 * MINUTE);
  expect(await awake()).toBe(3);
  await rigs[1]?.ask("DELETE");
  expect(await awake()).toBe(2);
  await beatAll(rigs.slice(0, 1));
  expect(await awake()).toBe(3);
  // Idle ones are awake until they sleep; silent ones are not, whatever is being done to them.
  const [idle, , silent] = rigs;
  if (idle === undefined || silent === undefined) throw new Error("there are four");
  await idle.ask("POST", "/hibernate");
  await idle.settled();
  expect([await idle.status(), await awake()]).toEqual(["hibernating", 3]);
  await finishOrder(idle);
  expect([await idle.status(), await awake()]).toEqual(["hibernated", 2]);
  await silent.until(DAY + 20 * MINUTE);
  await silent.ask("POST", "/hibernate");
  await silent.settled();
  expect([await silent.status(), await awake()]).toEqual(["hibernating", 1]);
  await finishOrder(silent);
  expect([await silent.status(), await awake()]).toEqual(["hibernated", 1]);
});

describe("the guard of the whole service", () => {
  it("counts users: with five of them silent it closes, and it holds every user's instance", async () => {
    const orders = watchOrders();
    const rigs = (await Promise.all(Array.from({ length: 5 }, () => fleet(1)))).flat();
    const [first] = rigs;
    if (first === undefined) throw new Error("there is a first");
    await beatAll(rigs);
    await until(rigs, DAY + 31 * MINUTE);
    expect(await guardOf(first)).toMatchObject({ state: "open", service_wide: "closed" });
    expect(orders).toEqual([]);
    expect(await serviceEvents()).toEqual(["guard_closed"]);
    const { body } = await call("GET", "/api/admin/events", { token: ADMIN_TOKEN });
    expect(body.events[0]).toMatchObject({
      severity: "critical",
      instance_id: null,
      message: expect.stringContaining("5 of the service's 5 users fell silent at once"),
    });
  }, 300_000);

  it("stays open for one tenant's many silent instances, which are one vote", async () => {
    const orders = watchOrders();
    const many = await fleet(12);
    const [other] = await fleet(1);
    if (other === undefined) throw new Error("there is a first");
    await beatAll([...many, other]);
    await until([...many, other], DAY + 31 * MINUTE);
    expect(await guardOf(other)).toMatchObject({ service_wide: "open" });
    expect(orders).toEqual(["rig-0"]);
    expect(await other.status()).toBe("hibernating");
  }, 300_000);

  it("is not kept open by many instances of one tenant that beat", async () => {
    const orders = watchOrders();
    const silent = (await Promise.all(Array.from({ length: 5 }, () => fleet(1)))).flat();
    const fakes = await fleet(12);
    await beatAll([...silent, ...fakes]);
    await until(silent, DAY + 31 * MINUTE);
    expect(await guardOf(silent[0] ?? fail())).toMatchObject({ service_wide: "closed" });
    expect(orders).toEqual([]);
  }, 300_000);

  it("stays open while users fall silent one after another, and of four alone", async () => {
    const four = (await Promise.all(Array.from({ length: 4 }, () => fleet(1)))).flat();
    await beatAll(four);
    await until(four, DAY + 6 * MINUTE);
    expect(await serviceEvents()).toEqual([]);
    await until(four, DAY + 11 * MINUTE);
    const late = (await Promise.all(Array.from({ length: 4 }, () => fleet(1)))).flat();
    await beatAll(late);
    await until([...four, ...late], DAY + 20 * MINUTE);
    expect(await serviceEvents()).toEqual([]);
  }, 300_000);

  it("holds hibernations for six hours, but deletes until enough users are heard again", async () => {
    const orders = watchOrders();
    const rigs = (await Promise.all(Array.from({ length: 5 }, () => fleet(1)))).flat();
    const [first, ...rest] = rigs;
    if (first === undefined) throw new Error("there is a first");
    await beatAll(rigs);
    await until(rigs, DAY + 6 * HOUR);
    expect(orders).toEqual([]);
    await until(rigs, DAY + 6 * HOUR + 45 * MINUTE);
    expect(orders).toHaveLength(5);
    // What it let be hibernated is silent still.
    for (const rig of rigs) await finishOrder(rig);
    expect(await Promise.all(rigs.map((rig) => rig.status()))).toEqual(Array(5).fill("hibernated"));
    expect(await guardOf(first)).toMatchObject({ service_wide: "closed" });

    for (const rig of rigs) await rig.until(DAY + 20 * ONE_DAY);
    for (const rig of rigs) await rig.actor.cleanUp();
    await Promise.all(rigs.map((rig) => rig.settled()));
    expect(orders).toHaveLength(5);
    expect((await first.ask("GET")).body.lifecycle).toMatchObject({
      next_step: "delete",
      blocked_by: "guard",
    });

    await beatAll(rest.slice(0, 3));
    expect(await guardOf(first)).toMatchObject({ service_wide: "open" });
    expect(await serviceEvents()).toEqual(["guard_closed", "guard_opened"]);
    await first.until(Date.now() + 10 * MINUTE);
    await first.actor.cleanUp();
    await first.settled();
    expect(orders).toHaveLength(5);
  }, 300_000);

  it("closes again for another outage, in which the same users fall silent", async () => {
    const rigs = (await Promise.all(Array.from({ length: 5 }, () => fleet(1)))).flat();
    await beatAll(rigs);
    await until(rigs, DAY + 10 * MINUTE);
    await beatAll(rigs);
    expect(await serviceEvents()).toEqual(["guard_closed", "guard_opened"]);
    await until(rigs, DAY + 20 * MINUTE);
    expect(await serviceEvents()).toEqual(["guard_closed", "guard_opened", "guard_closed"]);
  }, 300_000);
});

describe("who counts as silent", () => {
  it("is an instance that is about to be hibernated, but not one that its owner had hibernated", async () => {
    watchOrders();
    const rigs = await fleet(4);
    const [first, second] = rigs;
    if (first === undefined || second === undefined) throw new Error("there are two");
    await beatAll(rigs);
    await until(rigs, DAY + 6 * MINUTE);
    for (const rig of [first, second]) await rig.ask("POST", "/hibernate");
    await until(rigs, DAY + 31 * MINUTE);
    expect(await first.status()).toBe("hibernating");
    expect(await guardOf(first)).toMatchObject({ state: "closed" });
    for (const rig of [first, second]) await finishOrder(rig);
    await until(rigs, DAY + 40 * MINUTE);
    expect(await first.status()).toBe("hibernated");
    expect(await guardOf(first)).toMatchObject({ state: "open" });
    expect(await guardEvents(first)).toEqual(["guard_closed", "guard_opened"]);
  });

  it("goes by the last sign of life, however long each takes to become an orphan", async () => {
    const orders = watchOrders();
    const rigs = await fleet(4);
    for (const rig of rigs.slice(2)) {
      await rig.ask("PATCH", "", { policy: { orphan: { orphan_after_seconds: 1500 } } });
    }
    await beatAll(rigs);
    await until(rigs, DAY + 24 * MINUTE);
    expect(await guardEvents(rigs[0] ?? fail())).toEqual([]);
    await until(rigs, DAY + 45 * MINUTE);
    expect(orders).toEqual([]);
    expect(await guardEvents(rigs[0] ?? fail())).toEqual(["guard_closed"]);
  });

  it("is who fell silent within the window to the second, and nobody beyond it", async () => {
    const orders = watchOrders();
    const within = await fleet(3);
    const beyond = await fleet(3);
    await beatAll([...within.slice(0, 2), ...beyond.slice(0, 2)]);
    await until([...within, ...beyond], DAY + 9 * MINUTE);
    setClock(DAY + 10 * MINUTE);
    await beatAll(within.slice(2));
    setClock(DAY + 10 * MINUTE + 1000);
    await beatAll(beyond.slice(2));
    await until([...within, ...beyond], DAY + 31 * MINUTE);
    expect(await guardEvents(within[0] ?? fail())).toEqual(["guard_closed"]);
    expect(await guardEvents(beyond[0] ?? fail())).toEqual([]);
    expect(orders).toHaveLength(2);
    expect(await Promise.all(within.map((rig) => rig.status()))).toEqual(Array(3).fill("orphaned"));
  });

  it("is nobody of another user, whatever the ids", async () => {
    const down = await fleet(3);
    const up = await fleet(3);
    await beatAll([...down, ...up]);
    await until([...down, ...up], DAY + 4 * MINUTE);
    await beatAll(up);
    await until([...down, ...up], DAY + 8 * MINUTE);
    expect(await guardOf(down[0] ?? fail())).toMatchObject({ state: "closed" });
    expect(await guardOf(up[0] ?? fail())).toMatchObject({ state: "open" });
  });

  it("is no instance that was removed: with the last of them the guard opens", async () => {
    const rigs = await fleet(4);
    await beatAll(rigs);
    await until(rigs, DAY + 4 * MINUTE);
    await beatAll(rigs.slice(3));
    await until(rigs, DAY + 6 * MINUTE);
    expect(await guardEvents(rigs[0] ?? fail())).toEqual(["guard_closed"]);
    await rigs[0]?.ask("DELETE");
    expect(await guardOf(rigs[1] ?? fail())).toMatchObject({ state: "open" });
    expect(await guardEvents(rigs[1] ?? fail())).toEqual(["guard_closed", "guard_opened"]);
  });

  it("is told of again when they all fall silent again after the guard opened", async () => {
    const orders = watchOrders();
    const rigs = await fleet(4);
    await beatAll(rigs);
    await until(rigs, DAY + 10 * MINUTE);
    await beatAll(rigs);
    await until(rigs, DAY + 45 * MINUTE);
    expect(await guardEvents(rigs[0] ?? fail())).toEqual(["guard_closed", "guard_opened", "guard_closed"]);
    expect(orders).toEqual([]);
  });
});

/** A user's instances as the registry has them, without their actors: all silent ones orphans since five minutes. */
async function registry(userId: string, silent: number, awake: number, seenAt = DAY): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)
     INSERT INTO instances (user_id, instance_id, name, provider, policy, status, registered_at, orphaned_since,
                            silent_since, revision)
     SELECT ?1, 'rig-' || n, '', 'none', '{}', CASE WHEN n <= ?3 THEN 'orphaned' ELSE 'running' END, 0,
            CASE WHEN n <= ?3 THEN ?4 + 300000 END, CASE WHEN n <= ?3 THEN ?4 END, 1
     FROM numbers`,
  )
    .bind(userId, silent + awake, silent, seenAt)
    .run();
}

const STANDARD = compilePolicy(DEFAULT_POLICY).guard;

function review(userId: string, now = DAY + 5 * MINUTE, seenAt: number | null = DAY) {
  return reviewGuards(
    env.DB,
    { userId, userRule: STANDARD, standardRule: STANDARD, seenAt, asks: true },
    now,
  );
}

describe("the registry", () => {
  it("closes a guard at 55 % silent, not at 54.9 %", async () => {
    await registry("below", 549, 451);
    await registry("at", 550, 450);
    expect((await review("below")).user.closedAt).toBeNull();
    expect((await review("at")).user.closedAt).toBe(DAY + 5 * MINUTE);
  });

  it("closes the service's guard at 55 % of the users, not below, and nobody counts who has no live instance", async () => {
    const votes = (from: number, to: number) =>
      Promise.all(
        Array.from({ length: to - from }, async (_, index) => {
          await registry(`silent-${from + index}`, 1, 0);
          return review(`silent-${from + index}`);
        }),
      );
    for (let index = 0; index < 9; index++) await registry(`awake-${index}`, 0, 1);
    // Asleep, dead long ago, and half dead: only the last has a machine that is heard.
    await env.DB.prepare("UPDATE instances SET status = 'hibernated' WHERE user_id = 'awake-8'").run();
    await registry("dead", 40, 0, DAY - ONE_DAY);
    await review("dead", DAY - ONE_DAY + HOUR, DAY - ONE_DAY);
    await registry("half", 3, 1, DAY - ONE_DAY);
    await review("half", DAY - ONE_DAY + HOUR, DAY - ONE_DAY);
    await votes(0, 10);
    expect((await readGuards(env.DB, "dead")).service.closedAt).toBeNull();
    await votes(10, 11);
    expect((await readGuards(env.DB, "dead")).service.closedAt).toBe(DAY + 5 * MINUTE);
    // One of eleven comes back: 10 of 20.
    await env.DB.prepare(
      "UPDATE instances SET status = 'running', orphaned_since = NULL, silent_since = NULL WHERE user_id = 'silent-0'",
    ).run();
    expect((await review("silent-0", DAY + 9 * MINUTE, null)).service).toMatchObject({
      closedAt: null,
      openedAt: DAY + 9 * MINUTE,
    });
  });

  it("lets a vote that stood for too long make room for one on another outage", async () => {
    await registry("mixed", 5, 4, DAY - ONE_DAY);
    await review("mixed", DAY - ONE_DAY + 5 * MINUTE, DAY - ONE_DAY);
    await env.DB.prepare(
      "UPDATE instances SET status = 'orphaned', orphaned_since = ?, silent_since = ? WHERE user_id = 'mixed' AND status = 'running'",
    )
      .bind(DAY + 5 * MINUTE, DAY)
      .run();
    const { user } = await review("mixed");
    const { vote } = await readGuards(env.DB, "mixed");
    const reopened = {
      closedAt: DAY + 5 * MINUTE,
      openedAt: DAY - ONE_DAY + 5 * MINUTE + STANDARD.maxHoldMs,
    };
    expect(vote).toMatchObject(reopened);
    expect(user).toMatchObject(reopened);
  });

  it("makes a change once, and tells of it once, whoever else sees it at the same time", async () => {
    await registry("at-once", 3, 0);
    await Promise.all([review("at-once"), review("at-once"), review("at-once", DAY + 5 * MINUTE + 1)]);
    await env.DB.prepare("DELETE FROM instances WHERE user_id = 'at-once'").run();
    await Promise.all([review("at-once", DAY + HOUR), review("at-once", DAY + HOUR + 1)]);
    const { results } = await env.DB.prepare(
      "SELECT kind FROM events WHERE user_id = 'at-once' ORDER BY at",
    ).all();
    expect(results.map(({ kind }) => kind)).toEqual(["guard_closed", "guard_opened"]);
  });

  it("reviews the service's guard again when the database failed right after a vote", async () => {
    for (let index = 0; index < 5; index++) {
      const userId = `silent-${index}`;
      await registry(userId, 1, 0);
      await env.DB.prepare("INSERT INTO outage_votes VALUES (?, ?, NULL, ?, ?)")
        .bind(userId, DAY + 5 * MINUTE, DAY - 10 * MINUTE, DAY)
        .run();
    }
    const once = { userId: "silent-4", userRule: STANDARD, standardRule: STANDARD, seenAt: DAY, asks: false };
    const { service } = await reviewGuards(env.DB, once, DAY + 6 * MINUTE);
    expect(service.closedAt).toBe(DAY + 6 * MINUTE);
  });

  it("finds who is silent by an index, and never walks all instances", async () => {
    const prepare = vi.spyOn(Object.getPrototypeOf(env.DB), "prepare");
    await registry("indexed", 5, 2);
    await review("indexed");
    const asked = [...new Set(prepare.mock.calls.map(([sql]) => String(sql)))];
    vi.restoreAllMocks();
    const plans = await Promise.all(
      asked
        .filter((sql) => /FROM instances|FROM fleets|FROM outage_votes/.test(sql) && !/^\s*INSERT/.test(sql))
        .map(async (sql) => {
          const parameters = Math.max(...[...sql.matchAll(/\?(\d)/g)].map(([, number]) => Number(number)));
          const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
            .bind(...Array(parameters).fill(0))
            .all<{ detail: string }>();
          return results.map(({ detail }) => detail);
        }),
    );
    const steps = plans.flat();
    expect(steps).toContainEqual(
      expect.stringMatching(
        /SEARCH instances USING COVERING INDEX instances_by_silence \(user_id=\? AND silent_since>\? AND silent_since<\?\)/,
      ),
    );
    expect(steps).toContainEqual(expect.stringContaining("SCAN fleets USING INDEX awake_users"));
    expect(steps).toContainEqual(
      expect.stringContaining("SEARCH outage_votes USING COVERING INDEX silent_votes"),
    );
    expect(steps.filter((step) => /SCAN (instances|outage_votes|guards)/.test(step))).toEqual([]);
  });
});

it("rows from before keep their silence, and a guard that is closed its outage", async () => {
  const migrated = await runInDurableObject(
    env.INSTANCES.getByName("a database of its own"),
    (_, { storage }) => {
      const { sql } = storage;
      const migrations = [...env.TEST_MIGRATIONS].sort((a, b) => a.name.localeCompare(b.name));
      const mine = migrations.findIndex(({ name }) => name.startsWith("0006_"));
      const apply = (some: typeof migrations) => {
        for (const { queries } of some) for (const query of queries) sql.exec(query);
      };
      apply(migrations.slice(0, mine));
      const seconds = (value: number) => JSON.stringify({ orphan: { orphan_after_seconds: value } });
      sql.exec(
        "INSERT INTO users (id, name, policy, created_at) VALUES ('plain', '', '{}', 0), ('slow', '', ?, 0)",
        seconds(600),
      );
      const insert = (
        user: string,
        id: string,
        status: string,
        orphanedSince: number | null,
        policy = "{}",
      ) =>
        sql.exec(
          `INSERT INTO instances (user_id, instance_id, name, provider, policy, status, registered_at, orphaned_since, revision)
         VALUES (?, ?, '', 'none', ?, ?, 0, ?, 1)`,
          user,
          id,
          policy,
          status,
          orphanedSince,
        );
      insert("plain", "awake", "running", null);
      insert("plain", "idle", "hibernated", null);
      insert("plain", "silent", "orphaned", DAY);
      insert("plain", "leaving", "hibernating", DAY);
      insert("plain", "asleep", "hibernated", DAY);
      insert("slow", "silent", "orphaned", DAY);
      insert("slow", "slower", "orphaned", DAY, seconds(900));
      sql.exec(
        "INSERT INTO guards (user_id, closed_at, opened_at, silent_from) VALUES ('plain', ?1, NULL, ?1 - 600000), ('', ?1, NULL, ?1 - 600000)",
        DAY,
      );
      apply(migrations.slice(mine));
      const rows = (query: string) => sql.exec(query).toArray();
      const found = {
        silent: rows(
          "SELECT user_id || '/' || instance_id AS id, silent_since FROM instances WHERE silent_since IS NOT NULL ORDER BY id",
        ),
        fleets: rows("SELECT user_id, awake FROM fleets"),
        guards: rows("SELECT user_id, seen_from FROM guards"),
        votes: rows("SELECT user_id, closed_at, seen_at FROM outage_votes"),
      };
      sql.exec(
        "UPDATE instances SET silent_since = NULL, orphaned_since = NULL, status = 'running' WHERE user_id = 'slow'",
      );
      sql.exec("DELETE FROM instances WHERE user_id = 'plain'");
      return { ...found, after: rows("SELECT user_id, awake FROM fleets") };
    },
  );
  expect(migrated).toEqual({
    silent: [
      { id: "plain/asleep", silent_since: DAY - 5 * MINUTE },
      { id: "plain/leaving", silent_since: DAY - 5 * MINUTE },
      { id: "plain/silent", silent_since: DAY - 5 * MINUTE },
      { id: "slow/silent", silent_since: DAY - 10 * MINUTE },
      { id: "slow/slower", silent_since: DAY - 15 * MINUTE },
    ],
    fleets: [{ user_id: "plain", awake: 1 }],
    guards: [
      { user_id: "", seen_from: DAY - 10 * MINUTE },
      { user_id: "plain", seen_from: DAY - 5 * MINUTE },
    ],
    votes: [{ user_id: "plain", closed_at: DAY, seen_at: DAY - 5 * MINUTE }],
    after: [
      { user_id: "plain", awake: 0 },
      { user_id: "slow", awake: 2 },
    ],
  });
});
