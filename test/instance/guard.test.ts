import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

beforeEach(() => setClock(DAY));
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
    json: { url: "https://plane.example/", secret: `whsec_${btoa("0123456789abcdef0123456789abcdef")}` },
  });
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      Instance.register(owner, `rig-${index}`, { provider: "webhook" }),
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
  const user = await newUser();
  const rigs = await fleet(4, user);
  const awake = async () => {
    const counted = await env.DB.prepare("SELECT awake FROM fleets WHERE user_id = ?")
      .bind(user.userId)
      .first<{ awake: number }>();
    const recounted = await env.DB.prepare(
      "SELECT COUNT(*) AS awake FROM instances WHERE user_id = ? AND status IN ('running', 'waking', 'hibernating')",
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
});

it("the whole service has a guard of its own, which holds every user's instance", async () => {
  const orders = watchOrders();
  const before = await env.DB.prepare("SELECT awake FROM fleets WHERE user_id = ''").first<{
    awake: number;
  }>();
  // Users of two instances each, which have no outage of their own.
  const users = await Promise.all(Array.from({ length: 6 + (before?.awake ?? 0) }, () => fleet(2)));
  const all = users.flat();
  await beatAll(all);
  await until(all, DAY + 31 * MINUTE);
  const [one] = all;
  if (one === undefined) throw new Error("there is a first");
  expect(await guardOf(one)).toMatchObject({ state: "open", service_wide: "closed" });
  expect(orders).toEqual([]);
  const { body } = await call("GET", "/api/admin/events", {
    token: "test-admin-token-0123456789abcdef0123456789",
  });
  expect(body.events[0]).toMatchObject({ kind: "guard_closed", severity: "critical", instance_id: null });
}, 300_000);
