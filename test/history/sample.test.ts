import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromSample, toSample } from "../../src/history/sample.ts";
import {
  type Heartbeat,
  heartbeatFrom,
  heartbeatFromLateReading,
  heartbeatSchema,
} from "../../src/lifecycle/model/heartbeat.ts";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { mergePolicy } from "../../src/lifecycle/model/policy-settings.ts";
import { DEFAULT_SOURCES } from "../../src/lifecycle/model/source-settings.ts";
import { evidenceOf, evidenceOfKept } from "../../src/lifecycle/model/use.ts";
import { judge } from "../../src/lifecycle/rules/use.ts";
import { orNull, reports, value } from "./reports.ts";

const AT = Date.UTC(2030, 0, 7);

/** As D1 holds it. */
const kept = (heartbeat: Heartbeat): unknown => JSON.parse(JSON.stringify(toSample(heartbeat)));

/** What is read again of a heartbeat that was kept. */
const readAgain = (heartbeat: Heartbeat) => fromSample(kept(heartbeat), heartbeat.sequence);

const thresholds = fc.record(
  Object.fromEntries(Object.keys(DEFAULT_SOURCES).map((kind) => [kind, orNull(value)])),
);

const policies = fc
  .record({
    metric: fc.constantFrom("gpu", "cpu", "auto"),
    threshold_percent: fc.constantFrom(1, 3, 5, 20, 100),
    respect_activity: fc.boolean(),
    sources: thresholds,
  })
  .map((idle) => compilePolicy(mergePolicy({ idle })));

describe("a sample", () => {
  it("holds all of a heartbeat", () => {
    fc.assert(
      fc.property(reports, fc.nat(), (report, sequence) => {
        const heartbeat = heartbeatFrom(report, AT, sequence);
        expect(readAgain(heartbeat)).toEqual(heartbeat);
      }),
    );
  });

  it("holds that a heartbeat came late", () => {
    const late = heartbeatFromLateReading([7, 60, 1, 2, 3, null, 5, 6], AT, 9);
    expect(late.isLate).toBe(true);
    expect(readAgain(late)).toEqual(late);
  });

  it("is judged by every policy as the report was when it came", () => {
    fc.assert(
      fc.property(reports, policies, fc.boolean(), (report, policy, hasGpu) => {
        const heartbeat = heartbeatFrom(report, AT, 1);
        const again = readAgain(heartbeat);
        if (again === null) throw new Error("it can't be read");
        const now = judge(evidenceOf(report, heartbeat), policy, hasGpu);
        const later = judge(evidenceOfKept(again), policy, hasGpu);
        expect(later.verdict).toBe(now.verdict);
        expect(later.reading).toEqual(now.reading);
      }),
      { numRuns: 2000 },
    );
  });

  it("of a former release tells what that one kept, and that of its use nothing else is known", () => {
    expect(fromSample([AT, 87, 18.4, 45, 12, 45.2, 2.4, 7200, "running"], 31)).toEqual({
      at: AT,
      sequence: 31,
      gpuPercent: 87,
      vramUsedGb: 18.4,
      cpuPercent: 45,
      ramUsedGb: 12,
      diskUsedGb: 45.2,
      costAccumulated: 2.4,
      uptimeSeconds: 7200,
      status: "running",
      activity: null,
    });
  });

  it("has no more columns than it did at first where there is no more to say", () => {
    const heartbeat = heartbeatFrom(heartbeatSchema.parse({ gpu_utilization: 1 }), AT, 1);
    expect(toSample(heartbeat)).toEqual([AT, 1, null, null, null, null, null, null, null]);
  });

  it("of a newer release counts a source that could not be read, whatever it is called", () => {
    const sample = [AT, 1, null, null, null, null, null, null, null, null, null, null, ["quantum_cores"]];
    expect(fromSample(sample, 1)?.use?.unread).toEqual(["other"]);
  });

  it("is null where it is none, and never throws", () => {
    for (const none of [null, 1, "[]", {}, [], [null], ["2030"], [[AT]]])
      expect(fromSample(none, 1)).toBeNull();
    const known = ["at", "sequence", "activity", "use", "isLate", "repeatedAt", "status"];
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 20 }), (columns) => {
        const read = fromSample([AT, ...columns], 1);
        if (read === null) throw new Error("it has a time");
        for (const [field, one] of Object.entries(read)) {
          if (!known.includes(field)) expect(one === null || typeof one === "number").toBe(true);
        }
        for (const one of read.use?.sources ?? []) expect(one === null || typeof one === "number").toBe(true);
        expect(() => judge(evidenceOfKept(read), compilePolicy(mergePolicy({})), true)).not.toThrow();
      }),
    );
  });

  it("is 600 bytes at most, however much its report says, so that a chunk of thirty stays under 20 KB", () => {
    const longest = 1 / 300_000;
    const report = heartbeatSchema.parse({
      ...Object.fromEntries(
        ["gpu_utilization", "gpu_utilization_max", "cpu_utilization", "vram_used_gb", "ram_used_gb"].map(
          (field) => [field, longest],
        ),
      ),
      disk_used_gb: longest,
      cost_accumulated: longest,
      uptime_seconds: longest,
      status: '"'.repeat(32),
      sources: [
        ...Object.keys(DEFAULT_SOURCES).slice(0, 7),
        "work_a",
        "work_b",
        "script_a",
        "script_b",
        "a",
        "b",
      ].flatMap((name) => [{ name, value: name.endsWith("b") ? null : longest }]),
      gpus: [{ index: 0, utilization: null }],
      preparation: { state: "succeeded", seconds: 1 },
    });
    const bytes = JSON.stringify(toSample(heartbeatFrom(report, AT, 1))).length;
    expect(bytes).toBeLessThan(600);
    expect(bytes).toBeGreaterThan(400);
  });
});
