import { describe, expect, it } from "vitest";
import { LONGEST_REPORT_BACKOFF_MS, REPORT_BACKOFF_MS, REPORT_LIMIT_MS } from "../../src/fleet/report.ts";
import {
  backoffMs,
  batchOf,
  type DeliveryTarget,
  dueEffects,
  type FailingTarget,
  isDone,
  isToPark,
  nextTryAt,
  settle,
  TARGETS,
  type TargetOutcome,
  type WaitingEffect,
  withProgress,
} from "../../src/instance/attempts.ts";
import type { Effect } from "../../src/lifecycle/model/effects.ts";
import { MINUTE, NOW, outboxOf } from "./outbox-of.ts";

const passed = (target: DeliveryTarget, ...ids: number[]): TargetOutcome => ({
  target,
  passed: ids,
  failed: [],
  isUnanswered: false,
});
const failed = (target: DeliveryTarget, ...ids: number[]): TargetOutcome => ({
  target,
  passed: [],
  failed: ids,
  isUnanswered: false,
});

const unanswered = (target: DeliveryTarget, ...ids: number[]): TargetOutcome => ({
  ...failed(target, ...ids),
  isUnanswered: true,
});

const at = (now: number) => ({ now, spread: 0 });

const waitingOf = (...types: Effect["type"][]) => withProgress(outboxOf(...types), []);

const idsOf = (due: readonly WaitingEffect[]) => due.map(({ pending }) => pending.id);

/** The ids that are due at each target. */
const dueNow = (waiting: readonly WaitingEffect[], down: readonly FailingTarget[], now: number) =>
  Object.fromEntries(TARGETS.map((target) => [target, idsOf(dueEffects(target, waiting, down, now))]));

function failingAt(
  one: WaitingEffect,
  target: DeliveryTarget,
  failures: number,
  retryAt: number,
): WaitingEffect {
  return { ...one, failing: [{ target, failures, retryAt, since: NOW, unanswered: 0 }] };
}

describe("a failure", () => {
  it.each(["history", "order"] as const)(
    "of %s is tried again after 1, 2, 4 and so on up to 60 minutes",
    (target) => {
      expect(
        [1, 2, 3, 4, 5, 6, 7, 8, 20].map((failures) => backoffMs(target, failures, 0.7) / MINUTE),
      ).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    },
  );

  it("of the fleet is tried again after two minutes at most, and each instance has a moment of its own", () => {
    const minutes = (spread: number) =>
      [1, 2, 3, 4, 20, 2000].map((failures) => backoffMs("fleet", failures, spread) / MINUTE);
    expect(minutes(0)).toEqual([0.5, 1, 2, 2, 2, 2]);
    expect(minutes(0.5)).toEqual([0.375, 0.75, 1.5, 1.5, 1.5, 1.5]);
    expect(minutes(1)).toEqual([0.25, 0.5, 1, 1, 1, 1]);
    expect(LONGEST_REPORT_BACKOFF_MS).toBe(2 * REPORT_LIMIT_MS + REPORT_BACKOFF_MS);
  });

  it("of the fleet alone leaves no effect waiting for longer, whatever else failed", () => {
    let [one] = waitingOf("projection");
    for (let failure = 1; failure <= 20; failure++) {
      if (one === undefined) throw new Error("no effect");
      const now = NOW + failure * 10 * MINUTE;
      // Others of the fleet pass, so it is held against the effect.
      const { effects } = settle([one], { ...failed("fleet", 1), passed: [99] }, [], at(now));
      [one] = effects;
      expect(nextTryAt("fleet", effects, [], now)).toBeLessThanOrEqual(now + REPORT_BACKOFF_MS);
    }
  });
});

describe("an effect", () => {
  it("is due at once at all its targets", () => {
    expect(dueNow(waitingOf("chunk", "event", "action"), [], NOW)).toEqual({
      history: [1, 2],
      fleet: [2],
      order: [3],
    });
  });

  it("with two targets is done when both have it, and the first is not asked again", () => {
    const waiting = waitingOf("event");
    const half = settle(waiting, passed("history", 1), [], at(NOW));
    expect(half.effects.map(isDone)).toEqual([false]);
    const { down, effects } = settle(half.effects, failed("fleet", 1), half.down, at(NOW));
    expect(down).toEqual([
      { target: "fleet", failures: 1, retryAt: NOW + MINUTE / 2, since: NOW, unanswered: 0 },
    ]);
    expect(effects).toMatchObject([{ delivered: ["history"], failing: [] }]);
    expect(dueNow(effects, down, NOW + MINUTE / 2 - 1)).toEqual({ history: [], fleet: [], order: [] });
    expect(dueNow(effects, down, NOW + MINUTE / 2)).toEqual({ history: [], fleet: [1], order: [] });
    const whole = settle(effects, passed("fleet", 1), down, at(NOW + MINUTE));
    expect(whole.effects.map(isDone)).toEqual([true]);
    expect(whole.down).toEqual([]);
  });

  it("that one target refuses is not held up at the other", () => {
    const [event, chunk] = waitingOf("event", "chunk");
    if (event === undefined || chunk === undefined) throw new Error("no effects");
    const refused = settle([event, chunk], { ...failed("history", 1), passed: [2] }, [], at(NOW));
    expect(dueNow(refused.effects.slice(0, 1), [], NOW)).toEqual({ history: [], fleet: [1], order: [] });
  });

  it("that fails while others pass has a backoff of its own, and is parked at its tenth failure", () => {
    let [one, other] = waitingOf("chunk", "chunk");
    let now = NOW;
    for (let failure = 1; failure <= 10; failure++) {
      if (one === undefined || other === undefined) throw new Error("no effects");
      const { down, effects } = settle([one, other], { ...failed("history", 1), passed: [2] }, [], at(now));
      expect(down).toEqual([]);
      expect(effects.map(isDone)).toEqual([false, true]);
      expect(effects.map(isToPark)).toEqual([failure === 10, false]);
      const retryAt = now + backoffMs("history", failure, 0);
      expect(effects[0]?.failing).toEqual([
        { target: "history", failures: failure, retryAt, since: NOW, unanswered: 0 },
      ]);
      one = effects[0];
      // Another of the same target is not held up.
      expect(idsOf(dueEffects("history", [...effects.slice(0, 1), other], down, now))).toEqual([2]);
      now = retryAt;
    }
  });

  it("that failed while others passed is held responsible when it then fails alone, and its target is not", () => {
    const [suspect, other] = waitingOf("chunk", "chunk");
    if (suspect === undefined || other === undefined) throw new Error("no effects");
    const once = failingAt(suspect, "history", 1, NOW + MINUTE);
    const alone = settle([once], failed("history", 1), [], at(NOW + MINUTE));
    expect(alone.down).toEqual([]);
    expect(alone.effects).toEqual([failingAt(suspect, "history", 2, NOW + 3 * MINUTE)]);
    const withOther = settle([once, other], failed("history", 1, 2), [], at(NOW + MINUTE));
    expect(withOther.down).toHaveLength(1);
    expect(withOther.effects).toEqual([once, other]);
  });

  it.each(["projection", "guard", "forget"] as const)(
    "that asks for what is now is never parked: %s",
    (type) => {
      const waiting = waitingOf(type).map((one) => failingAt(one, "fleet", 50, 0));
      const { effects } = settle(waiting, { ...failed("fleet", 1), passed: [2] }, [], at(NOW));
      expect(effects.map(isToPark)).toEqual([false]);
    },
  );
});

describe("a target that is down", () => {
  it("is tried again with a backoff of its own, parks nothing however often it fails, and holds up no other", () => {
    const waiting = waitingOf("chunk", "projection", "action");
    let down: readonly FailingTarget[] = [];
    let now = NOW;
    for (let failure = 1; failure <= 200; failure++) {
      const settled = settle(waiting.slice(0, 1), failed("history", 1), down, at(now));
      down = settled.down;
      const retryAt = now + backoffMs("history", failure, 0);
      expect(down).toEqual([{ target: "history", failures: failure, retryAt, since: NOW, unanswered: 0 }]);
      expect(settled.effects).toEqual(waiting.slice(0, 1));
      expect(dueNow(waiting, down, now)).toEqual({ history: [], fleet: [2], order: [3] });
      now = retryAt;
    }
    expect(settle(waiting.slice(0, 1), passed("history", 1), down, at(now)).down).toEqual([]);
  });
});

describe("what goes together", () => {
  const down = (unanswered: number) => [
    { target: "history" as const, failures: 30, retryAt: NOW, since: NOW, unanswered },
  ];
  const waiting = waitingOf(...Array.from({ length: 120 }, () => "chunk" as const));

  it("is a batch, and after each try without an answer half of it, until it is a single one", () => {
    const sizes = [0, 1, 2, 3, 4, 5, 6, 7, 20].map(
      (count) => batchOf("history", waiting, down(count), 100).length,
    );
    expect(sizes).toEqual([100, 50, 25, 13, 7, 4, 2, 1, 1]);
    expect(batchOf("history", waiting, [], 100)).toHaveLength(100);
    expect(batchOf("history", [], down(3), 100)).toEqual([]);
  });

  it("is another part each time, so that one effect which is never answered holds up no other for good", () => {
    const [poison, ...others] = waitingOf("chunk", "chunk", "chunk");
    if (poison === undefined) throw new Error("no effects");
    const left = new Set(idsOf(others));
    let failing: readonly FailingTarget[] = [];
    for (let tries = 0; left.size > 0; tries++) {
      expect(tries).toBeLessThan(8);
      const due = [poison, ...others].filter(({ pending: { id } }) => id === 1 || left.has(id));
      const batch = batchOf("history", due, failing, 100);
      const isAnswered = !batch.includes(poison);
      const ids = idsOf(batch);
      failing = settle(
        batch,
        isAnswered ? passed("history", ...ids) : unanswered("history", ...ids),
        failing,
        at(NOW),
      ).down;
      if (isAnswered) for (const id of ids) left.delete(id);
    }
    expect(left.size).toBe(0);
  });

  it("does not take the instance out of the registry before all else is told", () => {
    const leaving = waitingOf("event", "event", "forget");
    const fleetDown = [{ target: "fleet" as const, failures: 2, retryAt: NOW, since: NOW, unanswered: 2 }];
    expect(idsOf(batchOf("fleet", leaving, fleetDown, 100))).toEqual([1]);
    expect(idsOf(batchOf("fleet", leaving, [], 100))).toEqual([1, 2, 3]);
    expect(idsOf(batchOf("fleet", leaving.slice(2), fleetDown, 100))).toEqual([3]);
  });
});

describe("to forget", () => {
  const waiting = waitingOf("chunk", "action", "event", "forget");

  it("is due at the fleet at once, whatever the history and the orders do", () => {
    const down = (["history", "order"] as const).map((target) => ({
      target,
      failures: 9,
      retryAt: NOW + 1,
      since: NOW,
      unanswered: 0,
    }));
    expect(idsOf(dueEffects("fleet", waiting, down, NOW))).toEqual([3, 4]);
    const delivered = waiting.map((one) => ({ ...one, delivered: ["fleet" as const] }));
    expect(idsOf(dueEffects("fleet", delivered, down, NOW))).toEqual([]);
  });

  it("waits for an event that the fleet does not have yet, until that is parked", () => {
    const refused = waiting.map((one) =>
      one.pending.id === 3 ? failingAt(one, "fleet", 9, NOW + MINUTE) : one,
    );
    expect(idsOf(dueEffects("fleet", refused, [], NOW))).toEqual([]);
    expect(nextTryAt("fleet", refused, [], NOW)).toBe(NOW + MINUTE);
    expect(idsOf(dueEffects("fleet", refused, [], NOW + MINUTE))).toEqual([3, 4]);
    const parked = refused.filter(({ pending }) => pending.id !== 3);
    expect(idsOf(dueEffects("fleet", parked, [], NOW))).toEqual([4]);
  });
});

describe("the next try of a target", () => {
  const history = {
    target: "history",
    failures: 3,
    retryAt: NOW + 4 * MINUTE,
    since: NOW,
    unanswered: 0,
  } as const;
  const tried = (types: Effect["type"][]) =>
    waitingOf(...types).map((one) =>
      one.pending.id === 1 ? failingAt(one, "history", 5, NOW + 16 * MINUTE) : one,
    );

  it.each([
    ["is never when nothing waits", [], [], null],
    ["is never when nothing waits for it, though it was down", waitingOf("action"), [history], null],
    ["is in five minutes while it is being tried", waitingOf("chunk"), [], 5],
    ["is the target's", waitingOf("chunk"), [history], 4],
    ["is the effect's, if that is later", tried(["chunk"]), [history], 16],
    ["is the first of all", tried(["chunk", "chunk"]), [history], 4],
  ] satisfies [string, WaitingEffect[], FailingTarget[], number | null][])(
    "%s",
    (_, waiting, down, minutes) => {
      expect(nextTryAt("history", waiting, down, NOW)).toBe(minutes === null ? null : NOW + minutes * MINUTE);
    },
  );
});
