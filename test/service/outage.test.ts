import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guardEvent } from "../../src/lifecycle/rules/guard-event.ts";
import { type GuardWithOutage, NEVER_CLOSED } from "../../src/lifecycle/rules/outage-guard.ts";
import type { VoteCount } from "../../src/service/aggregate.ts";
import { reviewServiceGuard, ruleAtSpeed } from "../../src/service/outage.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const RULE = ruleAtSpeed(1);
const NOW = 13 * HOUR;

const vote = (seenAt: number, more: Partial<VoteCount> = {}): VoteCount => ({
  seenAt,
  closedAt: seenAt + 5 * MINUTE,
  users: 1,
  awake: 0,
  ...more,
});

/** Votes of so many users each, the last heard at the same minute. */
const votes = (users: number, more: Partial<VoteCount> = {}) => [vote(10 * HOUR, { users, ...more })];

const CLOSED: GuardWithOutage = { closedAt: 11 * HOUR, openedAt: null, seenFrom: 9 * HOUR };

function review(guard: GuardWithOutage, of: readonly VoteCount[], awakeUsers: number, opensFrom = 0) {
  return reviewServiceGuard(guard, { votes: of, awakeUsers }, RULE, opensFrom, NOW);
}

describe("an open guard of the service", () => {
  it.each([
    ["5 of 5 users", 5, 0, "closes"],
    ["4 of 4 users", 4, 0, undefined],
    ["55 of 100 users", 55, 45, "closes"],
    ["54 of 100 users", 54, 46, undefined],
    ["nobody", 0, 0, undefined],
  ])("sees %s silent", (_, silent, awakeUsers, kind) => {
    expect(review(NEVER_CLOSED, votes(silent), awakeUsers)?.kind).toBe(kind);
  });

  it("counts a user who votes as silent only, though an instance of it is awake", () => {
    const change = review(NEVER_CLOSED, votes(5, { awake: 5 }), 9);
    expect(change?.count).toEqual({ silent: 5, awake: 4 });
    expect(change?.kind).toBe("closes");
  });

  it("closes for users who fell silent within the window, and for no others", () => {
    const spread = (gap: number) => [0, 1, 2, 3, 4].map((place) => vote(10 * HOUR + place * gap));
    expect(review(NEVER_CLOSED, spread(5 * MINUTE), 0)?.to).toEqual({
      closedAt: NOW,
      openedAt: null,
      // The earliest moment that has five others around it.
      seenFrom: 10 * HOUR + 10 * MINUTE - 10 * MINUTE,
    });
    expect(review(NEVER_CLOSED, spread(6 * MINUTE), 0)).toBeNull();
  });

  it("closes no later where fewer of the users who are awake are known, as after an upgrade", () => {
    const some = fc.array(
      fc.record({ at: fc.integer({ min: 0, max: 30 }), users: fc.integer({ min: 1, max: 4 }) }),
      { maxLength: 8 },
    );
    const few = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(some, few, few, (silent, known, unknown) => {
        const cast = silent.map(({ at, users }) => vote(10 * HOUR + at * MINUTE, { users }));
        const all = review(NEVER_CLOSED, cast, known + unknown);
        if (all !== null) expect(review(NEVER_CLOSED, cast, known)?.kind).toBe("closes");
      }),
    );
  });

  it("closes no later for a vote that counts twice", () => {
    const some = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 8 });
    fc.assert(
      fc.property(some, fc.integer({ min: 0, max: 20 }), (silent, awake) => {
        const cast = silent.map((at) => vote(10 * HOUR + at * MINUTE));
        const once = review(NEVER_CLOSED, cast, awake);
        const twice = [...cast, ...cast.slice(0, 3)];
        if (once !== null) expect(review(NEVER_CLOSED, twice, awake)?.kind).toBe("closes");
      }),
    );
  });

  it("stays open for votes of an outage that is over", () => {
    const openedAt = 10 * HOUR + 5 * MINUTE;
    const opened = (at: number): GuardWithOutage => ({ closedAt: null, openedAt: at, seenFrom: 0 });
    expect(review(opened(openedAt + MINUTE), votes(5), 0)).toBeNull();
    // Within its minute nobody knows which came first: it counts.
    expect(review(opened(openedAt + 1), votes(5), 0)?.kind).toBe("closes");
    expect(review(opened(openedAt - 1), votes(5), 0)?.kind).toBe("closes");
  });
});

describe("a vote", () => {
  const cast = (closedAt: number) => votes(5, { closedAt });

  it("that was cast too long ago stands no more while the guard is open", () => {
    const lastsMs = RULE.voteLastsMs;
    // Within its minute nobody knows when it was cast: it counts.
    expect(review(NEVER_CLOSED, cast(NOW - lastsMs - MINUTE + 1), 0)?.kind).toBe("closes");
    expect(review(NEVER_CLOSED, cast(NOW - lastsMs - MINUTE), 0)).toBeNull();
  });

  it("stands as long as the outage while the guard is closed", () => {
    expect(review(CLOSED, cast(CLOSED.closedAt ?? 0), 0)).toBeNull();
    const longAfter = 1_000 * HOUR;
    const census = { votes: cast(CLOSED.closedAt ?? 0), awakeUsers: 0 };
    expect(reviewServiceGuard(CLOSED, census, RULE, 0, longAfter)).toBeNull();
  });

  it("counts with those around it just as if all were looked at for each", () => {
    const moment = fc.integer({ min: 0, max: 60 });
    const some = fc.array(fc.tuple(moment, fc.integer({ min: 5, max: 400 }), fc.nat({ max: 3 })), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(some, fc.nat({ max: 20 }), (cast, awakeUsers) => {
        const all = cast.map(([at, lag, users]) =>
          vote(10 * HOUR + at * MINUTE, { closedAt: 10 * HOUR + (at + lag - 200) * MINUTE, users }),
        );
        const { windowMs, fraction } = RULE.guard;
        const standing = all.filter(({ closedAt }) => closedAt + MINUTE > NOW - RULE.voteLastsMs);
        const silentAround = (seen: number) =>
          standing
            .filter(({ seenAt }) => seenAt + MINUTE > seen - windowMs && seenAt <= seen + windowMs)
            .reduce((sum, { users }) => sum + users, 0);
        const tips = standing
          .map(({ seenAt }) => seenAt)
          .filter((seen) => {
            const silent = silentAround(seen);
            return silent >= 5 && silent / (silent + awakeUsers) >= fraction;
          });
        const first = tips.length === 0 ? null : Math.min(...tips);
        const change = review(NEVER_CLOSED, all, awakeUsers);
        expect(change?.to.seenFrom ?? null).toBe(first === null ? null : first - windowMs);
        if (first !== null) expect(change?.count.silent).toBe(silentAround(first));
      }),
    );
  });

  it("costs little, however many there are", () => {
    const many = Array.from({ length: 20_000 }, (_, index) =>
      vote(index * MINUTE, { closedAt: NOW + index * MINUTE }),
    );
    const before = process.cpuUsage();
    expect(review(NEVER_CLOSED, many, 1_000_000)).toBeNull();
    // Of the processor, whatever other work it does meanwhile.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(500);
  });
});

describe("a closed guard of the service", () => {
  it.each([
    ["as many are silent", 5, 0, undefined],
    ["one is heard, of six", 5, 1, undefined],
    ["too many are heard", 5, 5, "opens"],
    ["fewer than five are silent", 4, 0, "opens"],
  ])("when %s", (_, silent, awakeUsers, kind) => {
    expect(review(CLOSED, votes(silent), awakeUsers)?.kind).toBe(kind);
  });

  it("never opens by time alone", () => {
    const longAgo = { ...CLOSED, closedAt: 0, seenFrom: 0 };
    expect(review(longAgo, votes(5), 0)).toBeNull();
  });

  it("counts whoever fell silent since the outage began, however late", () => {
    expect(review(CLOSED, [vote(9 * HOUR), vote(12 * HOUR, { users: 4 })], 0)).toBeNull();
    expect(review(CLOSED, [vote(9 * HOUR - MINUTE), vote(12 * HOUR, { users: 4 })], 0)?.kind).toBe("opens");
  });

  it("that was taken over opens no sooner than it may", () => {
    expect(review(CLOSED, [], 9, NOW + 1)).toBeNull();
    expect(review(CLOSED, [], 9, NOW)?.kind).toBe("opens");
  });
});

it("a simulation counts by as much finer moments as it is faster", () => {
  expect(RULE.voteStepMs).toBe(MINUTE);
  expect(ruleAtSpeed(60).voteStepMs).toBe(1_000);
  expect(ruleAtSpeed(10_000_000).voteStepMs).toBe(1);
});

describe("no tenant alone", () => {
  const moments = fc.integer({ min: 0, max: 3 * 60 }).map((minute) => 10 * HOUR + minute * MINUTE);
  const voter = fc.record({ seenAt: moments, isAwake: fc.boolean() });
  /** A tenant votes or not, and has an instance that is awake or not: there is no more that counts. */
  const tenant = fc.record({ vote: fc.option(voter), isAwake: fc.boolean() });
  const others = fc.record({
    voters: fc.array(voter, { maxLength: 12 }),
    awake: fc.integer({ min: 0, max: 12 }),
  });

  const counted = (
    { voters, awake }: { voters: readonly { seenAt: number; isAwake: boolean }[]; awake: number },
    one: { vote: { seenAt: number } | null; isAwake: boolean },
  ) => {
    const all = [...voters, ...(one.vote === null ? [] : [{ ...one.vote, isAwake: one.isAwake }])];
    return {
      votes: all.map(({ seenAt, isAwake }) => vote(seenAt, { awake: isAwake ? 1 : 0 })),
      awakeUsers: awake + voters.filter(({ isAwake }) => isAwake).length + (one.isAwake ? 1 : 0),
    };
  };

  it("closes the guard: four others at least vote with it", () => {
    fc.assert(
      fc.property(others, tenant, (rest, one) => {
        const census = counted(rest, one);
        const change = reviewServiceGuard(NEVER_CLOSED, census, RULE, 0, NOW);
        if (change !== null) expect(rest.voters.length).toBeGreaterThanOrEqual(4);
      }),
    );
  });

  it("opens it while others enough are silent, or holds it closed while they are not", () => {
    fc.assert(
      fc.property(others, tenant, (rest, one) => {
        const change = reviewServiceGuard(CLOSED, counted(rest, one), RULE, 0, NOW);
        const silent = rest.voters.length;
        // The most that one user can do is to be one more awake, or one more silent.
        if (silent >= 5 && silent / (silent + rest.awake + 1) >= RULE.guard.fraction)
          expect(change).toBeNull();
        if (silent + 1 < 5 || (silent + 1) / (silent + 1 + rest.awake) < RULE.guard.fraction) {
          expect(change?.kind).toBe("opens");
        }
      }),
    );
  });
});

describe("a change is told", () => {
  it("when it closes", () => {
    const change = review(NEVER_CLOSED, votes(5), 1);
    if (change === null) throw new Error("it closes");
    expect(guardEvent(change, change.count, "users")).toEqual({
      id: `guard_closed-${NOW.toString(36)}`,
      at: NOW,
      kind: "guard_closed",
      severity: "critical",
      message:
        "Mass outage: 5 of the service's 6 users fell silent at once. Nothing is hibernated or deleted for silence until it is clear",
      said: expect.objectContaining({ code: expect.stringMatching(/^guard\./) }),
      detail: { rule: "guard", silent: 5, users: 6 },
    });
  });

  it("when it opens", () => {
    const change = review(CLOSED, votes(2), 6);
    if (change === null) throw new Error("it opens");
    expect(guardEvent(change, change.count, "users")).toEqual({
      id: `guard_opened-${NOW.toString(36)}`,
      at: NOW,
      kind: "guard_opened",
      severity: "info",
      message: "The mass outage is over: 6 of 8 users are heard. Silence counts anew from now",
      said: expect.objectContaining({ code: expect.stringMatching(/^guard\./) }),
      detail: { rule: "guard", silent: 2, users: 8, closed_at: "1970-01-01T11:00:00Z" },
    });
  });
});
