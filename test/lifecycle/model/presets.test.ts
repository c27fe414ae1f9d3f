import { describe, expect, it } from "vitest";
import {
  DEFAULT_POLICY,
  mergePolicy,
  policySettingsSchema,
} from "../../../src/lifecycle/model/policy-settings.ts";
import { expandPreset, PRESET_VALUES, PRESETS, presetOf } from "../../../src/lifecycle/model/presets.ts";

describe("a preset", () => {
  it("that nobody chose is thrifty, with the specification's numbers", () => {
    expect(presetOf(DEFAULT_POLICY)).toBe("thrifty");
    expect(mergePolicy(expandPreset({ preset: "thrifty" }))).toEqual(DEFAULT_POLICY);
  });

  it.each(PRESETS)("%s gives a valid policy that is shown as it", (preset) => {
    const policy = mergePolicy(expandPreset({ preset }));
    expect(policySettingsSchema.parse(policy)).toEqual(policy);
    expect(presetOf(policy)).toBe(preset);
  });

  it("sets what each other preset sets, so that choosing one leaves nothing of another", () => {
    const fields = (values: object) =>
      Object.entries(values).map(([group, set]) => [group, Object.keys(Object(set))]);
    for (const preset of PRESETS) {
      expect(fields(PRESET_VALUES[preset])).toEqual(fields(PRESET_VALUES.thrifty));
    }
    const careful = expandPreset({ preset: "careful" });
    const thrifty = expandPreset({ preset: "thrifty" });
    expect(presetOf(mergePolicy(careful, thrifty))).toBe("thrifty");
  });

  it("is written out, and its name is not kept", () => {
    expect(expandPreset({ preset: "balanced" })).toEqual(PRESET_VALUES.balanced);
    expect(expandPreset({ preset: undefined, mode: "observe" })).toEqual({ mode: "observe" });
  });

  it("gives way to what is set beside it, and then it is shown as custom", () => {
    const expanded = expandPreset({
      preset: "careful",
      idle: { warn_after_seconds: 1200, metric: "auto" },
      orphan: { delete_after_days: 30 },
    });
    expect(expanded).toEqual({
      idle: { warn_after_seconds: 1200, hibernate_after_seconds: 3600, metric: "auto" },
      orphan: { delete_after_days: 30 },
    });
    expect(presetOf(mergePolicy(expanded))).toBe("custom");
  });

  it("takes null as something that was set", () => {
    expect(expandPreset({ preset: "thrifty", orphan: { delete_after_days: null } }).orphan).toEqual({
      delete_after_days: null,
    });
  });

  it("is not changed by what it does not set", () => {
    expect(presetOf(mergePolicy({ mode: "observe", idle: { metric: "cpu" }, keep_alive_minutes: 5 }))).toBe(
      "thrifty",
    );
  });
});
