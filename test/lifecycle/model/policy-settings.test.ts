import { describe, expect, it } from "vitest";
import { policyIssues } from "../../../src/lifecycle/model/policy-issues.ts";
import {
  DEFAULT_POLICY,
  policyOverridesSchema,
  policySettingsSchema,
} from "../../../src/lifecycle/model/policy-settings.ts";

const SECONDS_IN_400_DAYS = 34_560_000;

/** `{ orphan: { enabled: 1 } }` for `orphan.enabled` and 1. */
function at(path: string, value: unknown): Record<string, unknown> {
  const [first = "", rest] = path.split(".");
  return { [first]: rest === undefined ? value : { [rest]: value } };
}

describe("the limits of a policy's", () => {
  const NUMBERS: readonly (readonly [path: string, least: number, most: number, isWhole: boolean])[] = [
    ["heartbeat_interval_seconds", 5, 3600, true],
    ["keep_alive_minutes", 1, 10_080, true],
    ["idle.threshold_percent", 0, 100, false],
    ["idle.warn_after_seconds", 1, SECONDS_IN_400_DAYS, true],
    ["idle.hibernate_after_seconds", 1, SECONDS_IN_400_DAYS, true],
    ["orphan.orphan_after_seconds", 1, SECONDS_IN_400_DAYS, true],
    ["orphan.hibernate_after_seconds", 1, SECONDS_IN_400_DAYS, true],
    ["orphan.force_hibernate_after_seconds", 1, SECONDS_IN_400_DAYS, true],
    ["orphan.delete_after_days", 0.01, 400, false],
    ["guard.fraction", 0.01, 1, false],
    ["guard.minimum_instances", 1, 1_000_000, true],
    ["guard.window_seconds", 1, SECONDS_IN_400_DAYS, true],
    ["guard.max_hold_seconds", 1, SECONDS_IN_400_DAYS, true],
  ];

  it.each(NUMBERS)("%s are %d and %d", (path, least, most, isWhole) => {
    const passes = (value: unknown) => policyOverridesSchema.safeParse(at(path, value)).success;
    expect([passes(least), passes(most)]).toEqual([true, true]);
    expect([passes(least - 0.001), passes(most + (isWhole ? 1 : 0.001))]).toEqual([false, false]);
    expect(passes(most - 0.5)).toBe(!isWhole);
    for (const value of ["5", true, Number.NaN, undefined]) {
      expect(passes(value)).toBe(value === undefined);
    }
    expect(passes(null)).toBe(path === "orphan.delete_after_days");
  });

  it.each([
    "idle.enabled",
    "idle.respect_activity",
    "orphan.enabled",
    "orphan.snapshot_before_delete",
    "guard.enabled",
  ])("%s are yes and no", (path) => {
    for (const value of [true, false, 1, "true", null]) {
      expect(policyOverridesSchema.safeParse(at(path, value)).success).toBe(typeof value === "boolean");
    }
  });

  it("metric are three words", () => {
    for (const metric of ["gpu", "cpu", "auto"]) {
      expect(policyOverridesSchema.safeParse({ idle: { metric } }).success).toBe(true);
    }
    expect(policyOverridesSchema.safeParse({ idle: { metric: "" } }).success).toBe(false);
  });

  it("fields are those that are known, in every group", () => {
    for (const path of ["x", "idle.x", "orphan.x", "guard.x"]) {
      expect(policyOverridesSchema.safeParse(at(path, 1)).success).toBe(false);
    }
    for (const nothing of [{}, { idle: {} }, { orphan: {} }, { guard: {} }]) {
      expect(policyOverridesSchema.safeParse(nothing).success).toBe(true);
    }
  });

  it("whole settings are all of them, as the defaults are", () => {
    expect(policySettingsSchema.parse(DEFAULT_POLICY)).toEqual(DEFAULT_POLICY);
    for (const field of Object.keys(DEFAULT_POLICY)) {
      const { [field as keyof typeof DEFAULT_POLICY]: _, ...rest } = DEFAULT_POLICY;
      expect(policySettingsSchema.safeParse(rest).success).toBe(false);
    }
  });

  it("defaults are those of the contract", () => {
    expect(DEFAULT_POLICY).toEqual({
      mode: "act",
      max_runtime_hours: null,
      schedule: { timezone: "UTC", awake: [], outside: "idle_rules", wake_at_start: false },
      maintenance: { timezone: "UTC", windows: [] },
      heartbeat_interval_seconds: 60,
      idle: {
        enabled: true,
        metric: "gpu",
        threshold_percent: 5,
        warn_after_seconds: 3 * 60,
        hibernate_after_seconds: 5 * 60,
        respect_activity: true,
        prepare_max_seconds: 600,
        sources: {
          ssh_connections: 1,
          notebook_connections: 1,
          busy_kernels: 1,
          cpu_cores: 0.5,
          network_kb_per_second: 500,
          disk_kb_per_second: 2000,
          compute_processes: 1,
          work: 1,
          scripts: 1,
        },
      },
      orphan: {
        enabled: true,
        orphan_after_seconds: 5 * 60,
        hibernate_after_seconds: 30 * 60,
        force_hibernate_after_seconds: 2 * 3600,
        delete_after_days: 7,
        snapshot_before_delete: true,
        never_heard_after_seconds: 1800,
        act_on_never_heard: false,
        delete_while_running: false,
      },
      guard: {
        enabled: true,
        fraction: 0.55,
        minimum_instances: 3,
        window_seconds: 600,
        max_hold_seconds: 6 * 3600,
      },
      inventory: { adopt: "suggest" },
      reports: { monthly: true },
      keep_alive_minutes: 60,
    });
    expect(policyIssues(DEFAULT_POLICY, "ec2")).toEqual([]);
  });
});
