import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InstanceActor } from "../../src/instance/actor.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { mayLog } from "../quiet.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../world.ts";
import { type FleetStub, passAlarms, rows, stateOf } from "./fleets.ts";

/** The kill switch, as a fleet carries it out. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const ALL = "/api/agent/hibernate-all";

let now = DAY;

mayLog(/totalsAt failed|historyAt failed/);

beforeEach(() => {
  now += 24 * HOUR;
  setClock(now);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface Owner {
  readonly userId: string;
  readonly token: string;
}

async function running(owner: Owner, id: string, report = { gpu_utilization: 87 }): Promise<Instance> {
  const one = await Instance.register(owner, id, {
    provider: "agent",
    hourly_cost: 2,
    hibernated_hourly_cost: 0.5,
  });
  await one.heartbeat(report);
  await one.settled();
  return one;
}

const ask = (owner: Owner, json: object = {}) => call("POST", ALL, { token: owner.token, json });
const progress = async (owner: Owner) => (await call("GET", ALL, { token: owner.token })).body.last;
const idsThat = (body: { instances: { instance_id: string; does: string }[] }, does: string) =>
  body.instances.filter((each) => each.does === does).map(({ instance_id }) => instance_id);
const orders = async (one: Instance) =>
  (await one.eventKinds()).filter((kind) => kind === "hibernating").length;
const kindsOf = async (fleet: FleetStub) =>
  (await rows<{ kind: string }>(fleet, "SELECT kind FROM events WHERE instance_id = '' ORDER BY number")).map(
    ({ kind }) => kind,
  );

/** Fires the fleet's alarm until the round is over or rests, without moving the clock by more than a second. */
async function carryOut(owner: Owner): Promise<FleetStub> {
  const fleet = fleetOf(env, owner.userId);
  await passAlarms(fleet, Date.now() + SECOND);
  return fleet;
}

describe("the kill switch", () => {
  it("does what its dry run said, and the dry run does nothing", async () => {
    const ada = await newUser();
    const busy = await running(ada, "busy");
    const kept = await running(ada, "kept");
    await kept.ask("POST", "/keep-alive", { minutes: 60 });
    await kept.settled();
    await Instance.register(ada, "unheard", { provider: "agent" });
    await running(ada, "unpriced");
    await call("PATCH", "/api/agent/instances/unpriced", { token: ada.token, json: { hourly_cost: null } });
    const alone = await Instance.register(ada, "alone", { provider: "none", hourly_cost: 1 });
    await alone.heartbeat();
    await alone.settled();
    const dry = await ask(ada, { dry_run: true });
    expect(dry).toMatchObject({
      status: 200,
      body: {
        dry_run: true,
        would_save_hourly: 1.5,
        hibernate: 2,
        skip: 3,
        skipped: { kept_alive: 1, pending: 1, no_provider: 1 },
        unknown_rates: 1,
        is_more: false,
      },
    });
    expect(idsThat(dry.body, "hibernate")).toEqual(["busy", "unpriced"]);
    await carryOut(ada);
    expect(await busy.status()).toBe("running");
    expect(await progress(ada)).toBeNull();

    const deed = await ask(ada);
    expect(deed).toMatchObject({ status: 202, body: { dry_run: false, saves_hourly: 1.5, hibernate: 2 } });
    expect(deed.body.instances).toEqual(dry.body.instances);
    const fleet = await carryOut(ada);
    const { body } = await call("GET", "/api/agent/instances", { token: ada.token });
    expect(
      body.instances
        .filter(({ status }: { status: string }) => status === "hibernating")
        .map(({ instance_id }: { instance_id: string }) => instance_id),
    ).toEqual(idsThat(dry.body, "hibernate"));
    expect(await progress(ada)).toMatchObject({
      hibernate: 2,
      skip: 3,
      is_over: true,
      waiting: 0,
      ended: { ordered: 2 },
      not_ordered: [],
    });
    expect(await kindsOf(fleet)).toEqual(["hibernate_all"]);
    const events = await call("GET", "/api/agent/events", { token: ada.token });
    expect(events.body.events.find(({ kind }: { kind: string }) => kind === "hibernate_all")).toMatchObject({
      message:
        "You asked for it: hibernating all instances: 2 instances, saving $1.50 an hour, without 1 of unknown price",
      detail: { by: "kill_switch", instances: 2, skipped: 3, saves_hourly: 1.5, respect_keep_alive: true },
    });
  });

  it("orders nothing twice, however often it is asked, and its alarm fires", async () => {
    const ada = await newUser();
    const one = await running(ada, "one");
    await ask(ada);
    await ask(ada);
    const fleet = await carryOut(ada);
    await runDurableObjectAlarm(fleet);
    await ask(ada);
    await carryOut(ada);
    expect(await orders(one)).toBe(1);
  });

  it("hibernates those that are kept alive only if asked so, and no keep-alive that came since", async () => {
    const ada = await newUser();
    const kept = await running(ada, "kept");
    const later = await running(ada, "later");
    await kept.ask("POST", "/keep-alive", { minutes: 60 });
    await kept.settled();
    expect((await ask(ada, { respect_keep_alive: false })).body.hibernate).toBe(2);
    await later.ask("POST", "/keep-alive", { minutes: 60 });
    await later.settled();
    await carryOut(ada);
    expect(await kept.status()).toBe("hibernating");
    expect(await later.status()).toBe("running");
    expect(await progress(ada)).toMatchObject({
      ended: { ordered: 1, kept_alive: 1 },
      not_ordered: [{ instance_id: "later", because: "kept_alive" }],
    });
  });

  it("is of those alone that its filter names, when it is asked and when it is done", async () => {
    const ada = await newUser();
    const busy = await running(ada, "busy");
    const idle = await running(ada, "idle");
    for (let minute = 0; minute < 4; minute++) {
      setClock(Date.now() + MINUTE);
      await busy.heartbeat();
      await idle.heartbeat({ gpu_utilization: 1 });
    }
    await idle.settled();
    expect((await ask(ada, { filter: { provider: "vast" } })).body).toMatchObject({ hibernate: 0, skip: 0 });
    await busy.ask("PATCH", "", { tags: { team: "ml" } });
    await busy.settled();
    const tagged = await ask(ada, { filter: { tag: "team:ml" }, dry_run: true });
    expect(idsThat(tagged.body, "hibernate")).toEqual(["busy"]);
    const onlyIdle = { filter: { only_idle: true, status: "running" } };
    expect(idsThat((await ask(ada, { ...onlyIdle, dry_run: true })).body, "hibernate")).toEqual(["idle"]);
    await ask(ada, onlyIdle);
    // It works again before it is asked.
    await idle.heartbeat();
    await idle.settled();
    await carryOut(ada);
    expect(await idle.status()).toBe("running");
    expect((await progress(ada)).not_ordered).toEqual([{ instance_id: "idle", because: "not_idle" }]);
    expect(await kindsOf(fleetOf(env, ada.userId))).not.toContain("not_all_hibernated");
  });

  it("goes on after an eviction, and after an answer that was lost", async () => {
    const ada = await newUser();
    const all = await Promise.all(["a", "b", "c"].map((id) => running(ada, id)));
    const fleet = fleetOf(env, ada.userId);
    const { hibernateInRound } = InstanceActor.prototype;
    let calls = 0;
    vi.spyOn(InstanceActor.prototype, "hibernateInRound").mockImplementation(async function (
      this: InstanceActor,
      ...asked
    ) {
      const end = await hibernateInRound.apply(this, asked);
      calls++;
      if (calls <= 2) throw new Error("the answer is lost");
      return end;
    });
    await ask(ada);
    await evictDurableObject(fleet);
    await carryOut(ada);
    expect(await progress(ada)).toMatchObject({ is_over: false, waiting: 2 });
    await evictDurableObject(fleet);
    await passAlarms(fleet, Date.now() + MINUTE);
    expect(await progress(ada)).toMatchObject({ is_over: true, ended: { ordered: 1, hibernating: 2 } });
    for (const one of all) expect(await orders(one)).toBe(1);
  });

  it("leaves one alone that its owner started again before it was asked", async () => {
    const ada = await newUser();
    const one = await running(ada, "one");
    const { hibernateInRound } = InstanceActor.prototype;
    let calls = 0;
    vi.spyOn(InstanceActor.prototype, "hibernateInRound").mockImplementation(async function (
      this: InstanceActor,
      ...asked
    ) {
      const end = await hibernateInRound.apply(this, asked);
      calls++;
      if (calls === 1 || end === "hibernated") throw new Error("the answer is lost");
      return end;
    });
    await ask(ada);
    const fleet = await carryOut(ada);
    const start = Date.now();
    await one.heartbeat();
    await one.until(start + 5 * MINUTE);
    expect(await one.status()).toBe("hibernated");
    setClock(start + 9 * MINUTE);
    await one.heartbeat();
    expect(await one.status()).toBe("running");
    await passAlarms(fleet, Date.now() + 10 * MINUTE);
    expect(await progress(ada)).toMatchObject({ ended: { changed: 1 } });
    expect(await orders(one)).toBe(1);
  });

  it("spares one that is kept alive after it was asked for, though that ends no later than was known", async () => {
    const ada = await newUser();
    const one = await running(ada, "one");
    await one.ask("POST", "/keep-alive", { minutes: 600 });
    await one.settled();
    expect((await ask(ada, { respect_keep_alive: false })).body.hibernate).toBe(1);
    setClock(Date.now() + 1);
    await one.ask("POST", "/keep-alive", { minutes: 60 });
    await carryOut(ada);
    expect(await one.status()).toBe("running");
    expect(await progress(ada)).toMatchObject({ ended: { kept_alive: 1 } });
  });

  it("stops no other machine than the one that it was asked of", async () => {
    const ada = await newUser();
    const one = await running(ada, "one");
    await ask(ada);
    setClock(Date.now() + 1);
    await one.ask("PATCH", "", { provider_ref: "another" });
    await one.heartbeat();
    await carryOut(ada);
    expect(await one.status()).toBe("running");
    expect(await progress(ada)).toMatchObject({ ended: { changed: 1 } });
  });

  it("spares one that its filter does not name any more", async () => {
    const ada = await newUser();
    const tagged = await running(ada, "tagged");
    await tagged.ask("PATCH", "", { tags: { stage: "dev" } });
    await tagged.settled();
    const asked = await ask(ada, { filter: { tag: "stage:dev", provider: "agent" } });
    expect(asked.body.hibernate).toBe(1);
    await tagged.ask("PATCH", "", { tags: { stage: "production" } });
    await carryOut(ada);
    expect(await tagged.status()).toBe("running");
    expect(await progress(ada)).toMatchObject({ ended: { changed: 1 } });
  });

  it("gives up whoever is out of reach for an hour, and tells the owner", async () => {
    const ada = await newUser();
    const one = await running(ada, "one");
    const asked: number[] = [];
    vi.spyOn(InstanceActor.prototype, "hibernateInRound").mockImplementation(async () => {
      asked.push(Date.now());
      throw new Error("out of reach");
    });
    await ask(ada);
    const askedAt = Date.now();
    const fleet = fleetOf(env, ada.userId);
    await passAlarms(fleet, askedAt + 2 * HOUR);
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.length).toBeLessThan(15);
    expect(Math.max(...asked)).toBeLessThanOrEqual(askedAt + HOUR);
    expect(await progress(ada)).toMatchObject({ is_over: true, ended: { out_of_reach: 1 } });
    expect(await kindsOf(fleet)).toEqual(["hibernate_all", "not_all_hibernated"]);
    const [left] = await rows<{ detail: string }>(
      fleet,
      "SELECT detail FROM events WHERE kind = 'not_all_hibernated'",
    );
    expect(JSON.parse(left?.detail ?? "")).toMatchObject({ instances: 1, rate: 2, unknown_rates: 0 });
    expect(await one.status()).not.toBe("hibernating");
  });

  it("asks nobody by a word that is older than an hour, however long the fleet was away", async () => {
    const ada = await newUser();
    await running(ada, "one");
    await ask(ada);
    const calls = vi.spyOn(InstanceActor.prototype, "hibernateInRound");
    setClock(Date.now() + HOUR + MINUTE);
    await carryOut(ada);
    expect(calls).not.toHaveBeenCalled();
    expect(await progress(ada)).toMatchObject({ ended: { out_of_reach: 1 } });
  });

  it("asks nobody once the fleet was set back, or the user suspended", async () => {
    const calls = vi.spyOn(InstanceActor.prototype, "hibernateInRound");
    const ada = await newUser();
    await running(ada, "one");
    await ask(ada);
    const fleet = fleetOf(env, ada.userId);
    await runInDurableObject(fleet, (actor) => actor.goOnFromFormer());
    await passAlarms(fleet, Date.now() + MINUTE);
    expect(await progress(ada)).toMatchObject({ ended: { dropped: 1 } });

    const bob = await newUser("Bob");
    await running(bob, "one");
    await ask(bob);
    await call("POST", `/api/admin/users/${bob.userId}/suspend`, { token: ADMIN_TOKEN });
    expect((await ask(bob)).status).toBe(403);
    await passAlarms(fleetOf(env, bob.userId), Date.now() + MINUTE);
    expect(calls).not.toHaveBeenCalled();
    expect((await stateOf(fleetOf(env, bob.userId))).due.hibernationsAt).toBeNull();
  });

  it("is of one user alone", async () => {
    const [ada, bob] = [await newUser(), await newUser("Bob")];
    const his = await running(bob, "one");
    await running(ada, "one");
    await ask(ada);
    await carryOut(ada);
    await carryOut(bob);
    expect(await his.status()).toBe("running");
    expect(await progress(bob)).toBeNull();
  });
});
