import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FleetActor } from "../../src/fleet/actor.ts";
import { InstanceActor } from "../../src/instance/actor.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { expectLogged, mayLog } from "../quiet.ts";
import { call, DAY, eventually, Instance, newUser, setClock } from "../world.ts";
import { refusalOf, reportOf, stateOf } from "./fleets.ts";

const SETTINGS = { idle: { warn_after_seconds: 100 } };

mayLog(/totalsAt failed/);

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** The instance's actor has forgotten it, and the registry was not told. */
async function ghost(one: Instance): Promise<void> {
  await one.settled();
  await runInDurableObject(one.actor, (_, { storage }) => storage.deleteAll());
  await evictDurableObject(one.actor);
}

/** It is on its way out, cannot reach its fleet, and the platform loses its alarm. */
async function stuckOnItsWayOut(one: Instance) {
  await one.settled();
  const remove = vi.spyOn(FleetActor.prototype, "remove").mockRejectedValue(new Error("the fleet was reset"));
  expectLogged(/outbox not delivered \(fleet\)/);
  expect((await one.ask("DELETE")).status).toBe(200);
  await runInDurableObject(one.actor, (_, { storage }) => storage.deleteAlarm());
  return remove;
}

describe("an instance that the registry lists and its actor does not know", () => {
  it("is taken out when a policy is brought to it, and counts no more", async () => {
    const user = await newUser();
    const [gone, well] = [await Instance.register(user, "gone"), await Instance.register(user, "well")];
    await Promise.all([gone.heartbeat(), well.heartbeat()]);
    await well.settled();
    await ghost(gone);
    const fleet = fleetOf(env, user.userId);
    expect((await stateOf(fleet)).awake).toBe(2);
    await fleet.setPolicy(SETTINGS);
    expect(await fleet.instanceIds("", 10)).toEqual(["well"]);
    expect(await stateOf(fleet)).toMatchObject({ awake: 1, instancesByStatus: { running: 1 } });
  });

  it("is taken out by its owner, once, and its machine with it", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await ghost(one);
    const fleet = fleetOf(env, user.userId);
    expect((await one.ask("DELETE")).status).toBe(200);
    expect(await fleet.instanceIds("", 10)).toEqual([]);
    expect((await one.ask("DELETE")).status).toBe(404);
    const anew = await Instance.register(user, "rig");
    expect((await anew.heartbeat()).status).toBe(200);
    await anew.settled();
    expect(await fleet.instanceIds("", 10)).toEqual(["rig"]);
  });

  it("stays when it was registered anew while it was asked", async () => {
    const fleet = fleetOf(env, "ghost-anew");
    await fleet.report(reportOf("rig", { revision: 5 }));
    vi.spyOn(InstanceActor.prototype, "setUserPolicy").mockImplementation(async () => {
      await fleetOf(env, "ghost-anew").remove("rig", 5);
      await fleetOf(env, "ghost-anew").report(reportOf("rig", { revision: 6, name: "Anew" }));
      return "unknown";
    });
    await fleet.setPolicy(SETTINGS);
    expect(await fleet.instanceIds("", 10)).toEqual(["rig"]);
    await fleet.removeUnknown([{ instanceId: "rig", revision: 5 }]);
    expect(await fleet.instanceIds("", 10)).toEqual(["rig"]);
    await fleet.removeUnknown([{ instanceId: "rig", revision: 6 }]);
    expect(await fleet.instanceIds("", 10)).toEqual([]);
  });

  it("gives up its machine, but not a claim of the last minute: that is of a registration under way", async () => {
    const fleet = fleetOf(env, "ghost-claims");
    const [old, young] = [
      { provider: "webhook", ref: "m-1" },
      { provider: "webhook", ref: "m-2" },
    ] as const;
    await fleet.report(reportOf("rig", { provider: "webhook", providerRef: "m-1" }));
    setClock(DAY + 3_600_000);
    await fleet.claim(young, "rig");
    await fleet.removeUnknown([{ instanceId: "rig", revision: 1 }]);
    expect([await fleet.holderOf(old), await fleet.holderOf(young)]).toEqual([null, "rig"]);
  });

  it("begins above the row of its ghost when it is registered anew", async () => {
    const fleet = fleetOf(env, "ghost-ids");
    await fleet.report(reportOf("rig", { revision: DAY + 9 }));
    expect(await fleet.admit("rig")).toMatchObject({ idsAfter: DAY + 9 });
  });

  it("is not confused with one whose row cannot be read, which stays", async () => {
    mayLog(/the stored instance is unreadable/);
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.settled();
    await runInDurableObject(one.actor, (_, { storage }) => {
      storage.sql.exec("UPDATE instance SET json = '{}'");
    });
    await evictDurableObject(one.actor);
    const fleet = fleetOf(env, user.userId);
    await fleet.setPolicy(SETTINGS);
    expect(await fleet.instanceIds("", 10)).toEqual(["rig"]);
    expect((await stateOf(fleet)).due.policy).not.toBeNull();
  });

  it("of a fleet that is out of reach stays as it is, and its owner may try again", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await ghost(one);
    const away = vi.spyOn(FleetActor.prototype, "removeGhost").mockRejectedValue(new Error("away"));
    expectLogged(/"message":"request failed".*"method":"DELETE"/);
    expect((await one.ask("DELETE")).status).toBeGreaterThanOrEqual(500);
    away.mockRestore();
    expect((await one.ask("DELETE")).status).toBe(200);
  });
});

describe("an instance on its way out whose alarm was lost", () => {
  it("goes on when a policy is brought to it", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    const remove = await stuckOnItsWayOut(one);
    const fleet = fleetOf(env, user.userId);
    await fleet.setPolicy(SETTINGS);
    expect(await one.armedAt()).not.toBeNull();
    remove.mockRestore();
    setClock(DAY + 3_600_000);
    await fleet.setPolicy({});
    await eventually(async () => expect(await fleet.instanceIds("", 10)).toEqual([]));
    expect(await refusalOf(fleet, (actor) => actor.policy())).toBe("not refused");
  });

  it("goes on in the daily cleanup", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    const remove = await stuckOnItsWayOut(one);
    remove.mockRestore();
    setClock(DAY + 3_600_000);
    expect(await one.actor.cleanUp()).toBe("known");
    const list = () => call("GET", "/api/agent/instances?view=summary", { token: user.token });
    await eventually(async () => expect((await list()).body.instances).toEqual([]));
    expect(await one.actor.cleanUp()).toBe("unknown");
  });
});
