import { describe, expect, it } from "vitest";
import {
  type OutageRules,
  outageEndsAt,
  outageRules,
  reviewOutage,
} from "../../../src/fleet/rules/outage-guard.ts";
import { type FleetState, newFleet } from "../../../src/fleet/rules/state.ts";
import type { Counted } from "../../../src/fleet/tables/silences.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = 1_000 * HOUR;
const RULES = outageRules({}, 0, 1);

/** Silent instances by their last sign of life, for the guard and the vote alike. */
function silences(...seen: { readonly at: number; readonly orphanedSince?: number }[]) {
  const begun: [Counted, number, number][] = [];
  const since = (each: { at: number; orphanedSince?: number }) => each.orphanedSince ?? each.at + 5 * MINUTE;
  const openedAt = { guard: 0, vote: 0 };
  return {
    begun,
    count: (counted: Counted, _: number, span: { seenFrom: number; seenUntil: number }) => {
      const found = seen.filter(
        (each) => each.at >= span.seenFrom && each.at <= span.seenUntil && since(each) > openedAt[counted],
      );
      return {
        silent: found.length,
        silentFrom: found.length === 0 ? null : Math.min(...found.map(since)),
      };
    },
    beginEpoch: (counted: Counted, epoch: number, at: number) => {
      openedAt[counted] = at;
      begun.push([counted, epoch, at]);
    },
  };
}

const silentAt = (count: number, at: number) => Array.from({ length: count }, () => ({ at }));

function fleet(awake: number, more: Partial<FleetState> = {}): FleetState {
  return { ...newFleet(), awake, ...more };
}

const closedSince = (closedAt: number, seenFrom: number) => ({
  guard: { closedAt, openedAt: null, seenFrom, silentFrom: seenFrom + 5 * MINUTE },
});

describe("the guard of a fleet", () => {
  it.each([
    ["3 of 3", 3, 0, true],
    ["2 of 2", 2, 0, false],
    ["55 of 100", 55, 45, true],
    ["549 of 1000", 549, 451, false],
    ["550 of 1000", 550, 450, true],
  ])("closes or not with %s silent", (_, silent, awake, closes) => {
    const seen = NOW - 5 * MINUTE;
    const { state, events } = reviewOutage(
      fleet(awake),
      silences(...silentAt(silent, seen)),
      RULES,
      seen,
      NOW,
    );
    expect(state.guard.closedAt).toBe(closes ? NOW : null);
    expect(events.map(({ kind, severity }) => [kind, severity])).toEqual(
      closes ? [["guard_closed", "critical"]] : [],
    );
    if (closes) {
      expect(state.guard).toMatchObject({ seenFrom: seen - 10 * MINUTE, silentFrom: NOW });
      expect(events[0]?.message).toContain(`${silent} of your ${silent + awake} instances`);
    }
  });

  it("does not close for a report of an instance that is heard", () => {
    const { state, events } = reviewOutage(fleet(0), silences(...silentAt(5, NOW)), RULES, null, NOW);
    expect([state.guard.closedAt, events]).toEqual([null, []]);
  });

  it("does not close where the user has switched it off", () => {
    const off = outageRules({ guard: { enabled: false } }, 0, 1);
    const { state } = reviewOutage(fleet(0), silences(...silentAt(5, NOW)), off, NOW, NOW);
    expect(state.guard.closedAt).toBeNull();
  });

  it("opens once enough are heard, in a new epoch", () => {
    const counts = silences(...silentAt(5, NOW - HOUR));
    const closed = fleet(5, closedSince(NOW - HOUR + 5 * MINUTE, NOW - HOUR - 10 * MINUTE));
    const { state, events } = reviewOutage(closed, counts, RULES, null, NOW);
    expect(state.guard).toMatchObject({ closedAt: null, openedAt: NOW });
    expect(state.epochs.guard).toBe(1);
    expect(counts.begun).toEqual([["guard", 1, NOW]]);
    expect(events).toMatchObject([
      {
        kind: "guard_opened",
        severity: "info",
        message: "The mass outage is over: 5 of 10 instances are heard. Silence counts anew from now",
      },
    ]);
  });

  it("opens for good after the longest hold, as of then, and closes again for what happened since", () => {
    const closedAt = NOW - 10 * HOUR;
    const counts = silences(...silentAt(5, closedAt - 5 * MINUTE), ...silentAt(8, NOW - 5 * MINUTE));
    const closed = fleet(0, closedSince(closedAt, closedAt - 15 * MINUTE));
    const once = reviewOutage(closed, counts, RULES, null, NOW);
    expect(once.state.guard).toMatchObject({ closedAt: null, openedAt: closedAt + 6 * HOUR });
    expect(once.events.map(({ at, kind }) => [at, kind])).toEqual([[closedAt + 6 * HOUR, "guard_opened"]]);

    const again = reviewOutage(closed, counts, RULES, NOW - 5 * MINUTE, NOW);
    expect(again.state.guard).toMatchObject({ closedAt: NOW, openedAt: closedAt + 6 * HOUR });
    expect(again.events.map(({ kind }) => kind)).toEqual(["guard_opened", "guard_closed"]);
    expect(again.events[1]?.detail).toMatchObject({ silent: 8, instances: 8 });
  });

  it("opens as of a change that shortened the hold, not as of before", () => {
    const closedAt = NOW - 3 * HOUR;
    const counts = silences(...silentAt(5, closedAt - 5 * MINUTE));
    const closed = fleet(0, closedSince(closedAt, closedAt - 15 * MINUTE));
    const shorter = outageRules({ guard: { max_hold_seconds: 600 } }, NOW - MINUTE, 1);
    expect(outageEndsAt(closed, shorter)).toBe(NOW - MINUTE);
    const { state, events } = reviewOutage(closed, counts, shorter, null, NOW);
    expect(state.guard).toMatchObject({ closedAt: null, openedAt: NOW - MINUTE });
    expect(events.map(({ at, kind }) => [at, kind])).toEqual([[NOW - MINUTE, "guard_opened"]]);
  });

  it("stays as it is while nothing changes, with the very same state", () => {
    const closed = fleet(0, {
      ...closedSince(NOW - HOUR, NOW - 2 * HOUR),
      vote: { closedAt: NOW - HOUR, openedAt: null, seenFrom: NOW - 2 * HOUR, seenAt: NOW - HOUR },
    });
    const reviewed = reviewOutage(closed, silences(...silentAt(5, NOW - HOUR)), RULES, NOW - HOUR, NOW);
    expect(reviewed.state).toBe(closed);
    expect(reviewed.events).toEqual([]);
  });
});

describe("the vote on the service's guard", () => {
  const vote = (state: FleetState, rules: OutageRules, seen: number | null, ...at: number[]) =>
    reviewOutage(state, silences(...at.map((each) => ({ at: each }))), rules, seen, NOW);

  it("is cast with one silent instance, and is no event", () => {
    const { state, events } = vote(fleet(0), RULES, NOW, NOW);
    expect(state.vote.closedAt).toBe(NOW);
    expect(state.guard.closedAt).toBeNull();
    expect(events).toEqual([]);
  });

  it("goes by the standard rule, whatever the user's own; only a longer window counts", () => {
    const odd = outageRules({ guard: { enabled: false, fraction: 1, minimum_instances: 500 } }, 0, 1);
    expect(vote(fleet(0), odd, NOW, NOW).state.vote.closedAt).toBe(NOW);
    // 2 of 3 within an hour; 1 of 3 within ten minutes.
    const seen = [NOW, NOW - 30 * MINUTE];
    expect(vote(fleet(1), RULES, NOW, ...seen).state.vote.closedAt).toBeNull();
    const hour = outageRules({ guard: { window_seconds: 3600 } }, 0, 1);
    expect(vote(fleet(1), hour, NOW, ...seen).state.vote.closedAt).toBe(NOW);
  });

  it("lapses after the longest hold, but lasts while the service's guard is closed", () => {
    const voted = {
      closedAt: NOW - 7 * HOUR,
      openedAt: null,
      seenFrom: NOW - 8 * HOUR,
      seenAt: NOW - 7 * HOUR,
    };
    const { state } = vote(fleet(0, { vote: voted }), RULES, null, NOW - 7 * HOUR);
    expect(state.vote).toMatchObject({ closedAt: null, openedAt: NOW - HOUR });
    const service = { guard: { closedAt: NOW - 7 * HOUR, openedAt: null }, answeredAt: NOW };
    expect(vote(fleet(0, { vote: voted, service }), RULES, null, NOW - 7 * HOUR).state.vote).toEqual(voted);
  });
});

describe("by time alone", () => {
  const closed = { closedAt: NOW, openedAt: null, seenFrom: NOW - HOUR };
  const guard = { ...closed, silentFrom: NOW };
  const vote = { ...closed, seenAt: NOW };
  const shortHold = outageRules({ guard: { max_hold_seconds: 600 } }, 0, 1);
  const service = { guard: { closedAt: NOW, openedAt: null }, answeredAt: NOW };

  it.each<[string, Partial<FleetState>, OutageRules, number | null]>([
    ["nothing ends where all is open", {}, RULES, null],
    ["the guard ends after the user's longest hold", { guard }, shortHold, NOW + 10 * MINUTE],
    ["the vote ends after the standard one", { vote }, shortHold, NOW + 6 * HOUR],
    ["the first of both ends first", { guard, vote }, shortHold, NOW + 10 * MINUTE],
    ["no vote ends while the service's guard is closed", { vote, service }, RULES, null],
  ])("%s", (_, more, rules, at) => {
    const state = fleet(0, more);
    expect(outageEndsAt(state, rules)).toBe(at);
    // Else the alarm would fire again and again.
    if (at === null) return;
    const { state: reviewed } = reviewOutage(state, silences(), rules, null, at);
    expect(outageEndsAt(reviewed, rules) ?? at + 1).toBeGreaterThan(at);
  });
});

it("a user's policy makes the rule, and a simulation divides its times", () => {
  const { user, standard } = outageRules({ guard: { minimum_instances: 7, max_hold_seconds: 600 } }, 0, 10);
  expect(user).toMatchObject({ minimumInstances: 7, maxHoldMs: MINUTE });
  expect(standard).toMatchObject({ minimumInstances: 3, maxHoldMs: 36 * MINUTE });
});
