import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HeartbeatReport } from "../../../src/lifecycle/model/heartbeat.ts";
import { at, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 2 };

function agentLine(): Timeline {
  return new Timeline({ provider: "agent" });
}

describe("a GPU that can't be read", () => {
  const unread = (report: HeartbeatReport): HeartbeatReport => ({
    ...report,
    gpus: [{ index: 0, utilization: null }],
  });

  it("never hands over to the CPU, though no GPU was ever read", () => {
    const line = new Timeline({ overrides: { idle: { metric: "auto" } } });
    line.beatUntil(at("10:00"), unread({ cpu_utilization: 1 }));
    expect(line.kinds).not.toContain("idle");
  });

  it("and is only listed by its name, never hands over to the CPU either", () => {
    const line = new Timeline({ overrides: { idle: { metric: "auto" } } });
    line.beatUntil(at("10:00"), { cpu_utilization: 1, gpus: [{ index: 0, name: "H100" }] });
    expect(line.kinds).not.toContain("idle");
    const none = new Timeline({ overrides: { idle: { metric: "auto" } } });
    none.beatUntil(at("4:00"), { cpu_utilization: 1, gpus: [] });
    expect(none.kinds).toContain("idle");
  });

  it("is of no interest where idleness is judged by the CPU", () => {
    const line = new Timeline({ overrides: { idle: { metric: "cpu" } } });
    line.beatUntil(at("4:00"), unread({ cpu_utilization: 1, gpu_utilization: 99 }));
    expect(line.kinds).toContain("idle");
  });

  it("leaves the others to prove that the instance is used", () => {
    for (const [percent, because] of [
      [90, "GPU at 90%"],
      [5, "GPU at 5%"],
      [4, "no reading"],
      [null, "no reading"],
    ] as const) {
      const line = new Timeline().beatUntil(at("4:00"), IDLE);
      line.heartbeat({
        gpus: [
          { index: 0, utilization: percent },
          { index: 1, utilization: null },
        ],
      });
      expect(line.events.at(-1)?.message).toBe(`No longer idle (${because})`);
    }
  });

  it("among others that are read is one whose reading is missing", () => {
    const line = new Timeline().beatUntil(at("4:00"), IDLE);
    line.heartbeat({ gpus: [{ index: 0, utilization: 1 }, { index: 1 }] });
    expect(line.events.at(-1)?.message).toBe("No longer idle (no reading)");
  });
});

describe("a heartbeat that ends an idle run", () => {
  it("tells why", () => {
    for (const [report, because] of [
      [{ gpu_utilization: 5 }, "GPU at 5%"],
      [{ gpu_utilization: 1, activity: { ssh_sessions: 2 } }, "in use: 2 ssh_sessions"],
      [{ gpu_utilization: 99, activity: { ssh_sessions: 2 } }, "GPU at 99%"],
      [{}, "no reading"],
    ] as const) {
      const line = new Timeline().beatUntil(at("4:00"), IDLE);
      line.heartbeat(report);
      expect(line.events.at(-1)).toMatchObject({
        kind: "busy",
        severity: "info",
        message: `No longer idle (${because})`,
        detail: { idle_since: "2025-12-19T00:00:00Z" },
      });
    }
  });

  it("calls off the hibernation that it led to, and says so, but none that the owner asked for", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE);
    line.heartbeat();
    expect(line.events.at(-1)).toMatchObject({
      kind: "hibernate_cancelled",
      message: "Hibernation called off: it is busy again",
      detail: { reason: "idle" },
    });
    const asked = new Timeline();
    asked.heartbeat();
    asked.command({ type: "hibernate.requested" });
    asked.until(at("1:00")).heartbeat();
    expect(asked.view.status).toBe("hibernating");
  });
});

describe("several GPUs", () => {
  it("are as busy as the busiest, and each is shown", () => {
    const line = agentLine();
    line.heartbeat({
      gpus: [
        { index: 0, name: "H100", utilization: 3, vram_used_gb: 1, vram_total_gb: 80 },
        { index: 1, utilization: 71 },
      ],
    });
    expect(line.view.gpu_utilization).toBe(71);
    expect(line.view.gpus).toMatchObject([
      { index: 0, name: "H100", utilization: 3, vram_used_gb: 1, vram_total_gb: 80 },
      { index: 1, name: null, utilization: 71, vram_used_gb: null, vram_total_gb: null },
    ]);
  });
});

describe("activity", () => {
  const idle = (activity: Record<string, number>) => ({ gpu_utilization: 1, activity });

  it("keeps an instance with an idle GPU from being idle, and the view says so", () => {
    const line = agentLine().beatUntil(at("10:00"), idle({ ssh_sessions: 2, busy_jupyter_kernels: 0 }));
    expect(line.view).toMatchObject({
      status: "running",
      health: "healthy",
      lifecycle: {
        next_step: null,
        because: "GPU at 1%, but in use: 2 ssh_sessions",
        blocked_by: "activity",
      },
    });
    line.beatUntil(at("14:30"), idle({ ssh_sessions: 0 })).until(at("16:00"));
    expect(line.view.status).toBe("hibernating");
    expect(line.heartbeat(idle({ ssh_sessions: 1 })).actions).toEqual([]);
    expect(line.view.status).toBe("running");
  });

  it("does not count where the policy says so", () => {
    const line = new Timeline({ provider: "agent", overrides: { idle: { respect_activity: false } } });
    line.beatUntil(at("5:00"), idle({ ssh_sessions: 2 }));
    expect(line.view.status).toBe("hibernating");
  });
});

describe("a reading that is not known", () => {
  it("is never idle: a GPU that was read once and can't be any more does not hand over to the CPU", () => {
    const line = new Timeline({ overrides: { idle: { metric: "auto" } } });
    line.heartbeat({ gpu_utilization: 99, cpu_utilization: 1 });
    line.beatUntil(at("3:00:00"), { gpu_utilization: null, cpu_utilization: 1 });
    expect(line.kinds).toEqual(["registered", "first_heartbeat", "source_unknown"]);
  });

  it("is never idle: one of several GPUs that can't be read may be the one at work", () => {
    const gpus = (second: number | null): HeartbeatReport => ({
      gpu_utilization: 1,
      gpus: [
        { index: 0, utilization: 1 },
        { index: 1, utilization: second },
      ],
    });
    expect(new Timeline().beatUntil(at("30:00"), gpus(null)).kinds).not.toContain("idle");
    expect(new Timeline().beatUntil(at("30:00"), gpus(1)).kinds).toContain("idle");
    // A list without any utilization only says which GPUs there are.
    const named: HeartbeatReport = { gpu_utilization: 1, gpus: [{ index: 0, name: "H100" }] };
    expect(new Timeline().beatUntil(at("30:00"), named).kinds).toContain("idle");
  });
});

describe("a busy heartbeat", () => {
  type Moment = { readonly gap: number; readonly gpu: number | null };
  const moments = fc.array(
    fc.record({
      gap: fc.oneof(fc.constant(60), fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 9000 })),
      gpu: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, fc.constant(90), fc.constant(null)),
    }),
    { minLength: 1, maxLength: 40 },
  );

  /** When the first order was given, with one busy heartbeat more, if any. */
  function firstOrder(history: readonly Moment[], inserted: number | null): number {
    const line = new Timeline();
    // The first heartbeat is always there: before it nothing is watched.
    let moment = at("0:00");
    const times = [{ at: moment, gpu: 90 as number | null }];
    for (const { gap, gpu } of history) {
      moment += gap * 1000;
      times.push({ at: moment, gpu });
    }
    const beats = (inserted === null ? times : [...times, { at: inserted, gpu: 90 }]).toSorted(
      (a, b) => a.at - b.at,
    );
    for (const beat of beats) {
      while (line.armedAt !== null && line.armedAt <= beat.at) {
        line.until(line.armedAt);
        line.permit();
        if (line.orders.length > 0) return line.now;
      }
      line.until(beat.at).heartbeat({ gpu_utilization: beat.gpu });
      if (line.orders.length > 0) return line.now;
    }
    while (line.armedAt !== null) {
      line.until(line.armedAt);
      line.permit();
      if (line.orders.length > 0) return line.now;
    }
    return Number.POSITIVE_INFINITY;
  }

  it("at any moment of any history never leads to an earlier destructive order", () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: 0, max: 60_000 }), (history, second) => {
        const without = firstOrder(history, null);
        expect(firstOrder(history, at("0:00.500") + second * 1000)).toBeGreaterThanOrEqual(without);
      }),
      { numRuns: 500 },
    );
  });
});
