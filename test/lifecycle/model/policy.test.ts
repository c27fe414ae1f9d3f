import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import {
  addedIssues,
  policyContradictions,
  policyIssues,
} from "../../../src/lifecycle/model/policy-issues.ts";
import {
  DEFAULT_POLICY,
  instancePolicyOverridesSchema,
  mergePolicy,
  type PolicyOverrides,
  policyOverridesSchema,
} from "../../../src/lifecycle/model/policy-settings.ts";

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
    ["orphan.orphan_after_seconds", { orphan: { orphan_after_seconds: 179 } }],
    ["orphan.orphan_after_seconds", { heartbeat_interval_seconds: 101 }],
    ["guard.window_seconds", { guard: { window_seconds: 59 } }],
    ["orphan.force_hibernate_after_seconds", { orphan: { delete_after_days: 0.05 } }],
  ];
  it.each(contradictions)("is refused for %s when it contradicts itself", (path, overrides) => {
    expect(policyIssues(mergePolicy(overrides), "agent").map((issue) => issue.path.join("."))).toContain(
      path,
    );
  });

  it("leaves a heartbeat that is late or lost its time: three intervals of silence at least", () => {
    expect(policyIssues(mergePolicy({ orphan: { orphan_after_seconds: 120 } }), "agent")).toMatchObject([
      {
        path: ["orphan", "orphan_after_seconds"],
        message: "must be at least three heartbeat intervals (180), but is 120",
      },
    ]);
    expect(policyIssues(mergePolicy({ orphan: { orphan_after_seconds: 180 } }), "agent")).toEqual([]);
  });

  it("lets nothing count as never heard before three heartbeat intervals, whatever it says", () => {
    const neverHeardAfterMs = (overrides: PolicyOverrides) =>
      compilePolicy(mergePolicy(overrides)).orphan.neverHeardAfterMs;
    expect(neverHeardAfterMs({ orphan: { never_heard_after_seconds: 1 } })).toBe(180_000);
    expect(neverHeardAfterMs({ heartbeat_interval_seconds: 3600 })).toBe(3 * 3_600_000);
    expect(neverHeardAfterMs({})).toBe(1_800_000);
  });

  it("that was stored before it would be refused gives silence its time, and keeps its steps in order", () => {
    const stored = mergePolicy({
      orphan: {
        orphan_after_seconds: 60,
        hibernate_after_seconds: 61,
        force_hibernate_after_seconds: 62,
        delete_after_days: 0.01,
      },
    });
    expect(policyContradictions(stored, "agent")).toEqual([]);
    expect(compilePolicy(stored).orphan).toMatchObject({
      orphanAfterMs: 180_000,
      hibernateAfterMs: 181_000,
      forceHibernateAfterMs: 182_000,
    });
    expect(compilePolicy(stored, 60).orphan.orphanAfterMs).toBe(3000);
    expect(compilePolicy(DEFAULT_POLICY).orphan).toMatchObject({
      orphanAfterMs: 300_000,
      hibernateAfterMs: 1_800_000,
      forceHibernateAfterMs: 7_200_000,
    });
  });

  it("whatever is stored, compiles to a ladder in order that gives silence three intervals", () => {
    const seconds = fc.integer({ min: 1, max: 100_000 });
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 3600 }), seconds, seconds, seconds, (interval, a, b, c) => {
        const { intervalMs, orphan } = compilePolicy(
          mergePolicy({
            heartbeat_interval_seconds: interval,
            orphan: {
              orphan_after_seconds: a,
              hibernate_after_seconds: a + b,
              force_hibernate_after_seconds: a + b + c,
            },
          }),
        );
        expect(orphan.orphanAfterMs).toBeGreaterThanOrEqual(Math.max(a * 1000, 3 * intervalMs));
        expect(orphan.hibernateAfterMs).toBeGreaterThan(orphan.orphanAfterMs);
        expect(orphan.forceHibernateAfterMs).toBeGreaterThan(orphan.hibernateAfterMs);
      }),
    );
  });

  it("is answered for by a change as far as the change goes", () => {
    const issues = (overrides: PolicyOverrides) => policyIssues(mergePolicy(overrides), "agent");
    const hasty: PolicyOverrides = { orphan: { orphan_after_seconds: 120 } };
    expect(addedIssues(issues(hasty), issues({ ...hasty, keep_alive_minutes: 5 }))).toEqual([]);
    expect(addedIssues(issues(hasty), issues({ orphan: { orphan_after_seconds: 121 } }))).toHaveLength(1);
    expect(addedIssues(issues({}), issues(hasty))).toHaveLength(1);
  });

  it("of an instance has no guard: the user's stands, whatever was stored of an instance", () => {
    const stored = { guard: { fraction: 1 }, idle: { threshold_percent: 20 } };
    const [issue] = instancePolicyOverridesSchema.safeParse(stored).error?.issues ?? [];
    expect(issue).toMatchObject({
      path: ["guard"],
      message: "is the user's, not an instance's: set it with PUT /api/agent/policy",
    });
    const merged = mergePolicy({ guard: { minimum_instances: 5 } }, stored);
    expect(merged.guard).toEqual({ ...DEFAULT_POLICY.guard, minimum_instances: 5 });
    expect(merged.idle.threshold_percent).toBe(20);
  });

  it("of an instance has neither an inventory nor reports, which are of all of them", () => {
    for (const stored of [{ inventory: { adopt: "off" } }, { reports: { monthly: false } }]) {
      const [issue] = instancePolicyOverridesSchema.safeParse(stored).error?.issues ?? [];
      expect(issue).toMatchObject({
        path: Object.keys(stored),
        message: expect.stringContaining("the user's"),
      });
    }
    expect(mergePolicy({ reports: { monthly: false } }).reports).toEqual({ monthly: false });
  });

  it("that wants a snapshot is refused for a provider that cannot take one", () => {
    const settings = mergePolicy({});
    const [issue] = policyIssues(settings, "vast");
    expect(issue).toMatchObject({
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
      { keep_alive_minutes: 10_081 },
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
