import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HeartbeatReport, LateReading } from "../../src/lifecycle/model/heartbeat.ts";
import { at, Timeline } from "./timeline.ts";

const IDLE = { gpu_utilization: 2 };
const BUSY = { gpu_utilization: 90 };
const HOUR = 60 * 60_000;

const late = (sequence: number, ageSeconds: number, gpu: number | null): LateReading => [
  sequence,
  ageSeconds,
  gpu,
  null,
  null,
  null,
  null,
  null,
];

describe("every heartbeat is a sign of life, whatever its number", () => {
  it.each([
    ["a forged number above all others", [Number.MAX_SAFE_INTEGER, 2, 3, 4]],
    ["a number that is capped", [2_147_483_647, 2_147_483_647, 2_147_483_647, 2_147_483_647]],
    ["a counter that began anew", [9000, 1, 2, 3]],
  ])("after %s", (_, numbers) => {
    const line = new Timeline();
    for (let beat = 0; beat < 180; beat++) {
      line.until(at("0:00") + beat * 60_000);
      line.heartbeat({ ...BUSY, boot_id: "b", sequence: numbers[beat] ?? numbers.at(-1) ?? 0 });
      expect(line.view).toMatchObject({ status: "running", seconds_since_heartbeat: 0 });
    }
    expect(line.kinds).toEqual(["registered", "first_heartbeat"]);
  });

  it("and a forged number costs at most that one reading its place in the history", () => {
    const line = new Timeline();
    line.heartbeat({ ...BUSY, boot_id: "b", sequence: Number.MAX_SAFE_INTEGER });
    for (let beat = 1; beat <= 30; beat++) {
      line.until(at("0:00") + beat * 60_000);
      line.heartbeat({ ...BUSY, boot_id: "b", sequence: beat });
    }
    expect(line.view).toMatchObject({ total_heartbeats: 31, missed_heartbeats: 0 });
  });

  it("and a number without a run that it belongs to says nothing", () => {
    const line = new Timeline();
    line.heartbeat({ ...BUSY, sequence: 7 });
    line.until(at("1:00")).heartbeat({ ...BUSY, sequence: 7 });
    line.until(at("2:00")).heartbeat({ ...BUSY, boot_id: "b", sequence: 7 });
    expect(line.view.total_heartbeats).toBe(3);
  });

  it("and one that is sent again ends an idle run if it is busy, and is no second evidence if it is not", () => {
    const repeated = new Timeline();
    repeated.heartbeat({ ...IDLE, boot_id: "b", sequence: 1 });
    for (let second = 1; second <= 5; second++) {
      repeated.until(at("0:00.500") + second * 1000).heartbeat({ ...IDLE, boot_id: "b", sequence: 1 });
    }
    expect(repeated.state.phase).toMatchObject({ idle: { heartbeats: 1 } });
    repeated.heartbeat({ ...BUSY, boot_id: "b", sequence: 1 });
    expect(repeated.state.phase).toMatchObject({ idle: null });
  });
});

describe("a restart", () => {
  it("is told once an hour at most, however often the run changes", () => {
    const line = new Timeline();
    for (let beat = 0; beat < 120; beat++) {
      line.until(at("0:00") + beat * 60_000);
      line.heartbeat({ ...BUSY, boot_id: `run-${beat}`, sequence: 1 });
    }
    expect(line.kinds.filter((kind) => kind === "rebooted")).toHaveLength(2);
    expect(line.view.total_heartbeats).toBe(120);
  });

  it("starts the numbers anew", () => {
    const line = new Timeline();
    line.heartbeat({ ...BUSY, boot_id: "a", sequence: 5 });
    line.until(at("1:00")).heartbeat({ ...BUSY, boot_id: "b", sequence: 5 });
    expect(line.view.total_heartbeats).toBe(2);
  });
});

describe("readings that come late", () => {
  it("that show work end the idle run into which they fall, and the order that it led to", () => {
    const line = new Timeline().beatUntil(at("4:00"), IDLE);
    line.until(at("5:00"));
    expect(line.view.status).toBe("hibernating");
    line.until(at("5:10"));
    line.heartbeat({ ...IDLE, boot_id: "b", sequence: 9, backlog: [late(7, 130, 1), late(8, 70, 98)] });
    expect(line.view.status).toBe("running");
    expect(line.kinds.at(-1)).toBe("hibernate_cancelled");
    line.beatUntil(at("9:00"), IDLE);
    expect(line.kinds.filter((kind) => kind === "hibernating")).toHaveLength(1);
  });

  it("that could not be read count as work, and those from before the run as nothing", () => {
    const unknown = new Timeline().beatUntil(at("2:00"), IDLE);
    unknown.heartbeat({ ...IDLE, boot_id: "b", sequence: 9, backlog: [late(8, 60, null)] });
    expect(unknown.state.phase).toMatchObject({ idle: { since: at("2:00") } });

    const before = new Timeline().beatUntil(at("2:00"), IDLE);
    before.heartbeat({ ...IDLE, boot_id: "b", sequence: 9, backlog: [late(8, 600, 98)] });
    expect(before.state.phase).toMatchObject({ idle: { since: at("0:00") } });
  });

  it("never make the history grow faster than time passes", () => {
    const backlog = Array.from({ length: 240 }, (_, index) => late(index, 240 - index, 50));
    const line = new Timeline({ provider: "agent" });
    for (let beat = 0; beat < 60; beat++) {
      line.until(at("0:00") + beat * 60_000);
      line.heartbeat({ ...BUSY, boot_id: `run-${beat}`, sequence: 1000, backlog });
    }
    // Half an interval apart at the closest, and nothing before what is known: but for the first beat's own past.
    expect(line.state.agent.nextInHistory).toBeLessThanOrEqual(60 * 2 + 8);
  });
});

describe("a reading that is not known", () => {
  it("is never idle: a GPU that was read once and can't be any more does not hand over to the CPU", () => {
    const line = new Timeline({ overrides: { idle: { metric: "auto" } } });
    line.heartbeat({ gpu_utilization: 99, cpu_utilization: 1 });
    line.beatUntil(at("3:00:00"), { gpu_utilization: null, cpu_utilization: 1 });
    expect(line.kinds).toEqual(["registered", "first_heartbeat"]);
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

describe("a last word", () => {
  it("that is followed by heartbeats saves nothing, and the instance counts as running", () => {
    const line = new Timeline({ provider: "agent" });
    line.heartbeat(BUSY);
    for (let beat = 1; beat <= 60; beat++) {
      line.until(at("0:00") + beat * 60_000);
      line.heartbeat(beat % 10 === 0 ? { ...BUSY, status: "hibernating" } : BUSY);
    }
    line.until(at("1:01:00")).heartbeat(BUSY);
    expect(line.view.status).toBe("running");
    expect(line.kinds).not.toContain("hibernated");
    expect(line.state.counters.saved.totalMs).toBe(0);
  });

  it("counts once it is followed by silence", () => {
    const line = new Timeline({ provider: "agent" });
    line.heartbeat(BUSY);
    line.until(at("1:00")).heartbeat({ ...BUSY, status: "hibernating" });
    line.until(at("2:59.999"));
    expect(line.view.status).toBe("hibernating");
    line.until(at("3:00"));
    expect(line.view.status).toBe("hibernated");
    expect(line.events.at(-1)?.message).toBe("Instance hibernated itself");
  });
});

describe("a change of policy", () => {
  const hourly = {
    heartbeat_interval_seconds: 3600,
    orphan: {
      orphan_after_seconds: 10_800,
      hibernate_after_seconds: 14_400,
      force_hibernate_after_seconds: 20_000,
    },
  };

  function changeTo(line: Timeline, overrides: ConstructorParameters<typeof Timeline>[0]): void {
    const former = line.policy;
    line.policy = new Timeline(overrides).policy;
    line.command({ type: "policy.changed", former });
  }

  it("never acts on the past: an instance that was told to beat hourly is not silent before it was to beat", () => {
    const line = new Timeline({ overrides: hourly });
    line.heartbeat({ gpu_utilization: 98 });
    line.until(at("45:00"));
    changeTo(line, {});
    expect(line.view.status).toBe("running");
    line.until(at("1:04:59"));
    expect(line.view.status).toBe("running");
    expect(line.guardQuestions).toEqual([]);
  });

  it("lets the step of an orphan that it would have taken count from the change", () => {
    const line = new Timeline({
      overrides: { orphan: { hibernate_after_seconds: 36_000, force_hibernate_after_seconds: 72_000 } },
    });
    line.heartbeat();
    line.until(at("3:00:00"));
    changeTo(line, {});
    expect(line.guardQuestions).toEqual([]);
    line.until(at("3:29:59"));
    expect(line.guardQuestions).toEqual([]);
    line.until(at("3:30:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
  });

  it("lets a delete that it would have ordered count from the change", () => {
    const line = new Timeline({ overrides: { orphan: { delete_after_days: null } } });
    line.heartbeat();
    line.until(at("30:00")).permit();
    line.succeed();
    line.until(at("0:00") + 20 * 24 * HOUR);
    changeTo(line, {});
    line.command({ type: "cleanup" });
    expect(line.guardQuestions).not.toContain("delete");
    line.until(line.now + 7 * 24 * HOUR);
    line.command({ type: "cleanup" });
    expect(line.guardQuestions).toContain("delete");
  });

  it("that switches the ladder on lets it begin then", () => {
    const line = new Timeline({ overrides: { orphan: { enabled: false } } });
    line.heartbeat();
    line.until(at("0:00") + 30 * 24 * HOUR);
    changeTo(line, {});
    expect(line.view.status).toBe("running");
    line.until(line.now + 30 * 60_000 - 1);
    expect(line.view.status).toBe("orphaned");
    expect(line.guardQuestions).toEqual([]);
  });

  it("lets a warning and a hibernation for idleness that it would have taken count from the change", () => {
    const slow = { idle: { warn_after_seconds: 3600, hibernate_after_seconds: 7200 } };
    const line = new Timeline({ overrides: slow }).beatUntil(at("50:00"), IDLE);
    changeTo(line, {});
    expect(line.kinds).not.toContain("idle");
    line.until(at("51:00")).beatUntil(at("53:00"), IDLE);
    expect(line.events.at(-1)).toMatchObject({ kind: "idle", at: at("53:00") });

    const warned = new Timeline({ overrides: slow }).beatUntil(at("1:30:00"), IDLE);
    changeTo(warned, {});
    expect(warned.kinds).not.toContain("hibernating");
    warned.until(at("1:31:00")).beatUntil(at("1:31:00"), IDLE).until(at("1:32:00"));
    expect(warned.kinds).toContain("hibernating");
  });

  it("ends a run that it would judge otherwise: by another metric, threshold or interval", () => {
    for (const overrides of [
      { idle: { metric: "cpu" as const } },
      { idle: { threshold_percent: 1 } },
      { heartbeat_interval_seconds: 30 },
      { idle: { enabled: false } },
    ]) {
      const line = new Timeline().beatUntil(at("2:30"), IDLE);
      changeTo(line, { overrides });
      expect(line.state.phase).toMatchObject({ status: "running", idle: null });
    }
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
