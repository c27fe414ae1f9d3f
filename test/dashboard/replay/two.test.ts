import { describe, expect, it } from "vitest";
import { trialOf, triedAtLevel } from "../../../src/dashboard/replay/request.ts";
import { areAlike, policyDifferences, rowsOfTwo, triedNumbers } from "../../../src/dashboard/replay/two.ts";
import { mergePolicy } from "../../../src/lifecycle/model/policy-settings.ts";
import { PRESET_VALUES } from "../../../src/lifecycle/model/presets.ts";
import { kept } from "./example.ts";

describe("two kept previews", () => {
  it("are held against each other, the second against the first", () => {
    const rows = rowsOfTwo(kept({ saved: 30, interruptions: 4 }), kept({ saved: 28, interruptions: 0 }));
    const of = (measure: string) => rows.find((row) => row.measure === measure);
    expect(of("saved")).toMatchObject({
      first: { value: 30 },
      second: { value: 28 },
      difference: { by: -2, is: "worse" },
    });
    expect(of("interruptions")?.difference).toEqual({ by: -4, is: "better" });
    expect(of("deletions")).toBeUndefined();
  });

  it("say of savings and interruptions also that there are none", () => {
    const rows = rowsOfTwo(kept({ saved: 0, interruptions: 0 }), kept({ saved: 0, interruptions: 0 }));
    expect(rows.map(({ measure }) => measure)).toEqual(expect.arrayContaining(["saved", "interruptions"]));
  });

  it("are alike if they are of the same instances and days", () => {
    const one = kept({});
    expect(areAlike(one, kept({}, { id: "other" }))).toBe(true);
    expect(areAlike(one, kept({}, { days: 30 }))).toBe(false);
    expect(areAlike(one, kept({}, { asked_of: { instances: ["rig"], tag: null } }))).toBe(false);
    expect(areAlike(one, kept({}, { from: "2025-12-13T03:25:45Z" }))).toBe(false);
  });

  it("differ where their policies do, an instance's own overrides first", () => {
    const policy = mergePolicy({});
    const one = kept({}, { policy });
    const own = { idle: { hibernate_after_seconds: 1200 }, schedule: { wake_at_start: true } };
    const other = kept({}, { policy, instance_policy: own });
    expect(policyDifferences(one, one)).toEqual([]);
    expect(
      policyDifferences(one, other).map(({ field, first, second }) => [field.path.join("."), first, second]),
    ).toEqual([
      ["idle.hibernate_after_seconds", 300, 1200],
      ["schedule.wake_at_start", false, true],
    ]);
    expect(triedNumbers(other)).toMatchObject({
      preset: "custom",
      idle: { hibernate_after_seconds: 1200, threshold_percent: 5 },
    });
    expect(triedNumbers(kept({}, { policy, instance_policy: PRESET_VALUES.careful })).preset).toBe("careful");
  });
});

describe("a preview of what is typed", () => {
  const user = { idle: { threshold_percent: 10 } };
  const typed = { idle: { hibernate_after_seconds: 900 } };
  const level = { of: "instance", instanceId: "rig", user } as const;

  it("is of all instances for a user's policy, and of one alone for its own", () => {
    expect(trialOf({ of: "user" }, typed, "week")).toEqual({ policy: typed, days: 7 });
    expect(trialOf(level, typed, "month")).toEqual({
      policy: user,
      days: 30,
      instances: ["rig"],
      instance_policy: typed,
    });
  });

  it("goes back into the editor of its own level alone", () => {
    const ofAll = kept({}, { overrides: typed, instance_policy: null });
    const ofRig = kept(
      {},
      { overrides: user, instance_policy: typed, asked_of: { instances: ["rig"], tag: null } },
    );
    expect(triedAtLevel({ of: "user" }, ofAll)).toEqual(typed);
    expect(triedAtLevel({ of: "user" }, ofRig)).toBe(null);
    expect(triedAtLevel(level, ofRig)).toEqual(typed);
    expect(triedAtLevel(level, ofAll)).toBe(null);
    expect(triedAtLevel({ ...level, instanceId: "other" }, ofRig)).toBe(null);
  });
});
