import { z } from "zod";

/** What an instance reports about itself. Only `status: "hibernating"` (its last word) steers anything. */

const utilizationPercent = z.number().min(0).max(100).nullish();
const gigabytes = z.number().min(0).max(10_000_000).nullish();

export const heartbeatSchema = z.object({
  gpu_utilization: utilizationPercent.describe("Percent; with several GPUs the busiest one"),
  vram_used_gb: gigabytes,
  cpu_utilization: utilizationPercent,
  ram_used_gb: gigabytes,
  disk_used_gb: gigabytes,
  cost_accumulated: z
    .number()
    .min(0)
    .max(1_000_000_000)
    .nullish()
    .describe("Dollars since the instance started"),
  status: z
    .string()
    .min(1)
    .max(32)
    .nullish()
    .describe('What the agent does: "running", or "hibernating" as its last word'),
  uptime_seconds: z.number().min(0).max(10_000_000_000).nullish(),
});

export type HeartbeatReport = z.infer<typeof heartbeatSchema>;

/** One heartbeat as it is kept: when the server received it, its number, and what it said. */
export interface Heartbeat {
  readonly at: number;
  /** 1 for the instance's first heartbeat, then without a hole. */
  readonly sequence: number;
  readonly gpuPercent: number | null;
  readonly vramUsedGb: number | null;
  readonly cpuPercent: number | null;
  readonly ramUsedGb: number | null;
  readonly diskUsedGb: number | null;
  readonly costAccumulated: number | null;
  readonly uptimeSeconds: number | null;
  readonly status: string | null;
}

export function heartbeatFrom(report: HeartbeatReport, at: number, sequence: number): Heartbeat {
  return {
    at,
    sequence,
    gpuPercent: report.gpu_utilization ?? null,
    vramUsedGb: report.vram_used_gb ?? null,
    cpuPercent: report.cpu_utilization ?? null,
    ramUsedGb: report.ram_used_gb ?? null,
    diskUsedGb: report.disk_used_gb ?? null,
    costAccumulated: report.cost_accumulated ?? null,
    uptimeSeconds: report.uptime_seconds ?? null,
    status: report.status ?? null,
  };
}

/** The reading that idleness is judged by, or null when the instance does not report it. */
export function idleReading(
  heartbeat: Heartbeat,
  metric: "gpu" | "cpu" | "auto",
): { readonly metric: "GPU" | "CPU"; readonly percent: number } | null {
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
      return gpu ?? cpu;
  }
}
