import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MoneyNow } from "../../src/fleet/views/money.ts";
import {
  addTime,
  type CostTotals,
  costsOfDay,
  dollarsOf,
  newLedger,
  sumOf,
  type Usage,
} from "../../src/lifecycle/model/ledger.ts";
import { addReport } from "../../src/lifecycle/model/ledger-report.ts";
import { startOfUtcDay } from "../../src/lifecycle/model/time.ts";
import type { CostsBasis } from "../../src/lifecycle/views/costs.ts";
import type { LiveView } from "../../src/lifecycle/views/instance-view.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { Instance, newUser, setClock } from "../world.ts";
import { type FleetStub, passAlarms, reportOf, rows } from "./fleets.ts";
import { basisOf as basisSince, HIBERNATED, SILENT, told, UNKNOWN, WORKING } from "./told-costs.ts";

/** What a fleet says its instances cost, which it reckons from what each has last reported. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY_MS = 24 * HOUR;
/** In the middle of a month. */
const NOON = Date.UTC(2030, 0, 17, 12);
const MIDNIGHT = startOfUtcDay(NOON) + DAY_MS;

beforeEach(() => setClock(NOON));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** What an instance reports that has done this for an hour, or since then; one that does nothing has a new ledger. */
function basisOf(usage: Usage | null, since = Date.now() - HOUR, until = Date.now()): CostsBasis {
  return usage === null ? told(newLedger(until), null) : basisSince(usage, since, until);
}

async function newFleet(): Promise<FleetStub> {
  return fleetOf(env, (await newUser()).userId);
}

const dollars = ({ today, month }: MoneyNow) => [dollarsOf(today), dollarsOf(month)];

describe("the money of a fleet", () => {
  it("is nothing where there are no instances", async () => {
    const money = await (await newFleet()).money();
    expect(money).toMatchObject({ at: NOON, rate: 0, unknown_rates: 0, wasted_rate: 0, wasting: [] });
    expect(dollars(money)).toEqual([0, 0]);
  });

  it("grows with time, though nobody reports", async () => {
    const fleet = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING) }));
    await fleet.report(reportOf("b", { name: "Rig", costs: basisOf(SILENT) }));
    await fleet.report(reportOf("c", { costs: basisOf(HIBERNATED) }));
    expect(await fleet.money()).toMatchObject({ rate: 5.1, wasted_rate: 3, unknown_rates: 0 });
    expect(dollars(await fleet.money())).toEqual([5.1, 5.1]);
    setClock(NOON + 2 * HOUR);
    const money = await fleet.money();
    expect(dollars(money)[0]).toBeCloseTo(15.3, 9);
    expect(money.today.saved).toBeCloseTo(5.7, 9);
    expect(money.today.wasted).toBeCloseTo(9, 9);
    expect(money.today.silent.ms).toBe(3 * HOUR);
    expect(money.wasting).toEqual([
      { instance_id: "b", name: "Rig", rate: 3, use: "silent", wasted_today: 9 },
    ]);
  });

  it("begins anew at midnight, and the month goes on", async () => {
    const fleet = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON - DAY_MS) }));
    setClock(MIDNIGHT - 1);
    expect(dollars(await fleet.money())[0]).toBeCloseTo(48, 4);
    setClock(MIDNIGHT);
    expect(dollars(await fleet.money())).toEqual([0, expect.closeTo(2 * 36, 6)]);
    setClock(MIDNIGHT + HOUR);
    expect(dollars(await fleet.money())).toEqual([expect.closeTo(2, 6), expect.closeTo(2 * 37, 6)]);
    // It reports again, and nothing jumps.
    await fleet.report(reportOf("a", { revision: 2, costs: basisOf(WORKING, NOON - DAY_MS) }));
    expect(dollars(await fleet.money())).toEqual([expect.closeTo(2, 6), expect.closeTo(2 * 37, 6)]);
  });

  it("has none of the last month in it", async () => {
    setClock(Date.UTC(2030, 1, 1) - HOUR);
    const fleet = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING) }));
    setClock(Date.UTC(2030, 1, 1) + 2 * HOUR);
    expect(dollars(await fleet.money())).toEqual([4, 4]);
    setClock(Date.UTC(2030, 1, 2) + HOUR);
    expect(dollars(await fleet.money())).toEqual([2, 50]);
  });

  it("counts an unknown price as unknown, and never as no dollars that are known", async () => {
    const fleet = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING) }));
    await fleet.report(reportOf("b", { costs: basisOf(UNKNOWN) }));
    // The former release says nothing of costs.
    await fleet.report(reportOf("c"));
    setClock(NOON + HOUR);
    const money = await fleet.money();
    expect(money).toMatchObject({ rate: 2, unknown_rates: 2 });
    expect(money.today.unpricedMs).toBe(2 * HOUR);
    expect(dollars(money)[0]).toBe(4);
  });

  it("counts no more from a report on that says nothing of costs, and then it is unknown", async () => {
    const fleet = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING) }));
    setClock(NOON + HOUR);
    await fleet.report(reportOf("a", { revision: 2 }));
    const money = await fleet.money();
    expect(money).toMatchObject({ rate: 0, unknown_rates: 1 });
    expect(money.today).toMatchObject({ working: { ms: HOUR, dollars: 2 }, unpricedMs: HOUR });
    await fleet.report(reportOf("a", { revision: 3, costs: basisOf(WORKING, NOON - HOUR) }));
    expect(await fleet.money()).toMatchObject({
      rate: 2,
      unknown_rates: 0,
      today: { working: { ms: 2 * HOUR, dollars: 4 }, unpricedMs: 0 },
    });
  });

  it("has no unknown rate where a machine is gone", async () => {
    const fleet = await newFleet();
    await fleet.report(reportOf("a", { status: "deleted", costs: basisOf(null) }));
    await fleet.report(reportOf("b", { status: "deleted" }));
    expect(await fleet.money()).toMatchObject({ rate: 0, unknown_rates: 0 });
  });

  it("takes no older report of an instance", async () => {
    const fleet = await newFleet();
    await fleet.report(reportOf("a", { revision: 2, costs: basisOf(WORKING) }));
    await fleet.report(reportOf("a", { revision: 1, costs: basisOf(SILENT) }));
    expect(await fleet.money()).toMatchObject({ rate: 2, wasted_rate: 0 });
  });

  it("has the tags of each instance beside it, as they last were, and none where a former release reports", async () => {
    const fleet = await newFleet();
    const tags = async () => rows(fleet, "SELECT instance_id, tags FROM instance_costs ORDER BY instance_id");
    await fleet.report(reportOf("a", { costs: basisOf(WORKING), tags: { team: "vision" } }));
    const { row, ...report } = reportOf("b", { costs: basisOf(WORKING) });
    const { tags: _, ...view } = row.view;
    await fleet.report({ ...report, row: { ...row, view: view as LiveView } });
    const team = (name: string) => ({ instance_id: "a", tags: `{"team":"${name}"}` });
    expect(await tags()).toEqual([team("vision"), { instance_id: "b", tags: "{}" }]);
    await fleet.report(reportOf("a", { revision: 2, costs: basisOf(WORKING), tags: { team: "speech" } }));
    expect(await tags()).toEqual([team("speech"), { instance_id: "b", tags: "{}" }]);
    await fleet.remove("a", 10);
    expect(await tags()).toMatchObject([team("speech"), { instance_id: "b" }]);
  });

  it("keeps what a removed instance has cost, and not its rate", async () => {
    const fleet = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(SILENT, NOON - DAY_MS) }));
    setClock(NOON + HOUR);
    await fleet.remove("a", 10);
    const removed = await fleet.money();
    expect(removed).toMatchObject({ rate: 0, wasted_rate: 0, unknown_rates: 0, wasting: [] });
    expect(dollars(removed)).toEqual([39, 75]);
    setClock(NOON + 3 * HOUR);
    await fleet.remove("a", 10);
    await fleet.report(reportOf("a", { revision: 5, costs: basisOf(SILENT, NOON - DAY_MS) }));
    expect(dollars(await fleet.money())).toEqual([39, 75]);
    setClock(MIDNIGHT + HOUR);
    expect(dollars(await fleet.money())).toEqual([0, 75]);
  });

  it("adds up who has an id after another, on the same day too", async () => {
    const fleet = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON - DAY_MS) }));
    await fleet.remove("a", 10);
    setClock(NOON + HOUR);
    const registeredAt = Date.now();
    const again = (revision: number) =>
      reportOf("a", { revision, registeredAt, costs: basisOf(SILENT, registeredAt) });
    await fleet.report(again(11));
    expect(dollars(await fleet.money())).toEqual([24, 48]);
    setClock(NOON + 2 * HOUR);
    await fleet.report(again(12));
    expect(dollars(await fleet.money())).toEqual([27, 51]);
    await fleet.remove("a", 20);
    expect(dollars(await fleet.money())).toEqual([27, 51]);
  });

  it("keeps the days of before when an instance comes back whose ledger a former release has dropped", async () => {
    const fleet = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING, NOON - DAY_MS) }));
    setClock(NOON + HOUR);
    await fleet.report(reportOf("a", { revision: 2, costs: basisOf(WORKING, NOON + HOUR) }));
    expect(dollars(await fleet.money())).toEqual([0, 24]);
    setClock(NOON + 2 * HOUR);
    await fleet.report(reportOf("a", { revision: 3, costs: basisOf(WORKING, NOON + HOUR) }));
    expect(dollars(await fleet.money())).toEqual([2, 26]);
  });

  it("knows nothing of another user's instance of the same id", async () => {
    const [one, other] = [await newFleet(), await newFleet()];
    await one.report(reportOf("a", { costs: basisOf(WORKING) }));
    expect(await other.money()).toMatchObject({ rate: 0, unknown_rates: 0 });
    await other.report(reportOf("a", { costs: basisOf(SILENT) }));
    await other.remove("a", 10);
    expect(await one.money()).toMatchObject({ rate: 2, unknown_rates: 0 });
  });

  it("is unknown for what a former release kept, until it is reported anew", async () => {
    const fleet = await newFleet();
    await fleet.report(reportOf("a", { costs: basisOf(WORKING) }));
    await fleet.report(reportOf("b", { costs: basisOf(WORKING) }));
    // A former release takes a report of one, and removes the other.
    await runInDurableObject(fleet, (_, { storage: { sql } }) => {
      sql.exec("UPDATE instances SET changed = changed + 100 WHERE instance_id = 'a'");
      sql.exec("DELETE FROM instances WHERE instance_id = 'b'");
      const { json } = sql.exec<{ json: string }>("SELECT json FROM fleet").one();
      const { costs: _costs, ...former } = JSON.parse(json);
      const instancesByStatus = { running: 1 };
      sql.exec("UPDATE fleet SET json = ?", JSON.stringify({ ...former, instancesByStatus }));
    });
    await evictDurableObject(fleet);
    setClock(NOON + HOUR);
    const money = await fleet.money();
    expect(money).toMatchObject({ rate: 0, unknown_rates: 1, today: { unpricedMs: HOUR } });
    expect(dollars(money)[0]).toBe(4);
  });

  it("is what all that was reported comes to, however the ledgers of its instances look", async () => {
    const fleet = await newFleet();
    const usage = fc.constantFrom(WORKING, SILENT, UNKNOWN, HIBERNATED);
    const step = fc.record({
      usage,
      minutes: fc.integer({ min: 1, max: 2000 }),
      cents: fc.option(fc.nat(400)),
    });
    const life = fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 8 }), removed: fc.boolean() });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(life, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: 4000 }),
        async (lives, later) => {
          run += 1;
          setClock(NOON + run * 30 * DAY_MS);
          const now = Date.now() + later * MINUTE;
          let expected = { today: NOTHING, before: NOTHING };
          for (const [index, { steps, removed }] of lives.entries()) {
            const minutes = steps.reduce((sum, each) => sum + each.minutes, 0);
            let ledger = newLedger(Date.now() - minutes * MINUTE);
            let accumulated = 0;
            for (const { usage, minutes, cents } of steps) {
              ledger = addTime(ledger, usage, ledger.until + minutes * MINUTE);
              accumulated += (cents ?? 0) / 100;
              if (cents !== null)
                ledger = addReport(ledger, { at: ledger.until, accumulated, uptimeMs: null });
            }
            const last = steps.at(-1)?.usage ?? WORKING;
            const id = `${run}-${index}`;
            await fleet.report(reportOf(id, { costs: told(ledger, last) }));
            if (removed) await fleet.remove(id, 10);
            else ledger = addTime(ledger, last, now);
            const today = startOfUtcDay(now);
            expected = {
              today: sumOf(expected.today, costsOfDay(ledger, today)),
              before: sumOf(expected.before, costsOfDay(ledger, today - DAY_MS)),
            };
          }
          setClock(now);
          expectSame((await fleet.money()).today, expected.today);
          const day = startOfUtcDay(now) - DAY_MS;
          const { closed, open } = await fleet.daysOfCosts({ from: day, before: day + DAY_MS });
          expect([closed, open.length]).toEqual([[], 1]);
          const before = open[0]?.costs ?? NOTHING;
          expectSame(before, expected.before);
          for (const index of lives.keys()) await fleet.remove(`${run}-${index}`, 20);
        },
      ),
      { numRuns: 25 },
    );
  });
});

const NOTHING = costsOfDay(newLedger(0), 0);

function expectSame(found: CostTotals, expected: CostTotals): void {
  const flat = (costs: CostTotals) => [
    costs.working.ms,
    costs.working.dollars,
    costs.idle.dollars,
    costs.silent.dollars,
    costs.silent.ms,
    costs.hibernated.dollars,
    costs.wasted,
    costs.saved,
    costs.reported,
    costs.unpricedMs,
  ];
  const other = flat(expected);
  const differences = flat(found).map((number, index) => Math.abs(number - (other[index] ?? 0)));
  expect(Math.max(...differences), JSON.stringify({ found, expected })).toBeLessThan(1e-6);
}

describe("the money of real instances", () => {
  it("is what each of them shows, also of one that has been silent for a day", async () => {
    const user = await newUser();
    const fleet = fleetOf(env, user.userId);
    const silent = await Instance.register(user, "silent", { hourly_cost: 3 });
    const working = await Instance.register(user, "working", { hourly_cost: 2 });
    for (const one of [silent, working]) await one.heartbeat();
    for (let minute = 1; minute <= 20; minute++) {
      await silent.until(NOON + minute * MINUTE);
      await working.until(NOON + minute * MINUTE);
      await working.heartbeat();
    }
    for (const one of [silent, working]) await one.settled();
    const shown = async () =>
      (await Promise.all([silent, working].map((one) => one.ask("GET")))).map(({ body }) => body);
    const [quiet, busy] = await shown();
    expect(await fleet.money()).toMatchObject({ rate: 5, wasted_rate: 3, unknown_rates: 0 });
    expect((await fleet.money()).wasting).toMatchObject([
      { instance_id: "silent", use: "silent", wasted_today: expect.closeTo(quiet.wasted_today, 3) },
    ]);
    expect(dollars(await fleet.money())[0]).toBeCloseTo(quiet.cost_today + busy.cost_today, 3);
    await silent.until(MIDNIGHT + 2 * HOUR);
    const [later] = await shown();
    const { wasting } = await fleet.money();
    expect(later.cost_today).toBe(6);
    expect(wasting.find(({ instance_id }) => instance_id === "silent")?.wasted_today).toBeCloseTo(6, 6);
  });

  it("begins with what they report once a fleet was set back, or an instance is imported", async () => {
    const user = await newUser();
    const fleet = fleetOf(env, user.userId);
    const one = await Instance.register(user, "rig", { hourly_cost: 2 });
    await one.heartbeat();
    await one.until(NOON + HOUR);
    await one.settled();
    await runInDurableObject(fleet, (_, { storage: { sql } }) => sql.exec("DELETE FROM instance_costs"));
    expect(await fleet.money()).toMatchObject({ unknown_rates: 1, rate: 0 });
    await fleet.goOnFromFormer();
    await passAlarms(fleet, NOON + HOUR + MINUTE);
    await one.settled();
    const money = await fleet.money();
    expect(money).toMatchObject({ unknown_rates: 0, rate: 2 });
    expect(dollars(money)[0]).toBeCloseTo(2 * ((money.at - NOON) / HOUR), 3);
    expect(await rows(fleet, "SELECT instance_id FROM instance_costs")).toHaveLength(1);
  });
});
