import { expect, it } from "vitest";
import { sayFormer } from "../../src/lifecycle/model/former-settings.ts";
import { mergePolicy, type PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import { policiesOf } from "../../src/replay/policies.ts";
import type { PastEvent } from "../../src/replay/story.ts";

const DAY = 86_400_000;
const WHOLE = { from: 0, to: 10 * DAY };

function change(at: number, before: PolicyOverrides, after: PolicyOverrides, more = {}): PastEvent {
  const former = sayFormer(mergePolicy(before), mergePolicy(after));
  return {
    id: `e${at}`,
    at,
    kind: "policy_changed",
    detail: { ...(former === undefined ? {} : { former }), ...more },
  };
}

const FIRST: PolicyOverrides = { idle: { threshold_percent: 10, sources: { cpu_cores: null } } };
const SECOND: PolicyOverrides = {
  mode: "observe",
  max_runtime_hours: 3,
  orphan: { delete_after_days: null },
  schedule: { timezone: "UTC", awake: [{ days: ["mon"], from: "09:00", to: "18:00" }] },
};

it("goes back from the present policy to each one before", () => {
  const events = [change(DAY, {}, FIRST), change(3 * DAY, FIRST, SECOND)];
  const policies = policiesOf({ settings: mergePolicy(SECOND), suspended: false }, events, WHOLE);
  expect(policies).toEqual([
    { from: 0, settings: mergePolicy({}), suspended: false, unknownBecause: null },
    { from: DAY, settings: mergePolicy(FIRST), suspended: false, unknownBecause: null },
    { from: 3 * DAY, settings: mergePolicy(SECOND), suspended: false, unknownBecause: null },
  ]);
});

it("leaves out what was in force only before or after that time", () => {
  const events = [change(DAY, {}, FIRST), change(3 * DAY, FIRST, SECOND)];
  const present = { settings: mergePolicy(SECOND), suspended: false };
  expect(policiesOf(present, events, { from: 2 * DAY, to: 2.5 * DAY })).toEqual([
    { from: 2 * DAY, settings: mergePolicy(FIRST), suspended: false, unknownBecause: null },
  ]);
});

it("knows when the operator had suspended its user", () => {
  const events = [change(DAY, {}, {}, { suspended: true }), change(2 * DAY, {}, {}, { suspended: false })];
  const policies = policiesOf({ settings: mergePolicy({}), suspended: false }, events, WHOLE);
  expect(policies.map(({ suspended }) => suspended)).toEqual([false, true, false]);
});

it.each([
  ["a change of a former release", { id: "1", at: DAY, kind: "policy_changed", detail: {} }],
  [
    "a change that cannot be read",
    { id: "1", at: DAY, kind: "policy_changed", detail: { former: '{"idle":{"metric":"tpu"}}' } },
  ],
  ["a restore", { id: "1", at: DAY, kind: "resumed", detail: { origin: "restore" } }],
])("says that nobody knows what was in force before %s", (_, event) => {
  const policies = policiesOf({ settings: mergePolicy(FIRST), suspended: false }, [event], WHOLE);
  expect(policies).toMatchObject([
    { from: 0, unknownBecause: expect.stringContaining("1970-01-02T00:00:00Z") },
    { from: DAY, unknownBecause: null },
  ]);
});

it("keeps nothing of a change that would take too much room", () => {
  const window = { days: ["mon"], from: "09:00", to: "18:00" } as const;
  const before = mergePolicy({
    maintenance: { windows: Array.from({ length: 90 }, () => ({ ...window, days: ["mon"] })) },
  });
  expect(sayFormer(before, mergePolicy({}))).toBeUndefined();
  expect(sayFormer(mergePolicy({}), before)).toBe('{"maintenance":{"windows":[]}}');
});
