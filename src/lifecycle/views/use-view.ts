import type { GpuReading } from "../model/heartbeat.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import type { SourceSeen } from "../model/use.ts";
import { residentModelGb } from "../rules/resident-model.ts";
import { type SourceState, stateOf, thresholdOf } from "../rules/use.ts";

/** What a running instance is used for, source by source. The field names are those of the HTTP API. */
export interface UseView {
  /** When that was heard. */
  readonly at: string;
  readonly sources: readonly SourceView[];
  /** Since when neither the metric nor any source shows use; null while one does, or can't be read. */
  readonly without_work_since: string | null;
  /** GPU memory that is held without work; null while there is work, or next to none is held. */
  readonly resident_model_gb: number | null;
}

export interface SourceView {
  readonly name: string;
  readonly value: number | null;
  /** It counts as use from here on; null: it is ignored. */
  readonly threshold: number | null;
  readonly state: SourceState;
  readonly quiet_since: string | null;
  /** In the machine's words. */
  readonly note: string | null;
}

/** One GPU as last reported. */
export interface GpuView {
  readonly index: number;
  readonly name: string | null;
  readonly utilization: number | null;
  readonly utilization_max: number | null;
  /** Since when its utilization is under the policy's threshold. */
  readonly quiet_since: string | null;
  readonly vram_used_gb: number | null;
  readonly vram_total_gb: number | null;
  readonly power_watts: number | null;
  readonly power_limit_watts: number | null;
  readonly compute_processes: number | null;
}

/** Null for an instance that does not run: what was last heard of it is out of date. */
export function useView(state: InstanceState, policy: Policy): UseView | null {
  const { use, phase } = state;
  if (use === undefined || (phase.status !== "running" && phase.status !== "hibernating")) return null;
  return {
    at: toIso(use.at),
    sources: use.sources.map((source) => sourceView(source, policy)),
    without_work_since: use.quietSince === null ? null : toIso(use.quietSince),
    resident_model_gb: residentModelGb(state),
  };
}

function sourceView({ name, value, note, quietSince }: SourceSeen, { idle }: Policy): SourceView {
  return {
    name,
    value,
    threshold: thresholdOf(name, idle),
    state: stateOf({ name, value }, idle),
    quiet_since: quietSince === null ? null : toIso(quietSince),
    note,
  };
}

export function gpuViews({ agent, use }: InstanceState): readonly GpuView[] {
  const seen = new Map(use?.gpus.map((gpu) => [gpu.index, gpu]));
  return agent.gpus.map((gpu) => gpuView(gpu, seen.get(gpu.index)?.quietSince));
}

function gpuView(gpu: GpuReading, quietSince: number | undefined): GpuView {
  return {
    index: gpu.index,
    name: gpu.name ?? null,
    utilization: gpu.utilization ?? null,
    utilization_max: gpu.utilization_max ?? null,
    quiet_since: quietSince === undefined ? null : toIso(quietSince),
    vram_used_gb: gpu.vram_used_gb ?? null,
    vram_total_gb: gpu.vram_total_gb ?? null,
    power_watts: gpu.power_watts ?? null,
    power_limit_watts: gpu.power_limit_watts ?? null,
    compute_processes: gpu.compute_processes ?? null,
  };
}
