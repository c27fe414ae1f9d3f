import { describe, expect, it } from "vitest";
import { evidenceIn } from "../../../src/dashboard/replay/evidence.ts";
import type { Heartbeat } from "../../../src/lifecycle/model/heartbeat.ts";
import { keptUse, type UseReport } from "../../../src/lifecycle/model/kept-use.ts";
import { sayWork } from "../../../src/replay/work.ts";

/** As the service says it of such a heartbeat. */
function said(report: UseReport & { gpu?: number; cpu?: number; activity?: string }, hasGpu = true): string {
  const heartbeat: Heartbeat = {
    at: 0,
    sequence: 1,
    gpuPercent: report.gpu ?? null,
    vramUsedGb: null,
    cpuPercent: report.cpu ?? null,
    ramUsedGb: null,
    diskUsedGb: null,
    costAccumulated: null,
    uptimeSeconds: null,
    status: null,
    activity: report.activity ?? null,
    use: keptUse(report),
  };
  return sayWork(heartbeat, hasGpu);
}

describe("what shows work", () => {
  it("is taken apart, however the service says it", () => {
    expect(evidenceIn(said({ gpu: 97 }))).toEqual([{ is: "metric", metric: "GPU", percent: 97 }]);
    expect(evidenceIn(said({ cpu: 12.5 }, false))).toEqual([{ is: "metric", metric: "CPU", percent: 12.5 }]);
    const sources = [
      { name: "ssh_connections", value: 2 },
      { name: "cpu_cores", value: 3.14 },
      { name: "script_backup", value: 1 },
      { name: "work_vllm", value: null },
    ];
    expect(evidenceIn(said({ gpu: 0, sources }))).toEqual([
      { is: "source", name: "ssh_connections", value: 2 },
      { is: "source", name: "cpu_cores", value: 3.1 },
      { is: "source", name: "scripts", value: 1 },
      { is: "unread", name: "work" },
    ]);
    expect(evidenceIn(said({}))).toEqual([{ is: "no_reading" }]);
    expect(evidenceIn("an hour with work")).toEqual([{ is: "hour" }]);
    expect(evidenceIn(said({ gpu: 0, activity: "2 ssh_sessions, 1 kernels" }))).toEqual([
      { is: "source", name: "ssh_sessions", value: 2 },
      { is: "source", name: "kernels", value: 1 },
    ]);
  });

  it("stays as it is where the page has no words for it", () => {
    expect(evidenceIn("somebody waved")).toEqual([{ is: "other", text: "somebody waved" }]);
    expect(evidenceIn("in use: 3 more")).toEqual([{ is: "more", count: 3 }]);
    expect(evidenceIn("")).toEqual([{ is: "other", text: "" }]);
  });
});
