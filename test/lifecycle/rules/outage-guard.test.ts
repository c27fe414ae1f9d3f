import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Orphan } from "../../../src/lifecycle/model/phase.ts";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/model/policy-settings.ts";
import { newState } from "../../../src/lifecycle/model/state.ts";
import {
  changeGuard,
  type Guard,
  type GuardWithOutage,
  guardAnswer,
  NEVER_CLOSED,
  OPEN_GUARD,
  outageSpan,
  reviewGuard,
  serviceRule,
  silentSince,
  voteRule,
} from "../../../src/lifecycle/rules/outage-guard.ts";

const RULE = { ...compilePolicy(DEFAULT_POLICY).guard, since: 0 };
const HOUR = 3_600_000;
const closed: Guard = { closedAt: 0, openedAt: null };

describe("the guard", () => {
  it.each([
    [2, 0, null],
    [3, 0, "closes"],
    [3, 2, "closes"],
    [3, 3, null],
    [55, 45, "closes"],
    [54, 46, null],
    [549, 451, null],
    [550, 450, "closes"],
    [11, 9, "closes"],
    [200, 0, "closes"],
    [0, 0, null],
  ] as const)("with %i silent and %i awake: %s", (silent, awake, change) => {
    expect(reviewGuard(OPEN_GUARD, { silent, awake }, RULE, 0)).toBe(change);
  });

  it("opens once enough came back, and for good after six hours", () => {
    expect(reviewGuard(closed, { silent: 110, awake: 90 }, RULE, HOUR)).toBeNull();
    expect(reviewGuard(closed, { silent: 109, awake: 91 }, RULE, HOUR)).toBe("opens");
    expect(reviewGuard(closed, { silent: 200, awake: 0 }, RULE, 6 * HOUR - 1)).toBeNull();
    expect(reviewGuard(closed, { silent: 200, awake: 0 }, RULE, 6 * HOUR)).toBe("opens for good");
  });

  it("stays open where the policy has none, and opens when it is switched off", () => {
    const off = { ...RULE, enabled: false };
    expect(reviewGuard(OPEN_GUARD, { silent: 200, awake: 0 }, off, 0)).toBeNull();
    expect(reviewGuard(closed, { silent: 200, awake: 0 }, off, 0)).toBe("opens");
  });

  it("of the service holds deletes for as long as it is closed, and all else for six hours", () => {
    const ask = (step: "hibernate" | "delete", now: number) =>
      guardAnswer(step, OPEN_GUARD, closed, RULE, now);
    expect(ask("hibernate", HOUR)).toEqual({ held: true });
    expect(ask("hibernate", 6 * HOUR)).toEqual({ held: false, openedAt: 6 * HOUR });
    expect(ask("delete", 1000 * HOUR)).toEqual({ held: true });
  });

  it("lets go with the moment from which silence counts: the latest opening of either", () => {
    const user = { closedAt: null, openedAt: 5 };
    const service = { closedAt: null, openedAt: 9 };
    expect(guardAnswer("hibernate", user, service, RULE, 20)).toEqual({ held: false, openedAt: 9 });
    expect(guardAnswer("hibernate", OPEN_GUARD, OPEN_GUARD, RULE, 20)).toEqual({
      held: false,
      openedAt: null,
    });
  });

  it("never closes for less than its fraction or its minimum, and never opens while both hold within its time", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), fc.nat(5 * HOUR), (silent, awake, now) => {
        const outage = silent >= 3 && silent / (silent + awake) >= 0.55;
        expect(reviewGuard(OPEN_GUARD, { silent, awake }, RULE, now)).toBe(outage ? "closes" : null);
        expect(reviewGuard(closed, { silent, awake }, RULE, now)).toBe(outage ? null : "opens");
      }),
    );
  });
});

/** A silent instance: its last sign of life, and when it became an orphan. */
interface Silent {
  readonly seenAt: number;
  readonly orphanedAt: number;
}

/** A fleet of so many awake, and the guard that watches it. */
class Fleet {
  guard: GuardWithOutage = NEVER_CLOSED;
  readonly changes: string[] = [];

  constructor(
    public silent: readonly Silent[],
    public awake: number,
  ) {}

  /** Reviews the guard for an instance that was last heard at `seenAt`, or for one that is heard. */
  review(seenAt: number | null, now: number): void {
    const span = outageSpan(this.guard, seenAt, RULE);
    if (span === null) return;
    const silent = this.silent.filter(
      (one) =>
        one.seenAt >= span.seenFrom && one.seenAt <= span.seenUntil && one.orphanedAt > span.orphanedAfter,
    ).length;
    const change = reviewGuard(this.guard, { silent, awake: this.awake }, RULE, now);
    if (change === null) return;
    this.guard = changeGuard(this.guard, change, span, RULE, now);
    this.changes.push(change);
  }
}

const MINUTE = 60_000;
const SECOND = 1000;
const START = 1000 * HOUR;

function silentAt(seenAt: number, afterMs = 5 * MINUTE): Silent {
  return { seenAt, orphanedAt: seenAt + afterMs };
}

describe("who counts for an outage", () => {
  it("is who was last heard within the window around the one that is looked at, both ends included", () => {
    const spread = (seconds: number) =>
      new Fleet([silentAt(START), silentAt(START), silentAt(START + seconds * SECOND)], 1);
    const within = spread(600);
    within.review(START, START + 30 * MINUTE);
    expect(within.changes).toEqual(["closes"]);
    const beyond = spread(601);
    beyond.review(START, START + 30 * MINUTE);
    beyond.review(START + 601 * SECOND, START + 30 * MINUTE);
    expect(beyond.changes).toEqual([]);
  });

  it("is found from the middle of an outage that is longer than the window, and stays counted", () => {
    const slow = new Fleet(
      [0, 5, 10, 15, 20].map((minute) => silentAt(START + minute * MINUTE)),
      4,
    );
    slow.review(START, START + 30 * MINUTE);
    expect(slow.changes).toEqual([]);
    slow.review(START + 10 * MINUTE, START + 30 * MINUTE);
    expect(slow.changes).toEqual(["closes"]);
    expect(slow.guard.seenFrom).toBe(START);
    // Of those who follow, all belong to it: 6 of 10 do not open it.
    slow.silent = [...slow.silent, silentAt(START + 25 * MINUTE)];
    slow.review(null, START + 31 * MINUTE);
    expect(slow.changes).toEqual(["closes"]);
  });

  it("is nobody while an instance is heard and the guard is open", () => {
    expect(outageSpan(NEVER_CLOSED, null, RULE)).toBeNull();
  });

  it("is counted with those of the same last sign of life, however late it becomes an orphan", () => {
    const mixed = new Fleet([silentAt(START), silentAt(START)], 2);
    mixed.review(START, START + 5 * MINUTE);
    expect(mixed.changes).toEqual([]);
    mixed.silent = [...mixed.silent, silentAt(START, HOUR)];
    mixed.awake = 1;
    mixed.review(START, START + HOUR);
    expect(mixed.changes).toEqual(["closes"]);
  });

  it("is nobody of an outage that is over, and everybody of the next", () => {
    const fleet = new Fleet(Array(4).fill(silentAt(START)), 0);
    fleet.review(START, START + 5 * MINUTE);
    fleet.silent = fleet.silent.slice(0, 1);
    fleet.awake = 3;
    fleet.review(null, START + 10 * MINUTE);
    expect(fleet.changes).toEqual(["closes", "opens"]);
    expect(fleet.guard.openedAt).toBe(START + 10 * MINUTE);
    // The one that stayed away does not close it, though the others sleep by now.
    fleet.awake = 0;
    fleet.review(START, START + 40 * MINUTE);
    expect(fleet.changes).toHaveLength(2);
    // Three fall silent again who were last heard before it opened: that is another outage.
    fleet.silent = [silentAt(START), ...Array(3).fill(silentAt(START + 9 * MINUTE))];
    fleet.review(START + 9 * MINUTE, START + 14 * MINUTE);
    expect(fleet.changes).toEqual(["closes", "opens", "closes"]);
  });

  it("is not who fell silent before the guard was due to open for good, but whoever did after", () => {
    const fleet = new Fleet(Array(5).fill(silentAt(START)), 4);
    fleet.review(START, START + 5 * MINUTE);
    // Nobody looked for a day.
    const later = START + 24 * HOUR;
    fleet.silent = [...fleet.silent, ...Array(4).fill(silentAt(later - 5 * MINUTE))];
    fleet.awake = 0;
    fleet.review(later - 5 * MINUTE, later);
    expect(fleet.guard.openedAt).toBe(START + 5 * MINUTE + RULE.maxHoldMs);
    fleet.review(START, later);
    expect(fleet.changes).toEqual(["closes", "opens for good"]);
    fleet.review(later - 5 * MINUTE, later);
    expect(fleet.changes).toEqual(["closes", "opens for good", "closes"]);
  });
});

describe("the service's guard", () => {
  const rule = serviceRule(RULE);

  it.each([
    [4, 0, null],
    [5, 0, "closes"],
    [5, 4, "closes"],
    [5, 5, null],
    [549, 451, null],
    [550, 450, "closes"],
  ] as const)("with %i users silent and %i awake: %s", (silent, awake, change) => {
    expect(reviewGuard(OPEN_GUARD, { silent, awake }, rule, 0)).toBe(change);
  });

  it("opens when enough users came back, however long that takes", () => {
    expect(reviewGuard(closed, { silent: 5, awake: 4 }, rule, 1000 * HOUR)).toBeNull();
    expect(reviewGuard(closed, { silent: 4, awake: 5 }, rule, 1000 * HOUR)).toBe("opens");
    expect(reviewGuard(closed, { silent: 4, awake: 0 }, rule, 1000 * HOUR)).toBe("opens");
  });

  it("hears a user by the standard rule, whatever the user's own says, but for a longer window", () => {
    const own = {
      ...RULE,
      enabled: false,
      fraction: 0.01,
      minimumInstances: 100,
      windowMs: HOUR,
      maxHoldMs: 1,
    };
    expect(voteRule(RULE, own, OPEN_GUARD)).toMatchObject({
      enabled: true,
      fraction: 0.55,
      minimumInstances: 1,
      windowMs: HOUR,
      maxHoldMs: 6 * HOUR,
    });
    expect(voteRule(RULE, { ...own, windowMs: 1 }, OPEN_GUARD).windowMs).toBe(RULE.windowMs);
  });

  it("hears a vote for as long as the outage lasts while it is closed", () => {
    const silent = { silent: 1, awake: 0 };
    expect(reviewGuard(closed, silent, voteRule(RULE, RULE, closed), 1000 * HOUR)).toBeNull();
    expect(reviewGuard(closed, silent, voteRule(RULE, RULE, OPEN_GUARD), 6 * HOUR)).toBe("opens for good");
  });
});

describe("the last sign of life", () => {
  const clock = { lastHeartbeatAt: 10, keepAliveUntil: null, graceUntil: null, countsFrom: null };
  const orphan: Orphan = {
    since: 100,
    clockFrom: 10,
    step: "orphaned",
    guard: null,
    failed: null,
    deleteFailed: null,
  };
  const state = newState({
    name: "rig",
    provider: "webhook",
    providerRef: null,
    registeredAt: 0,
    hourlyCost: null,
    hibernatedHourlyCost: null,
  });

  it("of an orphan is its last heartbeat, or the end of what kept it alive, whatever its ladder counts from", () => {
    const phase = { status: "orphaned", orphan: { ...orphan, clockFrom: 5000 } } as const;
    expect(silentSince({ ...state, phase, clock })).toBe(10);
    expect(silentSince({ ...state, phase, clock: { ...clock, keepAliveUntil: 40 } })).toBe(40);
    expect(silentSince({ ...state, phase, clock: { ...clock, countsFrom: 50 } })).toBe(50);
    expect(silentSince({ ...state, phase, clock: { ...clock, lastHeartbeatAt: null } })).toBe(100);
  });

  it("does not move by an absence of the service", () => {
    const phase = { status: "orphaned", orphan } as const;
    expect(silentSince({ ...state, phase, clock: { ...clock, countsFrom: 5000 } })).toBe(10);
  });

  it("is kept through hibernation for silence, and there is none for idleness, nor for who is heard", () => {
    const hibernated = { status: "hibernated", since: 200, unsavedFrom: 200 } as const;
    expect(silentSince({ ...state, clock, phase: { ...hibernated, reason: "silence", orphan } })).toBe(10);
    expect(
      silentSince({ ...state, clock, phase: { ...hibernated, reason: "idle", orphan: null } }),
    ).toBeNull();
    expect(silentSince({ ...state, clock, phase: { status: "running", idle: null } })).toBeNull();
    expect(silentSince({ ...state, clock, phase: { status: "deleted", at: 300 } })).toBeNull();
  });
});
