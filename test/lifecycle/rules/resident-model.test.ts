import { describe, expect, it } from "vitest";
import type { HeartbeatReport } from "../../../src/lifecycle/model/heartbeat.ts";
import { at, Timeline } from "../timeline.ts";

const RESIDENT: HeartbeatReport = { gpu_utilization: 0, vram_used_gb: 23.14 };

describe("a model in GPU memory that nobody asks", () => {
  it("is said in the events of idleness and in the explanation, for how long, and the warning stays as it is", () => {
    const line = new Timeline({ provider: "agent" });
    line.beatUntil(at("2:00"), RESIDENT);
    expect(line.view.lifecycle.because).toBe(
      "GPU under 5% since 2025-12-19T00:00:00Z, highest 0%. Resident model (23.1 GB), 2 min without work",
    );
    line.until(at("3:00"));
    expect(line.heartbeat(RESIDENT).actions).toMatchObject([
      { message: "GPU <5% utilization for 3min. Hibernating in 2min." },
    ]);
    line.until(at("4:00")).beatUntil(at("5:00"), RESIDENT);
    expect(line.view.use).toMatchObject({ resident_model_gb: 23.1 });
    expect(line.events.slice(-2)).toMatchObject([
      {
        kind: "idle",
        message:
          "GPU <5% utilization for 3min. Hibernating in 2min. Resident model (23.1 GB), 3 min without work",
        detail: { resident_model_gb: 23.1 },
      },
      {
        kind: "hibernating",
        message: "Hibernating: GPU <5% utilization for 5min. Resident model (23.1 GB), 5 min without work",
        detail: { resident_model_gb: 23.1 },
      },
    ]);
  });

  it("is told of one that nobody can hibernate, in hours after two", () => {
    const line = new Timeline({ provider: "none" });
    line.beatUntil(at("42:00"), RESIDENT);
    expect(line.view.lifecycle.because).toMatch(/\. Resident model \(23\.1 GB\), 42 min without work$/);
    line.until(at("43:00")).beatUntil(at("3:59:00"), RESIDENT);
    expect(line.view.lifecycle.because).toMatch(/\. Resident model \(23\.1 GB\), 3 h without work$/);
    expect(line.events.find(({ kind }) => kind === "would_hibernate")?.message).toBe(
      "Would hibernate for GPU <5% utilization for 5min: no provider. Resident model (23.1 GB), 5 min without work",
    );
  });

  it("is what its GPUs hold together, where the whole is not told", () => {
    const line = new Timeline();
    line.heartbeat({
      gpus: [
        { index: 0, utilization: 0, vram_used_gb: 20 },
        { index: 1, utilization: 0, vram_used_gb: 3.5 },
      ],
    });
    expect(line.view.use?.resident_model_gb).toBe(23.5);
  });

  it("is none under 1 GB, nor while something works or can't be read", () => {
    for (const report of [
      { ...RESIDENT, vram_used_gb: 0.9 },
      { ...RESIDENT, gpu_utilization: 50 },
      { ...RESIDENT, sources: [{ name: "cpu_cores", value: 2 }] },
      { ...RESIDENT, sources: [{ name: "work_vllm", value: null }] },
      { gpu_utilization: 0 },
    ]) {
      const line = new Timeline().beatUntil(at("2:00"), report);
      expect(line.view.use?.resident_model_gb).toBeNull();
      expect(line.view.lifecycle.because).not.toContain("Resident");
    }
  });
});
