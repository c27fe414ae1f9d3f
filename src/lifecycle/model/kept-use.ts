import { distinctSources, type PreparationReport, type SourceReading } from "./heartbeat-use.ts";
import { SOURCE_KINDS, type SourceKind, sourceKindOf } from "./source-settings.ts";

/**
 * What is kept of a heartbeat so that its use can be judged later, by any policy. All sources of a kind share a threshold, so the
 * highest of each kind says as much as all of them.
 */
export interface KeptUse {
  /** The highest of any GPU since the last heartbeat that was accepted; null where that was not told. */
  readonly gpuMaxPercent: number | null;
  /** The highest of each kind of source, in the order of `SOURCE_KINDS`; null where none was read. Nulls at the end are left out. */
  readonly sources: readonly (number | null)[];
  /** What could not be read, at least in part. */
  readonly unread: readonly (SourceKind | "gpu")[];
  /** How far its owner's hooks had come; null without any. */
  readonly preparation: PreparationReport["state"] | null;
}

/** What a heartbeat reports of it. */
export interface UseReport {
  readonly gpu_utilization_max?: number | null | undefined;
  readonly gpus?: readonly GpuUse[] | null | undefined;
  readonly sources?: readonly SourceReading[] | null | undefined;
  readonly preparation?: PreparationReport | null | undefined;
}

interface GpuUse {
  readonly utilization?: number | null | undefined;
  readonly utilization_max?: number | null | undefined;
}

/** Absent where the report says nothing of that. */
export function keptUse(report: UseReport): KeptUse | undefined {
  const use = useIn(report);
  const isSaid =
    use.gpuMaxPercent !== null || use.sources.length > 0 || use.unread.length > 0 || use.preparation !== null;
  return isSaid ? use : undefined;
}

function useIn(report: UseReport): KeptUse {
  const highest: (number | null)[] = SOURCE_KINDS.map(() => null);
  const unread = new Set<SourceKind | "gpu">(hasUnreadGpu(report) ? ["gpu"] : []);
  for (const { name, value } of distinctSources(report.sources ?? [])) {
    const kind = sourceKindOf(name);
    const place = SOURCE_KINDS.indexOf(kind);
    if (value === null) unread.add(kind);
    else highest[place] = Math.max(highest[place] ?? 0, value);
  }
  return {
    gpuMaxPercent: highestOf([
      report.gpu_utilization_max,
      ...(report.gpus ?? []).map((gpu) => gpu.utilization_max),
    ]),
    sources: highest.slice(0, highest.findLastIndex((value) => value !== null) + 1),
    unread: [...unread],
    preparation: report.preparation?.state ?? null,
  };
}

/** The highest that is known; null where none is. */
export function highestOf(percents: readonly (number | null | undefined)[]): number | null {
  const known = percents.filter((percent) => percent != null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Whether a GPU of the list could not be read. A list without any utilization only says which GPUs there are. */
function hasUnreadGpu({ gpus }: UseReport): boolean {
  const readings = (gpus ?? []).map((gpu) => gpu.utilization_max ?? gpu.utilization);
  const isRead = readings.some((percent) => typeof percent === "number");
  return readings.some((percent) => percent === null || (isRead && percent === undefined));
}
