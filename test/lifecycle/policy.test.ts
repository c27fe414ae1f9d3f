import { describe, expect, it } from "vitest";
import {
  compilePolicy,
  DEFAULT_POLICY,
  mergePolicy,
  type PolicyOverrides,
  policyIssues,
  policyOverridesSchema,
} from "../../src/lifecycle/policy.ts";

describe("a policy", () => {
  it("is merged field by field, the instance over the user over the service", () => {
    const merged = mergePolicy(
      { idle: { threshold_percent: 10, warn_after_seconds: 200 }, keep_alive_minutes: 30 },
      { idle: { threshold_percent: 20 }, orphan: { delete_after_days: null } },
    );
    expect(merged).toEqual({
      ...DEFAULT_POLICY,
      idle: { ...DEFAULT_POLICY.idle, threshold_percent: 20, warn_after_seconds: 200 },
      orphan: { ...DEFAULT_POLICY.orphan, delete_after_days: null },
      keep_alive_minutes: 30,
    });
    expect(policyIssues(merged, "agent")).toEqual([]);
  });

  const contradictions: [string, PolicyOverrides][] = [
    ["idle.warn_after_seconds", { idle: { warn_after_seconds: 300 } }],
    ["orphan.orphan_after_seconds", { orphan: { orphan_after_seconds: 1800 } }],
    ["orphan.hibernate_after_seconds", { orphan: { hibernate_after_seconds: 7200 } }],
    ["idle.warn_after_seconds", { heartbeat_interval_seconds: 181 }],
    ["guard.window_seconds", { guard: { window_seconds: 59 } }],
    ["orphan.force_hibernate_after_seconds", { orphan: { delete_after_days: 0.05 } }],
  ];
  it.each(contradictions)("is refused for %s when it contradicts itself", (path, overrides) => {
    expect(policyIssues(mergePolicy(overrides), "agent").map((issue) => issue.path.join("."))).toContain(
      path,
    );
  });

  it("that wants a snapshot is refused for a provider that cannot take one", () => {
    const settings = mergePolicy({});
    const [issue] = policyIssues(settings, "vast");
    expect(issue).toEqual({
      path: ["orphan", "snapshot_before_delete"],
      message: "vast cannot take snapshots: set this to false, or orphan.delete_after_days to null",
    });
    expect(policyIssues(settings, "ec2")).toEqual([]);
    expect(policyIssues(mergePolicy({ orphan: { delete_after_days: null } }), "vast")).toEqual([]);
    expect(policyIssues(mergePolicy({ orphan: { snapshot_before_delete: false } }), "runpod")).toEqual([]);
  });

  it("is refused for values out of range and for unknown fields", () => {
    for (const overrides of [
      { idle: { threshold_percent: 101 } },
      { idle: { threshold_percent: -1 } },
      { idle: { metric: "disk" } },
      { guard: { fraction: 1.5 } },
      { orphan: { delete_after_days: 0 } },
      { keep_alive_minutes: 1441 },
      { idle: { warn_after: 3 } },
      { unknown: 1 },
    ]) {
      expect(policyOverridesSchema.safeParse(overrides).success, JSON.stringify(overrides)).toBe(false);
    }
  });

  it("passes faster in a simulation, every duration alike", () => {
    const fast = compilePolicy(DEFAULT_POLICY, 60);
    const slow = compilePolicy(DEFAULT_POLICY);
    expect(fast.intervalMs).toBe(1000);
    expect(fast.idle.hibernateAfterMs).toBe(5000);
    expect(fast.orphan.forceHibernateAfterMs).toBe(120_000);
    expect(fast.settleMs * 60).toBe(slow.settleMs);
    expect(fast.idle.thresholdPercent).toBe(slow.idle.thresholdPercent);
  });
});
