import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CountedAs,
  countMove,
  type FleetState,
  fleetAlarmAt,
  newFleet,
  parseFleet,
} from "../../../src/fleet/rules/state.ts";
import { STATUSES } from "../../../src/lifecycle/model/phase.ts";

describe("the next alarm of a fleet", () => {
  const idle = newFleet();
  const due = (more: Partial<FleetState["due"]>): FleetState => ({ ...idle, due: { ...idle.due, ...more } });
  const digest = (more: Partial<FleetState["digest"]>): FleetState => ({
    ...idle,
    digest: { ...idle.digest, ...more },
  });

  it.each<[string, FleetState, number | null]>([
    ["nothing waits", idle, null],
    ["a critical digest", digest({ criticalAt: 7 }), 7],
    ["an ordinary digest", digest({ ordinary: { at: 8, latestAt: 9 } }), 8],
    ["nothing critical yet, though it must be quiet for a while", digest({ quietUntil: 5 }), null],
    ["deliveries to start", due({ deliveriesAt: 3 }), 3],
    ["totals to report", due({ totalsAt: 4 }), 4],
    ["own events for the history", due({ historyAt: 5 }), 5],
    ["a policy on its way", due({ policy: { at: 6, after: "rig-50" } }), 6],
    ["old events to forget", due({ pruneAt: 10 }), 10],
    ["others who may be silent", due({ awaiting: { at: 9, until: 60 } }), 9],
    ["at the epoch", due({ pruneAt: 0 }), 0],
    [
      "the first of several",
      {
        ...due({ totalsAt: 4, pruneAt: 2, policy: { at: 3, after: "" } }),
        digest: digest({ criticalAt: 7 }).digest,
      },
      2,
    ],
  ])("%s", (_, state, at) => {
    expect(fleetAlarmAt(state, null)).toBe(at);
  });

  it.each([
    ["an outage that ends by time alone", idle, 11, 11],
    ["one that ends after something else", due({ totalsAt: 4 }), 11, 4],
  ])("%s", (_, state, endsAt, at) => {
    expect(fleetAlarmAt(state, endsAt)).toBe(at);
  });

  it("is the earliest of whatever waits", () => {
    const moment = fc.option(fc.integer({ min: 0, max: 1_000 }));
    fc.assert(
      fc.property(fc.array(moment, { minLength: 14, maxLength: 14 }), (moments) => {
        const [
          criticalAt,
          ordinaryAt,
          deliveriesAt,
          totalsAt,
          historyAt,
          policyAt,
          pruneAt,
          awaitingAt,
          standingAt,
          inventoryAt,
          hibernationsAt,
          budgetAt,
          costsAt,
          reportAt,
        ] = moments.map((at) => at ?? null);
        const state: FleetState = {
          ...idle,
          digest: {
            criticalAt: criticalAt ?? null,
            quietUntil: null,
            ordinary: ordinaryAt == null ? null : { at: ordinaryAt, latestAt: 2_000 },
          },
          due: {
            deliveriesAt: deliveriesAt ?? null,
            totalsAt: totalsAt ?? null,
            historyAt: historyAt ?? null,
            policy: policyAt == null ? null : { at: policyAt, after: "" },
            pruneAt: pruneAt ?? null,
            standingAt: standingAt ?? null,
            inventoryAt: inventoryAt ?? null,
            hibernationsAt: hibernationsAt ?? null,
            budgetAt: budgetAt ?? null,
            costsAt: costsAt ?? null,
            reportAt: reportAt ?? null,
            awaiting: awaitingAt == null ? null : { at: awaitingAt, until: 2_000 },
          },
        };
        // A policy, a listing, a hibernation of many, a look at the budget and a report wait for how the user stands.
        const isHeldBack = (index: number) => [5, 9, 10, 11, 13].includes(index) && standingAt !== null;
        const waiting = moments.flatMap((at, index) => (at === null || isHeldBack(index) ? [] : [at]));
        expect(fleetAlarmAt(state, null)).toBe(waiting.length === 0 ? null : Math.min(...waiting));
      }),
    );
  });
});

describe("the counts of a fleet", () => {
  const standing: fc.Arbitrary<CountedAs | null> = fc.option(
    fc.record({ status: fc.constantFrom(...STATUSES), silentSince: fc.option(fc.constant(5)) }),
  );

  it("equal a recount after every move", () => {
    const moves = fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d"), standing), { maxLength: 40 });
    fc.assert(
      fc.property(moves, (some) => {
        const stands = new Map<string, CountedAs>();
        let state = newFleet();
        for (const [id, after] of some) {
          state = countMove(state, stands.get(id) ?? null, after);
          if (after === null) stands.delete(id);
          else stands.set(id, after);
          const all = [...stands.values()];
          const isAwake = ({ status, silentSince }: CountedAs) =>
            silentSince === null && ["running", "waking", "hibernating"].includes(status);
          expect(state.awake).toBe(all.filter(isAwake).length);
          const statuses = [...new Set(all.map(({ status }) => status))];
          expect(state.instancesByStatus).toEqual(
            Object.fromEntries(
              statuses.map((status) => [status, all.filter((each) => each.status === status).length]),
            ),
          );
        }
      }),
    );
  });

  it("are the very same when nothing of them changes", () => {
    const state = newFleet();
    expect(countMove(state, null, null)).toBe(state);
    const running = { status: "running", silentSince: null };
    expect(countMove(state, running, { ...running })).toBe(state);
  });
});

/**
 * A row as the first release writes it, kept for good: whatever is added since must have a default. Only before that release
 * may it change.
 */
const FIRST_ROW = {
  version: 1,
  policy: { overrides: { idle: { warn_after_seconds: 60 } }, version: 3 },
  guard: { closedAt: 1, openedAt: 2, seenFrom: 3, silentFrom: 4 },
  vote: { closedAt: 1, openedAt: 2, seenFrom: 3, seenAt: 4 },
  epochs: { guard: 1, vote: 2 },
  awake: 1,
  instancesByStatus: { running: 1 },
  hibernations: { idle: { hibernations: 2, regretted: 1 } },
  digest: { criticalAt: 1, quietUntil: 2, ordinary: { at: 3, latestAt: 4 } },
  digests: 5,
  service: { guard: { closedAt: 5, openedAt: 4 }, answeredAt: 6 },
  totalsNumber: 7,
  reachableSince: 8,
  revision: 9,
  historyUpTo: 8,
  due: {
    deliveriesAt: 1,
    totalsAt: 2,
    historyAt: 3,
    policy: { at: 4, after: "rig" },
    pruneAt: 5,
    awaiting: { at: 6, until: 7 },
  },
};

describe("the stored state", () => {
  it("of the first release is read as it was written", () => {
    expect(parseFleet(JSON.stringify(FIRST_ROW))).toMatchObject(FIRST_ROW);
  });

  it("of a later release is read as far as it is known", () => {
    const later = {
      ...FIRST_ROW,
      forecast: { month: 1 },
      guard: { ...FIRST_ROW.guard, reason: "network" },
      due: { ...FIRST_ROW.due, forecastAt: 1 },
    };
    expect(parseFleet(JSON.stringify(later))).toEqual(parseFleet(JSON.stringify(FIRST_ROW)));
  });

  it("says that a guard never closed by null, not by a moment", () => {
    expect(newFleet().guard.silentFrom).toBeNull();
  });

  it("is read as it was written", () => {
    const state: FleetState = {
      ...newFleet(),
      policy: { overrides: { idle: { warn_after_seconds: 60 } }, version: 3 },
      service: { guard: { closedAt: 5, openedAt: null }, answeredAt: 6 },
      due: { ...newFleet().due, policy: { at: 1, after: "rig" } },
    };
    expect(parseFleet(JSON.stringify(state))).toEqual(state);
  });

  it.each(["{", "{}", JSON.stringify({ ...newFleet(), version: 2 })])(
    "is refused when it cannot be read",
    (json) => {
      expect(() => parseFleet(json)).toThrow();
    },
  );
});
