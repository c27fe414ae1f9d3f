import { expect, it } from "vitest";
import { POLICY_FIELDS, SECTIONS_OF_LEVEL } from "../../src/dashboard/settings/policy-fields.ts";
import { allFields, fieldsOf, valueAt, withValue } from "../../src/dashboard/settings/policy-values.ts";
import { english } from "../../src/dashboard/words/english.ts";
import { portuguese } from "../../src/dashboard/words/portuguese.ts";
import {
  DEFAULT_POLICY,
  instancePolicyOverridesSchema,
  policyOverridesSchema,
} from "../../src/lifecycle/model/policy-settings.ts";

/** Lists are values, and so is null. */
const pathsIn = (part: object, path: readonly string[] = []): string[] =>
  Object.entries(part).flatMap(([name, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? pathsIn(value, [...path, name])
      : [[...path, name].join(".")],
  );

it("every field of the policy can be seen and set, and has a name in both languages", () => {
  const fields = allFields();
  expect(fields.map(({ path }) => path.join(".")).sort()).toEqual(pathsIn(DEFAULT_POLICY).sort());
  for (const { path, kind } of fields) {
    const value = valueAt(DEFAULT_POLICY, path);
    expect(value, path.join(".")).toBeDefined();
    const overrides = withValue({}, path, value);
    expect(policyOverridesSchema.safeParse(overrides).success, path.join(".")).toBe(true);
    expect(valueAt(overrides, path)).toEqual(value);
    for (const { policy } of [english, portuguese]) {
      for (const name of path) expect(Object.keys(policy.names)).toContain(name);
      if (kind.type !== "choice") continue;
      for (const choice of kind.choices) expect(policy.choice(choice), choice).not.toBe(choice);
    }
  }
});

it("the choices of a field are those that the API takes, and null can be said where it may be", () => {
  for (const { path, kind } of allFields()) {
    const accepts = (value: null | string) =>
      policyOverridesSchema.safeParse(withValue({}, path, value)).success;
    const choices = kind.type === "choice" ? kind.choices : [];
    for (const choice of choices) expect(accepts(choice), `${path.join(".")}: ${choice}`).toBe(true);
    expect("none" in kind, path.join(".")).toBe(accepts(null));
  }
});

it("all fields stand somewhere on the page of the user's settings", () => {
  const shown = [
    ...fieldsOf(POLICY_FIELDS),
    ...SECTIONS_OF_LEVEL.user.flatMap((section) => allFields(POLICY_FIELDS[section], [section])),
  ];
  expect(shown.map(({ path }) => path)).toEqual(allFields().map(({ path }) => path));
});

it("each level offers the sections that it may set, and no other", () => {
  const schemas = { instance: instancePolicyOverridesSchema, user: policyOverridesSchema };
  for (const level of ["instance", "user"] as const) {
    const accepted = Object.entries(DEFAULT_POLICY)
      .filter(
        ([name, value]) =>
          typeof value === "object" && value !== null && schemas[level].safeParse({ [name]: value }).success,
      )
      .map(([name]) => name);
    expect([...SECTIONS_OF_LEVEL[level]].sort()).toEqual(accepted.sort());
  }
});

it("a field that is taken back leaves nothing of it behind", () => {
  const path = ["idle", "sources", "cpu_cores"];
  const set = withValue({ keep_alive_minutes: 30 }, path, 2);
  expect(set).toEqual({ keep_alive_minutes: 30, idle: { sources: { cpu_cores: 2 } } });
  expect(withValue(set, path, undefined)).toEqual({ keep_alive_minutes: 30 });
  const beside = withValue(set, ["idle", "threshold_percent"], 10);
  expect(withValue(beside, path, undefined)).toEqual({
    keep_alive_minutes: 30,
    idle: { threshold_percent: 10 },
  });
});

it("never is a value of its own, not the lack of one, and so is no window at all", () => {
  for (const [path, none] of [
    [["orphan", "delete_after_days"], null],
    [["max_runtime_hours"], null],
    [["schedule", "awake"], []],
  ] as const) {
    expect(valueAt({}, path)).toBeUndefined();
    expect(valueAt(withValue({}, path, none), path)).toEqual(none);
  }
});
