import { z } from "zod";
import { component } from "../../http/openapi.ts";
import { PREPARATION_CAUSES } from "../../lifecycle/model/preparation.ts";
import type { ReclaimedView } from "../../lifecycle/views/instance-view.ts";
import type { PreparationView } from "../../lifecycle/views/preparation-view.ts";
import { instant } from "./instant.ts";

/** What stands before a hibernation, or in place of one. */

export const preparationCauseSchema = z.enum(PREPARATION_CAUSES).describe("For what it is to be hibernated");

export const preparationSchema = component(
  "Preparation",
  z.object({
    preparation_id: z.string(),
    because: preparationCauseSchema,
    began_at: instant,
    limit_at: instant.describe("It is hibernated then at the latest"),
    state: z
      .enum(["waiting", "running", "succeeded", "failed"])
      .describe(
        "Of its hooks. `waiting`: the machine has not said yet that they run; `failed`: they are run again",
      ),
    seconds: z
      .number()
      .nullable()
      .describe("For how long the hooks have run, by the machine's word; null where it has said nothing"),
    line: z.string().nullable().describe("The newest line of what they print"),
  }) satisfies z.ZodType<PreparationView>,
);

export const reclaimedSchema = component(
  "Reclaimed",
  z
    .object({
      by: z.string().nullable(),
      action: z.string().nullable().describe("In the provider's own word, such as `terminate`"),
      at: instant.describe("When the machine said so"),
      ends_at: instant.nullable().describe("When it is taken back; null where that was not said"),
    })
    .describe("Its provider takes the machine back, or has taken it"),
) satisfies z.ZodType<ReclaimedView>;
