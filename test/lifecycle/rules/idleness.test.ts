import { describe, expect, it } from "vitest";
import { at, START, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 2 };

const MINUTE = 60_000;

/** Warns as ever, and hibernates late; silence is of no interest. */
const SLOW = { idle: { hibernate_after_seconds: 3600 }, orphan: { enabled: false } };

describe("the idle ladder", () => {
  it("does nothing at 2:59, warns at 3:00 with 120 s, and hibernates at 5:00", () => {
    const line = new Timeline();
    line.beatUntil(at("2:00"), IDLE).until(at("2:59.999"));
    expect(line.view.health).toBe("healthy");
    expect(line.kinds).not.toContain("idle");

    line.until(at("3:00"));
    expect(line.view).toMatchObject({ status: "running", health: "idle" });
    expect(line.heartbeat(IDLE)).toEqual({
      message: "Low utilization detected",
      nextHeartbeatInSeconds: 60,
      actions: [
        {
          type: "hibernate_warning",
          message: "GPU <5% utilization for 3min. Hibernating in 2min.",
          countdown_seconds: 120,
          rate: 0.4,
          would_save_hourly: 0.39,
        },
      ],
    });

    line.until(at("4:00"));
    expect(line.heartbeat(IDLE).actions).toEqual([
      {
        type: "hibernate_warning",
        message: "GPU <5% utilization for 4min. Hibernating in 1min.",
        countdown_seconds: 60,
        rate: 0.4,
        would_save_hourly: 0.39,
      },
    ]);
    line.until(at("4:59.999"));
    expect(line.view.status).toBe("running");
    expect(line.orders).toEqual([]);

    line.until(at("5:00"));
    expect(line.view.status).toBe("hibernating");
    expect(line.orders).toEqual(["hibernate"]);

    line.succeed();
    expect(line.view.status).toBe("hibernated");
    expect(line.events.at(-1)).toMatchObject({
      kind: "hibernated",
      message: "Instance hibernated due to low usage",
    });
  });

  it("warns by its alarm though no heartbeat happens to come at 3:00", () => {
    const line = new Timeline();
    line.beatUntil(at("2:30"), IDLE).until(at("3:00"));
    expect(line.events.at(-1)).toMatchObject({ kind: "idle", at: at("3:00"), severity: "warning" });
  });

  it("lets a busy heartbeat cancel and clear", () => {
    const line = new Timeline();
    line.beatUntil(at("4:00"), IDLE);
    expect(line.view.health).toBe("idle");
    expect(line.heartbeat({ gpu_utilization: 5 })).toMatchObject({
      message: "Heartbeat received",
      actions: [],
    });
    expect(line.view.health).toBe("healthy");
    expect(line.kinds.at(-1)).toBe("busy");
    line.beatUntil(at("6:59"), IDLE);
    expect(line.view.health).toBe("healthy");
  });

  it("waits while the last heartbeat is older than two intervals, and leaves silence to the other ladder", () => {
    const line = new Timeline();
    line.beatUntil(at("2:59"), IDLE).until(at("6:59"));
    expect(line.orders).toEqual([]);
    expect(line.view).toMatchObject({ status: "running", health: "idle" });
    expect(line.view.lifecycle).toMatchObject({ next_step: "orphan" });
    line.until(at("7:00"));
    expect(line.view.status).toBe("orphaned");
    expect(line.orders).toEqual([]);
  });

  it("takes a window with under 60 % of its heartbeats for no evidence", () => {
    const line = new Timeline({
      overrides: { idle: { warn_after_seconds: 360, hibernate_after_seconds: 600 } },
    });
    line.heartbeat(IDLE);
    line.until(at("3:00")).heartbeat(IDLE);
    line.until(at("6:00")).heartbeat(IDLE);
    expect(line.kinds).not.toContain("idle");
    expect(line.view.lifecycle).toMatchObject({ next_step: "warn", blocked_by: "stale_evidence" });
    line.until(at("6:30")).heartbeat(IDLE);
    expect(line.events.at(-1)).toMatchObject({ kind: "idle", at: at("6:30") });
  });

  it("begins anew after a hole of more than three intervals, however long the run has lasted", () => {
    const line = new Timeline({ overrides: { orphan: { enabled: false } }, provider: "none" });
    line.beatUntil(at("4:00:00"), IDLE).until(at("5:36:00"));
    line.heartbeat(IDLE);
    expect(line.kinds.at(-1)).toBe("busy");
    expect(line.view).toMatchObject({ health: "healthy", lifecycle: { next_step: "warn" } });
    expect(line.view.lifecycle.at).toBe("2025-12-19T05:39:00Z");
  });

  it("gives a late warning its full two minutes", () => {
    const line = new Timeline();
    line.heartbeat(IDLE);
    line.until(at("0:50")).heartbeat(IDLE);
    line.until(at("3:10"));
    line.beatUntil(at("4:10"), IDLE);
    expect(line.events.at(-1)).toMatchObject({ kind: "idle", at: at("3:10") });
    expect(line.view.lifecycle).toMatchObject({ next_step: "hibernate", at: "2025-12-19T00:05:10Z" });
    line.until(at("5:00")).heartbeat(IDLE);
    line.until(at("5:09.999"));
    expect(line.kinds).not.toContain("hibernating");
    line.until(at("5:10"));
    expect(line.kinds).toContain("hibernating");
  });

  it("never takes an instance that reports no GPU for idle, unless the metric is auto or cpu", () => {
    const report = { cpu_utilization: 1 };
    const gpu = new Timeline().beatUntil(at("10:00"), report);
    expect(gpu.view.status).toBe("running");
    expect(gpu.kinds).not.toContain("idle");
    for (const metric of ["cpu", "auto"] as const) {
      const line = new Timeline({ overrides: { idle: { metric } } }).beatUntil(at("5:00"), report);
      expect(line.view.status).toBe("hibernating");
      expect(line.events.find((event) => event.kind === "idle")?.message).toBe(
        "CPU <5% utilization for 3min. Hibernating in 2min.",
      );
    }
  });

  it("does nothing at exactly the threshold, nor when the policy is switched off", () => {
    expect(new Timeline().beatUntil(at("10:00"), { gpu_utilization: 5 }).kinds).not.toContain("idle");
    const off = new Timeline({ overrides: { idle: { enabled: false } } });
    expect(off.beatUntil(at("10:00"), IDLE).kinds).not.toContain("idle");
  });

  it("starts its clock when a keep-alive ends", () => {
    const line = new Timeline();
    line.beatUntil(at("4:00"), IDLE);
    expect(line.command({ type: "keep_alive", durationMs: 60 * 60_000 })).toBeNull();
    const end = at("1:04:00");
    line.beatUntil(end + 179_000, IDLE);
    expect(line.view.health).toBe("healthy");
    expect(line.view.status).toBe("running");
    line.until(end + 180_000);
    expect(line.view.health).toBe("idle");
    expect(line.heartbeat(IDLE).actions[0]).toMatchObject({ countdown_seconds: 120 });
    line.beatUntil(end + 299_999, IDLE);
    expect(line.view.status).toBe("running");
    line.until(end + 300_000);
    expect(line.view.status).toBe("hibernating");
  });

  it("tells the owner at most every four hours when there is no provider", () => {
    const line = new Timeline({ provider: "none" });
    line.beatUntil(at("4:04:00"), IDLE);
    expect(line.view).toMatchObject({ status: "running", health: "idle" });
    expect(line.kinds.filter((kind) => kind === "would_hibernate")).toHaveLength(1);
    expect(line.events.find((event) => event.kind === "would_hibernate")).toMatchObject({
      at: at("5:00"),
      message: "Would hibernate for GPU <5% utilization for 5min: no provider",
    });
    line.beatUntil(at("4:05:00"), IDLE);
    expect(line.kinds.filter((kind) => kind === "would_hibernate")).toHaveLength(2);
    expect(line.heartbeat(IDLE).actions).toEqual([]);
  });

  it("explains what comes next and why", () => {
    const line = new Timeline();
    line.heartbeat({ gpu_utilization: 3 });
    line.until(at("1:00"));
    line.heartbeat(IDLE);
    expect(line.view.lifecycle).toEqual({
      next_step: "warn",
      at: "2025-12-19T00:03:00Z",
      in_seconds: 120,
      because: "GPU under 5% since 2025-12-19T00:00:00Z, highest 3%",
      blocked_by: null,
    });
    expect(START).toBe(at("0:00"));
  });
});

describe("an idle run", () => {
  it("that ends before its warning, or while its order is under way, is told by no event of its own", () => {
    const young = new Timeline().beatUntil(at("2:00"), IDLE);
    young.heartbeat();
    expect(young.kinds).toEqual(["registered", "first_heartbeat"]);
    const ordered = new Timeline().beatUntil(at("5:00"), IDLE);
    ordered.heartbeat();
    expect(ordered.kinds).not.toContain("busy");
  });

  it("that ends by missing heartbeats, or by a policy without idleness, says so", () => {
    const holes = new Timeline({ overrides: SLOW }).beatUntil(at("4:00"), IDLE);
    holes.until(at("7:00.001")).heartbeat(IDLE);
    expect(holes.events.at(-1)?.message).toBe("No longer idle (heartbeats were missing)");
    const off = new Timeline().beatUntil(at("4:00"), IDLE);
    off.policy = { ...off.policy, idle: { ...off.policy.idle, enabled: false } };
    off.heartbeat(IDLE);
    expect(off.events.at(-1)?.message).toBe("No longer idle (idle policy switched off)");
  });

  it("goes on over a hole of three intervals", () => {
    const line = new Timeline({ overrides: SLOW }).beatUntil(at("2:00"), IDLE);
    line.until(at("5:00")).heartbeat(IDLE);
    expect(line.state.phase).toMatchObject({ idle: { since: at("0:00"), heartbeats: 4 } });
  });

  it("takes nothing from a keep-alive for evidence", () => {
    const line = new Timeline();
    line.heartbeat();
    line.command({ type: "keep_alive", durationMs: 61 * MINUTE });
    line.until(at("1:00")).beatUntil(at("1:00:00"), { gpu_utilization: 4 });
    line.until(at("1:01:00")).beatUntil(at("1:04:00"), IDLE);
    expect(line.events.find((event) => event.kind === "idle")).toMatchObject({
      at: at("1:04:00"),
      detail: { highest_percent: 2, heartbeats: 3, idle_since: "2025-12-19T01:01:00Z" },
    });
  });

  it("is fresh evidence up to two intervals after its last heartbeat, and with 60 % of them", () => {
    const fresh = new Timeline();
    for (const clock of ["0:00", "0:30", "1:00"]) fresh.until(at(clock)).heartbeat(IDLE);
    fresh.until(at("3:00"));
    expect(fresh.view.health).toBe("idle");

    const dense = new Timeline({
      overrides: { idle: { warn_after_seconds: 300, hibernate_after_seconds: 600 } },
    });
    for (const clock of ["0:00", "2:00", "4:00"]) dense.until(at(clock)).heartbeat(IDLE);
    dense.until(at("5:00"));
    expect(dense.view.health).toBe("idle");
  });

  it("is warned of at its deadline though the alarm is a little late, and when it is told if it is later", () => {
    for (const [clock, warnedAt] of [
      ["3:06", "3:00"],
      ["3:06.001", "3:06.001"],
    ] as const) {
      const line = new Timeline().beatUntil(at("2:30"), IDLE);
      line.now = at(clock);
      line.apply({ type: "alarm", dueAt: at("3:00") });
      line.drain();
      expect(line.events.at(-1)).toMatchObject({ kind: "idle", at: at(warnedAt) });
    }
  });

  it("after the grace of a wake is held back by nothing", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE).succeed();
    line.command({ type: "wake.requested" });
    line.until(at("6:00")).heartbeat();
    line.beatUntil(at("14:00")).until(at("15:00")).heartbeat(IDLE);
    expect(line.view.lifecycle).toMatchObject({ next_step: "warn", blocked_by: null });
  });
});
