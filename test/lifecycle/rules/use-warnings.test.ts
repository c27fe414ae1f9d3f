import { describe, expect, it } from "vitest";
import { type HeartbeatReport, heartbeatSchema } from "../../../src/lifecycle/model/heartbeat.ts";
import type { PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";
import { at, Timeline } from "../timeline.ts";

const sources = (values: Readonly<Record<string, number | null>>): HeartbeatReport => ({
  gpu_utilization: 1,
  sources: Object.entries(values).map(([name, value]) => ({ name, value })),
});

const told = (line: Timeline, kind: string) => line.events.filter((event) => event.kind === kind);

describe("what can't be read and keeps an instance from being idle, alone", () => {
  const UNREAD = sources({ work_vllm: null, cpu_cores: 0.1 });

  it("is told after an hour, once", () => {
    const line = new Timeline().beatUntil(at("59:00"), UNREAD);
    expect(told(line, "source_unknown")).toEqual([]);
    line.until(at("1:00:00")).beatUntil(at("20:00:00"), UNREAD);
    expect(told(line, "source_unknown")).toMatchObject([
      {
        at: at("1:00:00"),
        severity: "warning",
        message:
          "In use for 60 minutes for one reason alone: work_vllm cannot be read. That counts as use, so it is not hibernated for idleness",
        detail: { rule: "source_unknown", sources: "work_vllm", since: "2025-12-19T00:00:00Z" },
      },
    ]);
    expect(line.view.status).toBe("running");
  });

  it("is told though it could be read now and then, but for too short a time to be idle", () => {
    const line = new Timeline();
    for (let minute = 0; minute <= 62; minute++) {
      line.until(at(`${minute}:00`));
      line.heartbeat(minute % 3 === 0 ? UNREAD : sources({ work_vllm: 0 }));
    }
    expect(told(line, "source_unknown")).toHaveLength(1);
    expect(line.kinds).not.toContain("idle");
  });

  it("is not told where something else showed use meanwhile, the owner held it, or idleness is switched off", () => {
    const used = new Timeline().beatUntil(at("59:00"), UNREAD);
    used.heartbeat(sources({ work_vllm: null, cpu_cores: 3 }));
    used.until(at("1:00:00")).beatUntil(at("1:59:00"), UNREAD);
    const kept = new Timeline().beatUntil(at("10:00"), UNREAD);
    kept.command({ type: "keep_alive", durationMs: 60 * 60_000 });
    kept.until(at("11:00")).beatUntil(at("2:08:00"), UNREAD);
    const off = new Timeline({ overrides: { idle: { enabled: false } } }).beatUntil(at("2:00:00"), UNREAD);
    const gap = new Timeline().beatUntil(at("50:00"), UNREAD);
    gap.until(at("54:00")).beatUntil(at("1:50:00"), UNREAD);
    const awake = [{ days: ["fri" as const], from: "00:00", to: "06:00" }];
    const scheduled = new Timeline({ overrides: { schedule: { awake } } }).beatUntil(at("6:59:00"), UNREAD);
    for (const line of [used, kept, off, gap, scheduled]) expect(told(line, "source_unknown")).toEqual([]);
    kept.until(at("2:09:00")).beatUntil(at("2:11:00"), UNREAD);
    expect(told(kept, "source_unknown")).toHaveLength(1);
    scheduled.until(at("7:00:00")).beatUntil(at("7:02:00"), UNREAD);
    expect(told(scheduled, "source_unknown")).toHaveLength(1);
  });

  it("is told again of another time, after four hours at the earliest", () => {
    const line = new Timeline();
    for (let hour = 0; hour < 12; hour++) {
      // Each hour and a half a person looks in.
      line.until(at(`${90 * hour}:00`)).heartbeat(sources({ work_vllm: null, ssh_connections: 1 }));
      line.until(at(`${90 * hour + 1}:00`)).beatUntil(at(`${90 * hour + 89}:00`), UNREAD);
    }
    const times = told(line, "source_unknown").map((event) => (event.at - at("0:00")) / 60_000);
    expect(times).toEqual([61, 331, 601, 871]);
  });

  it("is the GPU too, and one that was never there", () => {
    const because = (report: HeartbeatReport, overrides: PolicyOverrides = {}) => {
      const line = new Timeline({ overrides }).beatUntil(at("1:00:00"), report);
      return told(line, "source_unknown")[0]?.message.split(". ")[0];
    };
    const start = "In use for 60 minutes for one reason alone: ";
    expect(
      because({ gpus: [{ index: 0, utilization: null }], sources: [{ name: "work_a", value: null }] }),
    ).toBe(`${start}GPU, work_a cannot be read`);
    expect(because({ cpu_utilization: 1 })).toBe(
      `${start}no GPU was ever reported, and idleness goes by the GPU (idle.metric)`,
    );
    expect(because({}, { idle: { metric: "auto" } })).toBe(`${start}CPU cannot be read`);
    expect(because({ cpu_utilization: 50 }, { idle: { metric: "auto" } })).toBeUndefined();
  });
});

describe("a GPU at work by its utilization, and not by its power", () => {
  const gpu = (index: number, power_watts: number, utilization = 99) => ({
    index,
    utilization,
    power_watts,
    power_limit_watts: 700,
  });

  it("is told after half an hour, once, and nothing is done", () => {
    const report = { gpus: [gpu(0, 74), gpu(1, 650)] };
    const line = new Timeline().beatUntil(at("29:00"), report);
    expect(told(line, "looks_stuck")).toEqual([]);
    line.until(at("30:00")).beatUntil(at("10:00:00"), report);
    expect(told(line, "looks_stuck")).toMatchObject([
      {
        at: at("30:00"),
        severity: "warning",
        message:
          "GPU 0 looks stuck: at 99% utilization for 30 minutes, on 74 of 700 W at most. So does a deadlock. Nothing is done about it",
        detail: {
          rule: "looks_stuck",
          gpus: "0",
          lowest_percent: 99,
          power_watts: 74,
          power_limit_watts: 700,
          since: "2025-12-19T00:00:00Z",
        },
      },
    ]);
    expect(line.view.status).toBe("running");
  });

  it("is not told where its power rose meanwhile, or is unknown, or heartbeats were missing", () => {
    const rose = new Timeline().beatUntil(at("29:00"), { gpus: [gpu(0, 74)] });
    rose.heartbeat({ gpus: [gpu(0, 300)] });
    rose.until(at("30:00")).beatUntil(at("59:00"), { gpus: [gpu(0, 74)] });
    const unknown = new Timeline().beatUntil(at("1:00:00"), {
      gpus: [{ index: 0, utilization: 99, power_limit_watts: 700 }],
    });
    const missing = new Timeline().beatUntil(at("29:00"), { gpus: [gpu(0, 74)] });
    missing.until(at("33:00")).beatUntil(at("1:02:00"), { gpus: [gpu(0, 74)] });
    for (const line of [rose, unknown, missing]) expect(told(line, "looks_stuck")).toEqual([]);
  });

  it("is told with all others that look so, and of another time after four hours at the earliest", () => {
    const line = new Timeline();
    line.beatUntil(at("40:00"), { gpus: [gpu(0, 74), gpu(3, 90, 95)] });
    expect(told(line, "looks_stuck").at(-1)?.message).toMatch(
      /^GPUs 0, 3 look stuck: at 95% utilization for 30 minutes, on 90 of 700 W at most/,
    );
    line.heartbeat({ gpus: [gpu(0, 600), gpu(3, 600)] });
    line.until(at("41:00")).beatUntil(at("5:00:00"), { gpus: [gpu(0, 74)] });
    expect(told(line, "looks_stuck").map((event) => event.at)).toEqual([at("30:00"), at("4:30:00")]);
  });
});

it("no event has a word of a source's note", () => {
  const report = heartbeatSchema.parse({
    gpu_utilization: 99,
    gpus: [{ index: 0, utilization: 99, power_watts: 1, power_limit_watts: 700 }],
    sources: [
      { name: "work_vllm", value: null, note: "visit evil.example" },
      { name: "script_a", value: 1, note: "visit evil.example" },
    ],
  });
  const line = new Timeline({ provider: "none" });
  for (const [minute, gpu, each] of [
    [0, 1, report.sources],
    [70, 1, report.sources?.slice(0, 1)],
    [140, 1, []],
    [150, 1, report.sources],
    [190, 99, report.sources],
  ] as const) {
    line.until(at(`${minute}:00`));
    line.beatUntil(at(`${minute + 65}:00`), {
      ...report,
      gpu_utilization: gpu,
      gpus: gpu === 1 ? null : report.gpus,
      sources: [...(each ?? [])],
    });
    expect(JSON.stringify(line.view.lifecycle)).not.toContain("evil");
  }
  expect(new Set(line.kinds)).toContain("source_unknown");
  expect(new Set(line.kinds)).toContain("looks_stuck");
  expect(new Set(line.kinds)).toContain("busy");
  expect(JSON.stringify(line.events)).not.toContain("evil");
  expect(line.view.use?.sources[0]?.note).toBe("visit evil.example");
});
