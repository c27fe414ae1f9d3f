import { z } from "zod";
import { component } from "../../http/openapi.ts";
import type { DetailView, Shown, WakeFailedView } from "../../lifecycle/views/instance-view.ts";
import type { StoppedRisks } from "../../lifecycle/views/stopped-risks.ts";
import { instant } from "./instant.ts";
import { preparationSchema, reclaimedSchema } from "./preparation-schemas.ts";
import { heartbeatViewSchema, liveSchema } from "./schemas.ts";
import { gpuSchema, useSchema } from "./use-schema.ts";

/** One instance in full: what is answered beside what a list says of it. */

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
    preparation: z.union([preparationSchema, z.null()]),
    reclaimed: z.union([reclaimedSchema, z.null()]),
    cost_accumulated: z.number().nullable().describe("As the machine last reported it"),
    cost_total: z.number().describe("Dollars since it was registered"),
    wasted_total: z.number().describe("Of `cost_total`: while it was of no use"),
    gpus: z.array(gpuSchema).readonly(),
    use: z.union([useSchema, z.null()]).describe("Null unless the instance is running"),
    recent_heartbeats: z.array(heartbeatViewSchema).describe("Newest first"),
  }) satisfies z.ZodType<Shown<DetailView>>,
);
