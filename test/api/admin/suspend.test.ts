import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InstanceActor } from "../../../src/instance/actor.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { passAlarms, reportOf } from "../../fleet/fleets.ts";
import { expectLogged } from "../../quiet.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../../world.ts";

const MINUTE = 60_000;
const A_DAY = 24 * 60 * MINUTE;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const asOperator = (method: string, path: string) =>
  call(method, `/api/admin/users/${path}`, { token: ADMIN_TOKEN });

async function serviceEvents(): Promise<{ kind: string; detail: { user_id?: string } }[]> {
  return (await call("GET", "/api/admin/events", { token: ADMIN_TOKEN })).body.events;
}

describe("a user who is suspended", () => {
  it("is refused, instances too, until resumed", async () => {
    const user = await newUser();
    const rig = await Instance.register(user, "rig");
    expect((await rig.heartbeat()).status).toBe(200);
    const suspended = await asOperator("POST", `${user.userId}/suspend`);
    expect(suspended.body).toMatchObject({
      standing: "suspended",
      suspended_at: "2030-01-07T00:00:00Z",
      deletion: null,
    });
    for (const refused of [
      await rig.heartbeat(),
      await rig.ask("GET"),
      await call("GET", "/metrics", { token: user.token }),
      await call("GET", "/api/agent/live", { token: user.token }),
    ]) {
      expect(refused.status).toBe(403);
      expect(refused.body.error.code).toBe("suspended");
    }
    await evictDurableObject(rig.actor);
    expect((await rig.heartbeat()).status).toBe(403);
    expect((await asOperator("GET", user.userId)).body.standing).toBe("suspended");
    // Again: nothing more happens.
    expect((await asOperator("POST", `${user.userId}/suspend`)).body).toEqual(suspended.body);
    expect((await asOperator("POST", `${user.userId}/resume`)).body).toMatchObject({
      standing: "active",
      suspended_at: null,
    });
    expect((await rig.heartbeat()).status).toBe(200);
    expect((await rig.ask("GET")).status).toBe(200);
    const told = (await serviceEvents()).filter(({ detail }) => detail.user_id === user.userId);
    expect(told.map(({ kind }) => kind).sort()).toEqual(["user_resumed", "user_suspended"]);
  });

  it("stays suspended whatever settings an import brings", async () => {
    const { userId } = await newUser();
    const act = await call("POST", `/api/admin/users/${userId}/suspend`, { token: ADMIN_TOKEN });
    expect(act.status).toBe(200);
    const fleet = fleetOf(env, userId);
    expect(await fleet.bringSettings({ overrides: {}, version: 99 }, {})).toBe(true);
    expect(await fleet.isSuspended()).toBe(true);
  });

  it("is nobody else", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const rig = await Instance.register(bob, "rig");
    await asOperator("POST", `${ada.userId}/suspend`);
    expect((await rig.heartbeat()).status).toBe(200);
    expect((await asOperator("POST", "u-none/suspend")).status).toBe(404);
    expect((await call("POST", `/api/admin/users/${bob.userId}/suspend`, { token: ada.token })).status).toBe(
      403,
    );
  });

  it("has nothing done to machines: no step is taken for days, and silence counts from the end of it", async () => {
    const user = await newUser();
    const [idle, silent] = [await Instance.register(user, "idle"), await Instance.register(user, "silent")];
    for (let minute = 0; minute < 4; minute++) {
      await idle.until(DAY + minute * MINUTE);
      expect((await idle.heartbeat({ gpu_utilization: 1 })).status).toBe(200);
      await silent.heartbeat();
    }
    await asOperator("POST", `${user.userId}/suspend`);
    for (const one of [idle, silent]) {
      await one.until(DAY + 9 * A_DAY);
      await runInDurableObject<InstanceActor, unknown>(one.actor, (actor) => actor.cleanUp());
    }
    for (const one of [idle, silent]) {
      const detail = await runInDurableObject<InstanceActor, unknown>(one.actor, (actor) => actor.detail());
      expect(detail).toMatchObject({ status: "running", orphaned_since: null });
    }
    await asOperator("POST", `${user.userId}/resume`);
    const resumedAt = DAY + 9 * A_DAY;
    await silent.until(resumedAt + 4 * MINUTE);
    expect(await silent.status()).toBe("running");
    await silent.until(resumedAt + 5 * MINUTE);
    expect(await silent.status()).toBe("orphaned");
  });

  it("has an order called off that nobody has accepted, and gets no other", async () => {
    const user = await newUser();
    const rig = await Instance.register(user, "rig");
    for (let minute = 0; minute < 5; minute++) {
      await rig.until(DAY + minute * MINUTE);
      await rig.heartbeat({ gpu_utilization: 1 });
    }
    await rig.until(DAY + 5 * MINUTE);
    expect(await rig.status()).toBe("hibernating");
    await asOperator("POST", `${user.userId}/suspend`);
    const kinds = await runInDurableObject<InstanceActor, unknown>(rig.actor, (actor) => actor.detail());
    expect(kinds).toMatchObject({ status: "running" });
    for (const command of ["hibernate", "wake"] as const) {
      const answer = await runInDurableObject<InstanceActor, unknown>(rig.actor, (actor) => actor[command]());
      expect(answer).toMatchObject({ outcome: "refused", refusal: { code: "suspended" } });
    }
  });

  it("reaches an instance that was out of reach, by the fleet's alarm or its own next report", async () => {
    const user = await newUser();
    const [one, two] = [await Instance.register(user, "one"), await Instance.register(user, "two")];
    const down = vi.spyOn(InstanceActor.prototype, "setUserPolicy").mockRejectedValue(new Error("away"));
    await asOperator("POST", `${user.userId}/suspend`);
    expect((await one.heartbeat()).status).toBe(200);
    // Whatever the instance knows: its fleet holds every step, and says so to the workflow before each try.
    const fleet = fleetOf(env, user.userId);
    expect(await fleet.isSuspended()).toBe(true);
    const asking = reportOf("one", { revision: 0, questions: ["hibernate"] });
    const { answers } = await fleet.report(asking);
    expect(answers).toMatchObject([{ answer: { held: true } }]);
    down.mockRestore();
    await passAlarms(fleet, DAY + 10 * MINUTE);
    expect((await one.heartbeat()).status).toBe(403);
    expect((await two.heartbeat()).status).toBe(403);
  });

  it("is refused from the first moment, though the fleet can't be told: the operator hears of it and asks again", async () => {
    const user = await newUser();
    const fleet = fleetOf(env, user.userId);
    const down = vi.spyOn(env.FLEETS, "getByName").mockImplementation(() => {
      throw new Error("away");
    });
    expectLogged(/request failed/);
    expect((await asOperator("POST", `${user.userId}/suspend`)).status).toBe(503);
    down.mockRestore();
    expect((await call("GET", "/api/agent/policy", { token: user.token })).status).toBe(403);
    expect((await asOperator("POST", `${user.userId}/suspend`)).status).toBe(200);
    expect(await fleet.isSuspended()).toBe(true);
  });
});
