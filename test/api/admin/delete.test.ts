import {
  evictDurableObject,
  introspectWorkflow,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { requestDeletion } from "../../../src/accounts/standing.ts";
import { PACE, type Pace } from "../../../src/deletion/parts.ts";
import { startDeletion } from "../../../src/deletion/workflow.ts";
import { FleetActor } from "../../../src/fleet/actor.ts";
import { USER_TABLES } from "../../../src/history/belongings.ts";
import { InstanceActor } from "../../../src/instance/actor.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { expectLogged, mayLog } from "../../quiet.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

type User = Awaited<ReturnType<typeof newUser>>;

const asOperator = (method: string, path: string) =>
  call(method, `/api/admin/users/${path}`, { token: ADMIN_TOKEN });

/** A user with all that a user can have. */
async function newOwner(instances: number): Promise<{ user: User; rigs: Instance[] }> {
  const user = await newUser();
  const rigs: Instance[] = [];
  for (let index = 0; index < instances; index++) rigs.push(await Instance.register(user, `rig-${index}`));
  for (let minute = 0; minute < 3; minute++) {
    setClock(DAY + minute * MINUTE);
    for (const rig of rigs) await rig.heartbeat();
  }
  for (const rig of rigs) {
    await rig.until(DAY + 70 * MINUTE);
    await rig.settled();
  }
  await call("POST", "/api/agent/channels", {
    token: user.token,
    json: { name: "#gpus", settings: { kind: "slack", url: "https://hooks.example.com/services/T0/B0/x" } },
  });
  await call("PUT", "/api/agent/providers/vast?verify=false", { token: user.token, json: { api_key: "k" } });
  return { user, rigs };
}

/** How many rows of a user there are in the database, by table. */
async function rowsOf(userId: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { name } of USER_TABLES) {
    const row = await env.DB.prepare(`SELECT COUNT(*) AS n FROM ${name} WHERE user_id = ?`)
      .bind(userId)
      .first<{ n: number }>();
    if ((row?.n ?? 0) > 0) counts[name] = row?.n ?? 0;
  }
  return counts;
}

/** What an object keeps. */
async function keptBy(
  object: DurableObjectStub<undefined>,
): Promise<{ tables: number; alarm: number | null }> {
  return runInDurableObject(object, async (_, { storage }) => ({
    tables: storage.sql
      .exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'")
      .toArray().length,
    alarm: await storage.getAlarm(),
  }));
}

const EMPTY = { tables: 0, alarm: null };

async function expectGone(userId: string, rigs: readonly Instance[]): Promise<void> {
  expect(await rowsOf(userId)).toEqual({});
  for (const rig of rigs) expect(await keptBy(rig.actor), rig.id).toEqual(EMPTY);
  expect(await keptBy(fleetOf(env, userId))).toEqual(EMPTY);
  expect((await asOperator("GET", userId)).body).toMatchObject({ name: null, standing: "deleted" });
}

async function quickly() {
  const introspector = await introspectWorkflow(env.USER_DELETION);
  await introspector.modifyAll(async (each) => {
    await each.disableRetryDelays();
    await each.disableSleeps();
  });
  return introspector;
}

async function deleted(userId: string, pace?: Pace): Promise<void> {
  await requestDeletion(env.DB, userId, Date.now());
  await startDeletion(env, userId, { turn: 1 }, pace);
  await vi.waitFor(async () => expect((await asOperator("GET", userId)).body.standing).toBe("deleted"), {
    timeout: 60_000,
    interval: 50,
  });
}

describe("a user who is deleted", () => {
  it("is gone with all that was the user's, and no machine is touched", async () => {
    await using introspector = await quickly();
    const { user, rigs } = await newOwner(3);
    const other = await newOwner(1);
    const [removed] = rigs;
    await removed?.ask("DELETE");
    expect(Object.keys(await rowsOf(user.userId)).sort()).toEqual([
      "audit",
      "events",
      "heartbeat_chunks",
      "user_tokens",
    ]);
    const before = await rowsOf(other.user.userId);
    const outside = vi.spyOn(globalThis, "fetch");

    const answer = await asOperator("DELETE", user.userId);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ standing: "deleting", deletion: { finished_at: null } });
    expect((await call("GET", "/api/agent/policy", { token: user.token })).status).toBeGreaterThan(400);
    const [run] = await introspector.get();
    await run?.waitForStatus("complete");

    await expectGone(user.userId, rigs);
    const { body } = await asOperator("GET", user.userId);
    expect(body.deletion).toMatchObject({ instances: 3, finished_at: expect.any(String) });
    for (const rig of rigs) {
      const beat = await rig.heartbeat();
      expect(beat.status).toBe(401);
    }
    expect((await call("GET", "/api/agent/policy", { token: user.token })).status).toBe(401);
    expect(
      (await call("POST", `/api/admin/users/${user.userId}/tokens`, { token: ADMIN_TOKEN })).status,
    ).toBe(404);
    expect((await asOperator("POST", `${user.userId}/resume`)).status).toBe(409);
    const { events } = (await call("GET", "/api/admin/events", { token: ADMIN_TOKEN })).body;
    const told = events.filter(
      ({ detail }: { detail: { user_id?: string } }) => detail.user_id === user.userId,
    );
    expect(told).toMatchObject([{ kind: "user_deleted", detail: { instances: 3 } }]);
    expect(outside).not.toHaveBeenCalled();
    expect(await rowsOf(other.user.userId)).toEqual(before);
    expect((await other.rigs[0]?.heartbeat())?.status).toBe(200);

    // Once more changes nothing, and tells nothing.
    expect((await asOperator("DELETE", user.userId)).body).toEqual(body);
    expect((await asOperator("DELETE", "u-none")).status).toBe(404);
  });

  it("is gone in small steps too, over several workflows, whatever fails on the way", async () => {
    await using _ = await quickly();
    mayLog(/not erased|away|D1_ERROR/);
    const { user, rigs } = await newOwner(5);
    let tries = 0;
    const { erase } = InstanceActor.prototype;
    vi.spyOn(InstanceActor.prototype, "erase").mockImplementation(async function (this: InstanceActor) {
      tries += 1;
      if (tries % 3 === 0) throw new Error("the instance is away");
      return erase.call(this);
    });
    const { account } = FleetActor.prototype;
    let asked = 0;
    vi.spyOn(FleetActor.prototype, "account").mockImplementation(async function (this: FleetActor, request) {
      asked += 1;
      if (asked % 3 === 0) throw new Error("the fleet is away");
      const answer = await account.call(this, request);
      // The answer was lost: done, though nobody knows.
      if (asked % 5 === 0) throw new Error("the fleet's answer is away");
      return answer;
    });
    let statements = 0;
    const prepare = env.DB.prepare.bind(env.DB);
    vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
      statements += 1;
      if (statements % 11 === 0) throw new Error("D1_ERROR: away");
      return prepare(sql);
    });
    const pace = { instancesPerStep: 2, rowsPerStatement: 2, statementsPerStep: 3, callsPerWorkflow: 25 };
    await vi.waitFor(() => deleted(user.userId, pace), { timeout: 120_000, interval: 100 });
    vi.restoreAllMocks();
    await expectGone(user.userId, rigs);
    const row = await env.DB.prepare("SELECT progress FROM user_deletions WHERE user_id = ?")
      .bind(user.userId)
      .first<{ progress: string }>();
    expect(JSON.parse(row?.progress ?? "").turn).toBeGreaterThan(1);
  });

  it("is gone though all objects leave memory between the steps", async () => {
    await using _ = await quickly();
    const { user, rigs } = await newOwner(4);
    const fleet = fleetOf(env, user.userId);
    await requestDeletion(env.DB, user.userId, Date.now());
    const evictAll = async () => {
      for (const object of [...rigs.map(({ actor }) => actor), fleet]) {
        // One that is not in memory can't be sent away.
        await evictDurableObject(object).catch(() => {});
      }
    };
    await fleet.account({ type: "leave" });
    await evictAll();
    expect(await fleet.account({ type: "erase_instances", limit: 2 })).toMatchObject({
      instances: 2,
      isMore: true,
    });
    await evictAll();
    await deleted(user.userId);
    await evictAll();
    await expectGone(user.userId, rigs);
  });

  it("goes on when asked again after its workflow has failed for good", async () => {
    await using introspector = await introspectWorkflow(env.USER_DELETION);
    await introspector.modifyAll(async (each) => {
      await each.disableRetryDelays();
      await each.disableSleeps();
    });
    mayLog(/away/);
    const { user, rigs } = await newOwner(2);
    const down = vi.spyOn(InstanceActor.prototype, "erase").mockRejectedValue(new Error("away"));
    await asOperator("DELETE", user.userId);
    const [run] = await introspector.get();
    await run?.waitForStatus("errored");
    expect((await asOperator("GET", user.userId)).body.standing).toBe("deleting");
    down.mockRestore();
    expect((await asOperator("DELETE", user.userId)).status).toBe(202);
    await vi.waitFor(() => expectGone(user.userId, rigs), { timeout: 60_000, interval: 100 });
  });

  it("has an instance erase itself that was registered while it went on, whenever it reports", async () => {
    await using _ = await quickly();
    const { user, rigs } = await newOwner(1);
    // Registered by a request that was let in before, and heard of by nobody.
    const late = env.INSTANCES.getByName(`${user.userId}/late`);
    const report = vi.spyOn(FleetActor.prototype, "report").mockRejectedValue(new Error("away"));
    expectLogged(/outbox not delivered \(fleet\)/);
    await late.register({
      userId: user.userId,
      instanceId: "late",
      profile: {
        name: "late",
        provider: "agent",
        providerRef: null,
        hourlyCost: null,
        hibernatedHourlyCost: null,
      },
      sighted: null,
      overrides: {},
      userPolicy: {},
      userPolicyVersion: 0,
    });
    await deleted(user.userId, PACE);
    report.mockRestore();
    await expectGone(user.userId, rigs);
    expect(await keptBy(late)).not.toEqual(EMPTY);
    setClock(DAY + 3 * 60 * MINUTE);
    await runDurableObjectAlarm(late);
    expect(await keptBy(late)).toEqual(EMPTY);
    expect(await keptBy(fleetOf(env, user.userId))).toEqual(EMPTY);
  });
});
