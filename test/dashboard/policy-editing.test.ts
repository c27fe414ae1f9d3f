import { describe, expect, it } from "vitest";
import { policyProblems } from "../../src/dashboard/settings/policy-problems.ts";
import { presetChoice, presetNumbers, withPreset } from "../../src/dashboard/settings/preset-choice.ts";
import { fromZone, inZone } from "../../src/dashboard/settings/zone-time.ts";
import { issuesOf } from "../../src/http/endpoint.ts";
import { policyIssues } from "../../src/lifecycle/model/policy-issues.ts";
import {
  instancePolicyOverridesSchema,
  mergePolicy,
  type PolicyOverrides,
  policyOverridesSchema,
} from "../../src/lifecycle/model/policy-settings.ts";
import { PRESET_VALUES, PRESETS, presetOf } from "../../src/lifecycle/model/presets.ts";
import type { ConnectedProvider } from "../../src/lifecycle/model/provider.ts";

describe("a preset on the page", () => {
  it.each(PRESETS)("%s is what the policy comes to once it is chosen, whatever holds above", (preset) => {
    for (const above of [{}, PRESET_VALUES.careful, { idle: { warn_after_seconds: 240 } }]) {
      const own = withPreset({ idle: { metric: "cpu", hibernate_after_seconds: 999 } }, preset);
      expect(own.idle?.metric).toBe("cpu");
      expect(presetOf(mergePolicy(above, own))).toBe(preset);
      expect(presetChoice(own, [above])).toBe(preset);
    }
  });

  it("is that of the level above where a level says nothing of its numbers", () => {
    const above = [PRESET_VALUES.balanced];
    const own: PolicyOverrides = { mode: "observe", idle: { threshold_percent: 10 } };
    expect(presetChoice(own, above)).toBe("above");
    expect(presetNumbers(above)).toEqual(PRESET_VALUES.balanced);
    expect(presetNumbers([])).toEqual(PRESET_VALUES.thrifty);
    expect(withPreset(withPreset(own, "careful"), "above")).toEqual(own);
  });

  it("is custom once one number differs, and never is a number too", () => {
    const custom = { idle: { warn_after_seconds: 1200 } };
    expect(presetChoice(custom, [PRESET_VALUES.balanced])).toBe("custom");
    expect(presetNumbers([custom, PRESET_VALUES.careful])).toEqual({
      idle: { warn_after_seconds: 1200, hibernate_after_seconds: 3600 },
      orphan: { delete_after_days: null },
    });
    expect(presetChoice({ orphan: { delete_after_days: null } }, [])).toBe("custom");
  });
});

describe("moments of a time zone", () => {
  it("are those that its clocks show, in winter and in summer", () => {
    expect(inZone("2026-01-15T12:00:00Z", "Europe/Berlin")).toBe("2026-01-15T13:00");
    expect(inZone("2026-07-15T12:00:00Z", "Europe/Berlin")).toBe("2026-07-15T14:00");
    expect(fromZone("2026-07-15T14:00", "Europe/Berlin")).toBe("2026-07-15T12:00:00Z");
    expect(fromZone("2026-01-15T09:30", "America/Sao_Paulo")).toBe("2026-01-15T12:30:00Z");
    expect(fromZone("", "UTC")).toBeNull();
    expect(inZone("nonsense", "UTC")).toBe("");
  });
});

describe("what the service says against a policy", () => {
  /** As the service refuses what is not in its form. */
  function unread(overrides: object, level: "user" | "instance" = "user") {
    const schema = level === "user" ? policyOverridesSchema : instancePolicyOverridesSchema;
    const { error } = schema.safeParse(overrides);
    expect(error).toBeDefined();
    const part = level === "user" ? "body" : "body.policy";
    return policyProblems(error === undefined ? [] : issuesOf(part, error));
  }

  /** As it refuses what contradicts itself. */
  const contradicting = (overrides: PolicyOverrides, provider: ConnectedProvider = "agent") =>
    policyProblems(
      policyIssues(mergePolicy(overrides), provider).map(({ path, message }) => ({
        path: ["body", ...path].join("."),
        message,
      })),
    );

  it("is worded by the page, whatever is out of its form", () => {
    const weekly = { days: ["mon"], from: "09:00", to: "18:00" };
    const dated = { from: "2026-11-27T10:00:00Z", to: "2026-11-27T09:00:00Z" };
    for (const [overrides, path, code, row] of [
      [{ idle: { warn_after_seconds: 0 } }, "idle.warn_after_seconds", "too_small", null],
      [{ idle: { prepare_max_seconds: 7200 } }, "idle.prepare_max_seconds", "too_big", null],
      [{ idle: { warn_after_seconds: 1.5 } }, "idle.warn_after_seconds", "whole", null],
      [{ idle: { sources: { cpu_cores: -1 } } }, "idle.sources.cpu_cores", "too_small", null],
      [{ max_runtime_hours: 0.1 }, "max_runtime_hours", "too_small", null],
      [{ schedule: { timezone: "Mars/Base" } }, "schedule.timezone", "zone", null],
      [{ schedule: { awake: [weekly, { ...weekly, days: [] }] } }, "schedule.awake", "no_day", 2],
      [{ schedule: { awake: [{ ...weekly, from: "9" }] } }, "schedule.awake", "time", 1],
      [{ schedule: { awake: Array(15).fill(weekly) } }, "schedule.awake", "too_many", null],
      [{ maintenance: { windows: [weekly, dated] } }, "maintenance.windows", "dated", 2],
      [{ maintenance: { windows: [{ ...weekly, days: [] }] } }, "maintenance.windows", "window", 1],
    ] as const) {
      for (const level of ["user", "instance"] as const) {
        const [problem] = unread(overrides, level);
        expect(problem, path).toMatchObject({ row, problem: { code } });
        expect(problem?.path?.join(".")).toBe(path);
      }
    }
  });

  it("is worded by the page where values contradict each other", () => {
    expect(contradicting({ idle: { warn_after_seconds: 900 } })).toEqual([
      {
        path: ["idle", "warn_after_seconds"],
        row: null,
        instance: null,
        problem: { code: "less_than", other: ["idle", "hibernate_after_seconds"], limit: 300, is: 900 },
      },
    ]);
    const codes = (overrides: PolicyOverrides, provider?: ConnectedProvider) =>
      contradicting(overrides, provider).map(({ problem }) => problem.code);
    expect(codes({ heartbeat_interval_seconds: 200 })).toEqual(["one_interval", "three_intervals"]);
    expect(codes({ orphan: { act_on_never_heard: true, never_heard_after_seconds: 3600 } })).toEqual([
      "at_most",
    ]);
    const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
    const always = { windows: [{ days: [...days], from: "00:00", to: "00:00" }] };
    expect(codes({ maintenance: always })).toEqual(["left_out"]);
    expect(codes({}, "runpod")).toEqual(["no_snapshots"]);
  });

  it("names the instance with whose own values it does not go together", () => {
    const message =
      "for instance rig-7 (vast, with its own overrides) must be less than idle.hibernate_after_seconds (300 s), but is 900 s";
    expect(policyProblems([{ path: "body.idle.warn_after_seconds", message }])).toMatchObject([
      { path: ["idle", "warn_after_seconds"], instance: "rig-7", problem: { code: "less_than" } },
    ]);
  });

  it("stays as it is worded where the page has no words for it", () => {
    expect(policyProblems([{ path: "body", message: "no" }])).toEqual([
      { path: null, row: null, instance: null, problem: { code: "other", message: "no" } },
    ]);
  });
});
