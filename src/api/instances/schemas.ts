import { z } from "zod";
import type { GuardView, SummaryView } from "../../fleet/live/messages.ts";
import { component } from "../../http/openapi.ts";
import { MAXIMUM_HOURLY_COST } from "../../lifecycle/model/counters.ts";
import { STATUSES } from "../../lifecycle/model/phase.ts";
import {
  instancePolicyOverridesSchema,
  policySettingsSchema,
} from "../../lifecycle/model/policy-settings.ts";
import { providerKindSchema } from "../../lifecycle/model/provider.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { RATE_SOURCES } from "../../lifecycle/rules/costs.ts";
import type { Control } from "../../lifecycle/views/control.ts";
import { COST_SOURCES, type CostsView } from "../../lifecycle/views/costs.ts";
import type { HeartbeatView } from "../../lifecycle/views/heartbeat-view.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { presetSchema } from "../presets.ts";
import { instant } from "./instant.ts";
import { tagsViewSchema } from "./tags.ts";

/** What several endpoints of this folder share: the fields that are sent, and the views that are answered. */

/** No slash: actors are named `user/instance`. */
export const instanceIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, text("must.be_instance_id"));

export const instanceParams = z.object({ id: instanceIdSchema });

export const nameSchema = z.string().trim().min(1).max(200);

export const providerRefSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9._:/-]+$/, text("must.be_reference"))
  .nullable()
  .describe("The provider's own id of the instance; null when it is the same");

export const connectionIdSchema = z.string().regex(/^[a-z0-9-]{1,64}$/, text("must.be_connection_id"));

export const hourlyCostSchema = z
  .number()
  .min(0)
  .max(MAXIMUM_HOURLY_COST)
  .nullable()
  .describe("Dollars an hour");

export const ownOverridesSchema = component("InstancePolicyOverrides", instancePolicyOverridesSchema);

export const newOwnOverridesSchema = component(
  "NewInstancePolicyOverrides",
  instancePolicyOverridesSchema.extend({ preset: presetSchema.optional() }),
);

export const statusSchema = z.enum(STATUSES);

export const healthSchema = z.enum(["healthy", "idle", "late", "unhealthy", "inactive"]);

export const explanationSchema = component(
  "LifecycleExplanation",
  z
    .object({
      next_step: z
        .enum(["warn", "hibernate", "orphan", "never_heard", "force_hibernate", "delete", "wake"])
        .nullable(),
      at: instant.nullable().describe("Null for a step that can't come, since nobody could carry it out"),
      in_seconds: z.number().nullable(),
      because: z.string().describe("The evidence"),
      blocked_by: z
        .enum([
          "keep_alive",
          "schedule",
          "maintenance",
          "guard",
          "activity",
          "policy_disabled",
          "stale_evidence",
          "no_provider",
          "wake_grace",
          "observe",
        ])
        .nullable(),
    })
    .describe("What comes next, when, why, and what holds it back"),
);

const controlSchema = component(
  "InstanceControl",
  z
    .object({
      nobody_can_stop: z
        .boolean()
        .describe("It may run, and cost money, and neither its agent nor its provider could stop it"),
      can_hibernate: z.boolean().describe("Whether an order to hibernate would be carried out by somebody"),
      can_wake: z.boolean(),
      why_not: z
        .enum(["no_provider", "silent", "not_connected", "refused", "cannot_stop"])
        .nullable()
        .describe(
          "What stands against orders. `no_provider`: nobody carries them out. `silent`: its own agent alone could, and is not heard. `not_connected`: there are no credentials for its provider. `refused`: the provider refuses them. `cannot_stop`: its provider can't stop machines, and only a deletion ends the bill",
        ),
    })
    .describe("Whether anybody could stop the machine as it stands, and if not, why"),
) satisfies z.ZodType<Control>;

const costFields = {
  cost_today: z.number().describe("Dollars since 00:00 UTC"),
  cost_source: z
    .enum(COST_SOURCES)
    .describe(
      "`reported` by the machine, `computed` from its price and time, `mixed`; `unknown`: no known price, and nothing reported",
    ),
  rate: z.number().nullable().describe("Dollars an hour now; null while unknown"),
  rate_source: z
    .enum(RATE_SOURCES)
    .describe(
      "`registered` by its owner, the `provider`'s word, `learnt` from what it reports, `unknown`; `none`: there is no machine any more",
    ),
  wasted_today: z
    .number()
    .describe("Of `cost_today`: while it was idle past the warning, orphaned, or never heard"),
} satisfies { [Field in keyof CostsView]: z.ZodType<CostsView[Field]> };

export const liveSchema = component(
  "Instance",
  z.object({
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
    ...costFields,
    alert: z.string().optional(),
    provider: providerKindSchema,
    connection: z
      .string()
      .nullable()
      .describe("The id of the connection by which the provider is called; null where nobody is called"),
    provider_ref: z.string().nullable().describe("The provider's own id; null when it is the instance's"),
    hourly_cost: z.number().nullable(),
    hibernated_hourly_cost: z.number().nullable().describe("As it was registered"),
    running_cost: z
      .number()
      .nullable()
      .describe("Dollars an hour that it costs while it runs; null while that is unknown"),
    hibernated_cost: z
      .number()
      .nullable()
      .describe("Dollars an hour that it costs while it is hibernated; null while that is unknown"),
    hibernated_cost_source: z
      .enum(["registered", "provider", "unknown"])
      .describe("Whose word `hibernated_cost` is: its owner's, or its provider's"),
    tags: tagsViewSchema,
    registered_at: instant,
    orphaned_since: instant.nullable(),
    hibernated_since: instant.nullable(),
    keep_alive_until: instant.nullable(),
    mode: policySettingsSchema.shape.mode,
    lifecycle: explanationSchema,
    control: controlSchema,
  }) satisfies z.ZodType<ShownView>,
);

export const summarySchema = component(
  "InstanceSummary",
  liveSchema.extend({
    as_of: instant.describe(
      "When the instance was so. It reports what happens to it; a steady heartbeat is not reported, so `last_heartbeat`, the GPU and the cost are as old as this",
    ),
  }) satisfies z.ZodType<SummaryView>,
);

export const guardSchema = component(
  "OutageGuard",
  z
    .object({
      state: z.enum(["open", "closed"]),
      closed_at: instant.nullable(),
      opened_at: instant.nullable().describe("When it last opened"),
      service_wide: z.enum(["open", "closed"]),
    })
    .describe(
      "The mass-outage guard: while it is closed, nothing is done that stems from silence",
    ) satisfies z.ZodType<GuardView>,
);

export const heartbeatViewSchema = component(
  "Heartbeat",
  z.object({
    timestamp: instant,
    gpu_utilization: z.number().nullable(),
    gpu_utilization_max: z
      .number()
      .nullable()
      .describe("The highest of any GPU since the heartbeat before; null where that was not told"),
    vram_used_gb: z.number().nullable(),
    cpu_utilization: z.number().nullable(),
    ram_used_gb: z.number().nullable(),
    disk_used_gb: z.number().nullable(),
    cost_accumulated: z.number().nullable(),
    uptime_seconds: z.number().nullable(),
    status: z.string().nullable(),
    activity: z.string().nullable().describe("Signs of use, of an agent that knows no sources"),
    sources: z
      .record(z.string(), z.number())
      .describe(
        "The highest of each kind of source of activity that was read, such as `cpu_cores` or `work`",
      ),
    unread: z
      .array(z.string())
      .describe("What could not be read, at least in part: kinds of sources, or `gpu`"),
    preparation: z
      .string()
      .nullable()
      .describe("How far its owner's hooks had come: `running`, `succeeded` or `failed`"),
    late: z.boolean().describe("It was taken while the service was out of reach, and came later"),
  }) satisfies z.ZodType<HeartbeatView>,
);
