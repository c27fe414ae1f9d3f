import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/model/policy-settings.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { shardOf } from "../../src/service/address.ts";
import { readService } from "../../src/service/service.ts";
import { expectLogged, mayLog } from "../quiet.ts";
import { call, DAY, eventually, Instance, newUser, setClock } from "../world.ts";
import {
  alertOf,
  armedAt,
  emptyService,
  fireDueAlarms,
  passAlarms,
  reportMany,
  reportOf,
  rows,
  stateOf,
} from "./fleets.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const ONE_DAY = 24 * HOUR;

// The service logs each change of its guard.
mayLog(/"kind":"guard_(closed|opened)"/);
// The service is out of reach in one test, and on a slow machine for a moment.
mayLog(/totalsAt failed/);

beforeEach(async () => {
  setClock(DAY);
  // The service's guard counts whoever an earlier test has left.
  await emptyService();
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
      Instance.register(
        owner,
        `rig-${index}`,
        { provider: "webhook", ...(index === 0 ? {} : { hourly_cost: 2 }) },
        "?sight=false",
      ),
    ),
  );
}

async function beatAll(instances: readonly Instance[]): Promise<void> {
  await Promise.all(instances.map((one) => one.heartbeat()));
  await Promise.all(instances.map((one) => one.settled()));
}

/** Lets so much time pass that the fleets have told the service of what has changed. */
async function passTotals(userIds: Iterable<string>): Promise<void> {
  setClock(Date.now() + 16 * SECOND);
  await Promise.all([...new Set(userIds)].map((userId) => fireDueAlarms([userId])));
  // Beyond what a shard goes on to say of its own.
  setClock(Date.now() + 6 * SECOND);
}

/** Lets minutes pass in which the fleets' alarms fire when they are due. */
async function passMinutes(minutes: number, userIds: readonly string[]): Promise<void> {
  for (let half = 0; half < 2 * minutes; half++) {
    setClock(Date.now() + 30 * SECOND);
    await fireDueAlarms(userIds);
  }
}

const usersOf = (instances: readonly Instance[]) => instances.map(({ userId }) => userId);

/** Moves all along together, minute by minute, as time does. */
async function until(instances: readonly Instance[], moment: number): Promise<void> {
  for (let next = Date.now(); next < moment; next = Math.min(next + MINUTE, moment)) {
    for (const one of instances) await one.until(Math.min(next + MINUTE, moment));
    await fireDueAlarms(usersOf(instances));
  }
  await Promise.all(instances.map((one) => one.settled()));
}

async function guardOf(one: Instance) {
  const ask = () => call("GET", "/api/agent/instances", { token: one.userToken });
  // The fleet answers at once, and then asks how the service's guard stands.
  await ask();
  await eventually(async () => {
    const { service } = await stateOf(fleetOf(env, one.userId));
    expect(Date.now() - (service?.answeredAt ?? 0)).toBeLessThan(15 * SECOND);
  });
  return (await ask()).body.guard;
}

async function guardEvents(one: Instance): Promise<string[]> {
  const { body } = await call("GET", "/api/agent/events?limit=1000", { token: one.userToken });
  return body.events
    .filter((event: { instance_id: string | null }) => event.instance_id === null)
    .map((event: { kind: string }) => event.kind)
    .reverse();
}

async function guardDetail(one: Instance) {
  const { body } = await call("GET", "/api/agent/events?limit=1000", { token: one.userToken });
  return body.events.find(({ kind }: { kind: string }) => kind === "guard_closed").detail;
}

async function serviceEvents(): Promise<string[]> {
  const { events } = await readService(env);
  return events.map(({ kind }) => kind).reverse();
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
    // What those cost that are known to be silent: nobody knows the price of one of them.
    const { silent, rate, unknown_rates } = await guardDetail(first);
    expect({ rate, unknown_rates }).toEqual({ rate: 2 * (silent - unknown_rates), unknown_rates: 1 });

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

  it("and the owner shortens the hold to less than it has lasted, silence counts from then", async () => {
    const orders = watchOrders();
    const user = await newUser();
    const rigs = await fleet(3, user);
    const [first] = rigs;
    if (first === undefined) throw new Error("a fleet has a first");
    await beatAll(rigs);
    const changedAt = DAY + 3 * HOUR;
    await until(rigs, changedAt);
    await call("PUT", "/api/agent/policy", { token: user.token, json: { guard: { max_hold_seconds: 600 } } });
    await until(rigs, changedAt + 29 * MINUTE);
    expect(await guardOf(first)).toMatchObject({ state: "open" });
    expect(orders).toEqual([]);
    await until(rigs, changedAt + 40 * MINUTE);
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
    const [recounted] = await rows<{ awake: number }>(
      fleetOf(env, user.userId),
      "SELECT COUNT(*) AS awake FROM instances WHERE status IN ('running', 'waking', 'hibernating') AND silent_since IS NULL",
    );
    expect((await stateOf(fleetOf(env, user.userId))).awake).toBe(recounted?.awake);
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
    expect((await readService(env)).events[0]).toMatchObject({
      severity: "critical",
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
    await passTotals(usersOf(rest));
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
    await passTotals(usersOf(rigs));
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

  it("is who fell silent within the window to the minute, and nobody beyond it", async () => {
    const orders = watchOrders();
    const within = await fleet(3);
    const beyond = await fleet(3);
    await beatAll([...within.slice(0, 2), ...beyond.slice(0, 2)]);
    await until([...within, ...beyond], DAY + 9 * MINUTE);
    setClock(DAY + 11 * MINUTE - SECOND);
    await beatAll(within.slice(2));
    setClock(DAY + 11 * MINUTE);
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

const STANDARD = compilePolicy(DEFAULT_POLICY).guard;

async function guardEventsOf(userId: string): Promise<string[]> {
  const events = await rows<{ kind: string }>(
    fleetOf(env, userId),
    "SELECT kind FROM events WHERE instance_id = '' ORDER BY number",
  );
  return events.map(({ kind }) => kind);
}

describe("a fleet", () => {
  const silentNow = { silentSince: DAY };

  beforeEach(() => setClock(DAY + 5 * MINUTE));

  it("closes its guard at 55 % silent, not at 54.9 %", async () => {
    await reportMany(fleetOf(env, "below"), { silent: 549, awake: 451, seenAt: DAY });
    await reportMany(fleetOf(env, "at"), { silent: 550, awake: 450, seenAt: DAY });
    expect((await stateOf(fleetOf(env, "below"))).guard.closedAt).toBeNull();
    expect((await stateOf(fleetOf(env, "at"))).guard.closedAt).toBe(DAY + 5 * MINUTE);
  });

  it("is one of 55 % of the users that close the service's guard, not below, and counts only with a live instance", async () => {
    const service = async () => (await readService(env)).guard;
    const silence = async (from: number, to: number) => {
      const users = Array.from({ length: to - from }, (_, index) => `silent-${from + index}`);
      await Promise.all(users.map((userId) => fleetOf(env, userId).report(reportOf("rig", silentNow))));
      await passTotals(users);
    };
    // Asleep, dead long ago, and half dead: only the last has a machine that is heard.
    setClock(DAY - ONE_DAY + HOUR);
    await reportMany(fleetOf(env, "dead"), { silent: 40, awake: 0, seenAt: DAY - ONE_DAY });
    await reportMany(fleetOf(env, "half"), { silent: 3, awake: 1, seenAt: DAY - ONE_DAY });
    await passTotals(["dead", "half"]);
    setClock(DAY + 5 * MINUTE);
    const others = Array.from({ length: 8 }, (_, index) => `awake-${index}`);
    await Promise.all(others.map((userId) => fleetOf(env, userId).report(reportOf("rig"))));
    await fleetOf(env, "asleep").report(reportOf("rig", { status: "hibernated" }));
    await passTotals([...others, "asleep"]);
    await silence(0, 10);
    expect(await service()).toEqual({ closedAt: null, openedAt: null });
    await silence(10, 11);
    const { closedAt } = await service();
    expect(closedAt).toBe(Date.now() - 6 * SECOND);
    // One of eleven comes back: 10 of 20.
    await fleetOf(env, "silent-0").report(reportOf("rig", { revision: 2 }));
    await passTotals(["silent-0"]);
    expect(await service()).toEqual({ closedAt: null, openedAt: Date.now() - 6 * SECOND });
  });

  it("lets an outage that lasted for too long make room for another", async () => {
    const fleet = fleetOf(env, "mixed");
    setClock(DAY - ONE_DAY + 5 * MINUTE);
    await reportMany(fleet, { silent: 5, awake: 4, seenAt: DAY - ONE_DAY });
    setClock(DAY + 5 * MINUTE);
    for (let index = 0; index < 4; index++) {
      await fleet.report(reportOf(`awake-${index}`, { revision: 2, silentSince: DAY }));
    }
    const { guard, vote } = await stateOf(fleet);
    const reopened = {
      closedAt: DAY + 5 * MINUTE,
      openedAt: DAY - ONE_DAY + 5 * MINUTE + STANDARD.maxHoldMs,
    };
    expect(vote).toMatchObject(reopened);
    expect(guard).toMatchObject(reopened);
    expect(await guardEventsOf("mixed")).toEqual(["guard_closed", "guard_opened", "guard_closed"]);
  });

  it("takes its vote back after the longest hold, though no instance reports any more", async () => {
    const fleet = fleetOf(env, "left");
    await reportMany(fleet, { silent: 1, awake: 0, seenAt: DAY });
    expect((await stateOf(fleet)).vote.closedAt).toBe(DAY + 5 * MINUTE);
    const endsAt = DAY + 5 * MINUTE + STANDARD.maxHoldMs;
    await passAlarms(fleet, endsAt - 1);
    expect((await stateOf(fleet)).vote.closedAt).toBe(DAY + 5 * MINUTE);
    await passAlarms(fleet, endsAt + MINUTE);
    expect((await stateOf(fleet)).vote).toMatchObject({ closedAt: null, openedAt: endsAt });
    const reported = await rows<{ json: string }>(
      shardOf(env, "left"),
      "SELECT json FROM fleets WHERE user_id = 'left'",
    );
    expect(reported.map(({ json }) => JSON.parse(json).vote)).toEqual([null]);
  });

  it("opens its guard after the longest hold, though no instance reports any more", async () => {
    const fleet = fleetOf(env, "all-left");
    await reportMany(fleet, { silent: 3, awake: 0, seenAt: DAY });
    await passAlarms(fleet, DAY + 5 * MINUTE + STANDARD.maxHoldMs);
    expect((await stateOf(fleet)).guard).toMatchObject({
      closedAt: null,
      openedAt: DAY + 5 * MINUTE + STANDARD.maxHoldMs,
    });
    expect(await guardEventsOf("all-left")).toEqual(["guard_closed", "guard_opened"]);
  });

  it("makes a change once, and tells of it once, however many report at the same time", async () => {
    const fleet = fleetOf(env, "at-once");
    const ids = ["a", "b", "c"];
    await Promise.all([...ids, ...ids, ...ids].map((id) => fleet.report(reportOf(id, silentNow))));
    expect(await guardEventsOf("at-once")).toEqual(["guard_closed"]);
    setClock(DAY + HOUR);
    await Promise.all([...ids, ...ids].map((id) => fleet.remove(id, 1)));
    expect(await guardEventsOf("at-once")).toEqual(["guard_closed", "guard_opened"]);
  });

  it("that was out of reach holds the first who ask, until all others have had the time to report", async () => {
    const fleet = fleetOf(env, "deaf");
    await reportMany(fleet, { silent: 0, awake: 4, seenAt: DAY });
    setClock(DAY + 31 * MINUTE);
    const ask = async (id: string) =>
      (await fleet.report(reportOf(id, { revision: 2, ...silentNow, questions: ["hibernate"] }))).answers;
    expect(await ask("awake-0")).toEqual([{ step: "hibernate", answer: { held: true } }]);
    await passMinutes(2, ["deaf"]);
    expect(await ask("awake-0")).toEqual([{ step: "hibernate", answer: { held: true } }]);
    await ask("awake-1");
    await ask("awake-2");
    await passMinutes(2, ["deaf"]);
    expect((await stateOf(fleet)).guard.closedAt).not.toBeNull();
    expect(await ask("awake-0")).toEqual([{ step: "hibernate", answer: { held: true } }]);
  });

  it("lets a step go on once nobody else can be silent: the one machine that is", async () => {
    const fleet = fleetOf(env, "alone");
    await reportMany(fleet, { silent: 0, awake: 4, seenAt: DAY });
    setClock(DAY + 31 * MINUTE);
    const ask = (silentSince = DAY) =>
      fleet.report(reportOf("awake-0", { revision: 2, silentSince, questions: ["hibernate"] }));
    await ask();
    await passMinutes(3, ["alone"]);
    expect((await ask()).answers).toEqual([{ step: "hibernate", answer: { held: false, openedAt: null } }]);
    // Another silence is news again, and so is one that the registry does not show.
    expect((await ask(DAY + MINUTE)).answers[0]?.answer).toEqual({ held: true });
  });

  it("that was down holds steps anew, though their silence is known for long", async () => {
    const fleet = fleetOf(env, "down");
    await reportMany(fleet, { silent: 1, awake: 4, seenAt: DAY });
    const ask = async () =>
      (await fleet.report(reportOf("silent-0", { ...silentNow, questions: ["hibernate"] }))).answers[0]
        ?.answer;
    await passMinutes(5, ["down"]);
    expect(await ask()).toEqual({ held: false, openedAt: null });
    setClock(Date.now() + 20 * MINUTE);
    await evictDurableObject(fleet);
    expect(await ask()).toEqual({ held: true });
    await passMinutes(3, ["down"]);
    expect(await ask()).toEqual({ held: false, openedAt: null });
  });

  it("that was out of reach for one instance holds the steps of those who fell silent with it, and no others", async () => {
    const fleet = fleetOf(env, "late");
    await reportMany(fleet, { silent: 2, awake: 6, seenAt: DAY });
    await fleet.report(reportOf("long-silent", { silentSince: DAY - HOUR }));
    const ask = async () =>
      (await fleet.report(reportOf("silent-0", { ...silentNow, questions: ["hibernate"] }))).answers[0]
        ?.answer;
    await passMinutes(5, ["late"]);
    const events = (id: string) => [alertOf(id, { at: Date.now() - MINUTE })];
    // Of a minute ago, and yet it came through at once.
    await fleet.report(reportOf("silent-1", { ...silentNow, events: events("in-time") }));
    expect(await ask()).toEqual({ held: false, openedAt: null });
    const unreachedSince = Date.now() - MINUTE;
    const longAgo = { silentSince: DAY - HOUR, events: events("long-ago"), unreachedSince };
    await fleet.report(reportOf("long-silent", longAgo));
    expect(await ask()).toEqual({ held: false, openedAt: null });
    await fleet.report(reportOf("awake-0", { unreachedSince }));
    expect(await ask()).toEqual({ held: false, openedAt: null });
    await fleet.report(reportOf("silent-1", { silentSince: DAY, unreachedSince }));
    expect(await ask()).toEqual({ held: true });
    await passMinutes(2, ["late"]);
    expect(await ask()).toEqual({ held: true });
    await passMinutes(1, ["late"]);
    expect(await ask()).toEqual({ held: false, openedAt: null });
    expect(await rows(fleet, "SELECT * FROM late_reports")).toHaveLength(2);
    await fleet.report(reportOf("long-silent", longAgo));
    expect(await rows(fleet, "SELECT bucket FROM late_reports")).toEqual([{ bucket: (DAY - HOUR) / MINUTE }]);
  });

  it("holds every step while the service is out of reach, and has its vote counted afterwards", async () => {
    expectLogged(/the service-wide guard is not known: steps wait/);
    const users = Array.from({ length: 5 }, (_, index) => `unheard-${index}`);
    const stub = shardOf(env, "unheard-0");
    const report = await runInDurableObject(stub, (actor) =>
      vi.spyOn(Object.getPrototypeOf(actor), "report").mockRejectedValue(new Error("out of reach")),
    );
    const asking = { ...silentNow, questions: ["hibernate"] as const };
    for (const userId of users) await fleetOf(env, userId).report(reportOf("rig", silentNow));
    await passMinutes(3, users);
    for (const userId of users) {
      expect((await fleetOf(env, userId).report(reportOf("rig", asking))).answers).toEqual([
        { step: "hibernate", answer: { held: true } },
      ]);
    }
    await passTotals(users);
    report.mockRestore();
    setClock(Date.now() + 30 * SECOND);
    await passTotals(users);
    expect((await readService(env)).guard.closedAt).not.toBeNull();
    // From now on the guard itself holds them.
    setClock(Date.now() + 15 * SECOND);
    expect((await fleetOf(env, "unheard-0").report(reportOf("rig", asking))).answers).toEqual([
      { step: "hibernate", answer: { held: true } },
    ]);
  });

  it("without a word of the service lets hibernations go as its guard would, no deletes, and tells it once", async () => {
    mayLog(/the service-wide guard is not known: steps wait/);
    const fleet = fleetOf(env, "unanswered");
    await reportMany(fleet, { silent: 1, awake: 4, seenAt: DAY });
    await passMinutes(4, ["unanswered"]);
    const report = await runInDurableObject(shardOf(env, "unanswered"), (actor) =>
      vi.spyOn(Object.getPrototypeOf(actor), "report").mockRejectedValue(new Error("out of reach")),
    );
    const ask = async () => {
      const asking = { ...silentNow, questions: ["hibernate", "delete"] as const };
      const { answers } = await fleet.report(reportOf("silent-0", asking));
      return answers.map(({ answer }) => answer);
    };
    setClock(Date.now() + MINUTE);
    const since = Date.now();
    const bothHeld = [{ held: true }, { held: true }];
    expect(await ask()).toEqual(bothHeld);
    expect(await guardEventsOf("unanswered")).toEqual([]);
    // It is tried on though no instance asks, so that the service's word is missing for no longer than it is.
    expect(await armedAt(fleet)).toBeLessThanOrEqual(since + 30 * SECOND);
    for (let turn = 1; turn <= 3; turn++) {
      setClock(since + turn * 5 * MINUTE);
      expect(await ask()).toEqual(bothHeld);
    }
    expect(await guardEventsOf("unanswered")).toEqual(["guard_deferred"]);
    setClock(since + STANDARD.maxHoldMs - SECOND);
    expect(await ask()).toEqual(bothHeld);
    const releasedAt = since + STANDARD.maxHoldMs;
    setClock(releasedAt);
    expect(await ask()).toEqual([{ held: false, openedAt: releasedAt }, { held: true }]);

    report.mockRestore();
    setClock(releasedAt + MINUTE);
    const free = { held: false, openedAt: null };
    expect(await ask()).toEqual([free, free]);
    // What was missing before counts no more.
    await runInDurableObject(shardOf(env, "unanswered"), (actor) =>
      vi.spyOn(Object.getPrototypeOf(actor), "report").mockRejectedValue(new Error("out of reach")),
    );
    setClock(releasedAt + HOUR);
    expect(await ask()).toEqual(bothHeld);
    expect(await guardEventsOf("unanswered")).toEqual(["guard_deferred"]);
  });

  it("asks the service again for a vote that was cast while it was being asked", async () => {
    const voters = ["vote-1", "vote-2", "vote-3", "vote-4"];
    await Promise.all(voters.map((userId) => fleetOf(env, userId).report(reportOf("rig", silentNow))));
    await passTotals(voters);
    const fleet = fleetOf(env, "vote-5");
    await reportMany(fleet, { silent: 1, awake: 2, seenAt: DAY });
    await passMinutes(3, ["vote-5"]);
    const asking = { ...silentNow, questions: ["hibernate"] as const };
    const [, , late] = await Promise.all([
      fleet.report(reportOf("silent-0", asking)),
      fleet.report(reportOf("awake-0", { revision: 2, ...silentNow })),
      fleet.report(reportOf("silent-0", asking)),
    ]);
    expect((await stateOf(fleet)).guard.closedAt).toBeNull();
    expect(late.answers).toEqual([{ step: "hibernate", answer: { held: true } }]);
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
