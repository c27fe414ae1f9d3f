import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FleetActor } from "../../../src/fleet/actor.ts";
import { keepCostDays } from "../../../src/history/costs.ts";
import { rollUpPage } from "../../../src/history/retention.ts";
import { WALK_START } from "../../../src/history/walk.ts";
import { NO_COSTS } from "../../../src/lifecycle/model/ledger.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { openProvider } from "../../../src/providers/registry.ts";
import { passAlarms } from "../../fleet/fleets.ts";
import { expectLogged, mayLog } from "../../quiet.ts";
import {
  ADMIN_TOKEN,
  call,
  DAY,
  eventually,
  Instance,
  newUser,
  type Reply,
  rowsOf,
  setClock,
} from "../../world.ts";
import { exportAll, type Line } from "./exported.ts";

/** What the whole round trip between two servers (test/server) does not meet. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const A_DAY = 24 * HOUR;

mayLog(/totalsAt failed/);

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function bring(userId: string, from: string, lines: readonly unknown[]): Promise<Reply> {
  const json = { from_user_id: from, exported_at: Date.now(), lines };
  return call("POST", `/api/admin/users/${userId}/import`, { token: ADMIN_TOKEN, json });
}

describe("an export", () => {
  it("comes in pages, each instance and each row of the history once", async () => {
    const user = await newUser();
    for (let number = 0; number < 23; number++) {
      const one = await Instance.register(user, `rig-${number}`);
      await one.heartbeat();
    }
    const { lines, pages } = await exportAll(user.userId);
    const of = (type: string) => lines.filter((line) => line.type === type);
    expect(new Set(of("instance").map((line) => line.instance_id)).size).toBe(23);
    expect(of("instance")).toHaveLength(23);
    expect(of("heartbeats")).toHaveLength(23);
    expect(of("event").length).toBeGreaterThanOrEqual(46);
    expect(pages).toBeGreaterThan(5);
    // Every heartbeat is in the history, so none waits in a state, too.
    for (const { state } of of("instance")) {
      expect(state).toMatchObject({ state: { unflushed: 0, outbox: [] } });
    }
  });

  it("ends at once when its owner's policy changes on the way, and can be begun anew", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    const page = (cursor: string | null) => {
      const query = cursor === null ? "" : `?cursor=${cursor}`;
      return call("GET", `/api/admin/users/${user.userId}/export${query}`, { token: ADMIN_TOKEN });
    };
    let last = (await page(null)).body;
    while (!last.lines.some(({ type }: Line) => type === "fleet")) last = (await page(last.next_cursor)).body;
    const policy = { idle: { hibernate_after_seconds: 86_400 } };
    await call("PUT", "/api/agent/policy", { token: user.token, json: policy });
    const { status, body } = await page(last.next_cursor);
    expect(status).toBe(409);
    expect(body.error).toMatchObject({ code: "not_possible", message: expect.stringContaining("anew") });
    const { lines } = await exportAll(user.userId);
    const target = await newUser();
    const brought = await bring(target.userId, user.userId, lines.slice(1));
    expect(brought.body.refused).toEqual([]);
    // A cursor of the release before does not say which policy it goes by.
    const former = Buffer.from(JSON.stringify({ part: "instances", after: "" })).toString("base64url");
    expect((await page(former)).status).toBe(200);
  });

  it("is the operator's alone", async () => {
    const { userId, token } = await newUser();
    expect((await call("GET", `/api/admin/users/${userId}/export`, { token })).status).toBe(403);
    expect((await call("GET", "/api/admin/users/u-nobody/export", { token: ADMIN_TOKEN })).status).toBe(404);
    const path = `/api/admin/users/${userId}/export?cursor=bm9uc2Vuc2U`;
    expect((await call("GET", path, { token: ADMIN_TOKEN })).status).toBe(400);
  });
});

describe("an import", () => {
  it("brings days of costs along, which the fleet knows then, and a second one changes nothing", async () => {
    const user = await newUser();
    const days = Array.from({ length: 40 }, (_, index) => DAY - (index + 4) * A_DAY);
    const costs = { ...NO_COSTS, working: { ms: HOUR, dollars: 2 } };
    await keepCostDays(
      env.DB,
      user.userId,
      days.flatMap((day) =>
        ["a", "b"].map((instanceId) => ({
          day,
          instanceId,
          costs,
          provider: "vast",
          tags: "{}",
          closedAt: 1,
        })),
      ),
    );
    const { lines } = await exportAll(user.userId);
    expect(lines.filter(({ type }) => type === "cost_day")).toHaveLength(80);
    const { userId } = await newUser();
    for (const _ of [1, 2]) {
      const { body } = await bring(userId, user.userId, lines.slice(1));
      expect(body.refused).toEqual([]);
      const fleet = fleetOf(env, userId);
      await passAlarms(fleet, Date.now() + 5 * MINUTE);
      const { closed } = await fleet.daysOfCosts({ from: 0, before: DAY });
      expect(closed.map(({ day, costs }) => [day, costs.working.dollars])).toEqual(
        days.toReversed().map((day) => [day, 4]),
      );
      const { knownBefore } = await fleet.recentCosts(
        { from: 0, before: DAY },
        { by: "instance" },
        { after: null, limit: 10 },
      );
      expect(knownBefore).toBeGreaterThan(days[0] ?? 0);
    }
  });

  it("names the line that is not as it should be", async () => {
    const user = { type: "user", name: "Ada", created_at: 1 };
    const { status, body } = await bring("u-import-bad", "u-x", [user, { type: "hour", instance_id: "a" }]);
    expect(status).toBe(400);
    expect(body.error.issues[0].path).toBe("body.lines.1.hour");
    expect((await bring("u-import-nobody", "u-x", [{ type: "export", version: 2 }])).status).toBe(400);
    const event = {
      type: "event",
      instance_id: "",
      id: "1",
      at: 1,
      kind: "x",
      severity: "info",
      message: "",
      detail: "{}",
    };
    expect((await bring("u-import-nobody", "u-x", [event])).status).toBe(404);
  });

  it("refuses a state that can't be read, and a machine that another instance watches, and takes the rest", async () => {
    const user = await newUser();
    await Instance.register(user, "rig");
    const { lines } = await exportAll(user.userId);
    const instance = lines.find(({ type }) => type === "instance");
    const { userId } = await newUser();
    await fleetOf(env, userId).claim({ provider: "vast", ref: "7" }, "holder");
    setClock(DAY + MINUTE / 2);
    const state = JSON.parse(JSON.stringify(instance?.state));
    const watched = {
      ...state,
      state: { ...state.state, profile: { ...state.state.profile, provider: "vast", providerRef: "7" } },
    };
    const { body } = await bring(userId, user.userId, [
      { ...instance, instance_id: "newer", state: { ...state, version: 99 } },
      { ...instance, instance_id: "null", state: null },
      { ...instance, instance_id: "watched", state: watched },
      { ...instance, instance_id: "rig" },
    ]);
    expect(body).toMatchObject({ brought: 1, known: 0 });
    expect(body.refused.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2]);
    expect(body.refused[2].message).toBe("its machine is watched by holder");
    expect(await fleetOf(env, userId).instanceIds("", 10)).toEqual(["rig"]);
  });

  it("brings connections with their names, and what a service without connections has exported", async () => {
    const user = await newUser();
    const path = "/api/agent/connections?verify=false";
    for (const name of ["Team A", "Team B"]) {
      const json = { provider: "vast", name, credentials: { api_key: `vast-key-of-${name}` } };
      expect((await call("POST", path, { token: user.token, json })).status).toBe(201);
    }
    const { lines } = await exportAll(user.userId);
    const exported = lines.filter(({ type }) => type === "credentials");
    const [first, second] = exported;
    expect(exported.map(({ name, provider }) => [name, provider])).toEqual([
      ["Team A", "vast"],
      ["Team B", "vast"],
    ]);
    const target = await newUser();
    const former = { type: "credentials", kind: "vast", sealed: first?.sealed, set_at: 5000 };
    const unknown = { ...second, kind: "c-1", provider: "toaster" };
    const { body } = await bring(target.userId, user.userId, [former, second, unknown, second]);
    expect(body).toMatchObject({ brought: 2, known: 1, refused: [{ index: 2 }] });
    const list = await call("GET", "/api/agent/connections", { token: target.token });
    expect(list.body.connections).toMatchObject([
      { id: "vast", name: "Vast.ai" },
      { id: second?.kind, name: "Team B" },
    ]);
    const { provider } = await openProvider(env, target.userId, `vast@${second?.kind}`);
    const asked = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response('{"instances":null}'));
    await provider.status({ ref: "1", instanceId: "rig", actionId: "a" });
    const headers = new Headers(asked.mock.calls[0]?.[1]?.headers);
    expect(headers.get("Authorization")).toBe("Bearer vast-key-of-Team B");
  });

  it("says of an instance that was removed here since that it does not come back", async () => {
    const user = await newUser();
    await Instance.register(user, "rig");
    const { lines } = await exportAll(user.userId);
    const instances = lines.filter(({ type }) => type === "instance");
    const target = await newUser();
    expect((await bring(target.userId, user.userId, instances)).body).toMatchObject({ brought: 1 });
    const path = "/api/agent/instances/rig";
    expect((await call("DELETE", path, { token: target.token })).status).toBe(200);
    await eventually(async () => expect(await fleetOf(env, target.userId).instanceIds("", 10)).toEqual([]));
    setClock(DAY + HOUR);
    expect((await bring(target.userId, user.userId, instances)).body).toMatchObject({
      brought: 0,
      known: 0,
      refused: [{ index: 0, message: expect.stringContaining("was removed since") }],
    });
    // Nobody waits for it either.
    expect((await rowsOf(fleetOf(env, target.userId))).admissions).toEqual([]);
  });

  it("counts no heartbeat twice, though it was rolled up between two imports", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    for (let minute = 0; minute < 90; minute++) {
      setClock(DAY + minute * MINUTE);
      await one.heartbeat();
    }
    await one.settled();
    const { lines } = await exportAll(user.userId);
    const history = lines.filter(({ type }) => ["heartbeats", "hour"].includes(type));
    const target = await newUser();
    const counted = async () => {
      const row = await env.DB.prepare(
        `SELECT (SELECT COUNT(*) FROM heartbeats WHERE user_id = ?1)
              + (SELECT COALESCE(SUM(heartbeats), 0) FROM heartbeat_hours WHERE user_id = ?1) AS n`,
      )
        .bind(target.userId)
        .first<{ n: number }>();
      return row?.n;
    };
    await bring(target.userId, user.userId, history);
    expect(await counted()).toBe(90);
    await rollUpPage(env.DB, WALK_START, DAY + A_DAY, 0);
    expect((await bring(target.userId, user.userId, history)).body).toMatchObject({ brought: 0 });
    expect(await counted()).toBe(90);
  });

  it("brings hours as they were, and of a former release without what that one did not count", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    for (let minute = 0; minute < 31; minute++) {
      setClock(DAY + minute * MINUTE);
      await one.heartbeat({ gpu_utilization: 1, gpu_utilization_max: minute < 10 ? 90 : 1 });
    }
    await one.settled();
    await exportAll(user.userId);
    await rollUpPage(env.DB, WALK_START, DAY + A_DAY, 0);
    const { lines } = await exportAll(user.userId);
    const hours = lines.filter(({ type }) => type === "hour");
    expect(hours).toMatchObject([{ heartbeats: 31, gpu_max: 90, quiet_heartbeats: 21 }]);
    const hoursOf = async (userId: string) =>
      (await env.DB.prepare("SELECT * FROM heartbeat_hours WHERE user_id = ?").bind(userId).all()).results;
    const [now, former] = [await newUser(), await newUser()];
    await bring(now.userId, user.userId, hours);
    const [kept] = await hoursOf(user.userId);
    expect(await hoursOf(now.userId)).toEqual([{ ...kept, user_id: now.userId }]);
    const formerHours = hours.map(({ quiet_heartbeats, ...hour }) => hour);
    expect((await bring(former.userId, user.userId, formerHours)).body.refused).toEqual([]);
    expect(await hoursOf(former.userId)).toEqual([
      { ...kept, user_id: former.userId, quiet_heartbeats: null },
    ]);
  });
});

/** A policy under which machines are stopped much later than by the service's own. */
const CAREFUL = { idle: { hibernate_after_seconds: 86_400 } };

async function careful(): Promise<{ userId: string; token: string; lines: Line[] }> {
  const user = await newUser();
  await Instance.register(user, "rig");
  expect((await call("PUT", "/api/agent/policy", { token: user.token, json: CAREFUL })).status).toBe(200);
  const { lines } = await exportAll(user.userId);
  return { ...user, lines };
}

const of = (lines: readonly Line[], type: string) => lines.filter((line) => line.type === type);

describe("instances of an import", () => {
  it("come only where their owner's policy is", async () => {
    const { userId: from, lines } = await careful();
    const target = await newUser();
    const [fleet] = of(lines, "fleet");
    const newer = { ...fleet, policy: { idle: { hibernate_after_seconds: 86_400, novelty: 1 } } };
    const instances = of(lines, "instance");
    const refused = await bring(target.userId, from, [newer, ...instances]);
    expect(refused.body).toMatchObject({
      brought: 0,
      refused: [
        { index: 0, message: expect.stringContaining("policy.idle") },
        { index: 1, message: expect.stringContaining("policy") },
      ],
    });
    // Nor by another call, that has no word of the policy.
    expect((await bring(target.userId, from, instances)).body.refused).toHaveLength(1);
    expect(await fleetOf(env, target.userId).instanceIds("", 10)).toEqual([]);

    expect((await bring(target.userId, from, [fleet, ...instances])).body).toMatchObject({ brought: 2 });
    const { body } = await call("GET", "/api/agent/instances/rig", { token: target.token });
    expect(body.policy.idle.hibernate_after_seconds).toBe(86_400);
  });

  it("come with their own policy as it was, or not at all", async () => {
    const { userId: from, lines } = await careful();
    const target = await newUser();
    const [instance] = of(lines, "instance");
    const state = JSON.parse(JSON.stringify(instance?.state));
    const newer = { ...instance, state: { ...state, overrides: { orphan: { novelty: 1 } } } };
    const { body } = await bring(target.userId, from, [...of(lines, "fleet"), newer]);
    expect(body).toMatchObject({ brought: 1, refused: [{ message: expect.stringContaining("orphan") }] });
    expect(await fleetOf(env, target.userId).instanceIds("", 10)).toEqual([]);
  });

  it("go by the policy of an export though the user was suspended here before", async () => {
    const { userId: from, lines } = await careful();
    const target = await newUser();
    await call("POST", `/api/admin/users/${target.userId}/suspend`, { token: ADMIN_TOKEN });
    const { body } = await bring(target.userId, from, [...of(lines, "fleet"), ...of(lines, "instance")]);
    expect(body).toMatchObject({ brought: 2 });
    const policy = await fleetOf(env, target.userId).policy();
    expect(policy).toMatchObject({ overrides: CAREFUL, suspended: true });
    expect(await keptBy(target.userId)).toMatchObject({ userPolicy: CAREFUL, suspended: true });
  });

  it("go by the policy of an export though the fleet was set back here before", async () => {
    const { userId: from, lines } = await careful();
    const target = await newUser();
    await fleetOf(env, target.userId).goOnFromFormer();
    const early = await bring(target.userId, from, of(lines, "instance"));
    expect(early.body.refused).toMatchObject([{ message: expect.stringContaining("policy") }]);
    const { body } = await bring(target.userId, from, [...of(lines, "fleet"), ...of(lines, "instance")]);
    expect(body).toMatchObject({ brought: 2, refused: [] });
    expect((await fleetOf(env, target.userId).policy()).overrides).toEqual(CAREFUL);
    const rig = await call("GET", "/api/agent/instances/rig", { token: target.token });
    expect(rig.body.policy.idle.hibernate_after_seconds).toBe(86_400);
  });

  it("keep to the service's policy where their owner has chosen it", async () => {
    const { userId: from, lines } = await careful();
    const target = await newUser();
    await call("PUT", "/api/agent/policy", { token: target.token, json: {} });
    const { body } = await bring(target.userId, from, [...of(lines, "fleet"), ...of(lines, "instance")]);
    expect(body).toMatchObject({ brought: 1, known: 1, refused: [] });
  });

  it("keep to the policy that was set here", async () => {
    const { userId: from, lines } = await careful();
    const target = await newUser();
    const own = { idle: { hibernate_after_seconds: 43_200 } };
    await call("PUT", "/api/agent/policy", { token: target.token, json: own });
    const { body } = await bring(target.userId, from, [...of(lines, "fleet"), ...of(lines, "instance")]);
    expect(body).toMatchObject({ brought: 1, known: 1, refused: [] });
    const rig = await call("GET", "/api/agent/instances/rig", { token: target.token });
    expect(rig.body.policy.idle.hibernate_after_seconds).toBe(43_200);
  });
});

/** What the object of the instance "rig" keeps. */
function keptBy(userId: string): Promise<unknown> {
  return runInDurableObject(env.INSTANCES.getByName(`${userId}/rig`), (_, { storage }) =>
    JSON.parse(storage.sql.exec<{ json: string }>("SELECT json FROM instance").one().json),
  );
}

describe("a suspension", () => {
  const asOperator = (method: string, path: string) =>
    call(method, `/api/admin/users/${path}`, { token: ADMIN_TOKEN });

  async function suspended(): Promise<{ userId: string; lines: Line[] }> {
    const { userId } = await careful();
    await asOperator("POST", `${userId}/suspend`);
    const { lines } = await exportAll(userId);
    return { userId, lines: lines.filter(({ type }) => type !== "token") };
  }

  it("comes along, and nothing is done for the user before it is ended", async () => {
    const { userId: from, lines } = await suspended();
    const userId = "u-import-suspended";
    expect((await bring(userId, from, lines)).body.refused).toEqual([]);
    expect((await asOperator("GET", userId)).body).toMatchObject({
      standing: "suspended",
      suspended_at: "2030-01-07T00:00:00Z",
    });
    expect(await fleetOf(env, userId).isSuspended()).toBe(true);
    expect(await keptBy(userId)).toMatchObject({ suspended: true, userPolicy: CAREFUL });

    expect((await asOperator("POST", `${userId}/resume`)).status).toBe(200);
    expect(await keptBy(userId)).not.toHaveProperty("suspended");
    // Nor is it brought a second time.
    await bring(userId, from, lines);
    expect((await asOperator("GET", userId)).body.standing).toBe("active");
    expect(await fleetOf(env, userId).isSuspended()).toBe(false);
  });

  it("comes along though the import was cut off right after the account", async () => {
    const { userId: from, lines } = await suspended();
    const userId = "u-import-cut-off";
    const away = vi.spyOn(FleetActor.prototype, "account").mockRejectedValue(new Error("the fleet is away"));
    expectLogged(/request failed/);
    expect((await bring(userId, from, lines)).status).toBe(503);
    away.mockRestore();
    await bring(userId, from, lines);
    expect(await fleetOf(env, userId).isSuspended()).toBe(true);
    expect(await keptBy(userId)).toMatchObject({ suspended: true });
  });

  it("is unknown to older exports, whose users come as active ones", async () => {
    const { userId: from, lines } = await careful();
    const userId = "u-import-older";
    const older = lines.map(({ suspended_at: _, ...line }) => line);
    await bring(
      userId,
      from,
      older.filter(({ type }) => type !== "token"),
    );
    expect((await asOperator("GET", userId)).body.standing).toBe("active");
  });
});

describe("a budget", () => {
  it("comes along, waits until all have reported, and replaces none that is set here", async () => {
    const from = await newUser();
    const settings = { day: 20, month: null, at_limit: "hibernate_all" };
    await call("PUT", "/api/agent/budget", { token: from.token, json: settings });
    const { lines } = await exportAll(from.userId);
    const fleet = lines.filter(({ type }) => type === "fleet");
    const to = await newUser();
    await bring(to.userId, from.userId, fleet);
    expect((await call("GET", "/api/agent/budget", { token: to.token })).body).toMatchObject(settings);
    const doubted = await runInDurableObject(fleetOf(env, to.userId), (_, { storage: { sql } }) =>
      JSON.parse(String(sql.exec("SELECT json FROM fleet").one().json)),
    );
    expect(doubted).toMatchObject({
      budget: { doubtedUntil: DAY + HOUR, told: { day: { isAllDone: true } } },
      due: { budgetAt: DAY + HOUR },
    });
    await call("PUT", "/api/agent/budget", { token: to.token, json: { day: 5 } });
    await bring(to.userId, from.userId, fleet);
    expect((await call("GET", "/api/agent/budget", { token: to.token })).body.day).toBe(5);
  });
});
