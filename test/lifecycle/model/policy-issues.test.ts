import { describe, expect, it } from "vitest";
import {
  fittingOverrides,
  issuesOfOverrides,
  policyIssues,
} from "../../../src/lifecycle/model/policy-issues.ts";
import { mergePolicy, type PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";
import { say } from "../../../src/lifecycle/model/words/say.ts";

describe("a policy whose steps contradict each other", () => {
  const less = (path: string, than: string, limit: number, value: number) => ({
    path: path.split("."),
    message: `must be less than ${than} (${limit} s), but is ${value} s`,
  });
  const interval = (path: string, seconds: number, value: number) => ({
    path: path.split("."),
    message: `must be at least one heartbeat interval (${seconds}), but is ${value}`,
  });
  const issues = (overrides: PolicyOverrides) =>
    policyIssues(mergePolicy(overrides), "webhook").map(({ path, message, said }) => {
      expect(said).toBeDefined();
      expect(say("pt-BR", said ?? "")).toMatch(/^(deve|não pode) /);
      return { path, message };
    });

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

  it("is refused where what was never heard would be stopped before it counts as that", () => {
    const acts = (orphan: PolicyOverrides["orphan"]) =>
      issues({ orphan: { act_on_never_heard: true, ...orphan } });
    expect(acts({})).toEqual([]);
    expect(acts({ never_heard_after_seconds: 1801 })).toEqual([
      {
        path: ["orphan", "never_heard_after_seconds"],
        message:
          "must not be more than orphan.hibernate_after_seconds (1800 s) while orphan.act_on_never_heard is set, but is 1801 s",
      },
    ]);
    expect(issues({ orphan: { never_heard_after_seconds: 1801 } })).toEqual([]);
  });

  it("is refused where maintenance leaves no time in a week to act upon silence", () => {
    const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
    const daily = (from: string, to: string) => ({ days: [...days], from, to });
    const windows = (...some: ReturnType<typeof daily>[]) => ({ maintenance: { windows: some } });
    const leaves = (seconds: number, wanted = 1800) => [
      {
        path: ["maintenance", "windows"],
        message: `must leave out orphan.hibernate_after_seconds (${wanted} s) at a stretch in each week, but leaves ${seconds} s`,
      },
    ];
    expect(issues(windows(daily("00:00", "00:00")))).toEqual(leaves(0));
    expect(issues(windows(daily("00:00", "23:59")))).toEqual(leaves(60));
    expect(issues(windows(daily("00:00", "12:00"), daily("12:29", "00:00")))).toEqual(leaves(1740));
    expect(issues(windows(daily("00:00", "12:00"), daily("12:30", "00:00")))).toEqual([]);
    expect(issues(windows({ ...daily("03:00", "02:00"), days: [...days] }))).toEqual([]);
    expect(issues({ maintenance: { windows: [{ days: ["sun"], from: "02:00", to: "04:00" }] } })).toEqual([]);
    expect(issues({ ...windows(daily("00:00", "00:00")), orphan: { enabled: false } })).toEqual([]);
    const late = { hibernate_after_seconds: 90_000, force_hibernate_after_seconds: 100_000 };
    expect(issues({ ...windows(daily("02:00", "03:00")), orphan: late })).toEqual(leaves(82_800, 90_000));
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

describe("overrides of a machine that is registered without a policy of its own", () => {
  it("never delete it where its provider takes no snapshot, unless its owner's policy says so", () => {
    expect(fittingOverrides({}, "ec2")).toEqual({});
    expect(fittingOverrides({}, "vast")).toEqual({ orphan: { delete_after_days: null } });
    expect(fittingOverrides({ orphan: { snapshot_before_delete: false } }, "vast")).toEqual({});
  });

  it("are not refused for what was stored before a rule was made stricter", () => {
    const stored = { idle: { warn_after_seconds: 300, hibernate_after_seconds: 300 } };
    expect(issuesOfOverrides(stored, {}, "ec2")).toEqual([]);
    expect(fittingOverrides(stored, "ec2")).toEqual({});
  });
});
