import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { requestDeletion, suspendUser } from "../../src/accounts/standing.ts";
import type { Fleet } from "../../src/fleet/fleet.ts";
import { READY } from "../../src/fleet/keeper.ts";
import { isPolicySure } from "../../src/fleet/rules/state.ts";
import { carryOut } from "../../src/fleet/tasks/account.ts";
import { takeStanding } from "../../src/fleet/tasks/standing.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { mayLog } from "../quiet.ts";
import { DAY, Instance, newUser, setClock } from "../world.ts";
import { armedAt, passAlarms, refusalOf, stateOf } from "./fleets.ts";

/** A fleet that asks D1 how its user stands, while that changes. */

mayLog(/totalsAt failed|standingAt failed/);

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** D1 as it answers for `userId`; each answer is on its way while `meanwhile` goes on, which gets the number of the question. */
function slowDatabase(meanwhile: (question: number) => unknown): { DB: D1Database } {
  let questions = 0;
  const prepare = (sql: string) => ({
    bind: (...values: unknown[]) => ({
      first: async () => {
        const row = await env.DB.prepare(sql)
          .bind(...values)
          .first();
        await meanwhile(questions++);
        return row;
      },
    }),
  });
  return { DB: new Proxy(env.DB, { get: () => prepare }) };
}

async function withFleet<T>(use: (fleet: Fleet, userId: string) => Promise<T>): Promise<T> {
  const { userId } = await newUser();
  return runInDurableObject(fleetOf(env, userId), async (actor) => use(await actor[READY](), userId));
}

const acting = (fleet: Fleet, userId: string, type: "suspend" | "resume" | "leave") =>
  carryOut({ type }, { env, userId, fleet, closeConnections: () => {} });

describe("an answer of D1 that is older than what the operator did meanwhile", () => {
  it("undoes neither a suspension nor a deletion", async () => {
    await withFleet(async (fleet, userId) => {
      const database = slowDatabase(async (question) => {
        if (question > 0) return;
        await acting(fleet, userId, "suspend");
        await acting(fleet, userId, "leave");
      });
      await takeStanding(database, userId, fleet);
      expect(fleet.isSuspended).toBe(true);
      expect(fleet.state).toMatchObject({ leavingSince: DAY, policy: { suspended: true } });
      expect(fleet.state.due.policy).toBeNull();
    });
  });

  it("undoes no suspension, though D1 is away when it is asked again", async () => {
    await withFleet(async (fleet, userId) => {
      const database = slowDatabase(async (question) => {
        if (question > 0) throw new Error("D1 is down");
        await suspendUser(env.DB, userId, DAY);
        await acting(fleet, userId, "suspend");
      });
      await expect(takeStanding(database, userId, fleet)).rejects.toThrow("D1 is down");
      expect(fleet.isSuspended).toBe(true);
      expect(isPolicySure(fleet.state)).toBe(false);
    });
  });

  it("brings no suspension back that was lifted", async () => {
    await withFleet(async (fleet, userId) => {
      await suspendUser(env.DB, userId, DAY);
      const database = slowDatabase(async (question) => {
        if (question > 0) return;
        await env.DB.prepare("UPDATE users SET suspended_at = NULL WHERE id = ?").bind(userId).run();
        await acting(fleet, userId, "suspend");
        await acting(fleet, userId, "resume");
      });
      await takeStanding(database, userId, fleet);
      expect(fleet.isSuspended).toBe(false);
      expect(isPolicySure(fleet.state)).toBe(true);
    });
  });
});

describe("a fleet that asks how its user stands", () => {
  it("knows that it does not know until D1 has answered", async () => {
    await withFleet(async (fleet, userId) => {
      let wasSure = true;
      await takeStanding(
        slowDatabase(() => {
          wasSure = isPolicySure(fleet.state);
        }),
        userId,
        fleet,
      );
      expect(wasSure).toBe(false);
      expect(isPolicySure(fleet.state)).toBe(true);
    });
  });

  it("asks again by its alarm when D1 did not answer", async () => {
    const { userId } = await newUser();
    const fleet = fleetOf(env, userId);
    await suspendUser(env.DB, userId, DAY);
    // Its first start asks D1 as well.
    await fleet.policy();
    const prepare = vi.spyOn(Object.getPrototypeOf(env.DB), "prepare").mockImplementation(() => {
      throw new Error("D1 is down");
    });
    expect(await refusalOf(fleet, (actor) => actor.takeStanding())).toContain("D1 is down");
    prepare.mockRestore();
    expect(await armedAt(fleet)).not.toBeNull();
    await passAlarms(fleet, DAY + 60_000);
    expect(await fleet.isSuspended()).toBe(true);
    expect((await stateOf(fleet)).due.standingAt).toBeNull();
  });

  it("keeps the policy from nobody for good who was to get it meanwhile", async () => {
    const user = await newUser();
    const rig = await Instance.register(user, "rig");
    await rig.heartbeat();
    await rig.settled();
    const fleet = fleetOf(env, user.userId);
    await runInDurableObject(fleet, async (actor) => {
      const known = await actor[READY]();
      const database = slowDatabase(
        (question) => question === 0 && actor.setPolicy({ idle: { warn_after_seconds: 100 } }),
      );
      await takeStanding(database, user.userId, known);
    });
    await passAlarms(fleet, DAY + 60_000);
    expect((await rig.ask("GET")).body.policy_overrides.user).toEqual({ idle: { warn_after_seconds: 100 } });
  });
});

describe("a fleet that leaves", () => {
  it("is suspended whatever its policy says, and takes that for good", async () => {
    await withFleet(async (fleet, userId) => {
      await acting(fleet, userId, "leave");
      // As a former release left it.
      fleet.update((state) => ({ ...state, policy: { ...state.policy, suspended: false } }));
      expect(fleet.isSuspended).toBe(true);
      await requestDeletion(env.DB, userId, DAY);
      await takeStanding(env, userId, fleet);
      expect(fleet.state).toMatchObject({ leavingSince: DAY, policy: { suspended: true } });
      await expect(acting(fleet, userId, "resume")).rejects.toThrow("can't be resumed");
    });
  });
});
