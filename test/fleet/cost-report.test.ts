import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { eachCompared, NO_SUM } from "../../src/fleet/rules/preview.ts";
import { addTime, costsOfDay, newLedger, type Usage } from "../../src/lifecycle/model/ledger.ts";
import { startOfUtcDay } from "../../src/lifecycle/model/time.ts";
import type { CostsBasis } from "../../src/lifecycle/views/costs.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { NOTHING } from "../../src/replay/outcome.ts";
import { NO_FRONTIER } from "../../src/replay/proposal-points.ts";
import { expectLogged, mayLog } from "../quiet.ts";
import { ADMIN_TOKEN, call, newUser, setClock } from "../world.ts";
import { alertOf, type FleetStub, passAlarms, reportOf, rows, stateOf } from "./fleets.ts";

/** The report of a month: told once, when its last day is closed, whatever fails on the way. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY_MS = 24 * HOUR;
const MAY = Date.UTC(2030, 4);
/** Two and a half days before the month ends. */
const NOON = MAY - 2.5 * DAY_MS;
const SLACK = "https://hooks.example.com/services/T0/B0/x";
const HOOK = "https://hooks.example.com/webhook";
const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;

mayLog(/waited for longer than they should/);

interface Post {
  readonly url: string;
  readonly id: string | null;
  readonly body: string;
}

let posts: Post[];

beforeEach(() => {
  setClock(NOON);
  posts = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const id = new Headers(init?.headers).get("webhook-id");
    posts.push({ url: String(input), id, body: String(init?.body) });
    return new Response("ok");
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const WORKING: Usage = { use: "working", isWasted: false, hourlyCost: 2, hourlySaving: 0 };
const SILENT: Usage = { use: "silent", isWasted: true, hourlyCost: 3, hourlySaving: 0 };
const UNKNOWN: Usage = { use: "working", isWasted: false, hourlyCost: null, hourlySaving: 0 };
const HIBERNATED: Usage = { use: "hibernated", isWasted: false, hourlyCost: 0.1, hourlySaving: 1.9 };
const GONE: Usage = { ...WORKING, hourlyCost: 0 };

interface OneUser {
  readonly userId: string;
  readonly token: string;
  readonly fleet: FleetStub;
}

async function aUser(): Promise<OneUser> {
  const { userId, token } = await newUser();
  return { userId, token, fleet: fleetOf(env, userId) };
}

/** One that has done this since now. */
function basis(usage: Usage): CostsBasis {
  const now = Date.now();
  const ledger = addTime(newLedger(now), usage, now);
  const days = [2, 1, 0].map((back) => startOfUtcDay(now) - back * DAY_MS);
  return {
    since: now,
    until: now,
    usage,
    days: days.map((day) => ({ ...costsOfDay(ledger, day), day })),
  };
}

async function addChannel(token: string, url: string, minimum_severity = "info"): Promise<void> {
  const settings = url === HOOK ? { kind: "webhook", url, secret: SECRET } : { kind: "slack", url };
  const json = { name: "test", minimum_severity, settings };
  expect((await call("POST", "/api/agent/channels", { token, json })).status).toBe(201);
}

/** Lets all alarms fire up to then. */
async function pass(fleet: FleetStub, until: number): Promise<void> {
  await passAlarms(fleet, until);
  setClock(until);
}

/** While it is away, the history answers no statement that has this in it. */
function historyAway(part: string): { away: boolean; tries: number } {
  const history = { away: true, tries: 0 };
  const prototype = Object.getPrototypeOf(env.DB);
  const { prepare } = prototype;
  vi.spyOn(prototype, "prepare").mockImplementation(function (this: D1Database, query) {
    const sql = String(query);
    if (sql.includes(part)) {
      history.tries += 1;
      if (history.away) throw new Error("the history is away");
    }
    return prepare.call(this, sql);
  });
  return history;
}

const toldTo = (url: string) => posts.filter((post) => post.url === url);

async function reportEvents(fleet: FleetStub): Promise<{ id: string; message: string }[]> {
  return rows(fleet, "SELECT id, message FROM events WHERE kind = 'cost_report' ORDER BY id");
}

describe("the report of a month", () => {
  it("is told on the first, some hours after the last day was closed, with what cost the most", async () => {
    const user = await aUser();
    await addChannel(user.token, SLACK);
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { name: "Rig A", costs: basis(WORKING) }));
    await user.fleet.report(reportOf("b", { name: "Rig B", costs: basis(SILENT) }));
    await user.fleet.report(reportOf("c", { costs: basis(HIBERNATED) }));
    await pass(user.fleet, MAY + 4 * HOUR);
    expect(posts).toEqual([]);
    await pass(user.fleet, MAY + 10 * HOUR);
    expect(toldTo(SLACK)).toHaveLength(1);
    const [post] = toldTo(HOOK);
    const { data } = JSON.parse(post?.body ?? "{}");
    // 60 hours each.
    expect(data).toMatchObject({
      title: "April 2030: $306.00 spent, $180.00 of it wasted, $114.00 saved",
      severity: "info",
      report: {
        month: "2030-04",
        so_far: false,
        complete: true,
        cost: 306,
        wasted: 180,
        saved: 114,
        hibernations: 0,
        regretted: 0,
        habits: [
          { habit: "silent", instance_id: "b", name: "Rig B", hours: 60, cost: 180 },
          { habit: "hibernated", instance_id: "c", name: "c", hours: 60, cost: 6 },
        ],
        before: null,
      },
    });
    expect(toldTo(SLACK)[0]?.body).toContain("was silent for 60 hours: $180.00");
    expect(await reportEvents(user.fleet)).toEqual([{ id: "cost-report-2030-04", message: data.title }]);
    expect((await stateOf(user.fleet)).due.reportAt).toBeGreaterThan(Date.UTC(2030, 5, 1));
  });

  it("has the month before beside it, a month later", async () => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { costs: basis(WORKING) }));
    const event = (id: string, more: object) =>
      alertOf(id, { severity: "info", detail: { reason: "idle" }, ...more });
    const events = [
      event("h-1", { kind: "hibernated" }),
      event("h-2", { kind: "hibernated" }),
      event("w-1", { kind: "woken", detail: { reason: "idle", regretted: true } }),
    ];
    await user.fleet.report(reportOf("a", { revision: 2, costs: basis(WORKING), events }));
    for (let day = 1; day <= 34; day++) await pass(user.fleet, NOON + day * DAY_MS);
    const reports = toldTo(HOOK).map(({ body }) => JSON.parse(body).data);
    const aprils = reports.filter(({ report }) => report?.month === "2030-04");
    const mays = reports.filter(({ report }) => report?.month === "2030-05");
    expect(aprils).toMatchObject([{ report: { hibernations: 2, regretted: 1, before: null } }]);
    expect(mays).toMatchObject([
      {
        report: {
          cost: 31 * 48,
          hibernations: 0,
          before: { month: "2030-04", cost: 120, hibernations: 2, regretted: 1 },
        },
      },
    ]);
  });

  it("is told once, though the alarm fires twice and the object is evicted at every step", async () => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { costs: basis(WORKING) }));
    for (let at = MAY - HOUR; at <= MAY + 12 * HOUR; at += 10 * MINUTE) {
      setClock(at);
      await runDurableObjectAlarm(user.fleet);
      await evictDurableObject(user.fleet);
      await runDurableObjectAlarm(user.fleet);
    }
    expect(toldTo(HOOK)).toHaveLength(1);
    expect(await reportEvents(user.fleet)).toHaveLength(1);
  });

  it("is saved with its messages before any of them is sent", async () => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { costs: basis(WORKING) }));
    await pass(user.fleet, MAY + HOUR);
    const at = (await stateOf(user.fleet)).due.reportAt ?? 0;
    await pass(user.fleet, at - 1);
    setClock(at);
    await runDurableObjectAlarm(user.fleet);
    expect(posts).toEqual([]);
    const [delivery] = await rows(user.fleet, "SELECT digest_id, channel_id FROM deliveries");
    await evictDurableObject(user.fleet);
    await pass(user.fleet, at + HOUR);
    expect(toldTo(HOOK).map(({ id }) => id)).toEqual([`${delivery?.digest_id}-${delivery?.channel_id}`]);
    expect(delivery?.digest_id).toMatch(/-report-2030-04$/);
  });

  it("is not told again by a fleet that was set back", async () => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { costs: basis(WORKING) }));
    await pass(user.fleet, MAY + HOUR);
    const former = await stateOf(user.fleet);
    await pass(user.fleet, MAY + 12 * HOUR);
    expect(toldTo(HOOK)).toHaveLength(1);
    await runInDurableObject(user.fleet, (_, { storage: { sql } }) => {
      sql.exec("UPDATE fleet SET json = ?", JSON.stringify(former));
      sql.exec("DELETE FROM events");
      sql.exec("DELETE FROM deliveries");
    });
    await evictDurableObject(user.fleet);
    await user.fleet.goOnFromFormer();
    await pass(user.fleet, MAY + 4 * DAY_MS);
    expect(toldTo(HOOK)).toHaveLength(1);
    expect((await stateOf(user.fleet)).reports.toldBefore).toBe(MAY);
  });

  it("is told by a fleet that was set back before it had told it", async () => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { costs: basis(WORKING) }));
    await pass(user.fleet, MAY + HOUR);
    await user.fleet.goOnFromFormer();
    await user.fleet.report(reportOf("a", { revision: 2, costs: basis(WORKING) }));
    await pass(user.fleet, MAY + 2 * DAY_MS);
    expect(toldTo(HOOK)).toHaveLength(1);
  });

  it("is not told again where its user came with an import that has it", async () => {
    const [from, target] = [await aUser(), await aUser()];
    await addChannel(from.token, HOOK);
    const events = [alertOf("h-1", { kind: "hibernated", severity: "info", detail: { reason: "idle" } })];
    await from.fleet.report(reportOf("a", { costs: basis(WORKING), events }));
    await target.fleet.report(reportOf("a", { costs: basis(WORKING) }));
    await pass(from.fleet, MAY + 12 * HOUR);
    const reports = toldTo(HOOK).filter(({ body }) => body.includes('"report":'));
    expect(reports).toHaveLength(1);
    const lines: object[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query = cursor === "" ? "" : `?cursor=${cursor}`;
      const path = `/api/admin/users/${from.userId}/export${query}`;
      const { body } = await call("GET", path, { token: ADMIN_TOKEN });
      lines.push(...body.lines.filter(({ type }: { type: string }) => type === "event" || type === "fleet"));
      cursor = body.next_cursor;
    }
    const json = { from_user_id: from.userId, exported_at: Date.now(), lines };
    const path = `/api/admin/users/${target.userId}/import`;
    expect((await call("POST", path, { token: ADMIN_TOKEN, json })).body.refused).toEqual([]);
    await addChannel(target.token, SLACK);
    setClock(MAY + HOUR);
    await pass(target.fleet, MAY + 2 * DAY_MS);
    expect(toldTo(SLACK)).toEqual([]);
    const { hibernations } = await target.fleet.costReport(Date.UTC(2030, 3));
    expect(hibernations).toEqual({ hibernations: 1, regretted: 0 });
  });

  it("says what the newest preview of days of that month would have saved", async () => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { costs: basis(WORKING) }));
    const tried = async (to: number, saved: number, unpricedMs = 0) => {
      const policy = { idle: { hibernate_after_seconds: 1200 } };
      const asked = {
        policy,
        instancePolicy: null,
        days: 7,
        instances: null,
        tag: null,
        wantsProposal: false,
      };
      const started = await user.fleet.startPreview(
        { ...asked, requestId: "r" },
        { from: to - 7 * DAY_MS, to },
      );
      if (started.outcome !== "started") throw new Error(started.outcome);
      const workingMs = 10 * HOUR;
      const candidate = {
        ...NOTHING,
        workingMs,
        hibernatedMs: 5 * HOUR,
        saved,
        interruptions: 2,
        unpricedMs,
      };
      const line = {
        instanceId: "a",
        name: "A",
        tags: {},
        outcomes: eachCompared((of) =>
          of === "candidate" ? candidate : { ...NOTHING, workingMs, saved: 1 },
        ),
        interruptions: [],
        basis: NO_SUM.basis,
        frontier: NO_FRONTIER,
        proposal: null,
      };
      await user.fleet.takeOfPreview(started.id, { lines: [line], skips: [], after: "a" }, true);
    };
    const april = async () => (await user.fleet.costReport(Date.UTC(2030, 3))).previewed;
    expect(await april()).toBeNull();
    await tried(NOON, 7);
    setClock(NOON + MINUTE);
    await tried(NOON + MINUTE, 9, 15 * HOUR);
    expect(await april()).toMatchObject({
      to: NOON + MINUTE,
      savedBeyond: null,
      hibernatedBeyondMs: 5 * HOUR,
    });
    setClock(NOON + 2 * MINUTE);
    await tried(NOON + 2 * MINUTE, 11.5);
    expect(await april()).toMatchObject({
      instances: 1,
      savedBeyond: 10.5,
      interruptions: 2,
      proposal: null,
    });
    expect((await user.fleet.costReport(Date.UTC(2030, 2))).previewed).toBeNull();
    await pass(user.fleet, MAY + MINUTE);
    await tried(MAY + MINUTE, 99);
    await pass(user.fleet, MAY + 12 * HOUR);
    expect(toldTo(HOOK)[0]?.body).toContain("$10.50 more saved than was, and work interrupted 2 times");
  });

  it("goes to channels that want to know of everything, and to no other", async () => {
    const user = await aUser();
    await addChannel(user.token, SLACK, "warning");
    await user.fleet.report(reportOf("a", { costs: basis(WORKING) }));
    await pass(user.fleet, MAY + 12 * HOUR);
    expect(posts).toEqual([]);
    expect(await reportEvents(user.fleet)).toHaveLength(1);
    expect((await user.fleet.costReport(Date.UTC(2030, 3))).habits).toEqual([]);
  });

  it("is not told to who does not want it", async () => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    const json = { reports: { monthly: false } };
    expect((await call("PUT", "/api/agent/policy", { token: user.token, json })).status).toBe(200);
    await user.fleet.report(reportOf("a", { costs: basis(WORKING) }));
    await pass(user.fleet, MAY + 12 * HOUR);
    expect(posts).toEqual([]);
    expect(await reportEvents(user.fleet)).toEqual([]);
  });

  it("is not told to a suspended user, and the next one is again", async () => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { costs: basis(WORKING) }));
    await pass(user.fleet, MAY + HOUR);
    await call("POST", `/api/admin/users/${user.userId}/suspend`, { token: ADMIN_TOKEN });
    await pass(user.fleet, MAY + DAY_MS);
    await call("POST", `/api/admin/users/${user.userId}/resume`, { token: ADMIN_TOKEN });
    await pass(user.fleet, MAY + 2 * DAY_MS);
    expect(posts).toEqual([]);
    expect((await stateOf(user.fleet)).due.reportAt).toBeGreaterThan(Date.UTC(2030, 5));
  });

  it.each([
    ["without any cost", GONE, 0],
    ["whose cost nobody knows", UNKNOWN, 1],
  ])("of a month %s is told so often", async (_, usage, times) => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { costs: basis(usage) }));
    await pass(user.fleet, MAY + 12 * HOUR);
    expect(toldTo(HOOK)).toHaveLength(times);
    expect((await stateOf(user.fleet)).reports.toldBefore).toBe(MAY);
  });

  it("is told of instances that are gone by then, and is the last one", async () => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { costs: basis(WORKING) }));
    await pass(user.fleet, NOON + HOUR);
    await user.fleet.remove("a", 2);
    await pass(user.fleet, MAY + 2 * DAY_MS);
    expect(toldTo(HOOK)).toHaveLength(1);
    await pass(user.fleet, MAY + 40 * DAY_MS);
    expect(toldTo(HOOK)).toHaveLength(1);
    expect((await stateOf(user.fleet)).due.reportAt).toBeNull();
  });

  it("waits for the history, and is complete then", async () => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { costs: basis(SILENT) }));
    const history = historyAway("INSERT INTO cost_days");
    expectLogged(/days of costs wait for the history/);
    await pass(user.fleet, MAY + DAY_MS);
    expect(posts).toEqual([]);
    history.away = false;
    await pass(user.fleet, MAY + 1.5 * DAY_MS);
    expect(JSON.parse(toldTo(HOOK)[0]?.body ?? "{}").data.report).toMatchObject({
      cost: 180,
      complete: true,
    });
  });

  it("asks a history that does not answer ever less often, and after three days tells what it knows", async () => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { costs: basis(SILENT) }));
    const history = historyAway("AS past_warning");
    expectLogged(/a month's report waits for the history/);
    await pass(user.fleet, MAY + 3 * DAY_MS - MINUTE);
    expect(posts).toEqual([]);
    expect(history.tries).toBeGreaterThan(20);
    expect(history.tries).toBeLessThan(100);
    await pass(user.fleet, MAY + 3 * DAY_MS + HOUR);
    const [{ body }] = toldTo(HOOK) as [Post];
    expect(JSON.parse(body).data.report).toMatchObject({ cost: 180, habits: null });
    expect(body).toContain("Which instances cost the most could not be looked up");
    history.away = false;
    await pass(user.fleet, MAY + 5 * DAY_MS);
    expect(toldTo(HOOK)).toHaveLength(1);
  });

  it("goes on after a release that knew nothing of reports", async () => {
    const user = await aUser();
    await addChannel(user.token, HOOK);
    await user.fleet.report(reportOf("a", { costs: basis(WORKING) }));
    await runInDurableObject(user.fleet, (_, { storage: { sql } }) => {
      const { json } = sql.exec<{ json: string }>("SELECT json FROM fleet").one();
      const { reports: _reports, hibernationsByMonth: _months, due, ...former } = JSON.parse(json);
      const { reportAt: _at, ...formerDue } = due;
      const hibernations = { idle: { hibernations: 5, regretted: 2 } };
      sql.exec("UPDATE fleet SET json = ?", JSON.stringify({ ...former, hibernations, due: formerDue }));
    });
    await evictDurableObject(user.fleet);
    await user.fleet.money();
    await pass(user.fleet, MAY + 12 * HOUR);
    const { report } = JSON.parse(toldTo(HOOK)[0]?.body ?? "{}").data;
    // It was not counted from the month's beginning.
    expect(report).toMatchObject({ cost: 120, hibernations: null, regretted: null });
  });
});
