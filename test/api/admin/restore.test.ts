import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { requestDeletion } from "../../../src/accounts/standing.ts";
import { InstanceActor } from "../../../src/instance/actor.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { passAlarms, refusalOf, stateOf } from "../../fleet/fleets.ts";
import { expectLogged, mayLog } from "../../quiet.ts";
import { giveBookmark, setBackTo, snapshotOf } from "../../snapshots.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const A_DAY = 24 * HOUR;
const THEN = "2030-01-07T00:10:00Z";

mayLog(/totalsAt failed|the mass-outage guard/);

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function restore(path: string, json: unknown = { at: THEN }) {
  return call("POST", `/api/admin/users/${path}/restore`, { token: ADMIN_TOKEN, json });
}

async function eventsOf(one: Instance) {
  const { results } = await env.DB.prepare(
    "SELECT id, at, kind FROM events WHERE user_id = ? AND instance_id = ? ORDER BY at, id",
  )
    .bind(one.userId, one.id)
    .all<{ id: string; at: number; kind: string }>();
  return results;
}

describe("where the platform keeps no former states", () => {
  it("is refused with the reason, and nothing has changed", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    for (const path of [user.userId, `${user.userId}/instances/rig`]) {
      const refused = await restore(path);
      expect(refused.status).toBe(409);
      expect(refused.body.error).toEqual({
        code: "not_possible",
        message: "This server keeps no former states of its objects",
      });
    }
    expect(await one.status()).toBe("running");
    expect((await restore("u-nobody")).status).toBe(404);
    expect((await restore(user.userId, { at: "yesterday" })).status).toBe(400);
    const path = `/api/admin/users/${user.userId}/restore`;
    expect((await call("POST", path, { token: user.token, json: { at: THEN } })).status).toBe(403);
  });
});

describe("an instance that the operator sets back", () => {
  it("goes on with its tokens and above all its ids, and answers how to undo it", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    await one.settled();
    const then = await snapshotOf(one.actor);
    setClock(DAY + A_DAY);
    const rotated = await one.ask("POST", "/token");
    const former = one.token;
    one.token = rotated.body.token;
    expect((await one.heartbeat()).status).toBe(200);
    await one.settled();
    const before = await eventsOf(one);

    setClock(DAY + 2 * A_DAY);
    const asked = await giveBookmark(one.actor, then);
    const restored = await restore(`${user.userId}/instances/rig`);
    expect(restored.body).toEqual({ success: true, undo: "bookmark-of-now" });
    expect(asked).toEqual(["bookmark-of-2030-01-07T00:10:00.000Z"]);
    expect(await one.status()).toBe("running");
    expect((await one.heartbeat()).status).toBe(200);
    one.token = former;
    expect((await one.heartbeat()).status).toBe(401);

    await one.settled();
    const after = await eventsOf(one);
    expect(after.slice(0, before.length)).toEqual(before);
    const ids = after.map(({ id }) => Number.parseInt(id, 36));
    const newest = Math.max(...ids.slice(0, before.length));
    for (const id of ids.slice(before.length)) expect(id).toBeGreaterThan(newest);
    expect(after.at(-1)?.kind).toBe("resumed");
  });

  it("to before it was registered is told so, with the way back", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.settled();
    await giveBookmark(one.actor, new Map());
    const restored = await restore(`${user.userId}/instances/rig`);
    expect(restored.status).toBe(409);
    expect(restored.body.error.message).toContain("bookmark-of-now");
  });
});

describe("an instance that was set back, and nobody told it", () => {
  async function silent(): Promise<Instance> {
    const one = await Instance.register(await newUser(), "rig", { provider: "none" });
    await one.heartbeat();
    await one.until(DAY + 20 * MINUTE);
    await one.settled();
    expect(await one.status()).toBe("orphaned");
    return one;
  }

  it("takes no step for a silence that it knows nothing of, whatever wakes it first", async () => {
    const one = await silent();
    const then = await snapshotOf(one.actor);
    setClock(DAY + 2 * A_DAY);
    await one.heartbeat();
    await one.settled();
    setClock(DAY + 3 * A_DAY);
    await setBackTo(one.actor, then);
    // The daily cleanup.
    await one.actor.cleanUp();
    await one.settled();
    const kinds = (await eventsOf(one)).filter(({ at }) => at >= DAY + 3 * A_DAY).map(({ kind }) => kind);
    expect(kinds).not.toContain("silent");
    expect(kinds).not.toContain("abandoned");
    expect(await one.armedAt()).toBeGreaterThan(DAY + 3 * A_DAY);
  });

  it("hears it from its fleet with the next report, which then has its true row", async () => {
    const one = await silent();
    const then = await snapshotOf(one.actor);
    setClock(DAY + 2 * A_DAY);
    await one.heartbeat();
    await one.ask("PATCH", "", { name: "Another" });
    await one.settled();
    const fleet = fleetOf(env, one.userId);
    const seen = await fleet.lastRevision("rig");
    setClock(DAY + 2 * A_DAY + MINUTE);
    await setBackTo(one.actor, then);
    await one.ask("POST", "/keep-alive");
    await one.settled();
    expect(await fleet.lastRevision("rig")).toBeGreaterThan(seen);
    expect((await eventsOf(one)).map(({ kind }) => kind)).toContain("resumed");
    const listed = (await one.ask("GET")).body;
    expect(listed.name).toBe("rig");
  });

  it("takes up a token that was issued since with the first heartbeat", async () => {
    const one = await silent();
    const then = await snapshotOf(one.actor);
    const former = one.token;
    setClock(DAY + A_DAY);
    one.token = (await one.ask("POST", "/token")).body.token;
    await one.settled();
    await setBackTo(one.actor, then);
    expect((await one.heartbeat()).status).toBe(200);
    expect(await one.status()).toBe("running");
    one.token = former;
    expect((await one.heartbeat()).status).toBe(401);
    await one.settled();
  });
});

describe("a fleet that was set back", () => {
  it("asks its instances, and goes on above all that it gave out since", async () => {
    const user = await newUser();
    const [one, other] = [await Instance.register(user, "a"), await Instance.register(user, "b")];
    await Promise.all([one.heartbeat(), other.heartbeat()]);
    await Promise.all([one.settled(), other.settled()]);
    const fleet = fleetOf(env, user.userId);
    const then = await snapshotOf(fleet);
    const policy = { idle: { warn_after_seconds: 100 } };
    expect((await call("PUT", "/api/agent/policy", { token: user.token, json: policy })).status).toBe(200);
    const third = await Instance.register(user, "c");
    await third.heartbeat();
    await Promise.all([one.settled(), third.settled()]);
    const { revision } = await stateOf(fleet);

    setClock(DAY + MINUTE);
    await giveBookmark(fleet, then);
    expect((await restore(user.userId)).body).toEqual({ success: true, undo: "bookmark-of-now" });
    // A stub that outlives a restart fails for good.
    const anew = fleetOf(env, user.userId);
    const restored = await stateOf(anew);
    expect(restored.revision).toBeGreaterThan(revision);
    expect(restored.digests).toBeGreaterThan(1_000_000);
    expect(restored.policy.version).toBeGreaterThan(1_000_000);
    expect(await anew.instanceIds("", 10)).toEqual(["a", "b"]);
    await passAlarms(anew, DAY + 2 * MINUTE);
    await one.settled();
    // The policy of then holds for all, whatever came since.
    const { policy_overrides } = (await one.ask("GET")).body;
    expect(policy_overrides.user).toEqual({});
    const { awake, instancesByStatus } = await stateOf(anew);
    expect({ awake, instancesByStatus }).toEqual({ awake: 2, instancesByStatus: { running: 2 } });
    // One that was registered since comes back with its next report.
    await third.ask("POST", "/keep-alive");
    await third.ask("PATCH", "", { name: "C" });
    await third.settled();
    expect(await anew.instanceIds("", 10)).toEqual(["a", "b", "c"]);
  });

  it("is suspended as its user is now, whatever it was then", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "a");
    await one.heartbeat();
    await one.settled();
    const then = await snapshotOf(fleetOf(env, user.userId));
    const act = (what: string) =>
      call("POST", `/api/admin/users/${user.userId}/${what}`, { token: ADMIN_TOKEN, json: {} });
    expect((await act("suspend")).status).toBe(200);
    setClock(DAY + MINUTE);
    await giveBookmark(fleetOf(env, user.userId), then);
    expect((await restore(user.userId)).status).toBe(200);
    expect(await fleetOf(env, user.userId).isSuspended()).toBe(true);
    expect((await act("resume")).status).toBe(200);
    expect(await fleetOf(env, user.userId).isSuspended()).toBe(false);
  });

  describe("and finds it out by itself", () => {
    const act = async (userId: string, what: "suspend" | "resume") => {
      const path = `/api/admin/users/${userId}/${what}`;
      expect((await call("POST", path, { token: ADMIN_TOKEN, json: {} })).status).toBe(200);
    };

    /** The fleet is set back to before `act`, and hears from the service that it was. */
    async function setBackBefore(
      userId: string,
      act: () => Promise<unknown>,
      meanwhile: () => unknown = () => {},
    ): Promise<void> {
      const fleet = fleetOf(env, userId);
      await passAlarms(fleet, DAY + MINUTE);
      const then = await snapshotOf(fleet);
      await act();
      for (let turn = 1; turn <= 5; turn++) {
        setClock(DAY + turn * HOUR);
        await fleet.recount();
        await passAlarms(fleet, DAY + turn * HOUR + MINUTE);
      }
      setClock(DAY + A_DAY);
      await setBackTo(fleet, then);
      await meanwhile();
      mayLog(/the fleet was set back to a former state/);
      await fleet.recount();
      await passAlarms(fleet, DAY + A_DAY + MINUTE);
    }

    async function newFleet(): Promise<{ userId: string; one: Instance }> {
      const user = await newUser();
      const one = await Instance.register(user, "a");
      await one.heartbeat();
      await one.settled();
      return { userId: user.userId, one };
    }

    it("does not undo a suspension, and its instances hear of it", async () => {
      const { userId, one } = await newFleet();
      await setBackBefore(userId, () => act(userId, "suspend"));
      expect(await fleetOf(env, userId).isSuspended()).toBe(true);
      expect((await one.heartbeat()).status).toBe(403);
    });

    it("does not bring one back that was lifted", async () => {
      const { userId, one } = await newFleet();
      await act(userId, "suspend");
      await setBackBefore(userId, () => act(userId, "resume"));
      expect(await fleetOf(env, userId).isSuspended()).toBe(false);
      expect((await one.heartbeat()).status).toBe(200);
    });

    it("undoes none either when an instance tells it first, by a later version of the policy", async () => {
      const { userId, one } = await newFleet();
      const fleet = fleetOf(env, userId);
      await passAlarms(fleet, DAY + MINUTE);
      const then = await snapshotOf(fleet);
      await act(userId, "suspend");
      await act(userId, "resume");
      await act(userId, "suspend");
      await one.settled();
      await setBackTo(fleet, then);
      const heard: (boolean | undefined)[] = [];
      const { setUserPolicy } = InstanceActor.prototype;
      vi.spyOn(InstanceActor.prototype, "setUserPolicy").mockImplementation(function (
        this: InstanceActor,
        policy,
      ) {
        heard.push(policy.suspended);
        return setUserPolicy.call(this, policy);
      });
      await one.actor.cleanUp();
      await one.settled();
      expect((await one.heartbeat()).status).toBe(403);
      await passAlarms(fleet, Date.now() + MINUTE);
      expect(await fleet.isSuspended()).toBe(true);
      expect([...new Set(heard)]).toEqual([true]);
      expect((await one.heartbeat()).status).toBe(403);
    });

    it("asks again until the database answers", async () => {
      const { userId } = await newFleet();
      const prepare = vi.spyOn(Object.getPrototypeOf(env.DB), "prepare");
      await setBackBefore(
        userId,
        () => act(userId, "suspend"),
        () => {
          mayLog(/standingAt failed|outbox not delivered|days of costs wait/);
          prepare.mockImplementation(() => {
            throw new Error("D1 is down");
          });
        },
      );
      const fleet = fleetOf(env, userId);
      expect(await refusalOf(fleet, (actor) => actor.isSuspended())).toContain("D1 is down");
      expect((await stateOf(fleet)).due.standingAt).not.toBeNull();
      prepare.mockRestore();
      await passAlarms(fleet, DAY + A_DAY + 2 * MINUTE);
      expect(await fleet.isSuspended()).toBe(true);
    });

    it("takes no report any more of a user who is being deleted", async () => {
      const { userId } = await newFleet();
      await setBackBefore(userId, () => requestDeletion(env.DB, userId, Date.now()));
      expect((await stateOf(fleetOf(env, userId))).leavingSince).not.toBeNull();
    });
  });

  it("finds it out when the service knows later totals of it", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "a");
    await one.heartbeat();
    await one.settled();
    const fleet = fleetOf(env, user.userId);
    const then = await snapshotOf(fleet);
    await passAlarms(fleet, DAY + MINUTE);
    const other = await Instance.register(user, "b");
    await other.heartbeat();
    await other.settled();
    await passAlarms(fleet, DAY + 5 * MINUTE);
    setClock(DAY + HOUR);
    await setBackTo(fleet, then);
    expectLogged(/the fleet was set back to a former state/);
    await one.ask("PATCH", "", { name: "A" });
    await one.settled();
    await passAlarms(fleet, DAY + HOUR + 10 * MINUTE);
    expect((await stateOf(fleet)).digests).toBeGreaterThan(1_000_000);
  });
});
