import { z } from "zod";
import type { GuardView, SummaryView } from "../../fleet/live/messages.ts";
import { component } from "../../http/openapi.ts";
import { MAXIMUM_HOURLY_COST } from "../../lifecycle/model/counters.ts";
import { STATUSES } from "../../lifecycle/model/phase.ts";
import { instancePolicyOverridesSchema } from "../../lifecycle/model/policy-settings.ts";
import { providerKindSchema } from "../../lifecycle/model/provider.ts";
import type { StoppedRisks } from "../../lifecycle/model/stopped-risks.ts";
import { RATE_SOURCES } from "../../lifecycle/rules/costs.ts";
import type { Control } from "../../lifecycle/views/control.ts";
import { COST_SOURCES, type CostsView } from "../../lifecycle/views/costs.ts";
import type {
  DetailView,
  HeartbeatView,
  Shown,
  ShownView,
  WakeFailedView,
} from "../../lifecycle/views/instance-view.ts";
import { instant } from "./instant.ts";
import { tagsViewSchema } from "./tags.ts";
import { gpuSchema, useSchema } from "./use-schema.ts";

export { instant };

/** What several endpoints of this folder share: the fields that are sent, and the views that are answered. */

/** No slash: actors are named `user/instance`. */
export const instanceIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/,
    "must be 1 to 128 of letters, digits, '.', '_', ':', '-', beginning with a letter or digit",
  );

export const instanceParams = z.object({ id: instanceIdSchema });

export const nameSchema = z.string().trim().min(1).max(200);

export const providerRefSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9._:/-]+$/, "must be letters, digits, '.', '_', ':', '/', '-'")
  .nullable()
  .describe("The provider's own id of the instance; null when it is the same");

export const connectionIdSchema = z.string().regex(/^[a-z0-9-]{1,64}$/, "must be the id of a connection");

export const hourlyCostSchema = z
  .number()
  .min(0)
  .max(MAXIMUM_HOURLY_COST)
  .nullable()
  .describe("Dollars an hour");

export const ownOverridesSchema = component("InstancePolicyOverrides", instancePolicyOverridesSchema);

export const statusSchema = z.enum(STATUSES);

export const healthSchema = z.enum(["healthy", "idle", "late", "unhealthy", "inactive"]);

const explanationSchema = component(
  "LifecycleExplanation",
  z
    .object({
      next_step: z
        .enum(["warn", "hibernate", "orphan", "never_heard", "force_hibernate", "delete"])
        .nullable(),
      at: instant.nullable().describe("Null for a step that can't come, since nobody could carry it out"),
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
    vram_used_gb: z.number().nullable(),
    cpu_utilization: z.number().nullable(),
    ram_used_gb: z.number().nullable(),
    disk_used_gb: z.number().nullable(),
    cost_accumulated: z.number().nullable(),
    uptime_seconds: z.number().nullable(),
    status: z.string().nullable(),
  }) satisfies z.ZodType<HeartbeatView>,
);

const stoppedRisksSchema = component(
  "StoppedRisks",
  z
    .object({
      text: z.string().describe("All of it in one sentence"),
      still_billed: z
        .array(
          z.enum([
            "disks",
            "volumes",
            "addresses",
            "snapshots",
            "everything",
            "perhaps everything",
            "not said",
          ]),
        )
        .readonly(),
      hourly_cost: z.number().nullable().describe("Dollars an hour while it is stopped; null while unknown"),
      lost: z.array(z.enum(["memory", "container disk", "local disks", "not said"])).readonly(),
      may_not_come_back: z.enum(["its host", "capacity"]).nullable(),
      start_without_gpu: z
        .enum(["waits", "comes without", "fails"])
        .nullable()
        .describe(
          "What a start does while no GPU is free: it waits in a queue, may come without a GPU, or fails",
        ),
      ends_by_itself: z.enum(["after its contract", "without balance"]).nullable(),
    })
    .describe("What stopping the machine costs, loses and risks at its provider"),
) satisfies z.ZodType<StoppedRisks>;

const wakeFailedSchema = component(
  "WakeFailed",
  z
    .object({
      at: instant,
      because: z.string(),
      may_start: z
        .boolean()
        .describe(
          "It is not known whether its start was cancelled. Its provider is told to stop it, and asked, until it is. Wake it here rather than there if you want it to run",
        ),
      ways_on: z
        .array(
          z.object({
            way: z.enum(["wait", "recreate", "fetch_data"]),
            how: z.string(),
            request: z
              .object({ method: z.literal("POST"), path: z.string() })
              .nullable()
              .describe("A request to this API that does it"),
            command: z.string().nullable().describe("For the provider's own command line"),
            page: z.string().nullable().describe("Where it can be done at the provider"),
          }),
        )
        .readonly()
        .describe("What you can do"),
    })
    .describe("Why the last wake of a hibernated instance failed"),
) satisfies z.ZodType<WakeFailedView>;

export const detailSchema = component(
  "InstanceDetail",
  liveSchema.extend({
    total_heartbeats: z.number(),
    first_heartbeat: instant.nullable(),
    uptime_percent: z.number().nullable().describe("Heartbeats received of those expected"),
    missed_heartbeats: z.number(),
    avg_gpu_utilization: z.number().nullable(),
    stopped_risks: stoppedRisksSchema,
    wake_failed: z.union([wakeFailedSchema, z.null()]),
    cost_accumulated: z.number().nullable().describe("As the machine last reported it"),
    cost_total: z.number().describe("Dollars since it was registered"),
    wasted_total: z.number().describe("Of `cost_total`: while it was of no use"),
    gpus: z.array(gpuSchema).readonly(),
    use: z.union([useSchema, z.null()]).describe("Null unless the instance is running"),
    recent_heartbeats: z.array(heartbeatViewSchema).describe("Newest first"),
  }) satisfies z.ZodType<Shown<DetailView>>,
);
