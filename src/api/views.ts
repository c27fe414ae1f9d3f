import { z } from "zod";
import { UNREADABLE_MESSAGE } from "../http/errors.ts";
import { STATUSES } from "../lifecycle/model/phase.ts";
import {
  instancePolicyOverridesSchema,
  policyOverridesSchema,
  policySettingsSchema,
} from "../lifecycle/model/policy-settings.ts";
import { providerKindSchema } from "../lifecycle/model/provider.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { type Guard, OPEN_GUARD } from "../lifecycle/rules/outage-guard.ts";
import type { DetailView, HeartbeatView, LiveView } from "../lifecycle/views/instance-view.ts";

/** What the API says about an instance, with the examples of the product's specification. */

const instant = z.string().describe("ISO 8601, UTC, whole seconds");

export const statusSchema = z.enum(STATUSES);

export const healthSchema = z.enum(["healthy", "idle", "late", "unhealthy", "inactive"]);

const explanationSchema = z
  .object({
    next_step: z.enum(["warn", "hibernate", "orphan", "force_hibernate", "delete"]).nullable(),
    at: instant.nullable(),
    in_seconds: z.number().nullable(),
    because: z.string().describe("The evidence"),
    blocked_by: z
      .enum([
        "keep_alive",
        "guard",
        "activity",
        "policy_disabled",
        "stale_evidence",
        "no_provider",
        "wake_grace",
      ])
      .nullable(),
  })
  .describe("What comes next, when, why, and what holds it back");

export const liveSchema = z.object({
  instance_id: z.string(),
  name: z.string(),
  status: statusSchema,
  last_heartbeat: instant.nullable(),
  seconds_since_heartbeat: z.number().nullable(),
  health: healthSchema,
  gpu_utilization: z.number().nullable().describe("Percent; null unless the instance is running"),
  gpu_trend: z
    .array(z.number().nullable())
    .readonly()
    .describe(
      "GPU percent of each of the last sixty heartbeat intervals, oldest first; null where none was reported",
    ),
  cost_today: z.number().describe("Dollars since 00:00 UTC"),
  alert: z.string().optional(),
  provider: providerKindSchema,
  provider_ref: z.string().nullable().describe("The provider's own id; null when it is the instance's"),
  hourly_cost: z.number().nullable(),
  hibernated_hourly_cost: z.number().nullable(),
  registered_at: instant,
  orphaned_since: instant.nullable(),
  hibernated_since: instant.nullable(),
  keep_alive_until: instant.nullable(),
  lifecycle: explanationSchema,
}) satisfies z.ZodType<LiveView>;

const unreadableSchema = z
  .object({
    instance_id: z.string(),
    error: z.object({ code: z.literal("unreadable"), message: z.string() }),
  })
  .describe(
    "An instance whose stored state this version of the service cannot read; nothing is done about it",
  );

/** One entry of the list. Those with `error` have nothing else to say. */
export const listEntrySchema = z.union([liveSchema, unreadableSchema]);

export type ListEntry = LiveView | z.infer<typeof unreadableSchema>;

export function unreadableEntry(instanceId: string, because: string): z.infer<typeof unreadableSchema> {
  return {
    instance_id: instanceId,
    error: { code: "unreadable", message: `${UNREADABLE_MESSAGE}: ${because}` },
  };
}

export const heartbeatViewSchema = z.object({
  timestamp: instant,
  gpu_utilization: z.number().nullable(),
  vram_used_gb: z.number().nullable(),
  cpu_utilization: z.number().nullable(),
  ram_used_gb: z.number().nullable(),
  disk_used_gb: z.number().nullable(),
  cost_accumulated: z.number().nullable(),
  uptime_seconds: z.number().nullable(),
  status: z.string().nullable(),
}) satisfies z.ZodType<HeartbeatView>;

export const detailSchema = liveSchema.extend({
  total_heartbeats: z.number(),
  first_heartbeat: instant.nullable(),
  uptime_percent: z.number().nullable().describe("Heartbeats received of those expected"),
  missed_heartbeats: z.number(),
  avg_gpu_utilization: z.number().nullable(),
  cost_accumulated: z.number().nullable(),
  gpus: z.array(
    z.object({
      index: z.number(),
      name: z.string().nullable(),
      utilization: z.number().nullable(),
      vram_used_gb: z.number().nullable(),
      vram_total_gb: z.number().nullable(),
    }),
  ),
  recent_heartbeats: z.array(heartbeatViewSchema).describe("Newest first"),
}) satisfies z.ZodType<DetailView>;

export const detailWithPolicySchema = detailSchema.extend({
  policy: policySettingsSchema.describe("The policy as it stands for this instance"),
  policy_overrides: z
    .object({ user: policyOverridesSchema, instance: instancePolicyOverridesSchema })
    .describe("Where its values come from: the instance's own, else the user's, else the service's defaults"),
});

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

const runningExample: z.infer<typeof liveSchema> = {
  instance_id: "28864630",
  name: "ML Training Rig",
  status: "running",
  last_heartbeat: "2025-12-19T03:25:30Z",
  seconds_since_heartbeat: 15,
  health: "healthy",
  gpu_utilization: 87,
  gpu_trend: [null, 12, 84, 87],
  cost_today: 2.4,
  provider: "agent",
  provider_ref: null,
  hourly_cost: 0.4,
  hibernated_hourly_cost: 0.01,
  registered_at: "2025-12-18T11:58:00Z",
  orphaned_since: null,
  hibernated_since: null,
  keep_alive_until: null,
  lifecycle: {
    next_step: null,
    at: null,
    in_seconds: null,
    because: "Heartbeats arrive; GPU at 87%",
    blocked_by: null,
  },
};

const orphanedExample: z.infer<typeof liveSchema> = {
  ...runningExample,
  instance_id: "98765432",
  name: "Render Farm",
  status: "orphaned",
  last_heartbeat: "2025-12-19T02:15:00Z",
  seconds_since_heartbeat: 4230,
  health: "unhealthy",
  gpu_utilization: null,
  cost_today: 8.5,
  alert: "No heartbeat for 70 minutes. May be stuck.",
  orphaned_since: "2025-12-19T02:20:00Z",
  lifecycle: {
    next_step: "force_hibernate",
    at: "2025-12-19T04:15:00Z",
    in_seconds: 2970,
    because: "No heartbeat since 2025-12-19T02:15:00Z, orphaned since 2025-12-19T02:20:00Z",
    blocked_by: "no_provider",
  },
};

export const guardSchema = z
  .object({
    state: z.enum(["open", "closed"]),
    closed_at: instant.nullable(),
    opened_at: instant.nullable().describe("When it last opened"),
    service_wide: z.enum(["open", "closed"]),
  })
  .describe("The mass-outage guard: while it is closed, nothing is done that stems from silence");

export function guardView(guards: { user: Guard; service: Guard }): z.infer<typeof guardSchema> {
  const { user, service } = guards;
  return {
    state: user.closedAt === null ? "open" : "closed",
    closed_at: user.closedAt === null ? null : toIso(user.closedAt),
    opened_at: user.openedAt === null ? null : toIso(user.openedAt),
    service_wide: service.closedAt === null ? "open" : "closed",
  };
}

export const listExample = {
  server_time: "2025-12-19T03:25:45Z",
  instances: [runningExample, orphanedExample],
  next_cursor: null,
  guard: guardView({ user: OPEN_GUARD, service: OPEN_GUARD }),
};

export const detailExample: z.infer<typeof detailSchema> = {
  ...runningExample,
  total_heartbeats: 542,
  first_heartbeat: "2025-12-18T12:00:00Z",
  uptime_percent: 99.8,
  missed_heartbeats: 1,
  avg_gpu_utilization: 82.5,
  cost_accumulated: 2.4,
  gpus: [{ index: 0, name: "NVIDIA RTX 4090", utilization: 87, vram_used_gb: 18.4, vram_total_gb: 24 }],
  recent_heartbeats: [heartbeatExample],
};
