import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toKept, toKeptOfInstance } from "../../../src/lifecycle/model/observed-overrides.ts";
import { mergePolicy, type PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";
import { storedOverridesSchema } from "../../../src/lifecycle/model/stored.ts";

const ladder = fc.option(
  fc.record(
    { enabled: fc.boolean(), hibernate_after_seconds: fc.integer({ min: 1, max: 900 }) },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);

const level: fc.Arbitrary<PolicyOverrides> = fc
  .record(
    { mode: fc.constantFrom("act" as const, "observe" as const), idle: ladder, orphan: ladder },
    { requiredKeys: [] },
  )
  .map((one) => JSON.parse(JSON.stringify(one)));

/** What the release before this one makes of a row: it knows neither the mode nor what is kept for it. */
function asReadBefore(kept: PolicyOverrides): PolicyOverrides {
  const { mode: _, ...known } = storedOverridesSchema.parse({ ...kept, observed: undefined });
  return known;
}

const stored = (kept: PolicyOverrides): unknown => JSON.parse(JSON.stringify(kept));

describe("overrides of a policy that observes", () => {
  it("are read as they were set, at either level", () => {
    fc.assert(
      fc.property(level, level, (user, own) => {
        expect(storedOverridesSchema.parse(stored(toKept(user)))).toEqual(user);
        expect(storedOverridesSchema.parse(stored(toKeptOfInstance(own, user)))).toEqual(own);
      }),
    );
  });

  it("have the release before this one take no step, whatever is set at which level", () => {
    fc.assert(
      fc.property(level, level, (user, own) => {
        const before = mergePolicy(asReadBefore(toKept(user)), asReadBefore(toKeptOfInstance(own, user)));
        if (mergePolicy(user, own).mode !== "observe") return;
        expect([before.idle.enabled, before.orphan.enabled]).toEqual([false, false]);
      }),
    );
  });

  it("are left as they are where nothing observes, or where the user's level does for both", () => {
    const own = { idle: { metric: "cpu" as const } };
    expect(toKept(own)).toBe(own);
    expect(toKeptOfInstance(own, {})).toBe(own);
    expect(toKeptOfInstance(own, { mode: "observe" })).toBe(own);
    expect(toKeptOfInstance({ mode: "act", idle: { enabled: true } }, { mode: "observe" })).toEqual({
      mode: "act",
      idle: { enabled: true },
    });
  });

  it("that nobody can make sense of lose nothing else", () => {
    expect(storedOverridesSchema.parse({ idle: { metric: "cpu" }, observed: "?" })).toEqual({
      idle: { metric: "cpu" },
    });
    expect(storedOverridesSchema.parse({ keep_alive_minutes: 5, observed: { idle: 7, else: 1 } })).toEqual({
      keep_alive_minutes: 5,
    });
  });
});
