import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type HeartbeatReport,
  heartbeatFrom,
  heartbeatSchema,
} from "../../../src/lifecycle/model/heartbeat.ts";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { mergePolicy, type PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";
import { evidenceOf } from "../../../src/lifecycle/model/use.ts";
import { say } from "../../../src/lifecycle/model/words/say.ts";
import { judge, stateOf, thresholdOf } from "../../../src/lifecycle/rules/use.ts";
import { at, START, Timeline } from "../timeline.ts";

const policyOf = (overrides: PolicyOverrides = {}) => compilePolicy(mergePolicy(overrides));

function judged(report: HeartbeatReport, overrides: PolicyOverrides = {}, hasGpu = true) {
  const parsed = heartbeatSchema.parse(report);
  const judgement = judge(evidenceOf(parsed, heartbeatFrom(parsed, START, 1)), policyOf(overrides), hasGpu);
  return judgement.verdict === "quiet" ? judgement : { ...judgement, because: say("en", judgement.because) };
}

const sources = (...readings: readonly (readonly [string, number | null])[]): HeartbeatReport => ({
  gpu_utilization: 1,
  sources: readings.map(([name, value]) => ({ name, value })),
});

describe("the reading that idleness goes by", () => {
  it("is the highest since the last heartbeat, of any GPU", () => {
    for (const report of [
      { gpu_utilization: 1, gpu_utilization_max: 80 },
      { gpu_utilization_max: 80 },
      { gpu_utilization: 1, gpus: [{ index: 0, utilization: 1, utilization_max: 80 }] },
      {
        gpu_utilization_max: 3,
        gpus: [
          { index: 0, utilization_max: 3 },
          { index: 1, utilization_max: 80 },
        ],
      },
    ]) {
      expect(judged(report)).toEqual({
        verdict: "active",
        reading: { metric: "GPU", percent: 80 },
        because: "GPU at 80%",
      });
    }
  });

  it("is the one of the moment where an agent tells no other", () => {
    for (const report of [
      { gpu_utilization: 2 },
      { gpu_utilization: 2, gpu_utilization_max: null },
      { gpus: [{ index: 0, utilization: 2, utilization_max: null }] },
    ]) {
      expect(judged(report)).toEqual({ verdict: "quiet", reading: { metric: "GPU", percent: 2 } });
    }
  });

  it("is unknown where one of the GPUs can't be read, unless another one is at work", () => {
    const withUnread = (percent: number): HeartbeatReport => ({
      gpus: [
        { index: 0, utilization: 1, utilization_max: percent },
        { index: 1, utilization: null, utilization_max: null },
      ],
    });
    expect(judged(withUnread(2))).toEqual({
      verdict: "unknown",
      reading: null,
      because: "no reading",
      unread: ["GPU"],
    });
    expect(judged(withUnread(5))).toMatchObject({ verdict: "active", because: "GPU at 5%" });
    const read: HeartbeatReport = { gpus: [{ index: 0, utilization: null, utilization_max: 2 }] };
    expect(judged(read)).toMatchObject({ verdict: "quiet" });
  });

  it("is the CPU's where the policy says so, whatever the GPU's highest was", () => {
    const report = { gpu_utilization_max: 99, cpu_utilization: 3 };
    expect(judged(report, { idle: { metric: "cpu" } })).toEqual({
      verdict: "quiet",
      reading: { metric: "CPU", percent: 3 },
    });
    expect(judged({ cpu_utilization: 3 }, { idle: { metric: "auto" } }, false).verdict).toBe("quiet");
    expect(judged({ cpu_utilization: 3 }, { idle: { metric: "auto" } }, true).verdict).toBe("unknown");
  });
});

describe("a source of activity", () => {
  it("goes by its setting: work counters and scripts by one each, others by 1", () => {
    const { idle } = policyOf();
    for (const [name, threshold] of [
      ["ssh_connections", 1],
      ["notebook_connections", 1],
      ["busy_kernels", 1],
      ["cpu_cores", 0.5],
      ["network_kb_per_second", 500],
      ["disk_kb_per_second", 2000],
      ["compute_processes", 1],
      ["work_vllm", 1],
      ["script_slurm", 1],
      ["my_own", 1],
      ["constructor", 1],
    ] as const) {
      expect(thresholdOf(name, idle), name).toBe(threshold);
      const state = (value: number | null) => stateOf({ name, value }, idle);
      expect([state(threshold), state(threshold - 0.1), state(null)], name).toEqual([
        "active",
        "quiet",
        "unknown",
      ]);
    }
    const own = policyOf({ idle: { sources: { work: 10, scripts: null, cpu_cores: 4 } } }).idle;
    expect(thresholdOf("work_tgi", own)).toBe(10);
    expect(thresholdOf("script_x", own)).toBeNull();
    expect(thresholdOf("cpu_cores", own)).toBe(4);
  });

  it("keeps an instance from being idle, and is named", () => {
    const report = sources(
      ["ssh_connections", 2],
      ["cpu_cores", 3.12345],
      ["network_kb_per_second", 499],
      ["script_backup", 1],
      ["work_vllm", 12],
    );
    expect(judged(report)).toEqual({
      verdict: "active",
      reading: { metric: "GPU", percent: 1 },
      because: "in use: 2 ssh_connections, cpu_cores 3.1, script_backup, work_vllm 12",
    });
  });

  it("that can't be read counts as use, and is named", () => {
    expect(judged(sources(["work_vllm", null], ["script_a", null], ["cpu_cores", 0]))).toEqual({
      verdict: "unknown",
      reading: { metric: "GPU", percent: 1 },
      because: "work_vllm, script_a cannot be read",
      unread: ["work_vllm", "script_a"],
    });
    expect(judged(sources(["work_vllm", null], ["ssh_connections", 1]))).toMatchObject({
      verdict: "active",
      because: "in use: 1 ssh_connections; work_vllm cannot be read",
    });
    expect(judged({ sources: [{ name: "work_vllm", value: null }] })).toMatchObject({
      verdict: "unknown",
      because: "no reading; work_vllm cannot be read",
    });
  });

  it("whose setting is null is ignored, and so are all where the policy respects none", () => {
    const report = sources(["ssh_connections", 3], ["work_vllm", null]);
    const ignored = judged(report, { idle: { sources: { ssh_connections: null, work: null } } });
    expect(ignored.verdict).toBe("quiet");
    expect(judged(report, { idle: { respect_activity: false } }).verdict).toBe("quiet");
  });

  it("that comes twice counts by the higher value, and unknown above all", () => {
    const twice = (...values: readonly (number | null)[]) =>
      judged(sources(...values.map((value) => ["ssh_connections", value] as const)));
    expect(twice(0, 4, 2)).toMatchObject({ because: "in use: 4 ssh_connections" });
    expect(twice(4, null, 2)).toMatchObject({ because: "ssh_connections cannot be read" });
  });

  it("is named with at most seven others", () => {
    const many = Array.from({ length: 32 }, (_, index) => [`s${index}`, 1] as const);
    expect(judged(sources(...many))).toMatchObject({
      because: "in use: s0 1, s1 1, s2 1, s3 1, s4 1, s5 1, s6 1, s7 1, 24 more",
    });
  });

  it("stands for the activity of a former agent", () => {
    const activity = { ssh_sessions: 2 };
    expect(judged({ gpu_utilization: 1, activity })).toMatchObject({ because: "in use: 2 ssh_sessions" });
    expect(judged({ gpu_utilization: 1, activity, sources: [] }).verdict).toBe("quiet");
    expect(judged({ gpu_utilization: 1, activity }, { idle: { respect_activity: false } }).verdict).toBe(
      "quiet",
    );
  });
});

describe("idleness by what a heartbeat shows", () => {
  const value = fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    fc.constant(null),
    fc.double({ min: 0, max: 4, noNaN: true }),
  );
  const quiet = { gap: 60, mean: 2, highest: 2, sources: [{ name: "cpu_cores", value: 0.1 }] };
  const any = fc.record({
    gap: fc.oneof({ weight: 8, arbitrary: fc.constant(60) }, fc.integer({ min: 5, max: 400 })),
    mean: fc.constantFrom(0, 2),
    highest: fc.oneof({ weight: 8, arbitrary: fc.constant(2) }, fc.constantFrom(5, 90, null)),
    sources: fc
      .dictionary(fc.constantFrom("ssh_connections", "cpu_cores", "work_vllm", "script_a", "own"), value)
      .map((values) => Object.entries(values).map(([name, each]) => ({ name, value: each }))),
  });
  const beat = fc.oneof({ weight: 6, arbitrary: fc.constant(quiet) }, any);

  it("warns and hibernates only after a window without any use, whatever the order of heartbeats", () => {
    const policy = policyOf();
    const { warnAfterMs, hibernateAfterMs } = policy.idle;
    let hibernated = 0;
    fc.assert(
      fc.property(fc.array(beat, { minLength: 3, maxLength: 60 }), (beats) => {
        const line = new Timeline({ provider: "agent" });
        let usedAt = START;
        let judgedEvents = 0;
        const expectWindowsWithoutUse = () => {
          for (const { kind, at: stepAt } of line.events.slice(judgedEvents)) {
            if (kind === "idle") expect(stepAt - usedAt).toBeGreaterThanOrEqual(warnAfterMs);
            if (kind === "hibernating") expect(stepAt - usedAt).toBeGreaterThanOrEqual(hibernateAfterMs);
          }
          judgedEvents = line.events.length;
        };
        let moment = START;
        for (const { gap, mean, highest, sources } of beats) {
          moment += gap * 1000;
          line.until(moment);
          expectWindowsWithoutUse();
          if (line.view.status === "hibernating") break;
          const isUsed =
            (highest ?? mean) >= 5 || sources.some((each) => stateOf(each, policy.idle) !== "quiet");
          if (isUsed) usedAt = moment;
          line.heartbeat({ gpu_utilization: mean, gpu_utilization_max: highest, sources });
          expectWindowsWithoutUse();
          if (isUsed) expect(line.view.lifecycle.next_step).toBeNull();
        }
        line.until(moment + hibernateAfterMs);
        expectWindowsWithoutUse();
        if (line.view.status === "hibernating") hibernated += 1;
      }),
      { numRuns: 300 },
    );
    expect(hibernated).toBeGreaterThan(10);
  });

  it("begins anew after one heartbeat with a source above its threshold, or one that can't be read", () => {
    for (const used of [0.5, null]) {
      const line = new Timeline({ provider: "agent" });
      line.beatUntil(at("4:00"), sources(["cpu_cores", 0.4]));
      expect(line.kinds).toContain("idle");
      line.heartbeat(sources(["cpu_cores", used]));
      expect(line.events.at(-1)?.kind).toBe("busy");
      line.until(at("5:00")).beatUntil(at("9:30"), sources(["cpu_cores", 0.4]));
      expect(line.view.status).toBe("running");
      line.beatUntil(at("10:30"), sources(["cpu_cores", 0.4]));
      expect(line.view.status).toBe("hibernating");
    }
  });

  it("goes by the highest utilization, and its evidence says so", () => {
    const line = new Timeline({ provider: "agent" });
    line.beatUntil(at("5:00"), { gpu_utilization: 1, gpu_utilization_max: 4 });
    expect(line.events.find(({ kind }) => kind === "idle")?.detail).toMatchObject({ highest_percent: 4 });
    expect(line.view).toMatchObject({ status: "hibernating", avg_gpu_utilization: 1 });
    const spiky = new Timeline({ provider: "agent" });
    spiky.beatUntil(at("1:00:00"), { gpu_utilization: 1, gpu_utilization_max: 60 });
    expect(spiky.kinds).not.toContain("idle");
  });

  it("warns at three minutes and hibernates at five, as specified, where nothing but a GPU at 2% is reported", () => {
    const line = new Timeline({ provider: "agent" });
    line.beatUntil(at("2:59"), { gpu_utilization: 2 });
    expect(line.kinds).not.toContain("idle");
    line.until(at("3:00"));
    expect(line.heartbeat({ gpu_utilization: 2 }).actions).toMatchObject([
      {
        type: "hibernate_warning",
        message: "GPU <5% utilization for 3min. Hibernating in 2min.",
        countdown_seconds: 120,
      },
    ]);
    line.until(at("4:00")).heartbeat({ gpu_utilization: 2 });
    line.until(at("4:59"));
    expect(line.view.status).toBe("running");
    line.until(at("5:00"));
    expect(line.view.status).toBe("hibernating");
  });
});
