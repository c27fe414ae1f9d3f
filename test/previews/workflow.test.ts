import { evictDurableObject, introspectWorkflow, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InstanceActor } from "../../src/instance/actor.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { replayPage } from "../../src/previews/page.ts";
import { startWorkflow } from "../../src/previews/workflow.ts";
import { expectLogged, mayLog } from "../quiet.ts";
import { setBackTo, snapshotOf } from "../snapshots.ts";
import { ADMIN_TOKEN, call, DAY, eventually, Instance, newUser, setClock } from "../world.ts";
import { ask, PATH, type User } from "./past.ts";

/** A preview of more instances than a request replays. */

const MINUTE = 60_000;
const PACE = { instances: 5, budgetMs: 60_000, skipsUnreachable: false };

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function fleetOfMany(count: number): Promise<User> {
  const user = await newUser();
  for (let number = 0; number < count; number++) await Instance.register(user, idOf(number));
  return user;
}

function idOf(number: number): string {
  return `i${String(number).padStart(3, "0")}`;
}

async function previewOf(user: User, id: string) {
  return (await call("GET", `${PATH}/${id}`, { token: user.token })).body;
}

/** A preview that nobody goes on with, after its first ten instances. */
async function halfDone(user: User): Promise<string> {
  vi.spyOn(env.POLICY_PREVIEW, "create").mockResolvedValueOnce(await anyWorkflow());
  const { status, body } = await ask(user, { policy: {}, days: 1 });
  expect(status).toBe(202);
  expect(body).toMatchObject({ state: "running", instances: { done: 10, skipped: 0 } });
  return body.id;
}

async function anyWorkflow(): Promise<WorkflowInstance> {
  // Nobody looks at it.
  return Object.create(null);
}

describe("a preview of a larger fleet", () => {
  it("is answered as far as it has come, and its workflow goes on until all are through", async () => {
    const user = await fleetOfMany(27);
    await using introspector = await introspectWorkflow(env.POLICY_PREVIEW);
    const { status, body } = await ask(user, { policy: {}, days: 1 });
    expect(status).toBe(202);
    expect(body).toMatchObject({ state: "running", instances: { total: 27, done: 10, skipped: 0 } });
    const [run] = await introspector.get();
    await run?.waitForStatus("complete");
    const done = await previewOf(user, body.id);
    expect(done).toMatchObject({ state: "done", instances: { total: 27, done: 27, skipped: 0 } });
    expect(done.by_instance).toHaveLength(20);
  });

  it("goes on in another workflow once one has made as many calls as it may", async () => {
    const user = await fleetOfMany(40);
    const id = await halfDone(user);
    await using introspector = await introspectWorkflow(env.POLICY_PREVIEW);
    await startWorkflow(env, user.userId, id, 100);
    await vi.waitFor(async () => expect((await previewOf(user, id)).state).toBe("done"), {
      timeout: 60_000,
      interval: 50,
    });
    expect((await previewOf(user, id)).instances).toEqual({ total: 40, done: 40, skipped: 0 });
    expect((await introspector.get()).length).toBeGreaterThan(1);
  });

  it("counts a page that comes twice once, and goes on after its fleet has lost its memory", async () => {
    const user = await fleetOfMany(16);
    const id = await halfDone(user);
    const fleet = fleetOf(env, user.userId);
    const task = await fleet.nextOfPreview(id, 3);
    expect(task?.instanceIds).toEqual([idOf(10), idOf(11), idOf(12)]);
    const lost = vi.spyOn(env.FLEETS, "getByName").mockReturnValueOnce(withoutAnswer(fleet));
    await expect(replayPage(env, user.userId, id, PACE)).rejects.toThrow("the answer is lost");
    lost.mockRestore();
    expect((await previewOf(user, id)).instances.done).toBe(15);
    const before = await previewOf(user, id);
    // What it has taken, again.
    const lines = await fleet.preview(id, 0, 0);
    expect(lines?.preview.after).toBe(idOf(14));
    await fleet.takeOfPreview(
      id,
      { lines: [], skips: [{ instanceId: idOf(14), because: "failed" }], after: idOf(14) },
      false,
    );
    expect(await previewOf(user, id)).toEqual(before);
    await evictDurableObject(fleet);
    expect(await replayPage(env, user.userId, id, PACE)).toEqual({ isOver: true, instances: 1 });
    expect(await previewOf(user, id)).toMatchObject({ state: "done", instances: { total: 16, done: 16 } });
    expect(await replayPage(env, user.userId, id, PACE)).toEqual({ isOver: true, instances: 0 });
  });

  it("takes no account of who was registered after it began, nor of who was removed before its turn", async () => {
    const user = await fleetOfMany(14);
    const id = await halfDone(user);
    setClock(DAY + MINUTE);
    await Instance.register(user, "z");
    await call("DELETE", `/api/agent/instances/${idOf(12)}`, { token: user.token });
    await eventually(async () => {
      const { body } = await call("GET", "/api/agent/instances", { token: user.token });
      expect(body.instances.map(({ instance_id }: { instance_id: string }) => instance_id)).not.toContain(
        idOf(12),
      );
    });
    expect(await replayPage(env, user.userId, id, PACE)).toEqual({ isOver: true, instances: 3 });
    expect(await previewOf(user, id)).toMatchObject({
      state: "done",
      instances: { total: 13, done: 13, skipped: 0 },
    });
  });

  it("stops when it is deleted", async () => {
    const user = await fleetOfMany(12);
    const id = await halfDone(user);
    const fleet = fleetOf(env, user.userId);
    await call("DELETE", `${PATH}/${id}`, { token: user.token });
    await fleet.takeOfPreview(id, { lines: [], skips: [], after: "z" }, true);
    expect(await replayPage(env, user.userId, id, PACE)).toEqual({ isOver: true, instances: 0 });
    expect((await call("GET", `${PATH}/${id}`, { token: user.token })).status).toBe(404);
    expect(await tablesOf(user)).toEqual([0, 0, 0]);
  });

  it("stops when its user is suspended, and says so", async () => {
    const user = await fleetOfMany(12);
    const id = await halfDone(user);
    await call("POST", `/api/admin/users/${user.userId}/suspend`, { token: ADMIN_TOKEN });
    expect(await replayPage(env, user.userId, id, PACE)).toEqual({ isOver: true, instances: 0 });
    await call("POST", `/api/admin/users/${user.userId}/resume`, { token: ADMIN_TOKEN });
    expect(await previewOf(user, id)).toMatchObject({ state: "failed", failed_because: "suspended" });
  });

  it("goes with its user", async () => {
    const user = await fleetOfMany(12);
    const id = await halfDone(user);
    const fleet = fleetOf(env, user.userId);
    await fleet.account({ type: "leave" });
    expect(await fleet.nextOfPreview(id, 5)).toBeNull();
    await fleet.account({ type: "erase_instances", limit: 100 });
    await fleet.account({ type: "erase" });
    await env.DB.prepare("INSERT INTO user_deletions (user_id, requested_at, progress) VALUES (?, 1, '{}')")
      .bind(user.userId)
      .run();
    expect(await replayPage(env, user.userId, id, PACE)).toEqual({ isOver: true, instances: 0 });
    await fleet.takeOfPreview(id, { lines: [], skips: [], after: "z" }, true);
  });

  it("goes on by another workflow once somebody looks at one that has not come on for a minute", async () => {
    const user = await fleetOfMany(14);
    const id = await halfDone(user);
    await using introspector = await introspectWorkflow(env.POLICY_PREVIEW);
    setClock(DAY + 30_000);
    await previewOf(user, id);
    expect(await introspector.get()).toEqual([]);
    setClock(DAY + 2 * MINUTE);
    await previewOf(user, id);
    await vi.waitFor(async () => expect((await previewOf(user, id)).state).toBe("done"), {
      timeout: 60_000,
      interval: 50,
    });
    expect(await introspector.get()).toHaveLength(1);
    expect((await previewOf(user, id)).instances).toEqual({ total: 14, done: 14, skipped: 0 });
  });

  it("has failed where it does not come on for half an hour, and runs again if it does", async () => {
    const user = await fleetOfMany(12);
    const id = await halfDone(user);
    setClock(DAY + 31 * MINUTE);
    expect(await previewOf(user, id)).toMatchObject({ state: "failed", failed_because: "stalled" });
    expect(await replayPage(env, user.userId, id, PACE)).toEqual({ isOver: true, instances: 2 });
    expect(await previewOf(user, id)).toMatchObject({ state: "done", failed_because: null });
  });

  it("goes on where its fleet is set back to", async () => {
    const user = await fleetOfMany(18);
    const id = await halfDone(user);
    const fleet = fleetOf(env, user.userId);
    const then = await snapshotOf(fleet);
    await replayPage(env, user.userId, id, PACE);
    await setBackTo(fleet, then);
    expect((await previewOf(user, id)).instances.done).toBe(10);
    await replayPage(env, user.userId, id, PACE);
    expect(await replayPage(env, user.userId, id, PACE)).toEqual({ isOver: true, instances: 3 });
    expect((await previewOf(user, id)).instances).toEqual({ total: 18, done: 18, skipped: 0 });
  });
});

describe("at most two run at once", () => {
  it("and a third is asked to wait", async () => {
    const user = await fleetOfMany(11);
    const first = await halfDone(user);
    await halfDone(user);
    const third = await ask(user, { policy: {}, days: 1 });
    expect(third.status).toBe(429);
    expect(third.headers.get("Retry-After")).toBe("60");
    await call("DELETE", `${PATH}/${first}`, { token: user.token });
    await halfDone(user);
  });

  it("and one that nobody would go on with is gone", async () => {
    const user = await fleetOfMany(11);
    vi.spyOn(env.POLICY_PREVIEW, "create").mockRejectedValueOnce(new Error("no workflows today"));
    expectLogged(/request failed/);
    expect((await ask(user, { policy: {}, days: 1 })).status).toBe(503);
    expect((await call("GET", PATH, { token: user.token })).body.previews).toEqual([]);
  });
});

describe("an instance that can't be replayed", () => {
  mayLog(/a preview leaves an instance out|the first page of a preview failed|a replay failed/);

  it("is tried again, and left out by name if it stays out of reach", async () => {
    const user = await fleetOfMany(13);
    const id = await halfDone(user);
    vi.spyOn(InstanceActor.prototype, "storyBasis").mockImplementation(async function (this: InstanceActor) {
      throw new Error("away");
    });
    await expect(replayPage(env, user.userId, id, PACE)).rejects.toThrow("away");
    expect((await previewOf(user, id)).instances).toEqual({ total: 13, done: 10, skipped: 0 });
    await replayPage(env, user.userId, id, { ...PACE, skipsUnreachable: true });
    const done = await previewOf(user, id);
    expect(done).toMatchObject({ state: "done", instances: { total: 13, done: 10, skipped: 3 } });
    expect(done.skipped).toEqual(
      [10, 11, 12].map((number) => ({ instance_id: idOf(number), because: "out_of_reach" })),
    );
  });

  it("says so where its database is out of reach", async () => {
    const user = await fleetOfMany(11);
    const id = await halfDone(user);
    vi.spyOn(env.DB, "prepare").mockImplementation(() => {
      throw new Error("D1 is away");
    });
    await expect(replayPage(env, user.userId, id, PACE)).rejects.toThrow("its history is out of reach");
    await replayPage(env, user.userId, id, { ...PACE, skipsUnreachable: true });
    vi.restoreAllMocks();
    expect((await previewOf(user, id)).skipped).toEqual([
      { instance_id: idOf(10), because: "history_out_of_reach" },
    ]);
  });

  it("is left out where it is unknown or unreadable", async () => {
    const user = await fleetOfMany(12);
    const id = await halfDone(user);
    await runInDurableObject(env.INSTANCES.getByName(`${user.userId}/${idOf(10)}`), (_, { storage }) =>
      storage.deleteAll(),
    );
    await evictDurableObject(env.INSTANCES.getByName(`${user.userId}/${idOf(10)}`));
    const unreadable = env.INSTANCES.getByName(`${user.userId}/${idOf(11)}`);
    await runInDurableObject(unreadable, (_, { storage: { sql } }) => {
      sql.exec("UPDATE instance SET json = '{}'");
    });
    await evictDurableObject(unreadable);
    expectLogged(/the stored instance is unreadable/);
    await replayPage(env, user.userId, id, PACE);
    expect((await previewOf(user, id)).skipped).toEqual([
      { instance_id: idOf(10), because: "removed" },
      { instance_id: idOf(11), because: "unreadable" },
    ]);
  });

  it("ends the preview where most of them can't", async () => {
    const user = await fleetOfMany(75);
    const id = await halfDone(user);
    vi.spyOn(InstanceActor.prototype, "storyBasis").mockRejectedValue(new Error("away"));
    const page = { ...PACE, instances: 50, skipsUnreachable: true };
    expect(await replayPage(env, user.userId, id, page)).toEqual({ isOver: false, instances: 50 });
    expect(await previewOf(user, id)).toMatchObject({
      state: "failed",
      failed_because: "out_of_reach",
      instances: { total: 75, done: 10, skipped: 50 },
    });
    expect(await replayPage(env, user.userId, id, page)).toEqual({ isOver: true, instances: 0 });
  });
});

async function tablesOf(user: User): Promise<number[]> {
  return runInDurableObject(fleetOf(env, user.userId), (_, { storage: { sql } }) =>
    ["previews", "preview_lines", "preview_tags"].map(
      (table) => sql.exec<{ rows: number }>(`SELECT COUNT(*) AS rows FROM ${table}`).one().rows,
    ),
  );
}

/** The fleet takes a page, and its answer is lost. */
function withoutAnswer(fleet: ReturnType<typeof fleetOf>): typeof fleet {
  return new Proxy(fleet, {
    get: (target, name) => {
      if (name !== "takeOfPreview") return Reflect.get(target, name);
      return async (...page: Parameters<typeof fleet.takeOfPreview>) => {
        await target.takeOfPreview(...page);
        throw new Error("the answer is lost");
      };
    },
  });
}
