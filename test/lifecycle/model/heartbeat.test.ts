import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { heartbeatFrom, heartbeatSchema } from "../../../src/lifecycle/model/heartbeat.ts";
import { SOURCE_KINDS } from "../../../src/lifecycle/model/source-settings.ts";

/** As many kinds of sources as there are, each read, or read in part. */
const FULL_USE = {
  gpu_utilization_max: 1 / 300_000,
  gpus: [{ index: 0, utilization: null }],
  sources: [...SOURCE_KINDS, "work_a", "script_a", "a"].map((name) => ({
    name,
    value: ["work", "scripts", "other"].includes(name) ? null : 1 / 300_000,
  })),
  preparation: { state: "succeeded", seconds: 1 },
};

/** Where the schema finds fault with a report. */
function faults(report: unknown): string[] {
  return heartbeatSchema.safeParse(report).error?.issues.map((issue) => issue.path.join(".")) ?? [];
}

describe("a heartbeat's texts", () => {
  it.each([
    [
      "activity.ACCOUNT SUSPENDED: verify at https://evil.example.com",
      "ACCOUNT SUSPENDED: verify at https://evil.example.com",
    ],
    ["activity.Ssh", "Ssh"],
    ["activity.a b", "a b"],
    ["activity.", ""],
    [`activity.${"a".repeat(33)}`, "a".repeat(33)],
  ])("are refused with their path: %s", (path, name) => {
    expect(faults({ activity: { [name]: 1 } })).toEqual([path]);
  });

  it.each<[string, Record<string, unknown>]>([
    ["status", { status: "" }],
    ["status", { status: "x".repeat(33) }],
    ["status", { status: "running\n\nACCOUNT SUSPENDED" }],
    ["status", { status: "\u202egnippord" }],
    ["status", { status: "\ud800" }],
    ["boot_id", { boot_id: "" }],
    ["boot_id", { boot_id: "x".repeat(65) }],
    ["boot_id", { boot_id: "a b" }],
    ["boot_id", { boot_id: "\u0000" }],
    ["gpus.0.name", { gpus: [{ index: 0, name: "A\u001b[31m" }] }],
    ["gpus", { gpus: Array.from({ length: 65 }, (_, index) => ({ index })) }],
    ["activity", { activity: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`a${n}`, 1])) }],
    ["activity.ssh_sessions", { activity: { ssh_sessions: -1 } }],
  ])("and lists are bounded: %s", (path, report) => {
    expect(faults(report)).toEqual([path]);
  });

  it("may be what agents send: names of GPUs of any length, boot ids of Linux, own activities", () => {
    const parsed = heartbeatSchema.parse({
      status: "hibernating",
      boot_id: "0f8fad5b-d9cb-469f-a165-70867728950e",
      sequence: 7,
      activity: { ssh_sessions: 2, busy_jupyter_kernels: 0, render_2: 1 },
      gpus: [
        { index: 0, name: "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition" },
        { index: 1, name: `${"\u{1f5a5}".repeat(63)}ab` },
        { index: 2, name: null, utilization: null },
      ],
      agent_version: "1.0.0",
      unknown: { anything: ["goes"] },
    });
    expect(parsed.gpus?.map(({ name }) => name)).toEqual([
      "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition",
      `${"\u{1f5a5}".repeat(63)}a`,
      null,
    ]);
    expect(Object.keys(parsed)).not.toContain("unknown");
    expect(heartbeatFrom(parsed, 0, 1).activity).toBe("2 ssh_sessions, 1 render_2");
  });
});

describe("what is kept of a heartbeat", () => {
  /** JSON writes no number longer: six zeros before seventeen digits. */
  const longest = 1 / 300_000;
  const largest = {
    gpu_utilization: longest,
    vram_used_gb: longest,
    cpu_utilization: longest,
    ram_used_gb: longest,
    disk_used_gb: longest,
    cost_accumulated: longest,
    uptime_seconds: longest,
    status: '"'.repeat(32),
    activity: Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`${n}`.padEnd(32, "_"), 1_000_000])),
    boot_id: "x".repeat(64),
    sequence: Number.MAX_SAFE_INTEGER,
    gpus: Array.from({ length: 64 }, () => ({
      index: 1023,
      name: "\u{1f5a5}".repeat(200),
      utilization: longest,
      vram_used_gb: longest,
      vram_total_gb: longest,
    })),
  };
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).byteLength;
  const MOMENT = 8_640_000_000_000_000;

  it("is less than a kibibyte, however much it says", () => {
    for (const status of ['"'.repeat(32), "\u{1f5a5}".repeat(16), "\uffe6".repeat(32)]) {
      const parsed = heartbeatSchema.parse({ ...largest, status });
      expect(bytes(heartbeatFrom(parsed, MOMENT, Number.MAX_SAFE_INTEGER))).toBeLessThan(1024);
      const used = heartbeatSchema.parse({ ...largest, ...FULL_USE, status });
      expect(bytes(heartbeatFrom(used, MOMENT, Number.MAX_SAFE_INTEGER))).toBeLessThan(1024);
    }
  });

  it("is less than that for any report that is accepted", () => {
    const number = fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.constant(null));
    const report = fc.record({
      gpu_utilization: number,
      vram_used_gb: number,
      cost_accumulated: number,
      status: fc.oneof(fc.string({ unit: "binary", minLength: 1, maxLength: 32 }), fc.constant(null)),
      activity: fc.dictionary(fc.stringMatching(/^[a-z0-9_]{1,40}$/), fc.nat(2_000_000), { maxKeys: 20 }),
    });
    fc.assert(
      fc.property(report, (each) => {
        const { data } = heartbeatSchema.safeParse(each);
        if (data !== undefined) expect(bytes(heartbeatFrom(data, MOMENT, 1))).toBeLessThan(1024);
      }),
    );
  });

  it("names the first activities and counts the rest", () => {
    const parsed = heartbeatSchema.parse(largest);
    expect(heartbeatFrom(parsed, 0, 1).activity).toMatch(/^1000000 0_+, (1000000 \d_+, ){7}8 more$/);
  });

  it("of its GPUs is less than 32 KiB", () => {
    expect(bytes(heartbeatSchema.parse(largest).gpus)).toBeLessThan(32 * 1024);
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
