import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ask,
  KEPT_MS,
  type Lane,
  LONGEST_PAUSE_MS,
  LOOK_AHEAD_MS,
  limited,
  NEW_LANE,
  PATIENCE_MS,
  pause,
  reserve,
  type Taking,
  type Waiting,
} from "../../../src/fleet/rules/lanes.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const NOW = Date.UTC(2030, 0, 7);
const ONE: Taking = { costMs: SECOND, burstMs: 0, isUrgent: false };
const URGENT: Taking = { ...ONE, isUrgent: true };

interface Given {
  readonly startAt: number;
  readonly costMs: number;
  readonly isUrgent: boolean;
}

/** Takes one turn after the other, with these breaks between. */
function take(takings: readonly (Taking & { readonly afterMs: number })[]): Given[] {
  let lane: Lane = NEW_LANE;
  let now = NOW;
  return takings.flatMap((taking) => {
    now += taking.afterMs;
    const reserved = reserve(lane, taking, now);
    lane = reserved.lane;
    if (reserved.startAt === null) return [];
    expect(reserved.startAt).toBeGreaterThanOrEqual(now);
    return [{ startAt: reserved.startAt, costMs: taking.costMs, isUrgent: taking.isUrgent }];
  });
}

const takingOf = (burstMs: number) =>
  fc.record({
    costMs: fc.integer({ min: 50, max: 6 * SECOND }),
    burstMs: fc.constant(burstMs),
    isUrgent: fc.boolean(),
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 * SECOND })),
  });

const inTime = (given: readonly Given[]) => given.toSorted((a, b) => a.startAt - b.startAt);

describe("a turn", () => {
  it("begins at once where nobody was before, and then one interval after the other", () => {
    const starts = take(Array.from({ length: 5 }, () => ({ ...ONE, afterMs: 0 }))).map(
      ({ startAt }) => startAt - NOW,
    );
    expect(starts).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
  });

  it("never begins while another one has the lane", () => {
    fc.assert(
      fc.property(fc.array(takingOf(0), { maxLength: 300 }), (takings) => {
        const given = inTime(take(takings));
        for (const [index, { startAt, costMs }] of given.entries()) {
          expect(given[index + 1]?.startAt ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(
            startAt + costMs,
          );
        }
      }),
    );
  });

  it("takes no more of the provider in any time than the time and the burst allow", () => {
    const burstMs = 5 * SECOND;
    fc.assert(
      fc.property(fc.array(takingOf(burstMs), { maxLength: 150 }), (takings) => {
        const given = inTime(take(takings));
        for (const [from, first] of given.entries()) {
          let costMs = 0;
          let dearest = 0;
          for (const each of given.slice(from)) {
            costMs += each.costMs;
            dearest = Math.max(dearest, each.costMs);
            expect(costMs - dearest).toBeLessThanOrEqual(each.startAt - first.startAt + burstMs);
          }
        }
      }),
    );
  });

  it("comes in the order in which it was asked for", () => {
    fc.assert(
      fc.property(fc.array(takingOf(2 * SECOND), { maxLength: 300 }), (takings) => {
        const given = take(takings);
        for (const isUrgent of [true, false]) {
          const starts = given.filter((each) => each.isUrgent === isUrgent).map(({ startAt }) => startAt);
          expect(starts).toEqual(starts.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  it("is not given further ahead than the look-ahead", () => {
    const given = take(Array.from({ length: 5_000 }, () => ({ ...ONE, afterMs: 0 })));
    expect(given.length).toBeLessThan(LOOK_AHEAD_MS / SECOND + 1);
    expect(Math.max(...given.map(({ startAt }) => startAt))).toBeLessThanOrEqual(NOW + LOOK_AHEAD_MS);
  });

  it("of an urgent call does not wait behind a long queue", () => {
    const queue = Array.from({ length: 5_000 }, () => ({ ...ONE, afterMs: 0 }));
    const urgent = Array.from({ length: 10 }, () => ({ ...URGENT, afterMs: 0 }));
    const given = take([...queue, ...urgent]).filter(({ isUrgent }) => isUrgent);
    expect(given).toHaveLength(10);
    expect(given[0]?.startAt).toBeLessThan(NOW + 20 * SECOND);
    expect(given[9]?.startAt).toBeLessThan(NOW + 20 * SECOND + 10 * (4 * SECOND + KEPT_MS));
  });
});

describe("a clock that jumps", () => {
  it("back holds nobody up for longer than the look-ahead, and lets nobody go with another", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            byMs: fc.integer({ min: -5 * 60 * MINUTE, max: 5 * 60 * MINUTE }),
            turns: fc.integer({ min: 1, max: 20 }),
          }),
        ),
        (jumps) => {
          let [lane, now] = [NEW_LANE, NOW];
          for (const { byMs, turns } of jumps) {
            now += byMs;
            const starts: number[] = [];
            for (let turn = 0; turn < turns; turn += 1) {
              const reserved = reserve(lane, ONE, now);
              lane = reserved.lane;
              if (reserved.startAt !== null) starts.push(reserved.startAt);
            }
            for (const [index, startAt] of starts.entries()) {
              expect(startAt - now).toBeLessThanOrEqual(LOOK_AHEAD_MS);
              if (index > 0) expect(startAt - (starts[index - 1] ?? 0)).toBeGreaterThanOrEqual(SECOND);
            }
          }
        },
      ),
    );
  });

  it("back by a day begins anew", () => {
    const { lane } = reserve(NEW_LANE, ONE, NOW);
    const paused = pause(lane, 600 * SECOND, { burstMs: 0, chance: 0 }, NOW);
    const again = reserve(paused, ONE, NOW - 24 * 60 * MINUTE);
    expect(again.startAt).toBeLessThan(NOW - 24 * 60 * MINUTE + MINUTE);
  });
});

describe("a pause", () => {
  const paused = (lane: Lane, askedForMs: number | null, now: number) =>
    pause(lane, askedForMs, { burstMs: 0, chance: 0 }, now);

  it("lasts as long as the provider asks for, and for everybody", () => {
    const lane = paused(NEW_LANE, 45 * SECOND, NOW);
    expect(reserve(lane, ONE, NOW + SECOND).startAt).toBe(NOW + 45 * SECOND);
    expect(reserve(lane, URGENT, NOW + SECOND).startAt).toBe(NOW + 45 * SECOND);
  });

  it.each([Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, 86_400 * SECOND])(
    "of %s ms is capped",
    (askedForMs) => {
      const lane = paused(NEW_LANE, askedForMs, NOW);
      expect(lane.pausedUntil).toBe(NOW + LONGEST_PAUSE_MS);
      expect(reserve(lane, ONE, NOW + LONGEST_PAUSE_MS).startAt).toBe(NOW + LONGEST_PAUSE_MS);
    },
  );

  it("doubles while the provider does not say, up to five minutes, and begins anew after a rest", () => {
    const lengths: number[] = [];
    let [lane, now] = [NEW_LANE, NOW];
    for (let time = 0; time < 8; time += 1) {
      lane = paused(lane, null, now);
      lengths.push((lane.pausedUntil - now) / SECOND);
      now = lane.pausedUntil + SECOND;
    }
    expect(lengths).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
    now += 10 * MINUTE;
    expect(paused(lane, null, now).pausedUntil - now).toBe(10 * SECOND);
  });

  it("is not made longer by calls that were on their way when it began", () => {
    const lane = paused(NEW_LANE, null, NOW);
    expect(paused(lane, null, NOW + SECOND)).toBe(lane);
    expect(paused(lane, 30 * SECOND, NOW + SECOND).pausedUntil).toBe(NOW + 31 * SECOND);
  });

  it("moves all turns that were given, in their order, and lets nobody burst out of it", () => {
    const burstMs = 5 * SECOND;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 * SECOND }), { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: SECOND, max: 60 * SECOND }), { minLength: 1, maxLength: 5 }),
        (breaks, pauses) => {
          let [lane, now] = [NEW_LANE, NOW];
          for (const forMs of pauses) {
            now += breaks[0] ?? 0;
            lane = pause(lane, forMs, { burstMs, chance: 0 }, now);
          }
          const starts = breaks.map(() => {
            const reserved = reserve(lane, { ...ONE, burstMs }, now);
            lane = reserved.lane;
            return reserved.startAt ?? Number.NaN;
          });
          for (const [index, startAt] of starts.entries()) {
            expect(startAt).toBeGreaterThanOrEqual(now + 0);
            if (index > 0) expect(startAt - (starts[index - 1] ?? 0)).toBeGreaterThanOrEqual(SECOND);
          }
        },
      ),
    );
  });
});

/** Many calls that ask until they may go; each comes back when it was told to, and a little late. */
function queue(
  calls: number,
  lateMs: (call: number) => number,
  limitedAt: ReadonlySet<number> = new Set(),
): { readonly startAt: number; readonly asked: number }[] {
  let lane: Lane = NEW_LANE;
  const waiting = new Map<number, Waiting | null>();
  const done: { startAt: number; asked: number }[] = [];
  const due = Array.from({ length: calls }, (_, call) => ({ call, at: NOW, asked: 0 }));
  while (due.length > 0) {
    due.sort((a, b) => a.at - b.at || a.call - b.call);
    const next = due.shift();
    if (next === undefined) break;
    const asked = ask(lane, waiting.get(next.call) ?? null, ONE, 0.5, next.at);
    lane = asked.lane;
    waiting.set(next.call, asked.waiting);
    const { turn } = asked;
    const again = { ...next, asked: next.asked + 1 };
    if (turn.type === "ask again") due.push({ ...again, at: next.at + turn.afterMs + lateMs(next.call) });
    else if (turn.type === "go") {
      done.push({ startAt: next.at + turn.afterMs, asked: again.asked });
      if (!limitedAt.has(done.length)) continue;
      const left = limited(lane, asked.waiting, ONE, 30 * SECOND, 0.5, next.at + turn.afterMs);
      lane = left.lane;
      waiting.set(next.call, left.waiting);
      due.push({ ...again, at: next.at + turn.afterMs + left.afterMs });
    }
  }
  return done.sort((a, b) => a.startAt - b.startAt);
}

const closest = (done: readonly { readonly startAt: number }[]) =>
  Math.min(...done.slice(1).map(({ startAt }, index) => startAt - (done[index]?.startAt ?? 0)));

describe("a queue", () => {
  it("of fifty lets one go each second, and each asks twice at most", () => {
    const done = queue(50, () => 0);
    expect(done).toHaveLength(50);
    expect(closest(done)).toBeGreaterThanOrEqual(SECOND);
    expect(Math.max(...done.map(({ asked }) => asked))).toBeLessThanOrEqual(2);
    // A fifth of it was kept for who is urgent.
    expect(done.at(-1)?.startAt).toBeLessThanOrEqual(NOW + 110 * SECOND);
  });

  it("lets whoever comes too late for its turn go soon, and with nobody else", () => {
    const done = queue(50, (call) => (call % 7 === 0 ? 9 * SECOND : 50));
    expect(done).toHaveLength(50);
    expect(closest(done)).toBeGreaterThanOrEqual(SECOND);
  });

  it("stands still while the provider wants to be left alone", () => {
    const done = queue(50, () => 0, new Set([20]));
    expect(done).toHaveLength(51);
    const gaps = done.slice(1).map(({ startAt }, index) => startAt - (done[index]?.startAt ?? 0));
    expect(gaps.filter((gap) => gap >= 20 * SECOND)).toHaveLength(1);
  });

  it("of a thousand lets everybody go, or says within the hour that it can't", () => {
    const done = queue(1_000, () => 100);
    expect(done).toHaveLength(1_000);
    expect(closest(done)).toBeGreaterThanOrEqual(SECOND);
  });

  it("gives up whoever has waited for an hour", () => {
    const waiting: Waiting = { since: NOW, turn: null, waits: 3 };
    expect(ask(NEW_LANE, waiting, ONE, 0, NOW + PATIENCE_MS + 1).turn).toEqual({
      type: "given up",
      waits: 3,
    });
  });
});

describe("a call that was too much in spite of its turn", () => {
  it("counts as no failure until that has lasted for half an hour", () => {
    let [lane, now]: [Lane, number] = [NEW_LANE, NOW];
    let waiting: Waiting | null = null;
    let firstFailureAt: number | null = null;
    for (let time = 0; time < 20; time += 1) {
      const left = limited(lane, waiting, ONE, null, 0, now);
      if (left.isFailure) firstFailureAt ??= now;
      else expect(left.waiting?.waits).toBe(time + 1);
      ({ lane, waiting } = left);
      now += left.afterMs + 3 * SECOND;
    }
    expect(firstFailureAt).toBeGreaterThan(NOW + 30 * MINUTE);
    expect(firstFailureAt).toBeLessThan(NOW + 40 * MINUTE);
  });
});
