import type { GpuReading, Heartbeat, HeartbeatReport } from "../lifecycle/model/heartbeat.ts";
import { sourceKindOf } from "../lifecycle/model/source-settings.ts";
import { evidenceOfKept, type Source } from "../lifecycle/model/use.ts";

/** A heartbeat that was kept, as its agent would report it again: by it every policy judges as it judged then. */
export function reportOf(heartbeat: Heartbeat): HeartbeatReport {
  const { sources, hasUnreadGpu } = evidenceOfKept(heartbeat);
  return {
    gpu_utilization: heartbeat.gpuPercent,
    gpu_utilization_max: heartbeat.use?.gpuMaxPercent ?? null,
    vram_used_gb: heartbeat.vramUsedGb,
    cpu_utilization: heartbeat.cpuPercent,
    ram_used_gb: heartbeat.ramUsedGb,
    disk_used_gb: heartbeat.diskUsedGb,
    ...(hasUnreadGpu ? { gpus: UNREAD } : {}),
    ...(heartbeat.use === undefined || sources.length === 0
      ? { activity: activityOf(heartbeat.activity) }
      : {
          sources: sources.map(({ name, value }, index) => ({
            name: nameOf(name, sources[index - 1]),
            value,
          })),
        }),
  };
}

/** Of two sources of a kind, one of which could not be read, each has a name of its own. */
function nameOf(name: string, before: Pick<Source, "name"> | undefined): string {
  if (before?.name !== name) return name;
  switch (sourceKindOf(name)) {
    case "work":
      return "work_unread";
    case "scripts":
      return "script_unread";
    case "other":
      return "other_unread";
    default:
      return name;
  }
}

/** One GPU that could not be read. */
const UNREAD: GpuReading[] = [{ index: 0, utilization: null }];

/** `2 ssh_sessions, 1 kernels` as counts by name; null where none is said. */
function activityOf(activity: string | null): Record<string, number> | null {
  if (activity === null) return null;
  const counts = activity.split(", ").map((each) => /^(\d+) (.+)$/.exec(each));
  return Object.fromEntries(
    counts.flatMap((count) => (count === null ? [] : [[count[2], Number(count[1])]])),
  );
}
