import { describe, expect, it } from "vitest";
import {
  type Attempts,
  backoffMs,
  dueEffects,
  nextTryAt,
  settle,
  type TargetOutcome,
} from "../../src/instance/attempts.ts";
import { MINUTE, NOW, outboxOf } from "./outbox-of.ts";

const NONE: Attempts = { targets: [], effects: [] };

const passed = (target: TargetOutcome["target"], ...ids: number[]): TargetOutcome => ({
  target,
  passed: ids,
  failed: [],
});
const failed = (target: TargetOutcome["target"], ...ids: number[]): TargetOutcome => ({
  target,
  passed: [],
  failed: ids,
});

const idsOf = (due: ReturnType<typeof dueEffects>) =>
  due.map(({ pending, targets }) => [pending.id, targets]);

describe("a failure", () => {
  it("is tried again after 1, 2, 4 and so on up to 60 minutes", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 20].map((failures) => backoffMs(failures) / MINUTE)).toEqual([
      1, 2, 4, 8, 16, 32, 60, 60, 60,
    ]);
  });
});

describe("an effect", () => {
  it("is due at once at all its targets", () => {
    expect(idsOf(dueEffects(outboxOf("chunk", "event", "action"), NONE, NOW))).toEqual([
      [1, ["history"]],
      [2, ["history", "fleet"]],
      [3, ["order"]],
    ]);
  });

  it("with two targets is done when both have it, and the first is not asked again", () => {
    const outbox = outboxOf("event");
    const half = settle(outbox, [passed("history", 1), failed("fleet", 1)], NONE, NOW);
    expect([...half.done]).toEqual([]);
    expect(half.attempts).toEqual({
      targets: [{ target: "fleet", failures: 1, retryAt: NOW + MINUTE }],
      effects: [{ id: 1, delivered: ["history"], failures: 0, retryAt: 0 }],
    });
    expect(dueEffects(outbox, half.attempts, NOW + MINUTE - 1)).toEqual([]);
    expect(idsOf(dueEffects(outbox, half.attempts, NOW + MINUTE))).toEqual([[1, ["fleet"]]]);
    const whole = settle(outbox, [passed("fleet", 1)], half.attempts, NOW + MINUTE);
    expect([...whole.done]).toEqual([1]);
    expect(whole.attempts).toEqual(NONE);
  });

  it("that fails while others pass has a backoff of its own, and is parked at its tenth failure", () => {
    const outbox = outboxOf("chunk", "chunk");
    let { attempts } = settle([], [], NONE, NOW);
    let now = NOW;
    for (let failure = 1; failure <= 10; failure++) {
      const settled = settle(outbox, [{ target: "history", passed: [2], failed: [1] }], attempts, now);
      attempts = settled.attempts;
      expect([...settled.done]).toEqual([2]);
      expect(attempts.targets).toEqual([]);
      if (failure === 10) {
        expect([...settled.parked]).toEqual([1]);
        expect(attempts).toEqual(NONE);
        return;
      }
      expect([...settled.parked]).toEqual([]);
      expect(attempts.effects).toEqual([
        { id: 1, delivered: [], failures: failure, retryAt: now + backoffMs(failure) },
      ]);
      // Another of the same target is not held up.
      expect(idsOf(dueEffects(outbox, attempts, now))).toEqual([[2, ["history"]]]);
      now += backoffMs(failure);
    }
    throw new Error("it was never parked");
  });

  it("that failed while others passed is held responsible when it then fails alone, and its target is not", () => {
    const outbox = outboxOf("chunk", "chunk");
    const once = settle(outbox, [{ target: "history", passed: [2], failed: [1] }], NONE, NOW);
    const alone = settle(outbox.slice(0, 1), [failed("history", 1)], once.attempts, NOW + MINUTE);
    expect(alone.attempts).toEqual({
      targets: [],
      effects: [{ id: 1, delivered: [], failures: 2, retryAt: NOW + 3 * MINUTE }],
    });
    const withOther = settle(outbox, [failed("history", 1, 2)], once.attempts, NOW + MINUTE);
    expect(withOther.attempts.targets).toHaveLength(1);
    expect(withOther.attempts.effects).toEqual(once.attempts.effects);
  });

  it.each(["projection", "guard"] as const)("that asks for what is now is never parked: %s", (type) => {
    const outbox = outboxOf(type, "event");
    const attempts: Attempts = { targets: [], effects: [{ id: 1, delivered: [], failures: 50, retryAt: 0 }] };
    const settled = settle(outbox, [{ target: "fleet", passed: [2], failed: [1] }], attempts, NOW);
    expect([...settled.parked]).toEqual([]);
  });
});

describe("a target that is down", () => {
  it("is tried again with a backoff of its own, parks nothing however often it fails, and holds up no other", () => {
    const outbox = outboxOf("chunk", "projection", "action");
    let attempts = NONE;
    let now = NOW;
    for (let failure = 1; failure <= 200; failure++) {
      const settled = settle([...outbox.slice(0, 1)], [failed("history", 1)], attempts, now);
      attempts = settled.attempts;
      expect([settled.done.size, settled.parked.size]).toEqual([0, 0]);
      expect(attempts.targets).toEqual([
        { target: "history", failures: failure, retryAt: now + backoffMs(failure) },
      ]);
      expect(idsOf(dueEffects(outbox, attempts, now))).toEqual([
        [2, ["fleet"]],
        [3, ["order"]],
      ]);
      now += backoffMs(failure);
    }
    expect(settle(outbox.slice(0, 1), [passed("history", 1)], attempts, now).attempts).toEqual(NONE);
  });
});

describe("to forget", () => {
  it("is due when all else is due with it, and not while anything waits for its time", () => {
    const outbox = outboxOf("chunk", "event", "forget");
    expect(idsOf(dueEffects(outbox, NONE, NOW)).at(-1)).toEqual([3, ["forget"]]);
    for (const target of ["history", "fleet"] as const) {
      const attempts: Attempts = { targets: [{ target, failures: 1, retryAt: NOW + 1 }], effects: [] };
      expect(dueEffects(outbox, attempts, NOW).map(({ pending }) => pending.id)).not.toContain(3);
    }
    const tried: Attempts = {
      targets: [],
      effects: [{ id: 1, delivered: [], failures: 1, retryAt: NOW + 1 }],
    };
    expect(dueEffects(outbox, tried, NOW).map(({ pending }) => pending.id)).toEqual([2]);
  });
});

describe("the next try of an outbox", () => {
  const history = { target: "history", failures: 3, retryAt: NOW + 4 * MINUTE } as const;
  const tried = { id: 1, delivered: [], failures: 5, retryAt: NOW + 16 * MINUTE };

  it.each([
    ["is never when it is empty", [], NONE, null],
    ["is never when it is empty, though a target was down", [], { targets: [history], effects: [] }, null],
    ["is in five minutes while it is being emptied", outboxOf("chunk"), NONE, 5],
    ["is the target's", outboxOf("chunk"), { targets: [history], effects: [] }, 4],
    ["is the effect's, if that is later", outboxOf("chunk"), { targets: [history], effects: [tried] }, 16],
    ["is the first of all", outboxOf("chunk", "chunk"), { targets: [history], effects: [tried] }, 4],
    ["is not the target's of something else", outboxOf("action"), { targets: [history], effects: [] }, 5],
    ["to forget waits for the others", outboxOf("chunk", "forget"), { targets: [history], effects: [] }, 4],
    ["to forget alone is tried", outboxOf("forget"), NONE, 5],
  ] satisfies [string, ReturnType<typeof outboxOf>, Attempts, number | null][])(
    "%s",
    (_, outbox, attempts, minutes) => {
      expect(nextTryAt(outbox, attempts, NOW)).toBe(minutes === null ? null : NOW + minutes * MINUTE);
    },
  );
});
