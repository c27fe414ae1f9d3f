import { z } from "zod";
import { FAILED_BECAUSE, SKIPPED_BECAUSE } from "../../fleet/rules/preview.ts";
import { component } from "../../http/openapi.ts";
import { tagsSchema } from "../../lifecycle/model/tags-schema.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { COMPARED } from "../../replay/compare.ts";
import { instant } from "../instances/instant.ts";
import { instanceIdSchema, newOwnOverridesSchema } from "../instances/schemas.ts";
import { tagsViewSchema } from "../instances/tags.ts";
import { newOverridesSchema, overridesSchema, policySchema } from "../policy.ts";
import { shownPresetSchema } from "../presets.ts";
import { proposalSchema, proposedSchema } from "./proposal-schemas.ts";

/** The shapes of previews of a policy. */

/** So many may be named. */
const MOST_INSTANCES = 200;

const MOST_DAYS = 30;

export const requestSchema = component(
  "PolicyPreviewRequest",
  z
    .strictObject({
      policy: newOverridesSchema.describe(
        "The candidate: what would be set with `PUT /api/agent/policy`. The own overrides of instances stand, as they would then",
      ),
      instance_policy: newOwnOverridesSchema
        .optional()
        .describe("In place of the own overrides of the instances named: only with `instances`"),
      days: z.int().min(1).max(MOST_DAYS).default(7).describe("How far back, from now"),
      instances: z
        .array(instanceIdSchema)
        .min(1)
        .max(MOST_INSTANCES)
        .optional()
        .describe("These alone; without it, and without `tag`, all"),
      tag: tagsSchema
        .refine((tag) => Object.keys(tag).length === 1, text("must.one_tag"))
        .optional()
        .describe('Those that have it: `{"team": "vision"}`'),
      proposal: z
        .boolean()
        .default(true)
        .describe("Whether other thresholds and windows are tried, too, to propose better ones"),
    })
    .superRefine(({ instances, instance_policy, tag }, context) => {
      const refuse = (field: string, message: string) =>
        context.addIssue({ code: "custom", path: [field], message });
      if (instance_policy !== undefined && instances === undefined) {
        refuse("instance_policy", text("must.need_instances"));
      }
      if (tag !== undefined && instances !== undefined) {
        refuse("tag", text("must.not_beside_instances"));
      }
    }),
);

const outcomeSchema = component(
  "PolicyOutcome",
  z
    .object({
      hours: z
        .object({ working: z.number(), idle: z.number(), silent: z.number(), hibernated: z.number() })
        .describe("What the machines did"),
      unpriced_hours: z
        .number()
        .describe("Of these, of machines without a known price: in no amount of dollars"),
      cost: z.number().describe("Dollars"),
      wasted: z
        .number()
        .describe("Of the cost: while idle past the warning, orphaned, or never heard: what is left to save"),
      saved: z.number().describe("What hibernation saves, in dollars"),
      hibernations: z.number(),
      regrets: z.number().describe("Hibernations that a person undid within ten minutes"),
      deletions: z.number(),
      interruptions: z.number().describe("How often work came while the machine was off"),
      delayed_minutes: z.number().describe("How long that work waited until the machine was back"),
      work_cut_hours: z
        .number()
        .describe("Work that the past shows in time in which the machine would be off"),
    })
    .describe("What the time came to under one policy"),
);

const resultSchema = component(
  "PolicyPreviewResult",
  outcomeSchema.extend({
    of: z
      .enum(COMPARED)
      .describe(
        "`actual`: what really happened; `candidate`; `in_force`: the policy as it stands now, replayed; and each preset, set on the policy as it stands",
      ),
  }),
);

const interruptionSchema = component(
  "PolicyPreviewInterruption",
  z
    .object({
      instance_id: z.string(),
      name: z.string(),
      hibernated_at: instant.describe("When the candidate would have hibernated it"),
      at: instant.describe("The first reading that shows the work"),
      evidence: z.string().describe("What that reading shows"),
      delayed_minutes: z.number(),
      work_cut_hours: z.number(),
    })
    .describe("Work that came while the machine would have been off"),
);

const instanceLineSchema = component(
  "PolicyPreviewInstance",
  z.object({
    instance_id: z.string(),
    name: z.string(),
    tags: tagsViewSchema,
    actual: outcomeSchema,
    candidate: outcomeSchema,
    proposal: z.union([proposedSchema, z.null()]),
  }),
);

const headFields = {
  id: z.string(),
  created_at: instant,
  state: z
    .enum(["running", "done", "failed"])
    .describe("While it is `running` the sums grow; `failed` ones keep what they have"),
  failed_because: z
    .enum(FAILED_BECAUSE)
    .nullable()
    .describe(
      "`stalled`: it has not come on for half an hour; `suspended`: its user was; `out_of_reach`: too many instances were",
    ),
  days: z.number(),
  from: instant,
  to: instant,
  policy: policySchema.describe("The candidate as a whole: with the service's defaults"),
  preset: shownPresetSchema,
  overrides: overridesSchema.describe("The candidate as it was given, presets written out"),
  instance_policy: z
    .union([overridesSchema, z.null()])
    .describe("What took the place of the own overrides of the instances named"),
  asked_of: z
    .object({
      instances: z.array(z.string()).readonly().nullable(),
      tag: z.record(z.string(), z.string()).nullable(),
    })
    .describe("Whom it is of; both null: all instances"),
  instances: z
    .object({ total: z.number(), done: z.number(), skipped: z.number() })
    .describe("How far it has come. Instances that are skipped are in no sum"),
  results: z.array(resultSchema).readonly(),
};

const headSchema = component("PolicyPreviewHead", z.object(headFields));

export const previewsSchema = component(
  "PolicyPreviewList",
  z.object({ previews: z.array(headSchema).readonly().describe("Newest first; 20 are kept") }),
);

export const previewSchema = component(
  "PolicyPreview",
  z.object({
    ...headFields,
    interruptions: z.array(interruptionSchema).readonly().describe("Of the candidate: the 50 longest"),
    basis: z
      .object({
        readings: z.number(),
        coarse_hours: z.number().describe("Of which only sums of hours are kept"),
        assumed_idle_hours: z
          .number()
          .describe("In which the machine really was off, and the candidate would have kept it on"),
        readings_without_use: z
          .number()
          .describe("Kept by a former release, without the maximum and the sources of activity"),
      })
      .describe("What the numbers rest on"),
    by_instance: z
      .array(instanceLineSchema)
      .readonly()
      .describe("The 20 for which the candidate changes most, in dollars saved"),
    proposal: z.union([proposalSchema, z.null()]).describe("Null while nothing can be proposed"),
    skipped: z
      .array(z.object({ instance_id: z.string(), because: z.enum(SKIPPED_BECAUSE) }))
      .readonly()
      .describe(
        "At most 50. `removed` meanwhile; `unreadable`: what is stored of it is; `out_of_reach`: its object, or, `history_out_of_reach`, the database of its history; `failed`: its past could not be replayed",
      ),
  }),
);

export const instanceLinesSchema = component(
  "PolicyPreviewInstanceList",
  z.object({ instances: z.array(instanceLineSchema).readonly(), next_cursor: z.string().nullable() }),
);

export type PreviewView = z.infer<typeof previewSchema>;
export type HeadView = z.infer<typeof headSchema>;
export type OutcomeView = z.infer<typeof outcomeSchema>;
export type LineView = z.infer<typeof instanceLineSchema>;
