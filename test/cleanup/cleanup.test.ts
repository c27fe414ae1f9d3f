import {
  createScheduledController,
  evictDurableObject,
  introspectWorkflow,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listUsers } from "../../src/accounts/users.ts";
import { nextToVisit, visitAll } from "../../src/cleanup/visit.ts";
import { startCleanup } from "../../src/cleanup/workflow.ts";
import { FleetActor } from "../../src/fleet/actor.ts";
import { InstanceActor } from "../../src/instance/actor.ts";
import { fleetOf } from "../../src/platform/address.ts";
import worker from "../../src/worker.ts";
import { stateOf } from "../fleet/fleets.ts";
import { age } from "../history/age.ts";
import { expectLogged, mayLog } from "../quiet.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const A_DAY = 24 * HOUR;

// What a run reports, once it is through.
mayLog(/"message":"Cleanup: /);

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function clean(runId: string): Promise<Record<string, number>> {
  await using introspector = await introspectWorkflow(env.DAILY_CLEANUP);
  await introspector.modifyAll(async (each) => {
    await each.disableRetryDelays();
    await each.disableSleeps([1, 2, 3].map((round) => ({ name: `wait for fleets, round ${round}` })));
  });
  await startCleanup(env, runId, Date.now());
  const [run] = await introspector.get();
  if (run === undefined) throw new Error("no run was started");
  await run.waitForStatus("complete");
  return (await run.getOutput()) as Record<string, number>;
}

/** A heartbeat a minute for so many minutes, all of it kept in D1. */
async function history(one: Instance, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    await one.until(DAY + minute * MINUTE);
    const reading = { gpu_utilization: minute % 60, ram_used_gb: minute % 60, cpu_utilization: 50 };
    await one.heartbeat({ ...reading, cost_accumulated: minute });
  }
  await one.until(DAY + minutes * MINUTE + 2 * HOUR);
  await one.settled();
}

async function heartbeatsKept(one: Instance): Promise<number> {
  const row = await env.DB.prepare(
    `SELECT (SELECT COUNT(*) FROM heartbeats WHERE user_id = ?1)
          + (SELECT COALESCE(SUM(heartbeats), 0) FROM heartbeat_hours WHERE user_id = ?1) AS n`,
  )
    .bind(one.userId)
    .first<{ n: number }>();
  return row?.n ?? 0;
}

const never = () => new Promise<never>(() => {});

/** Instances of all users that do not rest. */
async function countAwake(): Promise<number> {
  const users = await listUsers(env.DB, "", 1000);
  const states = await Promise.all(users.map(({ id }) => stateOf(fleetOf(env, id))));
  const resting = new Set(["pending", "hibernated", "deleted"]);
  return states
    .flatMap(({ instancesByStatus }) => Object.entries(instancesByStatus))
    .reduce((sum, [status, instances]) => sum + (resting.has(status) ? 0 : instances), 0);
}

describe("heartbeats that outlive their detail", () => {
  it("become an hour a row, and read the same by the hour", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await history(one, 150);
    const byHour = async () => (await one.ask("GET", "/heartbeats?resolution=hour")).body.hours;
    const before = await byHour();
    expect(before).toHaveLength(3);
    expect(before[2]).toEqual({
      hour: "2030-01-07T00:00:00Z",
      heartbeats: 60,
      avg_gpu_utilization: 29.5,
      max_gpu_utilization: 59,
      avg_cpu_utilization: 50,
      max_vram_used_gb: null,
      max_ram_used_gb: 59,
      max_cost_accumulated: 59,
      work_heartbeats: 57,
    });
    // A bound in the middle of an hour: its two halves are one hour again.
    await age(DAY + 95 * MINUTE, 0);
    expect(await byHour()).toEqual(before);
    await age(DAY + A_DAY, 0);
    expect(await byHour()).toEqual(before);
    expect(await heartbeatsKept(one)).toBe(150);
    expect((await one.ask("GET", "/heartbeats")).body.heartbeats).toEqual([]);
    expect(await age(DAY + A_DAY, 0)).toBe(0);
    await age(DAY + A_DAY, DAY + 2 * HOUR);
    expect(await byHour()).toHaveLength(1);
  });
});

describe("a cleanup", () => {
  it("visits every instance that does not rest, in pages, and reports what it did; twice is as once", async () => {
    const user = await newUser();
    const rigs = await Promise.all(
      Array.from({ length: 130 }, (_, index) => Instance.register(user, `rig-${index}`)),
    );
    await Promise.all(rigs.map((one) => one.heartbeat()));
    await Promise.all(rigs.map((one) => one.settled()));
    await rigs[0]?.ask("POST", "/hibernate");
    await rigs[0]?.heartbeat({ status: "hibernating" });
    await rigs[0]?.settled();
    const awake = await countAwake();
    expect(awake).toBeGreaterThanOrEqual(129);
    expect(await clean("cleanup-a")).toMatchObject({ instances: awake, unreachable: 0 });
    await startCleanup(env, "cleanup-a", Date.now());
    const { body } = await call("GET", "/api/admin/events", { token: ADMIN_TOKEN });
    const reports = body.events.filter((event: { kind: string }) => event.kind === "cleanup");
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ severity: "info", detail: { run: "cleanup-a", instances: awake } });
  });

  it("goes on where it was after any of its pages has failed", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await history(one, 60);
    setClock(DAY + 9 * A_DAY);
    await using introspector = await introspectWorkflow(env.DAILY_CLEANUP);
    await introspector.modifyAll(async (each) => {
      await each.disableRetryDelays();
      // Whichever pages there are of each part.
      await each.mockStepError({ name: "start: history" }, new Error("cut off"), 2);
      for (const part of ["start: fleets", "fleets", "chunks", "hours", "events", "costs"]) {
        for (let page = 1; page <= 6; page++) {
          await each.mockStepError({ name: `${part}, page ${page}` }, new Error("cut off"), 2);
        }
      }
    });
    await startCleanup(env, "cleanup-b", Date.now());
    const [run] = await introspector.get();
    await run?.waitForStatus("complete");
    expect(await heartbeatsKept(one)).toBe(60);
    const raw = await env.DB.prepare("SELECT COUNT(*) AS n FROM heartbeats WHERE user_id = ?")
      .bind(one.userId)
      .first<{ n: number }>();
    expect(raw?.n).toBe(0);
  });

  it("passes over a fleet that is out of reach, and looks after all others", async () => {
    const [lost, well] = [await newUser("Lost"), await newUser("Well")];
    const rigs = [await Instance.register(lost, "rig"), await Instance.register(well, "rig")];
    for (const one of rigs) await one.heartbeat();
    await Promise.all(rigs.map((one) => one.settled()));
    const awake = await countAwake();
    const { instancesToVisit } = FleetActor.prototype;
    let asked = 0;
    vi.spyOn(FleetActor.prototype, "instancesToVisit").mockImplementation(async function (
      this: FleetActor,
      ...page
    ) {
      // Only the fleet that is to be lost has a policy of its own.
      if ((await this.policy()).version > 0) {
        asked += 1;
        throw new Error("away");
      }
      return instancesToVisit.call(this, ...page);
    });
    await fleetOf(env, lost.userId).setPolicy({ keep_alive_minutes: 7 });
    expectLogged(/a fleet is out of reach of the cleanup/);
    expectLogged(/the cleanup passes over fleets/);
    const report = await clean("cleanup-h");
    expect(report).toMatchObject({ instances: awake - 1, unreachable: 0, fleetsAway: 1, unfinished: 0 });
    expect(asked).toBe(4);
    const { body } = await call("GET", "/api/admin/events", { token: ADMIN_TOKEN });
    const told = body.events.find(({ id }: { id: string }) => id === "cleanup-h");
    expect(told).toMatchObject({ severity: "warning", detail: { fleetsAway: 1 } });
    expect(told.message).toContain("1 fleets out of reach");
  });

  it("takes those out that their actors do not know, and leaves all others", async () => {
    const user = await newUser();
    const [gone, well] = [await Instance.register(user, "gone"), await Instance.register(user, "well")];
    await Promise.all([gone.heartbeat(), well.heartbeat()]);
    await Promise.all([gone.settled(), well.settled()]);
    await runInDurableObject(gone.actor, (_, { storage }) => storage.deleteAll());
    await evictDurableObject(gone.actor);
    await clean("cleanup-i");
    const fleet = fleetOf(env, user.userId);
    expect(await fleet.instanceIds("", 10)).toEqual(["well"]);
    expect((await stateOf(fleet)).awake).toBe(1);
  });

  it("passes over an instance and a fleet that never answer", async () => {
    const user = await newUser();
    const rigs = await Promise.all(["hangs", "well"].map((id) => Instance.register(user, id)));
    await Promise.all(rigs.map((one) => one.settled()));
    const { cleanUp } = InstanceActor.prototype;
    let visited = 0;
    vi.spyOn(InstanceActor.prototype, "cleanUp").mockImplementation(async function (this: InstanceActor) {
      const view = await this.live();
      if (view !== null && "name" in view && view.name === "hangs") return never();
      visited += 1;
      return cleanUp.call(this);
    });
    const listed = ["hangs", "well"].map((instanceId) => ({ instanceId, revision: 1 }));
    expect(await visitAll(env, user.userId, listed)).toBe(1);
    expect(visited).toBe(1);
    vi.spyOn(FleetActor.prototype, "instancesToVisit").mockImplementation(never);
    await expect(nextToVisit(env, user.userId, "", 10)).rejects.toThrow("no answer within");
  });

  it("tells of an expired orphan that nobody can delete, and deletes nothing by itself", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await one.until(DAY + 7 * A_DAY + 4 * MINUTE);
    await clean("cleanup-c");
    expect(await one.eventKinds()).not.toContain("would_delete");
    setClock(DAY + 7 * A_DAY + 5 * MINUTE);
    await clean("cleanup-d");
    expect((await one.eventKinds()).at(-1)).toBe("would_delete");
    expect(await one.status()).toBe("orphaned");
  });

  it("arms an alarm anew that the platform has lost, and moves nobody along for the time it was lost", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await one.settled();
    await runInDurableObject(one.actor, (_, state) => state.storage.deleteAlarm());
    setClock(DAY + 3 * HOUR);
    await clean("cleanup-e");
    expect((await one.ask("GET")).body).toMatchObject({
      status: "orphaned",
      orphaned_since: "2030-01-07T00:05:00Z",
      lifecycle: { next_step: "hibernate" },
    });
    await one.until(DAY + 3.5 * HOUR - 1);
    expect(await one.eventKinds()).not.toContain("silent");
    await one.until(DAY + 3.5 * HOUR);
    expect(await one.eventKinds()).toContain("silent");
  });

  it("deletes events that are older than they are kept", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await one.settled();
    setClock(DAY + 399 * A_DAY);
    await clean("cleanup-f");
    expect(await one.eventKinds()).toContain("registered");
    setClock(DAY + 401 * A_DAY);
    const report = await clean("cleanup-g");
    expect(report.eventsDeleted).toBeGreaterThanOrEqual(2);
    expect(await one.eventKinds()).not.toContain("registered");
  });

  it("is the operator's alone to start, and comes once a day by itself", async () => {
    const { token } = await newUser();
    expect((await call("POST", "/api/admin/cleanup", { token })).status).toBe(403);
    const begun = await call("POST", "/api/admin/cleanup", { token: ADMIN_TOKEN });
    expect(begun.status).toBe(202);
    expect((await env.DAILY_CLEANUP.get(begun.body.run_id)).id).toBe(begun.body.run_id);
    for (const hour of [3, 4]) {
      const controller = createScheduledController({ scheduledTime: new Date(DAY + hour * HOUR) });
      await worker.scheduled(controller, env);
    }
    expect((await env.DAILY_CLEANUP.get("cleanup-2030-01-07")).id).toBe("cleanup-2030-01-07");
  });
});

describe("sessions and links that are over", () => {
  it("are deleted, and those that let somebody in stay", async () => {
    const { userId, token, tokenId } = await newUser();
    const headers = { "Content-Type": "application/json" };
    const signIn = () => call("POST", "/api/session", { json: { token }, headers });
    const link = () => call("POST", `/api/admin/users/${userId}/sign-in-links`, { token: ADMIN_TOKEN });
    const kept = async (table: "sessions" | "sign_in_links") => {
      const { results } = await env.DB.prepare(`SELECT created_at FROM ${table} WHERE user_id = ?`)
        .bind(userId)
        .all<{ created_at: number }>();
      return results.map(({ created_at: at }) => at);
    };
    await Promise.all([signIn(), link()]);
    expect([await kept("sessions"), await kept("sign_in_links")]).toEqual([[DAY], [DAY]]);
    // A run that an earlier test has begun may come upon them from now on.
    const later = DAY + 40 * A_DAY;
    setClock(later);
    await Promise.all([signIn(), link()]);
    await clean(`sessions-${tokenId}`);
    expect([await kept("sessions"), await kept("sign_in_links")]).toEqual([[later], [later]]);
  });

  it("are deleted a day later where they hold an address", async () => {
    const { userId, tokenId } = await newUser();
    const mailed = (id: string, expiresAt: number) =>
      env.DB.prepare(
        `INSERT INTO sign_in_links (digest, id, user_id, person_id, email, made_by, made_by_kind, created_at, expires_at)
         VALUES (?1, ?1, ?2, 'p-1', 'bea@example.com', 'e-mail', 'e-mail', ?3, ?3)`,
      ).bind(`${id}-${userId}`, userId, expiresAt);
    await env.DB.batch([mailed("old", DAY - A_DAY), mailed("new", DAY - A_DAY + 1)]);
    await clean(`mailed-${tokenId}`);
    const { results } = await env.DB.prepare("SELECT id FROM sign_in_links WHERE user_id = ?")
      .bind(userId)
      .all();
    expect(results).toEqual([{ id: `new-${userId}` }]);
  });
});
