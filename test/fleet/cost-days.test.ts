import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FleetActor } from "../../src/fleet/actor.ts";
import { keepCostDays, readCostDays } from "../../src/history/costs.ts";
import {
  addTime,
  type CostTotals,
  costsInAll,
  costsOfDay,
  dollarsOf,
  type Ledger,
  NO_COSTS,
  newLedger,
  sumOf,
  type Usage,
} from "../../src/lifecycle/model/ledger.ts";
import { addReport } from "../../src/lifecycle/model/ledger-report.ts";
import { startOfUtcDay } from "../../src/lifecycle/model/time.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { expectLogged } from "../quiet.ts";
import { newUser, setClock } from "../world.ts";
import { armedAt, type FleetStub, passAlarms, reportOf, rows, stateOf } from "./fleets.ts";
import { basisOf, HIBERNATED, SILENT, told, UNKNOWN, WORKING } from "./told-costs.ts";

/** How the days of costs that are over come to the history: each once, whatever fails on the way. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY_MS = 24 * HOUR;
const NOON = Date.UTC(2030, 2, 12, 12);
const MIDNIGHT = startOfUtcDay(NOON) + DAY_MS;

beforeEach(() => setClock(NOON));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface OneFleet {
  readonly userId: string;
  readonly fleet: FleetStub;
}

async function newFleet(): Promise<OneFleet> {
  const { userId } = await newUser();
  return { userId, fleet: fleetOf(env, userId) };
}

const ALL = { from: 0, before: Date.UTC(2100, 0, 1) };
const PAGE = { after: null, limit: 1000 };

async function keptDays(userId: string): Promise<[number, number][]> {
  const { rows } = await readCostDays(env.DB, userId, ALL, { by: "day" }, PAGE);
  return rows.map(({ key, costs }) => [Number(key), dollarsOf(costs)]);
}

async function keptByInstance(userId: string): Promise<Map<string, CostTotals>> {
  const { rows } = await readCostDays(env.DB, userId, ALL, { by: "instance" }, PAGE);
  return new Map(rows.map(({ key, costs }) => [key, costs]));
}

/** Lets the alarms of some hours fire. */
async function night(
  fleet: FleetStub,
  from = Math.max(Date.now(), startOfUtcDay(Date.now())),
): Promise<void> {
  await passAlarms(fleet, from + 7 * HOUR);
  setClock(from + 7 * HOUR);
}

/** While it is away, the history takes no days; after so many pages. */
function historyAway(afterPages = 0): { away: boolean; tries: number } {
  const history = { away: true, tries: 0 };
  const prototype = Object.getPrototypeOf(env.DB);
  const { prepare } = prototype;
  vi.spyOn(prototype, "prepare").mockImplementation(function (this: D1Database, query) {
    const sql = String(query);
    if (sql.includes("INSERT INTO cost_days")) {
      history.tries += 1;
      if (history.away && history.tries > afterPages) throw new Error("the history is away");
    }
    return prepare.call(this, sql);
  });
  return history;
}

const totals = async (fleet: FleetStub): Promise<[number, number][]> =>
  (await fleet.daysOfCosts(ALL)).closed.map(({ day, costs }) => [day, dollarsOf(costs)]);

describe("a day that is over", () => {
  it("comes to the history in the night, with its total, and its costs are counted once before and after", async () => {
    const { fleet, userId } = await newFleet();
    await fleet.report(reportOf("a", { provider: "vast", costs: basisOf(WORKING, NOON) }));
    await fleet.report(reportOf("b", { costs: basisOf(SILENT, NOON) }));
    setClock(MIDNIGHT + HOUR);
    expect(await keptDays(userId)).toEqual([]);
    expect(dollarsOf((await fleet.money()).month)).toBe(60 + 5);
    await night(fleet, MIDNIGHT);
    expect(await keptDays(userId)).toEqual([[MIDNIGHT - DAY_MS, 60]]);
    expect(await totals(fleet)).toEqual([[MIDNIGHT - DAY_MS, 60]]);
    expect(dollarsOf((await fleet.money()).month)).toBeCloseTo(60 + 7 * 5, 9);
    const kept = await env.DB.prepare("SELECT * FROM cost_days WHERE user_id = ? ORDER BY instance_id")
      .bind(userId)
      .all();
    expect(kept.results).toMatchObject([
      { instance_id: "a", working: 24, working_seconds: 43_200, provider: "vast", wasted: 0, tags: "{}" },
      { instance_id: "b", silent: 36, silent_seconds: 43_200, provider: "none", wasted: 36 },
    ]);
  });

  it("is closed between two and six in the night after, at a time of the fleet's own", async () => {
    const at = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const { fleet } = await newFleet();
        await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON) }));
        return (await stateOf(fleet)).due.costsAt ?? 0;
      }),
    );
    expect(Math.min(...at)).toBeGreaterThanOrEqual(MIDNIGHT + 2 * HOUR);
    expect(Math.max(...at)).toBeLessThanOrEqual(MIDNIGHT + 6 * HOUR);
    expect(new Set(at).size).toBeGreaterThan(1);
  });

  it("is closed once more the night after, in case a report has changed it meanwhile, and is final then", async () => {
    const { fleet, userId } = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON) }));
    await fleet.report(reportOf("b", { costs: basisOf(WORKING, NOON) }));
    await night(fleet, MIDNIGHT);
    // It reports now that it has cost less.
    const ledger = addReport(addTime(newLedger(NOON), WORKING, NOON), {
      at: NOON,
      accumulated: 0,
      uptimeMs: 0,
    });
    const late = addReport(addTime(ledger, WORKING, Date.now()), {
      at: Date.now(),
      accumulated: 1.9,
      uptimeMs: null,
    });
    await fleet.report(reportOf("a", { revision: 2, costs: told(late, WORKING) }));
    const history = historyAway();
    history.away = false;
    await night(fleet, MIDNIGHT + DAY_MS);
    const first = dollarsOf(costsOfDay(late, MIDNIGHT - DAY_MS));
    expect(first).toBeCloseTo(1.2, 6);
    const days = await keptDays(userId);
    expect(days).toEqual([
      [MIDNIGHT - DAY_MS, expect.closeTo(24 + first, 6)],
      [MIDNIGHT, expect.closeTo(48 + 34 + 0.7, 6)],
    ]);
    expect(await totals(fleet)).toEqual(days.map(([day, dollars]) => [day, expect.closeTo(dollars, 9)]));
    // What did not change is not written again: of the first day one row.
    const again = await env.DB.prepare(
      "SELECT COUNT(*) AS rows FROM cost_days WHERE user_id = ? AND day = ? AND closed_at > ?",
    )
      .bind(userId, MIDNIGHT - DAY_MS, MIDNIGHT + DAY_MS)
      .first();
    expect(again).toEqual({ rows: 1 });
    await fleet.report(reportOf("a", { revision: 3, costs: basisOf(WORKING, NOON) }));
    await night(fleet, MIDNIGHT + 2 * DAY_MS);
    expect((await keptDays(userId))[0]).toEqual(days[0]);
    expect(await rows(fleet, "SELECT DISTINCT day FROM closed_costs ORDER BY day")).toEqual([
      { day: MIDNIGHT },
      { day: MIDNIGHT + DAY_MS },
    ]);
  });

  it("is not lost while the history is away, which is said once, and asked ever less often", async () => {
    const { fleet, userId } = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON) }));
    const history = historyAway();
    expectLogged(/days of costs wait for the history/);
    await night(fleet, MIDNIGHT);
    const { tries } = history;
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(15);
    expect(await keptDays(userId)).toEqual([]);
    // What it has not heard of, the fleet says.
    expect(await totals(fleet)).toEqual([[MIDNIGHT - DAY_MS, 24]]);
    const recent = await fleet.recentCosts(ALL, { by: "instance" }, PAGE);
    expect(recent).toMatchObject({ knownBefore: MIDNIGHT - DAY_MS, end: null });
    expect(recent.rows.map(({ key, costs }) => [key, dollarsOf(costs)])).toEqual([["a", 24 + 14]]);
    await passAlarms(fleet, MIDNIGHT + 5 * DAY_MS);
    history.away = false;
    await passAlarms(fleet, MIDNIGHT + 5 * DAY_MS + 7 * HOUR);
    expect(await keptDays(userId)).toEqual(
      [24, 48, 48, 48, 48, 48].map((dollars, index) => [
        MIDNIGHT + (index - 1) * DAY_MS,
        expect.closeTo(dollars, 6),
      ]),
    );
  });

  it("is given up after a month without a history, and its total stays", async () => {
    const { fleet, userId } = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON) }));
    const history = historyAway();
    expectLogged(/days of costs wait for the history/);
    expectLogged(/days of costs were given up/);
    for (let day = 0; day < 34; day++) await night(fleet, MIDNIGHT + day * DAY_MS);
    history.away = false;
    await night(fleet, MIDNIGHT + 34 * DAY_MS);
    expect(await keptDays(userId)).toHaveLength(32);
    expect(await totals(fleet)).toHaveLength(35);
  });

  it("comes to the history however long its tags are", async () => {
    const { fleet, userId } = await newFleet();
    const tags = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`${"k".repeat(38)}${index + 10}`, "😀".repeat(100)]),
    );
    for (let index = 0; index < 500; index++) {
      await fleet.report(reportOf(`rig-${index}`, { costs: basisOf(WORKING, NOON), tags }));
    }
    const statements = Object.getPrototypeOf(env.DB.prepare("SELECT 1"));
    const { bind } = statements;
    // As D1 does, but for Miniflare's.
    vi.spyOn(statements, "bind").mockImplementation(function (this: D1PreparedStatement, ...values) {
      if (values.some((value) => typeof value === "string" && new TextEncoder().encode(value).length > 2e6))
        throw new Error("D1_ERROR: string or blob too big: SQLITE_TOOBIG");
      return bind.apply(this, values);
    });
    await night(fleet, MIDNIGHT);
    expect(await keptDays(userId)).toEqual([[MIDNIGHT - DAY_MS, 24 * 500]]);
    expect((await keptByInstance(userId)).size).toBe(500);
  });

  it("comes to the history whole though the task was cut off after half of its pages, and the object evicted", async () => {
    const { fleet, userId } = await newFleet();
    // Two pages.
    for (let index = 0; index < 600; index++) {
      await fleet.report(reportOf(`rig-${index}`, { costs: basisOf(WORKING, NOON) }));
    }
    const history = historyAway(1);
    expectLogged(/days of costs wait for the history/);
    await passAlarms(fleet, MIDNIGHT + 6 * HOUR);
    expect(
      await env.DB.prepare("SELECT COUNT(*) AS rows FROM cost_days WHERE user_id = ?").bind(userId).first(),
    ).toEqual({ rows: 500 });
    expect(await totals(fleet)).toEqual([[MIDNIGHT - DAY_MS, 24 * 600]]);
    await evictDurableObject(fleet);
    history.away = false;
    await night(fleet, MIDNIGHT + HOUR);
    expect(await keptDays(userId)).toEqual([[MIDNIGHT - DAY_MS, 24 * 600]]);
  });

  it("is closed by an alarm that fires twice as by one that fires once", async () => {
    const { fleet, userId } = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON) }));
    await night(fleet, MIDNIGHT);
    await fleet.report(reportOf("a", { revision: 2, costs: basisOf(WORKING, NOON) }));
    await runInDurableObject<FleetActor, void>(fleet, (actor) => actor.alarm());
    await runInDurableObject<FleetActor, void>(fleet, (actor) => actor.alarm());
    expect(await keptDays(userId)).toEqual([[MIDNIGHT - DAY_MS, 24]]);
    expect(await totals(fleet)).toEqual([[MIDNIGHT - DAY_MS, 24]]);
  });

  it("is closed later, with those before it, after a fleet has slept, as far back as ledgers tell", async () => {
    const { fleet, userId } = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON) }));
    await night(fleet, MIDNIGHT);
    setClock(MIDNIGHT + 3 * DAY_MS + 8 * HOUR);
    await runDurableObjectAlarm(fleet);
    expect(await keptDays(userId)).toEqual(
      [24, 48, 48, 48].map((dollars, index) => [MIDNIGHT + (index - 1) * DAY_MS, expect.closeTo(dollars, 6)]),
    );
  });

  it.each([true, false])(
    "is not lost while the fleet sleeps for a week, reported before: %s",
    async (isBefore) => {
      const { fleet, userId } = await newFleet();
      await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON) }));
      await night(fleet, MIDNIGHT);
      setClock(MIDNIGHT + 7 * DAY_MS + 8 * HOUR);
      if (isBefore) await fleet.report(reportOf("a", { revision: 2, costs: basisOf(WORKING, NOON) }));
      expect(dollarsOf((await fleet.money()).month)).toBeCloseTo(24 + 7 * 48 + 16, 6);
      await runDurableObjectAlarm(fleet);
      expect(await keptDays(userId)).toEqual(
        [24, 48, 48, 48, 48, 48, 48, 48].map((dollars, index) => [
          MIDNIGHT + (index - 1) * DAY_MS,
          expect.closeTo(dollars, 6),
        ]),
      );
    },
  );

  it("has what an instance has cost that was removed, which is then forgotten, and the fleet rests", async () => {
    const { fleet, userId } = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON) }));
    setClock(NOON + HOUR);
    await fleet.remove("a", 10);
    await night(fleet, MIDNIGHT);
    expect(await keptDays(userId)).toEqual([[MIDNIGHT - DAY_MS, 2]]);
    for (const days of [1, 2, 3]) await night(fleet, MIDNIGHT + days * DAY_MS);
    expect(await keptDays(userId)).toEqual([[MIDNIGHT - DAY_MS, 2]]);
    expect(await rows(fleet, "SELECT * FROM instance_costs")).toEqual([]);
    expect(await rows(fleet, "SELECT * FROM closed_costs")).toEqual([]);
    expect((await stateOf(fleet)).due.costsAt).toBeNull();
    expect(await totals(fleet)).toEqual([[MIDNIGHT - DAY_MS, 2]]);
    // Whoever comes next has the days closed again.
    await fleet.report(reportOf("b", { costs: basisOf(WORKING, Date.now()) }));
    expect((await stateOf(fleet)).due.costsAt).not.toBeNull();
  });

  it("is not lost by a former release in between, which knows nothing of it", async () => {
    const { fleet, userId } = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON) }));
    await night(fleet, MIDNIGHT);
    await runInDurableObject(fleet, (_, { storage: { sql } }) => {
      const { json } = sql.exec<{ json: string }>("SELECT json FROM fleet").one();
      const { costs: _costs, due, ...former } = JSON.parse(json);
      const { costsAt: _at, ...formerDue } = due;
      sql.exec("UPDATE fleet SET json = ?", JSON.stringify({ ...former, due: formerDue }));
    });
    await evictDurableObject(fleet);
    await fleet.money();
    expect(await armedAt(fleet)).not.toBeNull();
    await night(fleet, MIDNIGHT + DAY_MS);
    expect(await keptDays(userId)).toEqual([
      [MIDNIGHT - DAY_MS, 24],
      [MIDNIGHT, 48],
    ]);
  });

  it("is told by the history to a fleet that was set back before it was closed", async () => {
    const { fleet, userId } = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON) }));
    const former = await stateOf(fleet);
    expectLogged(/was set back to a former state/);
    for (let day = 0; day < 6; day++) await night(fleet, MIDNIGHT + day * DAY_MS);
    const kept = await keptDays(userId);
    const before = await totals(fleet);
    await runInDurableObject(fleet, (_, { storage: { sql } }) => {
      sql.exec("UPDATE fleet SET json = ?", JSON.stringify(former));
      sql.exec("DELETE FROM cost_totals");
      sql.exec("DELETE FROM closed_costs");
    });
    await evictDurableObject(fleet);
    await fleet.goOnFromFormer();
    await passAlarms(fleet, Date.now() + HOUR);
    await fleet.report(reportOf("a", { revision: 2, costs: basisOf(WORKING, NOON) }));
    await night(fleet, MIDNIGHT + 6 * DAY_MS);
    const close = (days: [number, number][]) =>
      days.map(([day, dollars]) => [day, expect.closeTo(dollars, 6)]);
    expect(kept).toHaveLength(6);
    expect((await keptDays(userId)).slice(0, 6)).toEqual(close(kept));
    expect((await totals(fleet)).slice(0, 6)).toEqual(close(before));
    expect(await keptDays(userId)).toHaveLength(7);
  });

  it("is not written any more for a user who is being deleted", async () => {
    const { fleet, userId } = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON) }));
    await fleet.account({ type: "leave" });
    await night(fleet, MIDNIGHT);
    expect(await keptDays(userId)).toEqual([]);
  });
});

/** What two ledgers of a random life have come to, day by day. */
function expectSame(found: CostTotals, expected: CostTotals, where: string): void {
  const flat = ({ working, idle, silent, hibernated, ...costs }: CostTotals) => [
    ...[working, idle, silent, hibernated].flatMap(({ ms, dollars }) => [ms / HOUR, dollars]),
    costs.wasted,
    costs.saved,
    costs.reported,
    costs.unpricedMs / HOUR,
  ];
  const other = flat(expected);
  const differences = flat(found).map((number, index) => Math.abs(number - (other[index] ?? 0)));
  expect(Math.max(...differences), JSON.stringify({ where, found, expected })).toBeLessThan(1e-6);
}

describe("costs across many nights", () => {
  it("come to the same in the history and here together, for each instance and all, whatever fails on the way", async () => {
    const usage = fc.constantFrom(WORKING, SILENT, UNKNOWN, HIBERNATED);
    const step = fc.record({
      instance: fc.nat(2),
      usage,
      hours: fc.integer({ min: 1, max: 15 }),
      cents: fc.option(fc.nat(400), { freq: 2 }),
      removed: fc.nat(5).map((number) => number === 0),
      away: fc.boolean(),
      evict: fc.boolean(),
      twice: fc.boolean(),
    });
    const history = historyAway();
    expectLogged(/days of costs wait for the history/);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (steps) => {
        setClock(NOON);
        history.away = false;
        const { fleet, userId } = await newFleet();
        const lives = new Map<
          string,
          { ledger: Ledger; usage: Usage; accumulated: number; revision: number }
        >();
        let gone = NO_COSTS;
        for (const { instance, usage, hours, cents, removed, away, evict, twice } of steps) {
          const id = `i-${instance}`;
          const now = Date.now();
          const known = lives.get(id);
          const life = known ?? { ledger: newLedger(now), usage, accumulated: 0, revision: now };
          let ledger = addTime(life.ledger, life.usage, now);
          const accumulated = life.accumulated + (cents ?? 0) / 100;
          // Within a day, or the fleet would hear too late of it.
          if (cents !== null) ledger = addReport(ledger, { at: now, accumulated, uptimeMs: null });
          const next = { ledger, usage, accumulated, revision: life.revision + 1 };
          const registeredAt = ledger.since;
          await fleet.report(
            reportOf(id, { revision: next.revision, registeredAt, costs: told(ledger, usage) }),
          );
          if (removed && known !== undefined) {
            await fleet.remove(id, next.revision + 1);
            gone = sumOf(gone, costsInAll(ledger));
            lives.delete(id);
            setClock(now + 1);
          } else lives.set(id, next);
          history.away = away;
          await passAlarms(fleet, now + hours * HOUR);
          setClock(now + hours * HOUR);
          if (evict) await evictDurableObject(fleet);
          if (twice) await runInDurableObject<FleetActor, void>(fleet, (actor) => actor.alarm());
        }
        history.away = false;
        const now = Date.now();
        const expected = [...lives.values()].reduce(
          (sum, { ledger, usage }) => sumOf(sum, costsInAll(addTime(ledger, usage, now))),
          gone,
        );
        const recent = await fleet.recentCosts(ALL, { by: "instance" }, PAGE);
        const kept = await readCostDays(
          env.DB,
          userId,
          { from: 0, before: recent.knownBefore },
          { by: "instance" },
          PAGE,
        );
        const both = [...recent.rows, ...kept.rows].reduce((sum, { costs }) => sumOf(sum, costs), NO_COSTS);
        const { closed, open } = await fleet.daysOfCosts(ALL);
        const days = [...closed, ...open].reduce((sum, { costs }) => sumOf(sum, costs), NO_COSTS);
        // Reports may still change the last days that are closed: the next night mends those.
        expectSame(both, days, "the history and here, against the days");
        for (const day of [1, 2]) await night(fleet, startOfUtcDay(now) + day * DAY_MS);
        const later = Date.now();
        const inAll = [...lives.entries()].reduce(
          (sum, [, { ledger, usage }]) => sumOf(sum, costsInAll(addTime(ledger, usage, later))),
          gone,
        );
        const { closed: all, open: rest } = await fleet.daysOfCosts(ALL);
        expectSame(
          [...all, ...rest].reduce((sum, { costs }) => sumOf(sum, costs), NO_COSTS),
          inAll,
          "in all",
        );
        for (const [id, { ledger, usage }] of lives) {
          if (steps.some(({ removed }) => removed)) break;
          const here = (await fleet.recentCosts(ALL, { by: "instance" }, PAGE)).rows.find(
            ({ key }) => key === id,
          );
          const there = (await keptByInstance(userId)).get(id) ?? NO_COSTS;
          expectSame(sumOf(there, here?.costs ?? NO_COSTS), costsInAll(addTime(ledger, usage, later)), id);
        }
        expect(dollarsOf(expected)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: Number(process.env.PROPERTY_RUNS ?? 12), timeout: 100_000 },
    );
  });
});

describe("costs of a fleet that sleeps", () => {
  it("come to the same as what each has done, however long it slept, and whoever was removed meanwhile", async () => {
    const step = fc.record({
      usage: fc.constantFrom(WORKING, SILENT, UNKNOWN, HIBERNATED),
      hours: fc.integer({ min: 1, max: 140 }),
      removed: fc.nat(3).map((number) => number === 0),
      night: fc.nat(3).map((number) => number === 0),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 5 }), async (steps) => {
        setClock(NOON);
        const { fleet, userId } = await newFleet();
        let life: { ledger: Ledger; usage: Usage } | null = null;
        let gone = NO_COSTS;
        for (const [index, { usage, hours, removed, night: isNight }] of steps.entries()) {
          const now = Date.now();
          const ledger: Ledger = life === null ? newLedger(now) : addTime(life.ledger, life.usage, now);
          const revision = 10 * (index + 1);
          const costs = told(ledger, usage);
          await fleet.report(reportOf("a", { revision, registeredAt: ledger.since, costs }));
          if (removed) {
            await fleet.remove("a", revision + 1);
            gone = sumOf(gone, costsInAll(ledger));
            life = null;
          } else life = { ledger, usage };
          if (isNight) await passAlarms(fleet, now + HOUR);
          setClock(now + hours * HOUR);
        }
        const end = Date.now();
        await night(fleet, startOfUtcDay(end) + DAY_MS);
        const later = Date.now();
        const expected =
          life === null ? gone : sumOf(gone, costsInAll(addTime(life.ledger, life.usage, later)));
        const { closed, open } = await fleet.daysOfCosts(ALL);
        const found = [...closed, ...open].reduce((sum, { costs }) => sumOf(sum, costs), NO_COSTS);
        expectSame(found, expected, "in all");
        const kept = (await keptDays(userId)).reduce((sum, [, dollars]) => sum + dollars, 0);
        expect(kept).toBeCloseTo(
          closed.reduce((sum, { costs }) => sum + dollarsOf(costs), 0),
          6,
        );
      }),
      { numRuns: Number(process.env.PROPERTY_RUNS ?? 25), timeout: 100_000 },
    );
  });
});

describe("the history's days of costs", () => {
  const day = (instanceId: string, dollars: number, more: Record<string, unknown> = {}) => ({
    day: MIDNIGHT,
    instanceId,
    costs: { ...NO_COSTS, working: { ms: HOUR, dollars } },
    provider: "vast",
    tags: "{}",
    closedAt: 10,
    ...more,
  });

  it("are replaced by a later word, and not by an earlier one that arrives late", async () => {
    const userId = "late-words";
    await keepCostDays(env.DB, userId, [day("a", 2, { closedAt: 20 })]);
    await keepCostDays(env.DB, userId, [day("a", 1)]);
    expect(await keptDays(userId)).toEqual([[MIDNIGHT, 2]]);
    await keepCostDays(env.DB, userId, [day("a", 3, { closedAt: 30 })]);
    expect(await keptDays(userId)).toEqual([[MIDNIGHT, 3]]);
  });

  it("are read by day, instance, provider or tag, a page at a time, and nobody else's", async () => {
    const userId = "groups";
    await keepCostDays(env.DB, userId, [
      day("a", 1, { tags: '{"team":"red","x.y":"1"}' }),
      day("a", 2, { day: MIDNIGHT + DAY_MS, tags: '{"team":"blue"}' }),
      day("b", 4, { provider: "ec2" }),
      day("c", 8, { tags: '{"team":"red"}' }),
    ]);
    await keepCostDays(env.DB, "somebody-else", [day("a", 100)]);
    const read = async (grouping: Parameters<typeof readCostDays>[3], range = ALL, page = {}) => {
      const { rows, end } = await readCostDays(env.DB, userId, range, grouping, { ...PAGE, ...page });
      return [rows.map(({ key, costs }) => [key, dollarsOf(costs)]), end];
    };
    expect(await read({ by: "instance" })).toEqual([
      [
        ["a", 3],
        ["b", 4],
        ["c", 8],
      ],
      null,
    ]);
    expect(await read({ by: "provider" })).toEqual([
      [
        ["ec2", 4],
        ["vast", 11],
      ],
      null,
    ]);
    expect(await read({ by: "tag", tag: "team" })).toEqual([
      [
        ["", 4],
        ["blue", 2],
        ["red", 9],
      ],
      null,
    ]);
    expect(await read({ by: "tag", tag: "x.y" })).toEqual([
      [
        ["", 14],
        ["1", 1],
      ],
      null,
    ]);
    expect(
      await read({ by: "instance" }, { from: MIDNIGHT + DAY_MS, before: MIDNIGHT + 2 * DAY_MS }),
    ).toEqual([[["a", 2]], null]);
    expect(await read({ by: "instance" }, ALL, { limit: 2 })).toEqual([
      [
        ["a", 3],
        ["b", 4],
      ],
      "b",
    ]);
    expect(await read({ by: "instance" }, ALL, { after: "b", limit: 2 })).toEqual([[["c", 8]], null]);
  });
});
