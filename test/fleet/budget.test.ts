import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InstanceActor } from "../../src/instance/actor.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { mayLog } from "../quiet.ts";
import { ADMIN_TOKEN, call, Instance, newUser, setClock } from "../world.ts";
import { passAlarms, rows, stateOf } from "./fleets.ts";

/** A budget, as a fleet holds what is spent against it. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BUDGET = "/api/agent/budget";

/** The first of a month, at 00:00 UTC. */
let start = Date.UTC(2030, 1, 1);

mayLog(/totalsAt failed|historyAt failed|costsAt failed/);

beforeEach(() => {
  start = Date.UTC(2030, new Date(start).getUTCMonth() + 1, 1);
  setClock(start);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface Owner {
  readonly userId: string;
  readonly token: string;
}

async function running(owner: Owner, id: string, hourly_cost: number | null = 2): Promise<Instance> {
  const one = await Instance.register(owner, id, {
    provider: "agent",
    hourly_cost,
    hibernated_hourly_cost: 0,
  });
  await one.heartbeat();
  await one.settled();
  return one;
}

const set = (owner: Owner, json: object) => call("PUT", BUDGET, { token: owner.token, json });
const get = async (owner: Owner) => (await call("GET", BUDGET, { token: owner.token })).body;

/** What the owner was told of the budget, oldest first. */
async function told(owner: Owner) {
  const found = await rows<{ severity: string; message: string; detail: string; at: number }>(
    fleetOf(env, owner.userId),
    "SELECT severity, message, detail, at FROM events WHERE kind = 'budget_reached' ORDER BY number",
  );
  return found.map((row) => ({ ...row, detail: JSON.parse(row.detail) }));
}

const percents = async (owner: Owner) =>
  (await told(owner)).map(({ detail, at }) => [detail.period, detail.percent, (at - start) / HOUR]);

/** Lets the fleet's alarm fire whenever it is due, up to this moment. */
async function pass(owner: Owner, moment: number): Promise<void> {
  await passAlarms(fleetOf(env, owner.userId), moment);
  setClock(moment);
}

/** Beats once a minute for so long, with these readings. */
async function beat(minutes: number, ...each: (readonly [Instance, number])[]): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    setClock(Date.now() + MINUTE);
    for (const [one, gpu_utilization] of each) await one.heartbeat({ gpu_utilization });
  }
  for (const [one] of each) await one.settled();
}

describe("a budget", () => {
  it("is none until it is set, and says how it stands", async () => {
    const ada = await newUser();
    await running(ada, "one");
    await running(ada, "unpriced", null);
    expect(await get(ada)).toMatchObject({
      day: null,
      month: null,
      at_limit: "alert",
      rate: 2,
      unknown_rates: 1,
    });
    const reply = await set(ada, { day: 10, month: 100, at_limit: "hibernate_idle" });
    expect(reply).toMatchObject({
      status: 200,
      body: {
        day: 10,
        month: 100,
        at_limit: "hibernate_idle",
        exceeded: [],
        breaks_at: "2030-03-01T05:00:00Z",
        day_breaks_at: "2030-03-01T05:00:00Z",
        month_breaks_at: "2030-03-03T02:00:00Z",
      },
    });
    setClock(start + 6 * HOUR);
    expect(await get(ada)).toMatchObject({
      forecast: { month: "2030-03", cost: expect.any(Number) },
      spent_today: 12,
      spent_this_month: 12,
      exceeded: ["day"],
      breaks_at: "2030-03-03T02:00:00Z",
    });
    expect((await set(ada, {})).body).toMatchObject({
      day: null,
      month: null,
      at_limit: "alert",
      breaks_at: null,
    });
    await pass(ada, start + 7 * HOUR);
    expect(await told(ada)).toEqual([]);
    expect((await stateOf(fleetOf(env, ada.userId))).due.budgetAt).toBeNull();
  });

  it("is told at 50, 80 and 100 %, at its moment, once, and anew the next day; by a fleet that is evicted too", async () => {
    const ada = await newUser();
    await running(ada, "one");
    await set(ada, { day: 10, month: 60 });
    for (let hour = 1; hour <= 31; hour++) {
      await evictDurableObject(fleetOf(env, ada.userId));
      await get(ada);
      await pass(ada, start + hour * HOUR);
    }
    expect(await percents(ada)).toEqual([
      ["day", 50, 2.5],
      ["day", 80, 4],
      ["day", 100, 5],
      ["month", 50, 15],
      ["month", 80, 24],
      ["day", 50, 26.5],
      ["day", 80, 28],
      ["day", 100, 29],
      ["month", 100, 30],
    ]);
    const [first, , used] = await told(ada);
    expect(first).toMatchObject({
      severity: "warning",
      message:
        "The day's budget is used to 50 %: $5.00 of $10.00 since 00:00 UTC, and $2.00 more every hour. At this rate it is used up at 05:00 UTC.",
    });
    expect(used).toMatchObject({ severity: "critical" });
    expect(used?.message).toContain("Nothing is stopped for it.");
  });

  it("hears of a rate that rises, within a minute", async () => {
    const ada = await newUser();
    await running(ada, "one");
    await set(ada, { day: 10 });
    await pass(ada, start + HOUR);
    await running(ada, "dear", 600);
    await pass(ada, start + HOUR + 3 * MINUTE);
    const seen = await told(ada);
    expect(seen.map(({ detail }) => detail.percent)).toEqual([80, 100].slice(2 - seen.length));
    expect(seen.at(-1)?.at).toBeLessThanOrEqual(start + HOUR + 2 * MINUTE);
  });

  it("of one user is nobody else's", async () => {
    const [ada, bob] = [await newUser(), await newUser("Bob")];
    await running(ada, "one");
    const his = await running(bob, "one", 1000);
    await set(ada, { day: 10, at_limit: "hibernate_all" });
    await pass(ada, start + 4 * HOUR);
    await pass(bob, start + 4 * HOUR);
    expect(await told(bob)).toEqual([]);
    expect(await get(bob)).toMatchObject({ day: null });
    expect(await his.status()).not.toBe("hibernating");
  });
});

describe("a budget that is used up", () => {
  it("tells of those whose policy only observes, stops none of them, and does not tell so at each look", async () => {
    const ada = await newUser();
    const one = await running(ada, "one");
    await call("PUT", "/api/agent/policy", { token: ada.token, json: { mode: "observe" } });
    await set(ada, { day: 8, at_limit: "hibernate_all" });
    await pass(ada, start + 4 * HOUR - 10 * MINUTE);
    await beat(60, [one, 90]);
    await pass(ada, Date.now() + MINUTE);
    expect((await told(ada)).at(-1)?.message).toContain(
      "Hibernating 0 instances. 1 instance goes on: one (only observed, $2.00 an hour).",
    );
    expect(await one.status()).toBe("running");
    const { events } = (await one.ask("GET", "/events")).body;
    const would = events.filter(({ kind }: { kind: string }) => kind === "would_hibernate");
    expect(would).toHaveLength(1);
    expect(would[0]).toMatchObject({ detail: { rule: "budget", mode: "observe" } });
    const { body } = await call("GET", "/api/agent/hibernate-all", { token: ada.token });
    expect(body.last_by_budget).toMatchObject({ ended: { observe: 1 } });
    const kinds = await rows(
      fleetOf(env, ada.userId),
      "SELECT kind FROM events WHERE kind IN ('hibernate_all', 'not_all_hibernated')",
    );
    expect(kinds).toEqual([]);
  });

  it("hibernates the idle ones, as the kill switch's dry run says, and names those that work on", async () => {
    const ada = await newUser();
    const [idle, busy] = [await running(ada, "idle"), await running(ada, "busy")];
    await set(ada, { day: 8, at_limit: "hibernate_idle" });
    await pass(ada, start + 2 * HOUR - 4 * MINUTE);
    const policy = { idle: { hibernate_after_seconds: 3600 } };
    await call("PUT", "/api/agent/policy", { token: ada.token, json: policy });
    await beat(4, [idle, 1], [busy, 90]);
    const dry = await call("POST", "/api/agent/hibernate-all", {
      token: ada.token,
      json: { filter: { only_idle: true }, dry_run: true },
    });
    expect(dry.body.instances.map(({ instance_id }: { instance_id: string }) => instance_id)).toEqual([
      "idle",
    ]);
    await pass(ada, Date.now() + 2 * MINUTE);
    expect(await idle.status()).toBe("hibernating");
    expect(await busy.status()).toBe("running");
    expect((await told(ada)).at(-1)?.message).toContain(
      "Hibernating 1 idle instance. 1 instance goes on: busy (working, $2.00 an hour).",
    );
    const { body } = await call("GET", "/api/agent/hibernate-all", { token: ada.token });
    expect(body).toMatchObject({ last: null, last_by_budget: { by: "budget", ended: { ordered: 1 } } });
    const events = await idle.ask("GET", "/events");
    expect(events.body.events[0]).toMatchObject({
      kind: "hibernating",
      message: "Hibernating: the budget is used up",
      detail: { rule: "budget" },
    });
  });

  it("hibernates all once, but for keep-alives, and does not fight whom somebody starts again", async () => {
    const ada = await newUser();
    const [one, kept] = [await running(ada, "one"), await running(ada, "kept")];
    await kept.ask("POST", "/keep-alive", { minutes: 600 });
    await kept.settled();
    await set(ada, { day: 8, at_limit: "hibernate_all" });
    await pass(ada, start + 2 * HOUR - 2 * MINUTE);
    await beat(2, [one, 90]);
    await pass(ada, start + 2 * HOUR + MINUTE);
    expect(await one.status()).toBe("hibernating");
    expect(await kept.status()).toBe("running");
    expect((await told(ada)).at(-1)?.message).toContain("kept (kept alive, $2.00 an hour)");
    await one.heartbeat();
    await one.until(Date.now() + 5 * MINUTE);
    expect(await one.status()).toBe("hibernated");
    await beat(10, [one, 90]);
    expect(await one.status()).toBe("running");
    await pass(ada, Date.now() + HOUR);
    expect(await one.status()).toBe("running");
    expect((await one.eventKinds()).filter((kind) => kind === "hibernating")).toHaveLength(1);
  });

  it("stops nobody any more once its owner has raised it, or the day is over", async () => {
    const out = vi.spyOn(InstanceActor.prototype, "hibernateInRound").mockRejectedValue(new Error("away"));
    const ada = await newUser();
    const one = await running(ada, "one");
    await set(ada, { day: 1, at_limit: "hibernate_all" });
    await pass(ada, start + 31 * MINUTE);
    expect(out).toHaveBeenCalled();
    await set(ada, { day: 100, at_limit: "hibernate_all" });
    out.mockRestore();
    await beat(1, [one, 90]);
    await pass(ada, start + 55 * MINUTE);
    expect(await one.status()).toBe("running");
    const { body } = await call("GET", "/api/agent/hibernate-all", { token: ada.token });
    expect(body.last_by_budget).toMatchObject({ is_over: true, ended: { within_budget: 1 } });

    const bob = await newUser("Bob");
    const his = await running(bob, "one");
    const again = vi.spyOn(InstanceActor.prototype, "hibernateInRound").mockRejectedValue(new Error("away"));
    setClock(start + 23.9 * HOUR);
    await his.heartbeat();
    await his.settled();
    await set(bob, { day: 1, at_limit: "hibernate_all" });
    await pass(bob, start + 24 * HOUR - 1);
    expect(again).toHaveBeenCalled();
    again.mockRestore();
    await beat(4, [his, 90]);
    await pass(bob, start + 24 * HOUR + 20 * MINUTE);
    expect((await his.eventKinds()).filter((kind) => kind === "hibernating")).toEqual([]);
    expect(
      await rows(fleetOf(env, bob.userId), "SELECT 1 FROM events WHERE kind = 'not_all_hibernated'"),
    ).toEqual([]);
  });

  it("says nothing and does nothing while the user is suspended", async () => {
    const ada = await newUser();
    const one = await running(ada, "one");
    await set(ada, { day: 1, at_limit: "hibernate_all" });
    await call("POST", `/api/admin/users/${ada.userId}/suspend`, { token: ADMIN_TOKEN });
    await pass(ada, start + 3 * HOUR);
    expect(await told(ada)).toEqual([]);
    await call("POST", `/api/admin/users/${ada.userId}/resume`, { token: ADMIN_TOKEN });
    await one.settled();
    await pass(ada, start + 4 * HOUR);
    expect((await percents(ada)).map(([, percent]) => percent)).toEqual([100]);
  });

  it("waits with both for an hour after the fleet was set back, and hibernates no more than the idle ones then", async () => {
    const ada = await newUser();
    const one = await running(ada, "one");
    await set(ada, { day: 1, at_limit: "hibernate_all" });
    const fleet = fleetOf(env, ada.userId);
    await runInDurableObject(fleet, (actor) => actor.goOnFromFormer());
    await runInDurableObject(fleet, (actor) => actor.takeStanding());
    setClock(start + 50 * MINUTE);
    await pass(ada, start + 59 * MINUTE);
    expect(await told(ada)).toEqual([]);
    await pass(ada, start + 70 * MINUTE);
    expect((await percents(ada)).map(([, percent]) => percent)).toEqual([100]);
    expect(await one.status()).not.toBe("hibernating");
  });
});

it("refuses what can be no budget", async () => {
  const ada = await newUser();
  for (const json of [
    { day: 0 },
    { day: 1e-12 },
    { month: -1 },
    { day: "5" },
    { at_limit: "delete" },
    { week: 7 },
    [],
  ]) {
    expect((await set(ada, json)).status).toBe(400);
  }
});
