import {
  createScheduledController,
  evictDurableObject,
  introspectWorkflow,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startReconciliation } from "../../src/cleanup/weekly.ts";
import { InstanceActor } from "../../src/instance/actor.ts";
import { fleetOf } from "../../src/platform/address.ts";
import worker from "../../src/worker.ts";
import { reportOf, rows, stateOf } from "../fleet/fleets.ts";
import { mayLog } from "../quiet.ts";
import { setBackTo, snapshotOf } from "../snapshots.ts";
import { ADMIN_TOKEN, call, DAY, eventually, Instance, newUser, setClock } from "../world.ts";

/** Each way in which registry, instances and counts can come apart, made on purpose, found and mended. */

const MINUTE = 60_000;

mayLog(/"message":"Reconciliation: |totalsAt failed|the service-wide guard is not known/);

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** What was mended, by its kind. */
async function reconcile(userId: string): Promise<Record<string, number>> {
  const mended: Record<string, number> = {};
  let query = "";
  for (;;) {
    const path = `/api/admin/users/${userId}/reconcile${query}`;
    const { status, body } = await call("POST", path, { token: ADMIN_TOKEN });
    expect(status).toBe(200);
    expect(body.unknown).toBe(0);
    for (const [difference, times] of Object.entries<number>(body.mended)) {
      if (times > 0) mended[difference] = (mended[difference] ?? 0) + times;
    }
    if (body.next_cursor === null) return mended;
    query = `?cursor=${body.next_cursor}`;
  }
}

async function fleetOfThree(): Promise<{ userId: string; rigs: [Instance, Instance, Instance] }> {
  const user = await newUser();
  const rigs: [Instance, Instance, Instance] = [
    await Instance.register(user, "a"),
    await Instance.register(user, "b"),
    await Instance.register(user, "c"),
  ];
  for (const one of rigs) {
    await one.heartbeat();
    await one.settled();
  }
  return { userId: user.userId, rigs };
}

async function statuses(userId: string): Promise<unknown[]> {
  return rows(fleetOf(env, userId), "SELECT instance_id, status FROM instances ORDER BY instance_id");
}

const ALL_RUN = ["a", "b", "c"].map((instance_id) => ({ instance_id, status: "running" }));

describe("a user of whom nothing is apart", () => {
  it("is left as it is", async () => {
    const { userId, rigs } = await fleetOfThree();
    const kinds = await Promise.all(rigs.map((one) => one.eventKinds()));
    expect(await reconcile(userId)).toEqual({});
    expect(await Promise.all(rigs.map((one) => one.eventKinds()))).toEqual(kinds);
    expect(await statuses(userId)).toEqual(ALL_RUN);
  });

  it("is unknown: 404; and only the operator may ask", async () => {
    const { userId, token } = await newUser();
    expect((await call("POST", "/api/admin/users/u-nobody/reconcile", { token: ADMIN_TOKEN })).status).toBe(
      404,
    );
    expect((await call("POST", `/api/admin/users/${userId}/reconcile`, { token })).status).toBe(403);
    const path = `/api/admin/users/${userId}/reconcile?cursor=eyJ9`;
    expect((await call("POST", path, { token: ADMIN_TOKEN })).status).toBe(400);
  });
});

describe("what is apart is found once and mended:", () => {
  it("a row without an actor", async () => {
    const { userId, rigs } = await fleetOfThree();
    await setBackTo(rigs[1].actor, new Map());
    expect(await reconcile(userId)).toEqual({ row_without_actor: 1 });
    expect(await statuses(userId)).toEqual(ALL_RUN.filter(({ instance_id }) => instance_id !== "b"));
    expect(await stateOf(fleetOf(env, userId))).toMatchObject({
      awake: 2,
      instancesByStatus: { running: 2 },
    });
    expect(await reconcile(userId)).toEqual({});
  });

  it("an actor without a row, found by its history", async () => {
    const { userId, rigs } = await fleetOfThree();
    const fleet = fleetOf(env, userId);
    await fleet.remove("b", await fleet.lastRevision("b"));
    expect(await fleet.instanceIds("", 10)).toEqual(["a", "c"]);
    expect(await reconcile(userId)).toEqual({ actor_without_row: 1 });
    await rigs[1].settled();
    expect(await statuses(userId)).toEqual(ALL_RUN);
    expect(await reconcile(userId)).toEqual({});
  });

  it("an actor without a row, though a removal above its revision is remembered", async () => {
    const { userId, rigs } = await fleetOfThree();
    const fleet = fleetOf(env, userId);
    await fleet.remove("b", (await fleet.lastRevision("b")) + 1000);
    expect(Object.keys(await reconcile(userId))).toEqual(["actor_without_row"]);
    await rigs[1].settled();
    await eventually(async () => expect(await statuses(userId)).toEqual(ALL_RUN));
    expect(await reconcile(userId)).toEqual({});
  });

  it("an actor without a row, found by its machine alone", async () => {
    const user = await newUser();
    const fleet = fleetOf(env, user.userId);
    const one = await Instance.register(user, "rig");
    await one.settled();
    const revision = await fleet.lastRevision("rig");
    await fleet.remove("rig", revision);
    await fleet.claim({ provider: "vast", ref: "1" }, "rig");
    await env.DB.prepare("DELETE FROM events WHERE user_id = ?").bind(user.userId).run();
    expect(await reconcile(user.userId)).toEqual({ actor_without_row: 1 });
    await one.settled();
    expect(await fleet.instanceIds("", 10)).toEqual(["rig"]);
  });

  it("a machine that nobody watches, once the claim is no longer young", async () => {
    const { userId } = await fleetOfThree();
    const fleet = fleetOf(env, userId);
    await fleet.claim({ provider: "vast", ref: "1" }, "nobody");
    expect(await reconcile(userId)).toEqual({});
    setClock(DAY + 2 * MINUTE);
    expect(await reconcile(userId)).toEqual({ claim_without_instance: 1 });
    expect(await fleet.holderOf({ provider: "vast", ref: "1" })).toBeNull();
    expect(await reconcile(userId)).toEqual({});
  });

  it("a row that says something else than its instance", async () => {
    const { userId, rigs } = await fleetOfThree();
    const fleet = fleetOf(env, userId);
    await runInDurableObject(fleet, (_, { storage }) =>
      storage.sql.exec(
        "UPDATE instances SET status = 'orphaned', revision = revision - 1 WHERE instance_id = 'c'",
      ),
    );
    const mended = await reconcile(userId);
    // The counts were right of before.
    expect(mended).toMatchObject({ row_outdated: 1 });
    await rigs[2].settled();
    expect(await statuses(userId)).toEqual(ALL_RUN);
    await reconcile(userId);
    expect(await reconcile(userId)).toEqual({});
    expect(await stateOf(fleet)).toMatchObject({ awake: 3, instancesByStatus: { running: 3 } });
  });

  it("an instance that was set back", async () => {
    const { userId, rigs } = await fleetOfThree();
    const [one] = rigs;
    const then = await snapshotOf(one.actor);
    await one.ask("PATCH", "", { name: "Another" });
    await one.settled();
    await setBackTo(one.actor, then);
    expect(await reconcile(userId)).toEqual({ actor_set_back: 1, alarm_lost: 1 });
    await one.settled();
    expect((await one.eventKinds()).at(-1)).toBe("resumed");
    expect(await reconcile(userId)).toEqual({});
  });

  it("an alarm that was lost, and nothing is done for the silence meanwhile", async () => {
    const { userId, rigs } = await fleetOfThree();
    const [one] = rigs;
    await runInDurableObject(one.actor, (_, { storage }) => storage.deleteAlarm());
    expect(await reconcile(userId)).toEqual({ alarm_lost: 1 });
    expect(await one.armedAt()).not.toBeNull();
    expect(await one.status()).toBe("running");
    expect(await reconcile(userId)).toEqual({});
  });

  it("whether its user is suspended", async () => {
    const { userId } = await fleetOfThree();
    const fleet = fleetOf(env, userId);
    const then = await snapshotOf(fleet);
    const act = (what: string) =>
      call("POST", `/api/admin/users/${userId}/${what}`, { token: ADMIN_TOKEN, json: {} });
    expect((await act("suspend")).status).toBe(200);
    const suspended = await snapshotOf(fleet);
    await setBackTo(fleet, then);
    expect(await reconcile(userId)).toMatchObject({ standing_wrong: 1 });
    expect(await fleet.isSuspended()).toBe(true);
    expect(await reconcile(userId)).not.toHaveProperty("standing_wrong");
    expect((await act("resume")).status).toBe(200);
    await setBackTo(fleet, suspended);
    expect(await reconcile(userId)).toMatchObject({ standing_wrong: 1 });
    expect(await fleet.isSuspended()).toBe(false);
  });

  it("counts by status", async () => {
    const { userId } = await fleetOfThree();
    const fleet = fleetOf(env, userId);
    await spoil(userId, (state) => ({ ...state, awake: 7, instancesByStatus: { running: 5, deleted: 1 } }));
    expect(await reconcile(userId)).toEqual({ counts_wrong: 1 });
    expect(await stateOf(fleet)).toMatchObject({ awake: 3, instancesByStatus: { running: 3 } });
    expect((await stateOf(fleet)).due.totalsAt).not.toBeNull();
    expect(await reconcile(userId)).toEqual({});
  });

  it("the guard's counts by the minute", async () => {
    const { userId } = await newUser();
    const fleet = fleetOf(env, userId);
    for (const id of ["x", "y", "z"]) await fleet.report(reportOf(id, { silentSince: DAY - 10 * MINUTE }));
    const counts = () =>
      rows(fleet, "SELECT counted, bucket, instances FROM silences ORDER BY counted, bucket");
    const right = await counts();
    expect(right).toHaveLength(2);
    await runInDurableObject(fleet, (_, { storage }) => {
      storage.sql.exec("UPDATE silences SET instances = 1 WHERE counted = 'guard'");
      storage.sql.exec("DELETE FROM silences WHERE counted = 'vote'");
    });
    const { silences } = await fleet.recount();
    expect(silences).toBe(true);
    expect(await counts()).toEqual(right);
    expect(await fleet.recount()).toEqual({ counts: false, silences: false });
  });
});

describe("what does not answer", () => {
  it("is left alone, and counted as unknown", async () => {
    const { userId } = await fleetOfThree();
    vi.spyOn(InstanceActor.prototype, "reconcile").mockRejectedValue(new Error("reset"));
    const { body } = await call("POST", `/api/admin/users/${userId}/reconcile`, { token: ADMIN_TOKEN });
    expect(body).toMatchObject({ looked: 3, unknown: 3 });
    expect(Object.values<number>(body.mended).every((times) => times === 0)).toBe(true);
    expect(await statuses(userId)).toEqual(ALL_RUN);
  });
});

describe("the weekly run", () => {
  it("goes through all users, and tells the operator by an event and a metric", async () => {
    const { userId, rigs } = await fleetOfThree();
    await setBackTo(rigs[0].actor, new Map());
    await using introspector = await introspectWorkflow(env.RECONCILIATION);
    await introspector.modifyAll((each) => each.disableRetryDelays());
    await startReconciliation(env, "reconciliation-test", Date.now());
    const [run] = await introspector.get();
    await run?.waitForStatus("complete");
    expect(await statuses(userId)).toEqual(ALL_RUN.slice(1));
    const { body } = await call("GET", "/api/admin/events", { token: ADMIN_TOKEN });
    const told = body.events.find(({ kind }: { kind: string }) => kind === "reconciliation");
    expect(told).toMatchObject({ severity: "warning" });
    expect(told.message).toMatch(/^Reconciliation: \d+ instances of \d+ users looked at .*row without actor/);
    expect(told.detail.row_without_actor).toBeGreaterThanOrEqual(1);
  });

  it("goes through several workflows where one may not make all the calls", async () => {
    const { userId, rigs } = await fleetOfThree();
    await setBackTo(rigs[0].actor, new Map());
    await using introspector = await introspectWorkflow(env.RECONCILIATION);
    await introspector.modifyAll((each) => each.disableRetryDelays());
    await startReconciliation(env, "reconciliation-long", Date.now(), 40);
    await vi.waitFor(async () => expect(await statuses(userId)).toEqual(ALL_RUN.slice(1)), 60_000);
    await vi.waitFor(async () => {
      const { body } = await call("GET", "/api/admin/events", { token: ADMIN_TOKEN });
      const told = body.events.filter(
        ({ detail }: { detail: { run?: string } }) => detail.run === "reconciliation-long",
      );
      expect(told).toHaveLength(1);
    }, 60_000);
    const runs = await introspector.get();
    expect(runs.length).toBeGreaterThan(1);
  });

  it("is begun on Sundays, once", async () => {
    const create = vi.spyOn(env.RECONCILIATION, "create").mockResolvedValue({} as never);
    vi.spyOn(env.DAILY_CLEANUP, "create").mockResolvedValue({} as never);
    for (const day of [6, 7]) {
      const scheduledTime = Date.UTC(2030, 0, day, 3, 17);
      await worker.scheduled(createScheduledController({ scheduledTime: new Date(scheduledTime) }), env);
    }
    expect(create.mock.calls.map(([options]) => options?.id)).toEqual(["reconciliation-2030-01-06"]);
  });
});

async function spoil(
  userId: string,
  change: (state: Awaited<ReturnType<typeof stateOf>>) => unknown,
): Promise<void> {
  const fleet = fleetOf(env, userId);
  const json = JSON.stringify(change(await stateOf(fleet)));
  await runInDurableObject(fleet, (_, { storage }) => storage.sql.exec("UPDATE fleet SET json = ?", json));
  await evictDurableObject(fleet);
}
