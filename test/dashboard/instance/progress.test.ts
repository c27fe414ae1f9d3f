import { describe, expect, it } from "vitest";
import { progressOf } from "../../../src/dashboard/instance/progress.ts";

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const nowAt = (minute: number) => Date.parse(at(minute));

const quiet = (blocked_by: "keep_alive" | null = null) => ({
  lifecycle: { next_step: "hibernate" as const, at: at(5), in_seconds: 0, because: "", blocked_by },
  use: { without_work_since: at(0) },
  last_heartbeat: at(4),
  orphaned_since: null,
  hibernated_since: null,
  registered_at: at(-100),
});

describe("how far an instance is on its way to its next step", () => {
  it("is counted from where the way began, and never beyond its ends", () => {
    expect(progressOf(quiet(), nowAt(0))).toBe(0);
    expect(progressOf(quiet(), nowAt(4))).toBeCloseTo(0.8);
    expect(progressOf(quiet(), nowAt(9))).toBe(1);
    expect(progressOf(quiet(), nowAt(-9))).toBe(0);
  });

  it("is counted from the silence for an orphan", () => {
    const orphan = { ...quiet(), orphaned_since: at(-5) };
    expect(progressOf(orphan, nowAt(0))).toBeCloseTo(0.5);
  });

  it("is not shown of a step that something holds back, has no time, or began nobody knows when", () => {
    expect(progressOf(quiet("keep_alive"), nowAt(1))).toBeNull();
    expect(progressOf({ ...quiet(), lifecycle: { ...quiet().lifecycle, at: null } }, nowAt(1))).toBeNull();
    expect(progressOf({ ...quiet(), use: null }, nowAt(1))).toBeNull();
    expect(progressOf({ ...quiet(), use: { without_work_since: at(7) } }, nowAt(1))).toBeNull();
  });
});
