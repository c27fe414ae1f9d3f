import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InstanceActor } from "../../src/instance/actor.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { mayLog } from "../quiet.ts";
import { DAY, Instance, newUser, setClock } from "../world.ts";
import { passAlarms, reportOf, stateOf } from "./fleets.ts";

const SECOND = 1_000;
const SETTINGS = { keep_alive_minutes: 7 };

mayLog(/totalsAt failed/);

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a report that brings a higher version of the policy than the fleet's own", () => {
  it("lifts the fleet's above it, and the same policy is brought to all again", async () => {
    const taken: [string, number][] = [];
    vi.spyOn(InstanceActor.prototype, "setUserPolicy").mockImplementation(async function (
      this: InstanceActor,
      policy,
    ) {
      taken.push([String(Reflect.get(this, "ctx").id.name), policy.version]);
      return "known";
    });
    const fleet = fleetOf(env, "versions");
    for (const id of ["a", "b"]) await fleet.report(reportOf(id));
    await fleet.setPolicy(SETTINGS);
    taken.length = 0;
    const answer = await fleet.report(reportOf("a", { revision: 2, policyVersion: 7 }));
    // The fleet may have been set back: first it asks whether its user is suspended.
    expect(answer.policy).toBeNull();
    expect((await stateOf(fleet)).due.policy).toEqual({ at: DAY, after: "" });
    await passAlarms(fleet, DAY + SECOND);
    expect(taken.sort()).toEqual([
      ["versions/a", 8],
      ["versions/b", 8],
    ]);
    // Late, repeated, or of one that has taken it: nothing more.
    for (const policyVersion of [7, 7, 8]) {
      await fleet.report(reportOf("a", { revision: 2, policyVersion }));
    }
    expect(await stateOf(fleet)).toMatchObject({ policy: { version: 8 }, due: { policy: null } });
    expect(await fleet.setPolicy({})).toMatchObject({ version: 9 });
  });

  it("does not leave the instance with a policy that the fleet does not have", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.settled();
    await runInDurableObject(one.actor, (_, { storage: { sql } }) => {
      const stored = JSON.parse(String(sql.exec("SELECT json FROM instance").one().json));
      const newer = { ...stored, userPolicy: { keep_alive_minutes: 99 }, userPolicyVersion: 5 };
      sql.exec("UPDATE instance SET json = ?", JSON.stringify(newer));
    });
    await evictDurableObject(one.actor);
    const fleet = fleetOf(env, user.userId);
    await fleet.setPolicy(SETTINGS);
    await one.settled();
    await passAlarms(fleet, DAY + SECOND);
    expect((await one.ask("GET")).body.policy.keep_alive_minutes).toBe(7);
    expect((await stateOf(fleet)).policy).toEqual({ overrides: SETTINGS, version: 6 });
  });
});
