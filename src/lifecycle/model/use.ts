import type { Heartbeat, HeartbeatReport } from "./heartbeat.ts";
import { distinctSources } from "./heartbeat-use.ts";
import { highestOf } from "./kept-use.ts";
import { SOURCE_KINDS, type SourceKind } from "./source-settings.ts";
import { firstBytes } from "./text-bytes.ts";

/** What a heartbeat shows of its machine's use, before a policy judges it. */
export interface Evidence {
  /** Of the busiest GPU: the highest since the last heartbeat that was accepted, where the agent tells it. */
  readonly gpuPercent: number | null;
  /** One of the GPUs could not be read: the others prove that it is used, but never that it is not. */
  readonly hasUnreadGpu: boolean;
  readonly cpuPercent: number | null;
  /** Other signs of use, as `2 ssh_sessions`, of an agent that knows no sources. */
  readonly activity: string | null;
  /** Each name once. */
  readonly sources: readonly Source[];
}

/** A source of activity beside the readings. */
export interface Source {
  readonly name: string;
  /** Null: it could not be read. */
  readonly value: number | null;
  /** In the machine's words: shown beside the source, and nowhere else. */
  readonly note: string | null;
}

/** What the newest heartbeat showed, and since when what is quiet is quiet. A gap in the heartbeats ends that. */
export interface UseSeen extends Evidence {
  readonly at: number;
  /** Since when nothing shows use; null while something does, or while something cannot be read. */
  readonly quietSince: number | null;
  readonly sources: readonly SourceSeen[];
  /** Those of which there is something to say. */
  readonly gpus: readonly GpuSeen[];
  /** Since when nothing showed use but what cannot be read; null while it is otherwise. */
  readonly unreadSince: number | null;
  /** When its owner was last told of that, and of a GPU that looks stuck. Absent before. */
  readonly unreadToldAt?: number | undefined;
  readonly stuckToldAt?: number | undefined;
}

export interface SourceSeen extends Source {
  /** Null while it counts as use, or is ignored. */
  readonly quietSince: number | null;
}

export interface GpuSeen {
  readonly index: number;
  /** Since when its utilization is under the threshold. */
  readonly quietSince?: number | undefined;
  /** Since when it has looked stuck: at work by its utilization, and not by its power. */
  readonly stuckSince?: number | undefined;
}

/** One row holds all of an instance: notes of many bytes a character are cut once more. */
const NOTE_BYTES = 240;

/** What the report shows, which is kept as this heartbeat. */
export function evidenceOf(report: HeartbeatReport, heartbeat: Heartbeat): Evidence {
  return {
    ...readingsOf(heartbeat),
    sources: distinctSources(report.sources ?? []).map(({ name, value, note }) => ({
      name,
      value,
      note: note == null ? null : firstBytes(note, NOTE_BYTES),
    })),
  };
}

/** What a heartbeat that was kept shows, or one that comes late: of each kind of source the highest. */
export function evidenceOfKept(heartbeat: Heartbeat): Evidence {
  return { ...readingsOf(heartbeat), sources: SOURCE_KINDS.flatMap((kind) => keptSources(heartbeat, kind)) };
}

function readingsOf({ gpuPercent, cpuPercent, activity, use }: Heartbeat): Omit<Evidence, "sources"> {
  return {
    gpuPercent: highestOf([gpuPercent, use?.gpuMaxPercent]),
    hasUnreadGpu: use?.unread.includes("gpu") ?? false,
    cpuPercent,
    activity,
  };
}

/** Without the names of counters and scripts, which are not kept. */
function keptSources({ use }: Heartbeat, kind: SourceKind): Source[] {
  const highest = use?.sources[SOURCE_KINDS.indexOf(kind)] ?? null;
  const isUnread = use?.unread.includes(kind) ?? false;
  return [
    ...(highest === null ? [] : [{ name: kind, value: highest, note: null }]),
    ...(isUnread ? [{ name: kind, value: null, note: null }] : []),
  ];
}
