import type { z } from "zod";
import { stoppedRisks } from "../../lifecycle/model/stopped-risks.ts";
import type { detailSchema } from "./detail-schema.ts";
import type { heartbeatViewSchema, liveSchema } from "./schemas.ts";

/** The examples of the product's specification, for the OpenAPI document. */

export const runningExample: z.infer<typeof liveSchema> = {
  instance_id: "28864630",
  name: "ML Training Rig",
  status: "running",
  last_heartbeat: "2025-12-19T03:25:30Z",
  seconds_since_heartbeat: 15,
  health: "healthy",
  gpu_utilization: 87,
  gpu_trend: [null, 12, 84, 87],
  cost_today: 2.4,
  cost_source: "reported",
  rate: 0.4,
  rate_source: "registered",
  wasted_today: 0,
  provider: "agent",
  connection: null,
  provider_ref: null,
  hourly_cost: 0.4,
  hibernated_hourly_cost: 0.01,
  running_cost: 0.4,
  hibernated_cost: 0.01,
  hibernated_cost_source: "registered",
  tags: { team: "vision", env: "prod" },
  registered_at: "2025-12-18T11:58:00Z",
  orphaned_since: null,
  hibernated_since: null,
  keep_alive_until: null,
  mode: "act",
  lifecycle: {
    next_step: null,
    at: null,
    in_seconds: null,
    because: "Heartbeats arrive; GPU at 87%",
    blocked_by: null,
  },
  control: { nobody_can_stop: false, can_hibernate: true, can_wake: false, why_not: null },
};

export const orphanedExample: z.infer<typeof liveSchema> = {
  ...runningExample,
  instance_id: "98765432",
  name: "Render Farm",
  status: "orphaned",
  last_heartbeat: "2025-12-19T02:15:00Z",
  seconds_since_heartbeat: 4230,
  health: "unhealthy",
  gpu_utilization: null,
  cost_today: 8.5,
  cost_source: "mixed",
  wasted_today: 0.44,
  alert: "No heartbeat for 70 minutes. May be stuck.",
  orphaned_since: "2025-12-19T02:20:00Z",
  lifecycle: {
    next_step: "force_hibernate",
    at: null,
    in_seconds: null,
    because: "No heartbeat since 2025-12-19T02:15:00Z, orphaned since 2025-12-19T02:20:00Z",
    blocked_by: "no_provider",
  },
  control: { nobody_can_stop: true, can_hibernate: false, can_wake: false, why_not: "silent" },
};

export const heartbeatExample: z.infer<typeof heartbeatViewSchema> = {
  timestamp: "2025-12-19T03:25:30Z",
  gpu_utilization: 87,
  vram_used_gb: 18.4,
  cpu_utilization: 45,
  ram_used_gb: 12,
  disk_used_gb: 45.2,
  cost_accumulated: 2.4,
  uptime_seconds: 7200,
  status: "running",
};

export const detailExample: z.infer<typeof detailSchema> = {
  ...runningExample,
  total_heartbeats: 542,
  first_heartbeat: "2025-12-18T12:00:00Z",
  uptime_percent: 99.8,
  missed_heartbeats: 1,
  avg_gpu_utilization: 82.5,
  cost_accumulated: 2.4,
  stopped_risks: stoppedRisks("agent", 0.01),
  wake_failed: null,
  preparation: null,
  reclaimed: null,
  cost_total: 6.1,
  wasted_total: 0,
  gpus: [{ index: 0, name: "NVIDIA RTX 4090", utilization: 87, vram_used_gb: 18.4, vram_total_gb: 24 }],
  recent_heartbeats: [heartbeatExample],
};
