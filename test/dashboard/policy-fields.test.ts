import { expect, it } from "vitest";
import {
  GROUPS,
  GROUPS_OF_LEVEL,
  SINGLE_FIELDS,
  valueAt,
  withValue,
} from "../../src/dashboard/settings/policy-fields.ts";
import { english } from "../../src/dashboard/words/english.ts";
import { portuguese } from "../../src/dashboard/words/portuguese.ts";
import {
  DEFAULT_POLICY,
  instancePolicyOverridesSchema,
  policyOverridesSchema,
} from "../../src/lifecycle/model/policy-settings.ts";

const places = [
  ...Object.keys(SINGLE_FIELDS).map((field) => ({ group: null, field })),
  ...(["idle", "orphan", "guard", "inventory", "reports"] as const).flatMap((group) =>
    Object.keys(GROUPS[group]).map((field) => ({ group, field })),
  ),
];

it("every field of the policy can be seen and set, and has a name in both languages", () => {
  const count = (value: unknown): number =>
    typeof value === "object" && value !== null
      ? Object.values(value).reduce((sum: number, each) => sum + count(each), 0)
      : 1;
  const { schedule: _, maintenance: __, idle, ...others } = DEFAULT_POLICY;
  const { sources: ___, ...single } = idle;
  expect(places).toHaveLength(count({ ...others, idle: single }));
  for (const place of places) {
    const value = valueAt(DEFAULT_POLICY, place);
    expect(value, place.field).toBeDefined();
    expect(policyOverridesSchema.safeParse(withValue({}, place, value)).success, place.field).toBe(true);
    for (const words of [english, portuguese]) expect(Object.keys(words.policy)).toContain(place.field);
  }
});

it("each level offers the groups that it may set, and no other", () => {
  const schemas = { instance: instancePolicyOverridesSchema, user: policyOverridesSchema };
  for (const level of ["instance", "user"] as const) {
    const accepted = Object.entries(DEFAULT_POLICY)
      .filter(([name, value]) => name in GROUPS && schemas[level].safeParse({ [name]: value }).success)
      .map(([name]) => name);
    expect(GROUPS_OF_LEVEL[level]).toEqual(accepted);
  }
});

it("a field that is taken back leaves nothing of it behind", () => {
  const place = { group: "idle", field: "threshold_percent" } as const;
  const set = withValue({ keep_alive_minutes: 30 }, place, 10);
  expect(set).toEqual({ keep_alive_minutes: 30, idle: { threshold_percent: 10 } });
  expect(withValue(set, place, undefined)).toEqual({ keep_alive_minutes: 30 });
});

it("never is a value of its own, not the lack of one", () => {
  const place = { group: "orphan", field: "delete_after_days" } as const;
  expect(valueAt({}, place)).toBeUndefined();
  expect(valueAt(withValue({}, place, null), place)).toBeNull();
});
