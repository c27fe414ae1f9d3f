import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { heartbeatFrom, heartbeatSchema } from "../../../src/lifecycle/model/heartbeat.ts";

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
