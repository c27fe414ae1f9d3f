import fc from "fast-check";
import type { FleetFigures, FleetTotals } from "../../src/service/totals.ts";

const MINUTE = 60_000;
const HOURS = 4;

const few = fc.integer({ min: 0, max: 3 });
const moment = fc.integer({ min: 0, max: HOURS * 60 * MINUTE });

/** What a fleet may say of itself, sensible or not. */
export const figures: fc.Arbitrary<FleetFigures> = fc.record({
  instancesByStatus: fc.dictionary(fc.constantFrom("running", "orphaned", "constructor", "__proto__"), few),
  isGuardClosed: fc.boolean(),
  hibernations: fc.array(
    fc.record({ reason: fc.constantFrom("idle", "orphan", "toString"), hibernations: few, regretted: few }),
    { maxLength: 3 },
  ),
  awake: few,
  vote: fc.option(fc.record({ closedAt: moment, seenAt: moment })),
});

export const SIX_USERS = ["a", "b", "c", "d", "e", "f"];

/** Reports of six users in the order in which they were made. */
export const reports: fc.Arbitrary<FleetTotals[]> = fc
  .array(fc.tuple(fc.constantFrom(...SIX_USERS), figures), { maxLength: 30 })
  .map((made) => made.map(([userId, of], before) => ({ userId, number: before + 1, ...of })));
