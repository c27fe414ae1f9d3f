import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerGuard, type Guard, OPEN_GUARD, reviewGuard } from "../../src/lifecycle/guard.ts";
import { compilePolicy, DEFAULT_POLICY } from "../../src/lifecycle/policy.ts";

const RULE = compilePolicy(DEFAULT_POLICY).guard;
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
      answerGuard(step, OPEN_GUARD, closed, RULE.maxHoldMs, now);
    expect(ask("hibernate", HOUR)).toEqual({ held: true });
    expect(ask("hibernate", 6 * HOUR)).toEqual({ held: false, openedAt: 6 * HOUR });
    expect(ask("delete", 1000 * HOUR)).toEqual({ held: true });
  });

  it("lets go with the moment from which silence counts: the latest opening of either", () => {
    const user = { closedAt: null, openedAt: 5 };
    const service = { closedAt: null, openedAt: 9 };
    expect(answerGuard("hibernate", user, service, RULE.maxHoldMs, 20)).toEqual({ held: false, openedAt: 9 });
    expect(answerGuard("hibernate", OPEN_GUARD, OPEN_GUARD, RULE.maxHoldMs, 20)).toEqual({
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
