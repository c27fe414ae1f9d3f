import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addTime,
  type CostTotals,
  costsInAll,
  costsOfDay,
  dollarsOf,
  type Ledger,
  newLedger,
  USES,
  type Usage,
} from "../../../src/lifecycle/model/ledger.ts";
import { addReport } from "../../../src/lifecycle/model/ledger-report.ts";
import { startOfUtcDay } from "../../../src/lifecycle/model/time.ts";
import { START } from "../timeline.ts";

/** Random lives of a ledger against a recount minute by minute, which knows nothing of spans. */

const RUNS = Number(process.env.PROPERTY_RUNS ?? 200);
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

const usage: fc.Arbitrary<Usage> = fc.oneof(
  fc.record({
    use: fc.constantFrom("working", "idle", "silent"),
    isWasted: fc.boolean(),
    hourlyCost: fc.constantFrom(null, 0.4, 2.5),
    hourlySaving: fc.constant(0),
  }),
  fc.record({
    use: fc.constant("hibernated" as const),
    isWasted: fc.constant(false),
    hourlyCost: fc.constantFrom(null, 0, 0.01),
    hourlySaving: fc.constantFrom(0, 0.39),
  }),
);

/** Time of one use, put down in pieces. */
const stretch = fc.record({
  usage,
  minutes: fc.integer({ min: 1, max: 200 }),
  pieces: fc.integer({ min: 1, max: 4 }),
});

/**
 * Up to five stretches, then a report: by how many cents it has grown, or how many minutes ago it began anew. A day, or sixteen
 * spans, it need not wait.
 */
const episode = fc.record({
  stretches: fc.array(stretch, { minLength: 1, maxLength: 5 }),
  cents: fc.integer({ min: 0, max: 400 }),
  anewAfter: fc.option(fc.integer({ min: 1, max: 300 }), { freq: 3 }),
});

interface Minute extends Usage {
  readonly at: number;
  dollars: number | null;
  reported: number;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** What was reported of time in which the machine was taken to be hibernated. It comes on top. */
interface OnTop {
  readonly at: number;
  readonly dollars: number;
}

/** The minutes, as a ledger sums them up. */
function recount(minutes: readonly Minute[], onTop: readonly OnTop[]): CostTotals {
  const more = sum(onTop.map(({ dollars }) => dollars));
  const spent = (use: Usage["use"]) => {
    const those = minutes.filter((minute) => minute.use === use);
    return { ms: those.length * MINUTE, dollars: sum(those.map(({ dollars }) => dollars ?? 0)) };
  };
  return {
    working: { ...spent("working"), dollars: spent("working").dollars + more },
    idle: spent("idle"),
    silent: spent("silent"),
    hibernated: spent("hibernated"),
    wasted: sum(minutes.map(({ isWasted, dollars }) => (isWasted ? (dollars ?? 0) : 0))),
    saved: sum(minutes.map(({ hourlySaving }) => hourlySaving / 60)),
    reported: sum(minutes.map(({ reported }) => reported)) + more,
    unpricedMs: minutes.filter(({ dollars }) => dollars === null).length * MINUTE,
  };
}

/** To a ten-thousandth of a cent. */
function expectSame(found: CostTotals, expected: CostTotals): void {
  const numbers = (costs: CostTotals) => [
    ...USES.flatMap((use) => [costs[use].ms, costs[use].dollars]),
    costs.wasted,
    costs.saved,
    costs.reported,
    costs.unpricedMs,
  ];
  const other = numbers(expected);
  const differences = numbers(found).map((number, index) => Math.abs(number - (other[index] ?? 0)));
  expect(Math.max(...differences), JSON.stringify({ found, expected })).toBeLessThan(1e-6);
}

/** The last report takes the place of the price in what it covers: nobody has reported on that before. */
function report(unreported: readonly Minute[], growth: number, coveredFrom: number, ms: number): void {
  for (const minute of unreported.filter(({ use, at }) => use !== "hibernated" && at >= coveredFrom)) {
    minute.dollars = (growth / ms) * MINUTE;
    minute.reported = minute.dollars;
  }
}

describe("a ledger", () => {
  it("comes to the same as a count minute by minute, each day and in all, whatever is reported when", () => {
    fc.assert(
      fc.property(fc.array(episode, { minLength: 1, maxLength: 12 }), (episodes) => {
        let ledger = addReport(newLedger(START), { at: START, accumulated: 0, uptimeMs: 0 });
        const minutes: Minute[] = [];
        const onTop: OnTop[] = [];
        let accumulated = 0;
        for (const { stretches, cents, anewAfter } of episodes) {
          const unreported: Minute[] = [];
          const from = ledger.until;
          for (const { usage, minutes: length, pieces } of stretches) {
            const begin = ledger.until;
            for (let piece = 1; piece <= pieces; piece++) {
              ledger = addTime(ledger, usage, begin + Math.round((length * piece) / pieces) * MINUTE);
            }
            const dollars = usage.hourlyCost === null ? null : usage.hourlyCost / 60;
            for (let at = begin; at < ledger.until; at += MINUTE) {
              unreported.push({ ...usage, at, dollars, reported: 0 });
            }
          }
          minutes.push(...unreported);
          const at = ledger.until;
          const awake = unreported.filter(({ use }) => use !== "hibernated");
          const uptimeMs = anewAfter === null ? null : Math.min(anewAfter * MINUTE, at - from);
          const growth = uptimeMs === null ? cents / 100 : Math.min(cents / 100, accumulated / 2);
          const isAnew = uptimeMs !== null && growth < accumulated;
          // While it is hibernated, its count can't grow.
          if (!isAnew && awake.length === 0) continue;
          accumulated = isAnew ? growth : accumulated + growth;
          ledger = addReport(ledger, { at, accumulated, uptimeMs });
          if (isAnew) {
            report(unreported, growth, at - uptimeMs, uptimeMs);
            const asleep = unreported.filter(
              (minute) => minute.use === "hibernated" && minute.at >= at - uptimeMs,
            );
            onTop.push({ at, dollars: (growth / uptimeMs) * MINUTE * asleep.length });
          } else report(unreported, growth, from, awake.length * MINUTE);
        }
        expectSame(costsInAll(ledger), recount(minutes, onTop));
        const today = startOfUtcDay(ledger.until - 1);
        for (const day of [today, today - DAY]) {
          const ofDay = minutes.filter(({ at }) => startOfUtcDay(at) === day);
          const onTopOfDay = onTop.filter(({ at }) => startOfUtcDay(at) === day);
          expectSame(costsOfDay(ledger, day), recount(ofDay, onTopOfDay));
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("puts all time down once, stays small, and counts at most what was reported, however long nothing is", () => {
    const step = fc.record({
      usage,
      minutes: fc.integer({ min: 1, max: 9000 }),
      cents: fc.option(fc.nat(400)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let ledger: Ledger = newLedger(START);
        let accumulated = 0;
        for (const { usage, minutes, cents } of steps) {
          ledger = addTime(ledger, usage, ledger.until + minutes * MINUTE);
          if (cents === null) continue;
          accumulated += cents / 100;
          ledger = addReport(ledger, { at: ledger.until, accumulated, uptimeMs: null });
        }
        const all = costsInAll(ledger);
        const put = sum(USES.map((use) => all[use].ms));
        expect(put).toBe(ledger.until - START);
        expect(all.reported).toBeLessThanOrEqual(accumulated + 1e-9);
        expect(dollarsOf(all)).toBeGreaterThanOrEqual(all.reported - 1e-9);
        expect(JSON.stringify(ledger).length).toBeLessThan(5000);
      }),
      { numRuns: RUNS },
    );
  });
});
