import fc from "fast-check";
import { expect, it } from "vitest";
import type { Heartbeat } from "../../src/lifecycle/model/heartbeat.ts";
import { type HeartbeatReport, heartbeatFrom } from "../../src/lifecycle/model/heartbeat.ts";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { mergePolicy } from "../../src/lifecycle/model/policy-settings.ts";
import { DEFAULT_SOURCES, SOURCE_KINDS } from "../../src/lifecycle/model/source-settings.ts";
import { evidenceOf, evidenceOfKept } from "../../src/lifecycle/model/use.ts";
import { judge } from "../../src/lifecycle/rules/use.ts";
import { reportOf } from "../../src/replay/report.ts";
import { ACTIVE, judgeBy, judgesBy, QUIET_BY_CPU, QUIET_BY_GPU, UNKNOWN } from "../../src/replay/verdict.ts";
import { START } from "./stories.ts";

const percent = fc.option(fc.constantFrom(0, 1, 2.9, 3, 4, 5, 40, 100));
const source = fc.record({
  name: fc.constantFrom(
    ...SOURCE_KINDS.filter((kind) => kind !== "work" && kind !== "scripts"),
    "work_vllm",
    "script_mine",
    "own",
  ),
  value: fc.option(fc.constantFrom(0, 0.4, 0.5, 1, 499, 500, 5000)),
});

const reports: fc.Arbitrary<HeartbeatReport> = fc.record(
  {
    gpu_utilization: percent,
    gpu_utilization_max: percent,
    cpu_utilization: percent,
    gpus: fc.option(fc.array(fc.record({ index: fc.nat(3), utilization: percent }), { maxLength: 2 })),
    activity: fc.option(fc.dictionary(fc.constantFrom("ssh_sessions", "busy_jupyter_kernels"), fc.nat(2))),
    sources: fc.option(fc.uniqueArray(source, { maxLength: 4, selector: ({ name }) => name })),
  },
  { requiredKeys: [] },
);

const idles = fc.record({
  metric: fc.constantFrom("gpu" as const, "cpu" as const, "auto" as const),
  threshold_percent: fc.constantFrom(0, 3, 5),
  respect_activity: fc.boolean(),
  sources: fc.record({
    cpu_cores: fc.constantFrom(DEFAULT_SOURCES.cpu_cores, null),
    work: fc.constantFrom(DEFAULT_SOURCES.work, null, 2),
  }),
});

function kept(report: HeartbeatReport): Heartbeat {
  return heartbeatFrom(report, START, 1);
}

it("judges each reading as the rules judge it", () => {
  fc.assert(
    fc.property(reports, idles, fc.boolean(), (report, idle, hasGpu) => {
      const policy = compilePolicy(mergePolicy({ idle }));
      const heartbeat = kept(report);
      const judgement = judge(evidenceOfKept(heartbeat), policy, hasGpu);
      const verdict = judgeBy(policy.idle, hasGpu)(heartbeat);
      switch (judgement.verdict) {
        case "quiet":
          expect(verdict).toBe(judgement.reading.metric === "GPU" ? QUIET_BY_GPU : QUIET_BY_CPU);
          break;
        case "active":
          expect(verdict).toBe(ACTIVE);
          break;
        case "unknown":
          expect(verdict).toBe(UNKNOWN);
          break;
      }
    }),
    { numRuns: 2000 },
  );
});

const FIELDS = ["metric", "threshold_percent", "respect_activity", "sources"] as const;

it("judges alike by policies that it takes for the same", () => {
  fc.assert(
    fc.property(reports, idles, idles, fc.constantFrom(...FIELDS), (report, one, other, field) => {
      const { idle } = compilePolicy(mergePolicy({ idle: one }));
      const { idle: changed } = compilePolicy(mergePolicy({ idle: { ...one, [field]: other[field] } }));
      fc.pre(judgesBy(idle) === judgesBy(changed));
      for (const hasGpu of [true, false]) {
        expect(judgeBy(idle, hasGpu)(kept(report))).toBe(judgeBy(changed, hasGpu)(kept(report)));
      }
    }),
    { numRuns: 1000 },
  );
});

it("reports a reading that was kept so that it is judged as it was", () => {
  fc.assert(
    fc.property(reports, idles, fc.boolean(), (report, idle, hasGpu) => {
      const policy = compilePolicy(mergePolicy({ idle }));
      const heartbeat = kept(report);
      const again = reportOf(heartbeat);
      const judged = judge(evidenceOf(again, kept(again)), policy, hasGpu);
      const { verdict, reading } = judge(evidenceOfKept(heartbeat), policy, hasGpu);
      expect(judged).toMatchObject({ verdict, reading });
    }),
    { numRuns: 2000 },
  );
});
