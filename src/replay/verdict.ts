import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { SOURCE_KINDS, type SourceKind, thresholdOfKind } from "../lifecycle/model/source-settings.ts";

/**
 * How a policy judges a reading that was kept, as a number and without a word why: a week of one instance has ten thousand, and each
 * is judged by every policy. `judge` says the same.
 */

/** Nothing shows use, by the GPU or by the CPU: an idle run goes by one of them. */
export const QUIET_BY_GPU = 0;
export const QUIET_BY_CPU = 1;
export const ACTIVE = 2;
/** Nothing shows use, but for what cannot be read. */
export const UNKNOWN = 3;

export function isQuiet(verdict: number | undefined): boolean {
  return verdict === QUIET_BY_GPU || verdict === QUIET_BY_CPU;
}

/** By what readings are judged: policies of which this is the same judge alike. */
export function judgesBy({ metric, thresholdPercent, respectActivity, sources }: Policy["idle"]): string {
  return JSON.stringify([
    metric,
    thresholdPercent,
    respectActivity,
    SOURCE_KINDS.map((kind) => thresholdOfKind(kind, sources)),
  ]);
}

export type Judge = (reading: Heartbeat) => number;

/** Judges by this policy. `hasGpu`: whether the instance ever reported a GPU. */
export function judgeBy(
  { metric, thresholdPercent, respectActivity, sources }: Policy["idle"],
  hasGpu: boolean,
): Judge {
  const from = SOURCE_KINDS.map(
    (kind) => (respectActivity ? thresholdOfKind(kind, sources) : null) ?? Number.POSITIVE_INFINITY,
  );
  const counts = (kind: SourceKind | "gpu") =>
    kind !== "gpu" && from[SOURCE_KINDS.indexOf(kind)] !== Number.POSITIVE_INFINITY;
  return (reading) => {
    const { use, cpuPercent } = reading;
    const gpuPercent = highestGpuPercent(reading);
    const isGpuUnread = use !== undefined && use.unread.length > 0 && use.unread.includes("gpu");
    const isByCpu = metric === "cpu" || (metric === "auto" && !hasGpu && !isGpuUnread && gpuPercent === null);
    const percent = isByCpu ? cpuPercent : gpuPercent;
    if (percent !== null && percent >= thresholdPercent) return ACTIVE;
    if (respectActivity && reading.activity !== null) return ACTIVE;
    let isUnread = percent === null || (isGpuUnread && !isByCpu);
    if (use !== undefined) {
      for (let kind = 0; kind < use.sources.length; kind++) {
        const value = use.sources[kind];
        if (typeof value === "number" && value >= (from[kind] ?? Number.POSITIVE_INFINITY)) return ACTIVE;
      }
      if (use.unread.length > 0) isUnread ||= use.unread.some(counts);
    }
    if (isUnread) return UNKNOWN;
    return isByCpu ? QUIET_BY_CPU : QUIET_BY_GPU;
  };
}

/** Of any GPU, since the reading before; null where none was read. */
export function highestGpuPercent({ gpuPercent, use }: Heartbeat): number | null {
  const highest = use?.gpuMaxPercent ?? null;
  return gpuPercent === null || (highest !== null && highest > gpuPercent) ? highest : gpuPercent;
}
