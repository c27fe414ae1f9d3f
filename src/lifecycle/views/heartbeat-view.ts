import type { Heartbeat } from "../model/heartbeat.ts";
import type { KeptUse } from "../model/kept-use.ts";
import { SOURCE_KINDS, type SourceKind } from "../model/source-settings.ts";
import { toIso } from "../model/time.ts";

/** A heartbeat that is kept. The field names are those of the HTTP API. */
export interface HeartbeatView {
  readonly timestamp: string;
  readonly gpu_utilization: number | null;
  readonly gpu_utilization_max: number | null;
  readonly vram_used_gb: number | null;
  readonly cpu_utilization: number | null;
  readonly ram_used_gb: number | null;
  readonly disk_used_gb: number | null;
  readonly cost_accumulated: number | null;
  readonly uptime_seconds: number | null;
  readonly status: string | null;
  readonly activity: string | null;
  /** The highest of each kind that was read. */
  readonly sources: Readonly<Partial<Record<SourceKind, number>>>;
  readonly unread: readonly string[];
  readonly preparation: string | null;
  readonly late: boolean;
}

export function heartbeatView(heartbeat: Heartbeat): HeartbeatView {
  const { use } = heartbeat;
  return {
    timestamp: toIso(heartbeat.at),
    gpu_utilization: heartbeat.gpuPercent,
    gpu_utilization_max: use?.gpuMaxPercent ?? null,
    vram_used_gb: heartbeat.vramUsedGb,
    cpu_utilization: heartbeat.cpuPercent,
    ram_used_gb: heartbeat.ramUsedGb,
    disk_used_gb: heartbeat.diskUsedGb,
    cost_accumulated: heartbeat.costAccumulated,
    uptime_seconds: heartbeat.uptimeSeconds,
    status: heartbeat.status,
    activity: heartbeat.activity,
    sources: use === undefined ? {} : sourcesOf(use),
    unread: use?.unread ?? [],
    preparation: use?.preparation ?? null,
    late: heartbeat.isLate ?? false,
  };
}

function sourcesOf({ sources }: KeptUse): HeartbeatView["sources"] {
  return Object.fromEntries(
    SOURCE_KINDS.flatMap((kind, place) => {
      const highest = sources[place] ?? null;
      return highest === null ? [] : [[kind, highest]];
    }),
  );
}
