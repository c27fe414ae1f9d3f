import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextToVisit, visitAll } from "../../../src/cleanup/visit.ts";
import { FleetActor } from "../../../src/fleet/actor.ts";
import { Fleet } from "../../../src/fleet/fleet.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { expectLogged } from "../../quiet.ts";
import { call, DAY, Instance, newUser, setClock } from "../../world.ts";
import { rows } from "../fleets.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function visitDaily(userId: string): Promise<string[]> {
  const listed = await nextToVisit(env, userId, "", 100);
  await visitAll(env, userId, listed);
  return listed.map(({ instanceId }) => instanceId);
}

describe("an instance that was admitted and has not reported", () => {
  it("is found by the daily look, though its report was lost and its alarm with it", async () => {
    const user = await newUser();
    const fleet = fleetOf(env, user.userId);
    const report = vi
      .spyOn(FleetActor.prototype, "report")
      .mockRejectedValue(new Error("the fleet was reset"));
    expectLogged(/outbox not delivered \(fleet\)/);
    const rig = await Instance.register(user, "rig");
    await runInDurableObject(rig.actor, (_, { storage }) => storage.deleteAlarm());
    report.mockRestore();
    await evictDurableObject(rig.actor);
    await evictDurableObject(fleet);
    expect(await fleet.instanceIds("", 10)).toEqual([]);

    setClock(DAY + 11 * MINUTE);
    expect(await visitDaily(user.userId)).toEqual(["rig"]);
    await rig.settled();
    expect(await fleet.instanceIds("", 10)).toEqual(["rig"]);
  });

  it("is looked for once, if its registration came to nothing, and not before that may have ended", async () => {
    const { userId } = await newUser();
    await fleetOf(env, userId).admit("never");
    setClock(DAY + 9 * MINUTE);
    expect(await visitDaily(userId)).toEqual([]);
    setClock(DAY + 10 * MINUTE);
    expect(await visitDaily(userId)).toEqual(["never"]);
    expect(await visitDaily(userId)).toEqual([]);
  });

  it("is looked for no more once it has reported, or was removed", async () => {
    const user = await newUser();
    const [stays, leaves] = [await Instance.register(user, "stays"), await Instance.register(user, "leaves")];
    await Promise.all([stays.settled(), leaves.settled()]);
    await leaves.ask("DELETE");
    setClock(DAY + 11 * MINUTE);
    expect(await nextToVisit(env, user.userId, "", 10)).toEqual([
      { instanceId: "stays", revision: expect.any(Number) },
    ]);
  });

  it("is forgotten at once when the registration is refused", async () => {
    const user = await newUser();
    const json = { instance_id: "refused", provider: "webhook" };
    const { status } = await call("POST", "/api/agent/instances", { token: user.token, json });
    expect(status).toBe(409);
    setClock(DAY + 10 * MINUTE);
    expect(await visitDaily(user.userId)).toEqual([]);
  });

  it("counts towards the limit for a minute, also when the fleet leaves memory in between", async () => {
    const fleet = fleetOf(env, "admits-two");
    const { admit } = Fleet.prototype;
    vi.spyOn(Fleet.prototype, "admit").mockImplementation(function (this: Fleet, id, _, now) {
      return admit.call(this, id, 2, now);
    });
    await fleet.admit("a");
    await fleet.admit("b");
    await evictDurableObject(fleet);
    expect(await fleet.admit("c")).toBeNull();
    expect(await fleet.admit("b")).not.toBeNull();
    setClock(DAY + MINUTE);
    expect(await fleet.admit("c")).not.toBeNull();
  });
});

describe("two registrations of one id at the same time", () => {
  it("are withdrawn each by itself: none takes back the other's admission", async () => {
    const fleet = fleetOf(env, "admits-twice");
    const [one, other] = [await fleet.admit("rig"), await fleet.admit("rig")];
    const isNoted = async () => (await rows(fleet, "SELECT 1 FROM admissions")).length === 1;
    await fleet.withdrawAdmission("rig", one?.withdrawBy ?? 0);
    expect(await isNoted()).toBe(true);
    // Nor does the later one while the first may go on.
    expect(other?.withdrawBy).toBeNull();
    // A Worker of the former release names none.
    await fleet.withdrawAdmission("rig");
    expect(await isNoted()).toBe(true);
    setClock(DAY + 11 * MINUTE);
    const later = await fleet.admit("rig");
    await fleet.withdrawAdmission("rig", later?.withdrawBy ?? 0, later?.formerAt);
    expect(await isNoted()).toBe(true);
    const alone = await fleet.admit("alone");
    await fleet.withdrawAdmission("alone", alone?.withdrawBy ?? 0);
    expect(await rows(fleet, "SELECT instance_id FROM admissions")).toEqual([{ instance_id: "rig" }]);
  });

  it("leave the first one to the daily look, though a later one came to nothing", async () => {
    const user = await newUser();
    const fleet = fleetOf(env, user.userId);
    // It came through, but its report and its alarm were lost.
    await fleet.admit("rig");
    setClock(DAY + 11 * MINUTE);
    const policy = { idle: { warn_after_seconds: 600, hibernate_after_seconds: 300 } };
    const json = { instance_id: "rig", provider: "none", policy };
    expect((await call("POST", "/api/agent/instances", { token: user.token, json })).status).toBe(400);
    const [row] = await rows<{ admitted_at: number }>(fleet, "SELECT admitted_at FROM admissions");
    expect(row).toEqual({ admitted_at: DAY });
    expect(await nextToVisit(env, user.userId, "", 10)).toEqual([{ instanceId: "rig", revision: null }]);
  });

  it("are not forgotten by a daily look that listed an earlier one", async () => {
    const fleet = fleetOf(env, "admits-again");
    await fleet.admit("rig");
    setClock(DAY + 10 * MINUTE);
    const listed = await nextToVisit(env, "admits-again", "", 10);
    expect(listed).toHaveLength(1);
    await fleet.admit("rig");
    await fleet.removeUnknown(listed);
    expect(await rows(fleet, "SELECT instance_id FROM admissions")).toHaveLength(1);
  });
});

it("an admission that no daily look has settled is forgotten after a week", async () => {
  const fleet = fleetOf(env, "admits-for-a-week");
  await fleet.admit("first");
  setClock(DAY + 7 * 24 * 60 * MINUTE);
  await fleet.admit("second");
  setClock(Date.now() + 10 * MINUTE);
  expect(await nextToVisit(env, "admits-for-a-week", "", 10)).toEqual([
    { instanceId: "second", revision: null },
  ]);
});
