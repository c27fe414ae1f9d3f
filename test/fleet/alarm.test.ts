import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { finishDeletion, requestDeletion } from "../../src/accounts/standing.ts";
import type { FleetActor } from "../../src/fleet/actor.ts";
import type { UserPolicy } from "../../src/fleet/report.ts";
import type { InstanceActor } from "../../src/instance/actor.ts";
import { actorOf, fleetOf } from "../../src/platform/address.ts";
import { shardOf } from "../../src/service/address.ts";
import { expectLogged, mayLog } from "../quiet.ts";
import { DAY, eventually, Instance, newUser, setClock } from "../world.ts";
import { armedAt, type FleetStub, passAlarms, refusalOf, reportOf, rows, stateOf } from "./fleets.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

mayLog(/"kind":"guard_(closed|opened)"/);
// The service is out of reach while D1 is down, and on a slow machine for a moment.
mayLog(/totalsAt failed/);

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** From here on statements that match fail. */
function failStatements(fleet: FleetStub, pattern: RegExp) {
  return runInDurableObject(fleet, (_, { storage }) => {
    const prototype = Object.getPrototypeOf(storage.sql);
    const { exec } = prototype;
    return vi.spyOn(prototype, "exec").mockImplementation(function (this: unknown, ...values: unknown[]) {
      if (pattern.test(String(values[0]))) throw new Error("the disk is full");
      return Reflect.apply(exec, this, values);
    });
  });
}

/** Real time, whatever the clock says. */
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const ID = /\/(.+)$/;

/** What instances do with a policy that is brought to them; `act` by their ids. */
async function watchPolicies(act: (id: string, policy: UserPolicy) => unknown = () => undefined) {
  const taken: [string, number][] = [];
  const prototype = await runInDurableObject(actorOf(env, "nobody", "rig"), (actor) =>
    Object.getPrototypeOf(actor),
  );
  vi.spyOn<InstanceActor, "setUserPolicy">(prototype, "setUserPolicy").mockImplementation(async function (
    this: InstanceActor,
    policy: UserPolicy,
  ) {
    const id = ID.exec(String(Reflect.get(this, "ctx").id.name))?.[1] ?? "";
    await act(id, policy);
    taken.push([id, policy.version]);
    return "known";
  });
  return taken;
}

const IDS = Array.from({ length: 300 }, (_, index) => `rig-${String(index).padStart(3, "0")}`);

async function fleetOf300(userId: string): Promise<FleetStub> {
  const fleet = fleetOf(env, userId);
  await Promise.all(IDS.map((id) => fleet.report(reportOf(id))));
  return fleet;
}

describe("a policy", () => {
  const settings = { idle: { warn_after_seconds: 100 } };

  it("is brought to all, and to one that was out of reach once more after 5, 10, 20 … minutes", async () => {
    const fleet = await fleetOf300("policy-failing");
    let isBroken = true;
    const taken = await watchPolicies((id) => {
      if (isBroken && id === "rig-120") throw new Error("out of reach");
    });
    await fleet.setPolicy(settings);
    expect(taken.map(([id]) => id).sort()).toEqual(IDS.filter((id) => id !== "rig-120"));
    for (const minutes of [5, 15, 35, 75]) {
      expect((await stateOf(fleet)).due.policy).toEqual({ at: DAY + minutes * MINUTE, after: null });
      taken.length = 0;
      isBroken = minutes < 75;
      await passAlarms(fleet, DAY + minutes * MINUTE);
    }
    expect(taken.map(([id]) => id)).toEqual(["rig-120"]);
    expect((await stateOf(fleet)).due.policy).toBeNull();
  });

  it("is not brought for good to one that always fails, and wakes nobody else for it", async () => {
    const fleet = await fleetOf300("policy-always-failing");
    const tried: string[] = [];
    const taken = await watchPolicies((id) => {
      if (id === "rig-120") {
        tried.push(id);
        throw new Error("out of reach");
      }
    });
    await fleet.setPolicy(settings);
    taken.length = 0;
    await passAlarms(fleet, DAY + 24 * 60 * MINUTE);
    expect(taken).toEqual([]);
    expect(tried).toHaveLength(8);
    expect((await stateOf(fleet)).due.policy).toBeNull();
    // A new policy begins anew, for this one too.
    await fleet.setPolicy({});
    expect(tried).toHaveLength(9);
    expect((await stateOf(fleet)).due.policy).not.toBeNull();
  });

  it("is brought no more to one that was removed while it was out of reach", async () => {
    const fleet = fleetOf(env, "policy-removed");
    for (const id of ["a", "b"]) await fleet.report(reportOf(id));
    const tried: string[] = [];
    await watchPolicies((id) => {
      tried.push(id);
      throw new Error("out of reach");
    });
    await fleet.setPolicy(settings);
    await fleet.remove("a", 1);
    tried.length = 0;
    await passAlarms(fleet, DAY + 5 * MINUTE);
    expect(tried).toEqual(["b"]);
  });

  it("that is set while another is being brought reaches everybody", async () => {
    const fleet = await fleetOf300("policy-meanwhile");
    let isFirst = true;
    const taken = await watchPolicies(async (id) => {
      if (id !== "rig-010" || !isFirst) return;
      isFirst = false;
      await fleetOf(env, "policy-meanwhile").setPolicy({ idle: { warn_after_seconds: 200 } });
    });
    await fleet.setPolicy(settings);
    await passAlarms(fleet, DAY + MINUTE);
    expect(taken.flatMap(([id, version]) => (version === 2 ? [id] : [])).sort()).toEqual(
      expect.arrayContaining(IDS),
    );
    expect((await stateOf(fleet)).due.policy).toBeNull();
  });

  it("goes on by the alarm where it was cut off", async () => {
    const fleet = await fleetOf300("policy-crash");
    let answer = () => {};
    const silence = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const taken = await watchPolicies(async (id) => {
      if (id === "rig-000") await silence;
    });
    await passAlarms(fleet, DAY + MINUTE);
    expect(await armedAt(fleet)).toBeGreaterThan(DAY + 10 * MINUTE);
    const setAt = Date.now();
    const setting = fleet.setPolicy(settings);
    try {
      await eventually(() => expect(taken.length).toBeGreaterThan(0));
      // It is under way for as long as one of them does not answer.
      expect(await armedAt(fleet)).toBe(setAt + 30 * SECOND);
    } finally {
      answer();
    }
    await setting;
    const state = await stateOf(fleet);
    await runInDurableObject(fleet, (_, { storage }) => {
      const cut = { ...state, due: { ...state.due, policy: { at: Date.now() + SECOND, after: "rig-149" } } };
      storage.sql.exec("UPDATE fleet SET json = ?", JSON.stringify(cut));
    });
    await evictDurableObject(fleet);
    taken.length = 0;
    await passAlarms(fleet, Date.now() + MINUTE);
    expect(taken.map(([id]) => id).sort()).toEqual(IDS.slice(150));
    expect((await stateOf(fleet)).due.policy).toBeNull();
  });

  it("does not wait for good for an instance that does not answer", async () => {
    const fleet = fleetOf(env, "policy-hanging");
    await fleet.report(reportOf("rig"));
    await watchPolicies(() => sleep(12 * SECOND));
    await fleet.setPolicy(settings);
    expect((await stateOf(fleet)).due.policy).toEqual({ at: expect.any(Number), after: null });
  });

  it("reaches an instance that is waiting for the fleet's answer to its report", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.settled();
    const fleet = fleetOf(env, user.userId);
    await runInDurableObject(fleet, (actor) => {
      const prototype = Object.getPrototypeOf(actor);
      const { report } = prototype;
      let isFirst = true;
      return vi.spyOn(prototype, "report").mockImplementation(async function (
        this: unknown,
        ...of: unknown[]
      ) {
        // The worst that could be: the fleet waits for the very instance that waits for it.
        if (isFirst) {
          isFirst = false;
          await Reflect.get(Object(this), "setPolicy").call(this, settings);
        }
        return Reflect.apply(report, this, of);
      });
    });
    const began = performance.now();
    await one.heartbeat();
    await one.settled();
    expect(performance.now() - began).toBeLessThan(8_000);
    expect((await one.ask("GET")).body.policy.idle.warn_after_seconds).toBe(100);
  });
});

describe("a report that is lost", () => {
  it("is kept by the instance's outbox, and brought again", async () => {
    expectLogged(/outbox not delivered \(fleet\)/);
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.settled();
    const fleet = fleetOf(env, user.userId);
    const report = await runInDurableObject(fleet, (actor) =>
      vi
        .spyOn<FleetActor, "report">(Object.getPrototypeOf(actor), "report")
        .mockRejectedValue(new Error("the fleet was reset")),
    );
    await one.heartbeat();
    await eventually(() => expect(report).toHaveBeenCalled());
    expect((await stateOf(fleet)).instancesByStatus).toEqual({ pending: 1 });
    report.mockRestore();
    const brought = await runInDurableObject(fleet, (actor) =>
      vi.spyOn<FleetActor, "report">(Object.getPrototypeOf(actor), "report"),
    );
    await one.until(DAY + 6 * MINUTE);
    await one.settled();
    // The second is that of its silence.
    expect(brought.mock.calls.map(([{ unreachedSince }]) => unreachedSince)).toEqual([
      expect.any(Number),
      null,
    ]);
    brought.mockRestore();
    expect((await fleet.events(null, 10)).entries.map(({ kind }) => kind)).toEqual([
      "orphaned",
      "first_heartbeat",
      "registered",
    ]);
  });
});

describe("a fleet that cannot be started", () => {
  it("answers nobody, and the next who asks tries again", async () => {
    mayLog(/fleet not started/);
    const batch = vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockRejectedValue(new Error("D1 is down"));
    const fleet = fleetOf(env, "not-started");
    for (const id of ["a", "b"]) {
      expect(await refusalOf(fleet, (actor) => actor.report(reportOf(id)))).toContain("D1 is down");
    }
    batch.mockRestore();
    await fleet.report(reportOf("a"));
    expect(await fleet.instanceIds("", 10)).toEqual(["a"]);
  });

  it("since its row can't be read does nothing, and looks again after a minute", async () => {
    mayLog(/fleet not started|the fleet's alarm failed/);
    const fleet = fleetOf(env, "unreadable");
    await fleet.report(reportOf("a"));
    const state = await stateOf(fleet);
    const write = (json: string) =>
      runInDurableObject(fleet, (_, { storage }) => void storage.sql.exec("UPDATE fleet SET json = ?", json));
    await write(JSON.stringify({ ...state, version: 99 }));
    await evictDurableObject(fleet);
    expect(await refusalOf(fleet, (actor) => actor.report(reportOf("b")))).toContain("Invalid input");
    setClock(DAY + 15 * SECOND);
    await runDurableObjectAlarm(fleet);
    expect(await armedAt(fleet)).toBe(DAY + 75 * SECOND);
    expect(await rows(fleet, "SELECT instance_id FROM instances")).toEqual([{ instance_id: "a" }]);
    await write(JSON.stringify(state));
    await passAlarms(fleet, DAY + 2 * MINUTE);
    await fleet.report(reportOf("b"));
    expect(await fleet.instanceIds("", 10)).toEqual(["a", "b"]);
  });
});

describe("the alarm of a fleet whose user was deleted", () => {
  it("ends, and says nothing", async () => {
    const { userId } = await newUser();
    await requestDeletion(env.DB, userId, DAY);
    await finishDeletion(env.DB, userId, DAY);
    const fleet = fleetOf(env, userId);
    await runInDurableObject(fleet, (_, { storage }) => storage.setAlarm(DAY + SECOND));
    setClock(DAY + SECOND);
    await runDurableObjectAlarm(fleet);
    expect(await armedAt(fleet)).toBeNull();
  });
});

describe("the alarm", () => {
  async function closeGuard(fleet: FleetStub): Promise<void> {
    for (const id of ["a", "b", "c"]) await fleet.report(reportOf(id, { silentSince: DAY - 5 * MINUTE }));
  }

  const inHistory = async (userId: string) => {
    const { results } = await env.DB.prepare("SELECT kind FROM events WHERE user_id = ? ORDER BY at")
      .bind(userId)
      .all();
    return results.map(({ kind }) => kind);
  };

  it("brings the fleet's own events to the history, after D1 was down too, and the rest does not wait", async () => {
    const fleet = fleetOf(env, "history");
    await closeGuard(fleet);
    const batch = vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockRejectedValue(new Error("D1 is down"));
    expectLogged(/historyAt failed/);
    setClock(DAY + 15 * SECOND);
    await runDurableObjectAlarm(fleet);
    const { due } = await stateOf(fleet);
    expect(due.historyAt).toBe(DAY + 45 * SECOND);
    batch.mockRestore();
    await passAlarms(fleet, DAY + 2 * MINUTE);
    expect(await inHistory("history")).toEqual(["guard_closed"]);
    expect(await stateOf(fleet)).toMatchObject({ due: { historyAt: null } });
    // A second time nothing more.
    await runInDurableObject(fleet, (actor) => actor.alarm());
    expect(await inHistory("history")).toEqual(["guard_closed"]);
  });

  it("does not forget what happens while it waits for the outside", async () => {
    const fleet = fleetOf(env, "meanwhile");
    await closeGuard(fleet);
    const shard = shardOf(env, "meanwhile");
    const told: number[] = [];
    await runInDurableObject(shard, (actor) => {
      const prototype = Object.getPrototypeOf(actor);
      const { report } = prototype;
      vi.spyOn(prototype, "report").mockImplementation(async function (this: unknown, totals: unknown) {
        told.push(Reflect.get(Object(totals), "awake"));
        // While the service is told, and the history written, the guard opens.
        if (told.length === 1) {
          const again = fleetOf(env, "meanwhile");
          for (const id of ["a", "b", "c"]) await again.report(reportOf(id, { revision: 2 }));
        }
        return Reflect.apply(report, this, [totals]);
      });
    });
    setClock(DAY + 15 * SECOND);
    await runDurableObjectAlarm(fleet);
    expect((await stateOf(fleet)).due.totalsAt).toBeLessThanOrEqual(DAY + 30 * SECOND);
    await passAlarms(fleet, DAY + 2 * MINUTE);
    expect([...new Set(told)]).toEqual([0, 3]);
    expect(await inHistory("meanwhile")).toEqual(["guard_closed", "guard_opened"]);
  });

  it("that is set by a report while it runs is kept", async () => {
    const fleet = fleetOf(env, "set-meanwhile");
    await fleet.report(reportOf("a"));
    await runInDurableObject(shardOf(env, "set-meanwhile"), (actor) => {
      vi.spyOn(Object.getPrototypeOf(actor), "report").mockImplementationOnce(async () => {
        await fleetOf(env, "set-meanwhile").report(reportOf("b"));
        return { closedAt: null, openedAt: null };
      });
    });
    setClock(DAY + 15 * SECOND);
    await runDurableObjectAlarm(fleet);
    const at = await armedAt(fleet);
    expect(at).toBeGreaterThan(DAY + 15 * SECOND);
    expect(at).toBeLessThanOrEqual(DAY + 30 * SECOND);
  });

  it("does not fire over and over again for what fails", async () => {
    expectLogged(/pruneAt failed/);
    const fleet = fleetOf(env, "failing-task");
    await fleet.report(reportOf("a"));
    const state = await stateOf(fleet);
    await runInDurableObject(fleet, (_, { storage }) => {
      const pruning = { ...state, due: { ...state.due, pruneAt: DAY } };
      storage.sql.exec("UPDATE fleet SET json = ?", JSON.stringify(pruning));
    });
    await evictDurableObject(fleet);
    const exec = await failStatements(fleet, /^DELETE FROM events/);
    setClock(DAY + SECOND);
    await runDurableObjectAlarm(fleet);
    expect((await stateOf(fleet)).due.pruneAt).toBe(DAY + 31 * SECOND);
    exec.mockRestore();
    await passAlarms(fleet, DAY + MINUTE);
    expect((await stateOf(fleet)).due.pruneAt).toBeNull();
  });

  it("fires again after a minute when not even the state can be saved", async () => {
    expectLogged(/the fleet's alarm failed/);
    const fleet = fleetOf(env, "full");
    await fleet.report(reportOf("a"));
    const exec = await failStatements(fleet, /^INSERT INTO fleet /);
    setClock(DAY + 15 * SECOND);
    await runDurableObjectAlarm(fleet);
    expect(await armedAt(fleet)).toBe(DAY + 75 * SECOND);
    exec.mockRestore();
    await passAlarms(fleet, DAY + 2 * MINUTE);
    expect((await stateOf(fleet)).service).not.toBeNull();
  });

  it("that the platform lost is set again by the next report", async () => {
    const fleet = fleetOf(env, "lost-alarm");
    await fleet.report(reportOf("a"));
    await runInDurableObject(fleet, (_, { storage }) => storage.deleteAlarm());
    setClock(DAY + 20 * MINUTE);
    await fleet.report(reportOf("a", { revision: 2 }));
    expect(await armedAt(fleet)).not.toBeNull();
  });

  it("forgets old events, and those beyond the newest, but none that must be told", async () => {
    const fleet = fleetOf(env, "pruning");
    await fleet.report(reportOf("a"));
    await runInDurableObject(fleet, (_, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE numbers (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20500)
         INSERT INTO events SELECT n, ?1 + n, 'a', 'e-' || n, 'changed', 'info', '', '{}', iif(n = 11, 'pending', NULL) FROM numbers`,
        DAY,
      );
    });
    const state = await stateOf(fleet);
    await runInDurableObject(fleet, (_, { storage }) => {
      storage.sql.exec("UPDATE fleet SET json = ?", JSON.stringify({ ...state, revision: 20_998 }));
    });
    await evictDurableObject(fleet);
    // The alert has no time at which it is told: the sweep finds it.
    expectLogged(/waited for longer than they should/);
    // The 21,000th change prunes, whether it is a row or an event.
    await fleet.report(reportOf("b"));
    await fleet.report(reportOf("c"));
    await passAlarms(fleet, DAY + 6 * MINUTE);
    const kept = () => rows(fleet, "SELECT COUNT(*) AS n, MIN(number) AS oldest FROM events");
    expect(await kept()).toEqual([{ n: 20_001, oldest: 11 }]);
    await passAlarms(fleet, DAY + 31 * 24 * 60 * MINUTE);
    expect(await kept()).toEqual([{ n: 0, oldest: null }]);
  });
});
