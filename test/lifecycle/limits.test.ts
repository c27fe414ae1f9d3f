import { describe, expect, it } from "vitest";
import { heartbeatSchema } from "../../src/lifecycle/model/heartbeat.ts";
import { policyIssues } from "../../src/lifecycle/model/policy-issues.ts";
import {
  DEFAULT_POLICY,
  mergePolicy,
  type PolicyOverrides,
  policyOverridesSchema,
  policySettingsSchema,
} from "../../src/lifecycle/model/policy-settings.ts";

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
      heartbeat_interval_seconds: 60,
      idle: {
        enabled: true,
        metric: "gpu",
        threshold_percent: 5,
        warn_after_seconds: 3 * 60,
        hibernate_after_seconds: 5 * 60,
        respect_activity: true,
      },
      orphan: {
        enabled: true,
        orphan_after_seconds: 5 * 60,
        hibernate_after_seconds: 30 * 60,
        force_hibernate_after_seconds: 2 * 3600,
        delete_after_days: 7,
        snapshot_before_delete: true,
      },
      guard: {
        enabled: true,
        fraction: 0.55,
        minimum_instances: 3,
        window_seconds: 600,
        max_hold_seconds: 6 * 3600,
      },
      keep_alive_minutes: 60,
    });
    expect(policyIssues(DEFAULT_POLICY, "ec2")).toEqual([]);
  });
});

describe("a policy whose steps contradict each other", () => {
  const less = (path: string, than: string, limit: number, value: number) => ({
    path: path.split("."),
    message: `must be less than ${than} (${limit} s), but is ${value} s`,
  });
  const interval = (path: string, seconds: number, value: number) => ({
    path: path.split("."),
    message: `must be at least one heartbeat interval (${seconds}), but is ${value}`,
  });
  const issues = (overrides: PolicyOverrides) => policyIssues(mergePolicy(overrides), "webhook");

  it("is refused with the path and both times", () => {
    expect(issues({ idle: { warn_after_seconds: 300 } })).toEqual([
      less("idle.warn_after_seconds", "idle.hibernate_after_seconds", 300, 300),
    ]);
    expect(issues({ idle: { warn_after_seconds: 299 } })).toEqual([]);
    expect(issues({ orphan: { orphan_after_seconds: 1800 } })).toEqual([
      less("orphan.orphan_after_seconds", "orphan.hibernate_after_seconds", 1800, 1800),
    ]);
    expect(issues({ orphan: { hibernate_after_seconds: 7200 } })).toEqual([
      less("orphan.hibernate_after_seconds", "orphan.force_hibernate_after_seconds", 7200, 7200),
    ]);
    expect(issues({ orphan: { delete_after_days: 0.0625, force_hibernate_after_seconds: 5400 } })).toEqual([
      less("orphan.force_hibernate_after_seconds", "orphan.delete_after_days", 5400, 5400),
    ]);
    expect(issues({ orphan: { delete_after_days: 0.0625, force_hibernate_after_seconds: 5399 } })).toEqual(
      [],
    );
  });

  it("is refused for silence under three heartbeat intervals, and for any other time under one", () => {
    const times = (value: number, silence: number) => ({
      heartbeat_interval_seconds: 100,
      idle: { warn_after_seconds: value, hibernate_after_seconds: value + 1 },
      orphan: {
        orphan_after_seconds: silence,
        hibernate_after_seconds: silence + 1,
        force_hibernate_after_seconds: silence + 2,
      },
      guard: { window_seconds: value, max_hold_seconds: value },
    });
    expect(issues(times(100, 300))).toEqual([]);
    expect(issues(times(97, 299))).toEqual([
      interval("idle.warn_after_seconds", 100, 97),
      interval("idle.hibernate_after_seconds", 100, 98),
      interval("guard.window_seconds", 100, 97),
      interval("guard.max_hold_seconds", 100, 97),
      {
        path: ["orphan", "orphan_after_seconds"],
        message: "must be at least three heartbeat intervals (300), but is 299",
      },
    ]);
  });
});

describe("the limits of a heartbeat's", () => {
  const MUCH = 10_000_000;
  const NUMBERS: readonly (readonly [field: string, most: number])[] = [
    ["gpu_utilization", 100],
    ["cpu_utilization", 100],
    ["vram_used_gb", MUCH],
    ["ram_used_gb", MUCH],
    ["disk_used_gb", MUCH],
    ["cost_accumulated", 1_000_000_000],
    ["uptime_seconds", 10_000_000_000],
  ];
  const passes = (report: unknown) => heartbeatSchema.safeParse(report).success;

  it.each(NUMBERS)("%s are 0 and %d, and it may be left out or not known", (field, most) => {
    for (const value of [0, 0.5, most, null, undefined]) expect(passes({ [field]: value })).toBe(true);
    for (const value of [-0.001, most + 0.001, "1", true]) expect(passes({ [field]: value })).toBe(false);
  });

  it("sequence are whole numbers from 0", () => {
    for (const sequence of [0, Number.MAX_SAFE_INTEGER, null]) expect(passes({ sequence })).toBe(true);
    for (const sequence of [-1, 0.5, Number.MAX_SAFE_INTEGER + 1]) expect(passes({ sequence })).toBe(false);
  });

  it.each([
    ["status", 32],
    ["boot_id", 64],
  ] as const)("%s are 1 and %d letters", (field, most) => {
    for (const value of ["x", "x".repeat(most), null]) expect(passes({ [field]: value })).toBe(true);
    for (const value of ["", "x".repeat(most + 1), 7]) expect(passes({ [field]: value })).toBe(false);
  });

  it("GPUs are 64, each with its index, a name that is cut, and readings like the heartbeat's own", () => {
    const gpu = { index: 0 };
    expect(passes({ gpus: [] })).toBe(true);
    expect(passes({ gpus: Array(64).fill(gpu) })).toBe(true);
    expect(passes({ gpus: Array(65).fill(gpu) })).toBe(false);
    for (const more of [
      { index: 1023 },
      { name: "x".repeat(128) },
      { name: null },
      { utilization: 100, vram_used_gb: MUCH, vram_total_gb: MUCH },
      { utilization: null, vram_used_gb: null, vram_total_gb: null },
    ]) {
      expect(passes({ gpus: [{ ...gpu, ...more }] }), JSON.stringify(more)).toBe(true);
    }
    for (const more of [
      { index: 1024 },
      { index: -1 },
      { index: 0.5 },
      { index: undefined },
      { name: "bell\u0007" },
      { utilization: 101 },
      { vram_used_gb: -1 },
      { vram_total_gb: MUCH + 1 },
    ]) {
      expect(passes({ gpus: [{ ...gpu, ...more }] }), JSON.stringify(more)).toBe(false);
    }
  });

  it("activity are counts from 0 to a million under plain names of 32 letters", () => {
    expect(passes({ activity: { ["x".repeat(32)]: 0, ssh_sessions: 1_000_000 } })).toBe(true);
    for (const activity of [
      { ["x".repeat(33)]: 1 },
      { "Call me": 1 },
      { a: -1 },
      { a: 1_000_001 },
      { a: 0.5 },
      { a: "1" },
    ]) {
      expect(passes({ activity })).toBe(false);
    }
  });

  it("backlog are 240 readings of at most a week ago", () => {
    const reading = [1, 60, 50, 1, 2, 3, 4, 5];
    expect(passes({ backlog: Array(240).fill(reading) })).toBe(true);
    expect(passes({ backlog: Array(241).fill(reading) })).toBe(false);
    const withAt = (index: number, value: unknown) => reading.with(index, value as number);
    for (const [index, value] of [
      [0, 0],
      [1, 0],
      [1, 604_800],
      [2, 100],
      [2, null],
      [3, null],
      [4, null],
      [5, null],
      [6, null],
      [7, null],
    ] as const) {
      expect(passes({ backlog: [withAt(index, value)] }), `${index}: ${value}`).toBe(true);
    }
    for (const [index, value] of [
      [0, -1],
      [0, 0.5],
      [1, -1],
      [1, 604_801],
      [1, null],
      [2, 101],
      [3, MUCH + 1],
      [4, 101],
      [5, MUCH + 1],
      [6, MUCH + 1],
      [7, 1_000_000_001],
    ] as const) {
      expect(passes({ backlog: [withAt(index, value)] }), `${index}: ${value}`).toBe(false);
    }
  });
});
