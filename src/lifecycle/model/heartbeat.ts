import { z } from "zod";
import {
  deadManSchema,
  hooksSchema,
  preparationSchema,
  reclaimSchema,
  sourcesSchema,
} from "./heartbeat-use.ts";
import { type KeptUse, keptUse } from "./kept-use.ts";
import { plainText } from "./plain-text.ts";

/** What an instance reports about itself. Of `status`, the words that its description names have an effect. */

const utilizationPercent = z.number().min(0).max(100).nullish();
const watts = z.number().min(0).max(1_000_000).nullish();
const gigabytes = z.number().min(0).max(10_000_000).nullish();

/** Longer names are cut, not refused: a long GPU name must not make a machine look silent. */
const GPU_NAME_LENGTH = 64;

const gpuSchema = z.object({
  index: z.int().min(0).max(1023),
  name: plainText
    .overwrite((name) => [...name].slice(0, GPU_NAME_LENGTH).join(""))
    .nullish()
    .describe(`Kept to ${GPU_NAME_LENGTH} characters`),
  utilization: utilizationPercent.describe("Percent; as a mean since the last heartbeat that was accepted"),
  utilization_max: utilizationPercent.describe("The highest since then"),
  vram_used_gb: gigabytes,
  vram_total_gb: gigabytes,
  power_watts: watts.describe("The highest since then"),
  power_limit_watts: watts,
  compute_processes: z.int().min(0).max(1_000_000).nullish(),
});

export type GpuReading = z.infer<typeof gpuSchema>;

const sequence = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const dollars = z.number().min(0).max(1_000_000_000).nullish();

const MAXIMUM_ACTIVITIES = 16;

/** The names appear in what the owner reads, so only identifiers are allowed, not text that could pass for a message. */
const activitySchema = z
  .record(z.string().regex(/^[a-z0-9_]{1,32}$/), z.int().min(0).max(1_000_000), {
    error: ({ code }) =>
      code === "invalid_key" ? "must be 1 to 32 of lower-case letters, digits, '_'" : undefined,
  })
  .refine(
    (activity) => Object.keys(activity).length <= MAXIMUM_ACTIVITIES,
    `must hold at most ${MAXIMUM_ACTIVITIES} activities`,
  );

/**
 * A reading taken while the service was out of reach, in a compact form: its sequence, its age in seconds by a monotonic
 * clock, then GPU, VRAM, CPU, RAM, disk and cost as in the heartbeat itself.
 */
const lateReadingSchema = z.tuple([
  sequence,
  z.number().min(0).max(604_800),
  utilizationPercent,
  gigabytes,
  utilizationPercent,
  gigabytes,
  gigabytes,
  dollars,
]);

export type LateReading = z.infer<typeof lateReadingSchema>;

export const heartbeatSchema = z.object({
  gpu_utilization: utilizationPercent.describe("Percent; with several GPUs the busiest one"),
  gpu_utilization_max: utilizationPercent.describe(
    "The highest of any GPU since the last heartbeat that was accepted: idleness is judged by it where it is there",
  ),
  vram_used_gb: gigabytes,
  cpu_utilization: utilizationPercent,
  ram_used_gb: gigabytes,
  disk_used_gb: gigabytes,
  cost_accumulated: dollars.describe("Dollars since the instance started"),
  status: plainText
    .min(1)
    .max(32)
    .nullish()
    .describe(
      'What the agent does: "running", "preparing" while its owner\'s hooks run, "prepared" after them, "reclaimed" when its provider takes the machine back, or "hibernating" as its last word',
    ),
  uptime_seconds: z.number().min(0).max(10_000_000_000).nullish(),
  gpus: z.array(gpuSchema).max(64).nullish().describe("Each GPU; idleness looks at the busiest"),
  activity: activitySchema
    .nullish()
    .describe(
      "Signs of use beside the readings, such as ssh_sessions and busy_jupyter_kernels, and how many",
    ),
  sources: sourcesSchema.nullish(),
  hooks: hooksSchema.nullish(),
  preparation: preparationSchema.nullish(),
  reclaim: reclaimSchema.nullish(),
  dead_man: deadManSchema.nullish().describe("Of a machine that hibernates itself when the service is away"),
  boot_id: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,64}$/, "must be 1 to 64 of letters, digits, '.', '_', ':', '-'")
    .nullish()
    .describe("Names one run of the agent: another one with each start"),
  sequence: sequence
    .nullish()
    .describe("Grows with each heartbeat of a run: the same one, sent twice, counts once"),
  backlog: z
    .array(lateReadingSchema)
    .max(240)
    .nullish()
    .describe(
      "Readings taken while the service was out of reach, oldest first: [sequence, age_seconds, gpu_utilization, vram_used_gb, cpu_utilization, ram_used_gb, disk_used_gb, cost_accumulated]. They fill the history; liveness and counters go by what came in time. Only with boot_id and sequence",
    ),
});

export type HeartbeatReport = z.infer<typeof heartbeatSchema>;

/** One heartbeat as it is kept: when the server received it, its number, and its readings. */
export interface Heartbeat {
  readonly at: number;
  /** 1 for the instance's first heartbeat, then rising by one. */
  readonly sequence: number;
  readonly gpuPercent: number | null;
  readonly vramUsedGb: number | null;
  readonly cpuPercent: number | null;
  readonly ramUsedGb: number | null;
  readonly diskUsedGb: number | null;
  readonly costAccumulated: number | null;
  readonly uptimeSeconds: number | null;
  readonly status: string | null;
  /** Other signs of use, such as `2 ssh_sessions`; null when there are none or none were reported. */
  readonly activity: string | null;
  /** Of its use, what the readings above leave open. Absent where that was not said, and in what a former release kept. */
  readonly use?: KeptUse | undefined;
  /** When it was last heard before, where that heartbeat is not kept: it was sent once more. Absent where it was not. */
  readonly repeatedAt?: number | undefined;
  /** It was taken while the service was out of reach, and came later. Absent is no. */
  readonly isLate?: boolean | undefined;
}

export function heartbeatFrom(report: HeartbeatReport, at: number, sequence: number): Heartbeat {
  return {
    at,
    sequence,
    gpuPercent: busiestGpuPercent(report),
    vramUsedGb: report.vram_used_gb ?? null,
    cpuPercent: report.cpu_utilization ?? null,
    ramUsedGb: report.ram_used_gb ?? null,
    diskUsedGb: report.disk_used_gb ?? null,
    costAccumulated: report.cost_accumulated ?? null,
    uptimeSeconds: report.uptime_seconds ?? null,
    status: report.status ?? null,
    activity: report.sources == null ? describeActivity(report.activity ?? {}) : null,
    use: keptUse(report),
  };
}

function busiestGpuPercent(report: HeartbeatReport): number | null {
  const readings = [report.gpu_utilization, ...(report.gpus ?? []).map((gpu) => gpu.utilization)].filter(
    (percent) => percent != null,
  );
  return readings.length === 0 ? null : Math.max(...readings);
}

/** This many activities are named; the rest are only counted. */
const ACTIVITIES_NAMED = 8;

function describeActivity(activity: Readonly<Record<string, number>>): string | null {
  const used = Object.entries(activity).filter(([, count]) => count > 0);
  if (used.length === 0) return null;
  const named = used.slice(0, ACTIVITIES_NAMED).map(([what, count]) => `${count} ${what}`);
  const more = used.length - named.length;
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

/** A late reading, as a heartbeat of the moment at which it was taken. */
export function heartbeatFromLateReading(late: LateReading, at: number, sequence: number): Heartbeat {
  const [, , gpuPercent, vramUsedGb, cpuPercent, ramUsedGb, diskUsedGb, costAccumulated] = late;
  return {
    at,
    sequence,
    gpuPercent: gpuPercent ?? null,
    vramUsedGb: vramUsedGb ?? null,
    cpuPercent: cpuPercent ?? null,
    ramUsedGb: ramUsedGb ?? null,
    diskUsedGb: diskUsedGb ?? null,
    costAccumulated: costAccumulated ?? null,
    uptimeSeconds: null,
    status: null,
    activity: null,
    isLate: true,
  };
}

export interface IdleReading {
  readonly metric: "GPU" | "CPU";
  readonly percent: number;
}

/**
 * The reading that idleness is judged by, or null when it is unknown. `auto` takes the CPU only for an instance that
 * never reported a GPU: if a GPU can no longer be read, nobody knows how busy the instance is.
 */
export function idleReading(
  heartbeat: Pick<Heartbeat, "gpuPercent" | "cpuPercent">,
  metric: "gpu" | "cpu" | "auto",
  hasGpu: boolean,
): IdleReading | null {
  const gpu =
    heartbeat.gpuPercent === null ? null : ({ metric: "GPU", percent: heartbeat.gpuPercent } as const);
  const cpu =
    heartbeat.cpuPercent === null ? null : ({ metric: "CPU", percent: heartbeat.cpuPercent } as const);
  switch (metric) {
    case "gpu":
      return gpu;
    case "cpu":
      return cpu;
    case "auto":
      return hasGpu ? gpu : (gpu ?? cpu);
  }
}
