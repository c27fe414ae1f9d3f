import { z } from "zod";
import { component } from "../../http/openapi.ts";
import { SOURCE_STATES } from "../../lifecycle/rules/use.ts";
import type { GpuView, UseView } from "../../lifecycle/views/use-view.ts";
import { instant } from "./instant.ts";

/** What a machine is used for: its GPUs, and its sources of activity. */

export const gpuSchema = component(
  "Gpu",
  z.object({
    index: z.number(),
    name: z.string().nullable(),
    utilization: z.number().nullable(),
    utilization_max: z.number().nullable().describe("The highest since the heartbeat before"),
    quiet_since: instant.nullable().describe("Since when its utilization is under the policy's threshold"),
    vram_used_gb: z.number().nullable(),
    vram_total_gb: z.number().nullable(),
    power_watts: z.number().nullable().describe("The highest since the heartbeat before"),
    power_limit_watts: z.number().nullable(),
    compute_processes: z.number().nullable(),
  }) satisfies z.ZodType<GpuView>,
);

export const useSchema = component(
  "InstanceUse",
  z
    .object({
      at: instant.describe("When that was heard"),
      sources: z
        .array(
          z.object({
            name: z.string(),
            value: z.number().nullable().describe("Null: it could not be read"),
            threshold: z
              .number()
              .nullable()
              .describe(
                "It counts as use from here on, by `idle.sources` of the policy; null: it is ignored",
              ),
            state: z
              .enum(SOURCE_STATES)
              .describe("`unknown` counts as use; `ignored` does not, whatever its value is"),
            quiet_since: instant.nullable().describe("Null while it counts as use, or is ignored"),
            note: z.string().nullable().describe("In the machine's own words, which nobody has checked"),
          }),
        )
        .readonly(),
      without_work_since: instant
        .nullable()
        .describe(
          "Since when neither the metric nor any source shows use; null while one does, or can't be read",
        ),
      resident_model_gb: z
        .number()
        .nullable()
        .describe(
          "GPU memory that is held without work; null while there is work, or less than 1 GB is held",
        ),
    })
    .describe("What the instance is used for, source by source"),
) satisfies z.ZodType<UseView>;
