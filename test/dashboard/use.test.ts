import { describe, expect, it } from "vitest";
import { nameOf, type Used, type UseState, useRows, verdictOf } from "../../src/dashboard/instance/use.ts";
import { english } from "../../src/dashboard/words/english.ts";
import { portuguese } from "../../src/dashboard/words/portuguese.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/model/policy-settings.ts";
import type { SourceView } from "../../src/lifecycle/views/use-view.ts";

const NOW = "2026-11-27T10:00:00Z";
const { idle } = DEFAULT_POLICY;

const source = (name: string, state: UseState, value: number | null = 1): SourceView => ({
  name,
  value,
  threshold: state === "ignored" ? null : 1,
  state,
  quiet_since: state === "quiet" ? NOW : null,
  note: null,
});

const used = (more: Partial<Used> = {}, sources: readonly SourceView[] = []) => ({
  use: { at: NOW, sources, without_work_since: null, resident_model_gb: null },
  gpu_utilization: 2,
  gpus: [],
  cpu_utilization: 40,
  lifecycle: { blocked_by: null },
  ...more,
});

const GPUS = [
  { index: 0, name: "H100", utilization: 1, utilization_max: 4, quiet_since: NOW },
  { index: 1, name: "H100", utilization: 3, utilization_max: 60, quiet_since: null },
  { index: 2, name: "H100", utilization: null, utilization_max: null, quiet_since: null },
];

describe("what idleness is judged by", () => {
  it("is each GPU by its highest, with the mean beside it, before every source, and what shows use first", () => {
    const rows = useRows(
      used({ gpus: GPUS }, [
        source("ssh_connections", "quiet", 0),
        source("cpu_cores", "ignored"),
        source("work_vllm", "unknown", null),
        source("script_backup", "active"),
      ]),
      idle,
    );
    expect(rows.map(({ value, mean, state }) => [value, mean, state])).toEqual([
      [4, 1, "quiet"],
      [60, 3, "active"],
      [null, null, "unknown"],
      [1, null, "active"],
      [null, null, "unknown"],
      [0, null, "quiet"],
      [1, null, "ignored"],
    ]);
  });

  it("is the GPU as a whole where the agent lists none, and never known where it reports none", () => {
    const [row] = useRows(used(), idle);
    expect(row).toMatchObject({ measured: { kind: "gpu", index: null }, value: 2, state: "quiet" });
    expect(useRows(used({ gpu_utilization: null }), idle)[0]).toMatchObject({ state: "unknown" });
  });

  it("is the CPU where the policy says so, or where there is no GPU", () => {
    const cpu = { measured: { kind: "cpu" }, value: 40, state: "active" };
    expect(useRows(used(), { ...idle, metric: "cpu" })[0]).toMatchObject(cpu);
    expect(useRows(used({ gpu_utilization: null }), { ...idle, metric: "auto" })[0]).toMatchObject(cpu);
    expect(useRows(used(), { ...idle, metric: "auto" })[0]).toMatchObject({ measured: { kind: "gpu" } });
  });
});

describe("why an instance is idle or is not", () => {
  const verdict = (more: Parameters<typeof used>[0], sources: readonly SourceView[] = [], policy = idle) => {
    const given = used(more, sources);
    return verdictOf(given, policy, useRows(given, policy));
  };

  it("is what shows use, else what can't be read, else since when nothing has", () => {
    expect(verdict({}, [source("cpu_cores", "active"), source("work_vllm", "unknown", null)])).toMatchObject({
      code: "in_use",
      by: [{ measured: { name: "cpu_cores" } }],
    });
    expect(verdict({}, [source("work_vllm", "unknown", null)])).toMatchObject({
      code: "unknown",
      of: [{ measured: { name: "work_vllm" } }],
    });
    expect(verdict({})).toEqual({ code: "quiet" });
    const use = { at: NOW, sources: [], without_work_since: NOW, resident_model_gb: null };
    expect(verdict({ use })).toEqual({ code: "idle", since: NOW });
    expect(verdict({ lifecycle: { blocked_by: "activity" } })).toEqual({ code: "activity" });
    expect(verdict({ use }, [], { ...idle, enabled: false })).toEqual({ code: "off" });
  });

  it("names every source that an agent tells of, in both languages", () => {
    for (const { use } of [english, portuguese]) {
      const named = (name: string) => nameOf({ kind: "source", name }, use);
      for (const name of Object.keys(DEFAULT_POLICY.idle.sources)) {
        if (name !== "work" && name !== "scripts") expect(named(name)).not.toContain("_");
      }
      expect(named("work_vllm")).toContain("vllm");
      expect(named("script_night_backup")).toContain("night_backup");
      expect(named("of_my_own")).toBe("Of my own");
      expect(nameOf({ kind: "gpu", index: 3, model: null }, use)).toBe("GPU 3");
    }
  });
});
