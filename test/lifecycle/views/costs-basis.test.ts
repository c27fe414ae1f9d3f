import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addTime,
  type CostTotals,
  costsOfDay,
  newLedger,
  USES,
  type Usage,
} from "../../../src/lifecycle/model/ledger.ts";
import { addReport } from "../../../src/lifecycle/model/ledger-report.ts";
import { STATUSES } from "../../../src/lifecycle/model/phase.ts";
import { startOfUtcDay } from "../../../src/lifecycle/model/time.ts";
import { ledgerAt } from "../../../src/lifecycle/rules/costs.ts";
import { costsBasis, costsOn } from "../../../src/lifecycle/views/costs.ts";
import { IN_STATUS } from "../statuses.ts";
import { START } from "../timeline.ts";

/** What a fleet reckons from a basis, against the ledger itself, which knows when time has passed. */

const RUNS = Number(process.env.PROPERTY_RUNS ?? 200);
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

const usage: fc.Arbitrary<Usage> = fc.record({
  use: fc.constantFrom(...USES),
  isWasted: fc.boolean(),
  hourlyCost: fc.constantFrom(null, 0, 0.4, 2.5),
  hourlySaving: fc.constantFrom(0, 0.39),
});

const step = fc.record({
  usage,
  minutes: fc.integer({ min: 1, max: 4000 }),
  cents: fc.option(fc.nat(400)),
});

const life = fc.record({
  status: fc.constantFrom(...STATUSES),
  steps: fc.array(step, { maxLength: 20 }),
  hourlyCost: fc.constantFrom(null, 0.4),
  /** How long nothing is told after the basis. */
  later: fc.integer({ min: 0, max: 9000 }),
});

const numbersOf = (costs: CostTotals) => [
  ...USES.flatMap((use) => [costs[use].ms, costs[use].dollars]),
  costs.wasted,
  costs.saved,
  costs.reported,
  costs.unpricedMs,
];

const LIVES = new Map(STATUSES.map((status) => [status, IN_STATUS[status]().state]));

describe("the basis of costs", () => {
  it("says at any later moment what the ledger would say of each day that it keeps apart", () => {
    fc.assert(
      fc.property(life, ({ status, steps, hourlyCost, later }) => {
        const state = LIVES.get(status);
        if (state === undefined) throw new Error(status);
        let ledger = newLedger(START);
        let accumulated = 0;
        for (const { usage, minutes, cents } of steps) {
          ledger = addTime(ledger, usage, ledger.until + minutes * MINUTE);
          if (cents === null) continue;
          accumulated += cents / 100;
          ledger = addReport(ledger, { at: ledger.until, accumulated, uptimeMs: null });
        }
        const life = { ...state, ledger, profile: { ...state.profile, hourlyCost } };
        const at = ledger.until + 7 * MINUTE;
        const now = at + later * MINUTE;
        const basis = JSON.parse(JSON.stringify(costsBasis(life, at)));
        for (const back of [0, 1, 2]) {
          const day = startOfUtcDay(now) - back * DAY;
          const expected = numbersOf(costsOfDay(ledgerAt(life, now), day));
          const found = numbersOf(costsOn(basis, day, now));
          const differences = found.map((number, index) => Math.abs(number - (expected[index] ?? 0)));
          expect(Math.max(...differences), JSON.stringify({ found, expected, back })).toBeLessThan(1e-6);
        }
        expect(basis.days.length).toBeLessThanOrEqual(3);
      }),
      { numRuns: RUNS },
    );
  });

  it("adds nothing before it, nor to a day that is yet to come", () => {
    const line = IN_STATUS.running();
    const basis = costsBasis(line.state, line.now);
    expect(costsOn(basis, START - DAY, line.now + DAY)).toMatchObject({ working: { ms: 0, dollars: 0 } });
    expect(costsOn(basis, START + DAY, line.now)).toMatchObject({ working: { ms: 0, dollars: 0 } });
  });
});
