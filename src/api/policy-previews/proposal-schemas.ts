import { z } from "zod";
import { SAID_CODES } from "../../fleet/rules/preview.ts";
import { component } from "../../http/openapi.ts";
import type { SettingSaid } from "../../replay/say-proposal.ts";

/** What is proposed, as it is shown. */

const pointFields = {
  threshold_percent: z.number(),
  hibernate_after_minutes: z.number(),
  saved: z.number().describe("Dollars"),
  hibernated_hours: z.number(),
  share_percent: z
    .number()
    .describe("Of the most that any setting saves; in dollars, or in hours where no price is known"),
  hibernations: z.number(),
  interruptions: z.number(),
  delayed_minutes: z.number(),
  work_cut_hours: z.number(),
};

const pointSchema = component(
  "PolicyProposalPoint",
  z
    .object({
      ...pointFields,
      is_frontier: z
        .boolean()
        .describe("No other setting saves as much with fewer interruptions, nor more with as many"),
      is_proposed: z.boolean(),
    })
    .describe("The candidate with another threshold and window"),
);

const settingSaidSchema = z.object({
  threshold_percent: z.number(),
  hibernate_after_minutes: z.number(),
  share_percent: z.number(),
  saved: z.number().nullable().describe("Dollars; null where nobody knows what the machines cost"),
  hibernated_hours: z.number(),
  interruptions: z.number(),
  work_cut_hours: z.number(),
}) satisfies z.ZodType<SettingSaid>;

const saysSchema = component(
  "PolicyProposalSays",
  z
    .object({
      code: z.enum(SAID_CODES),
      parameters: settingSaidSchema.partial().extend({ other: settingSaidSchema.optional() }),
    })
    .describe(
      "`spares`: this setting interrupts nobody; `keep`: so does the one in force; `spares_some`: it keeps less than half, and `other` keeps more and interrupts; `interrupts`: none saves anything without interrupting; `alike`: each comes to the same; `nothing_to_save`",
    ),
);

const wordsFields = { says: saysSchema, message: z.string().describe("The same in English") };

export const proposedSchema = component(
  "PolicyProposed",
  z
    .object({ ...wordsFields, proposed: z.union([pointSchema, z.null()]) })
    .describe("What is proposed. Nothing applies it by itself"),
);

const tagProposalSchema = component(
  "PolicyProposalByTag",
  z.object({
    tag: z.string().describe("`key:value`"),
    instances: z.number(),
    ...wordsFields,
    proposed: z.union([pointSchema, z.null()]),
  }),
);

export const proposalSchema = component(
  "PolicyProposal",
  z
    .object({
      frontier: z
        .array(pointSchema)
        .readonly()
        .describe("Every setting that was tried, those of the frontier marked"),
      measure: z
        .enum(["dollars", "hours"])
        .describe("By what savings are compared: in hours of hibernation where nobody knows a price"),
      proposed: z
        .union([pointSchema, z.null()])
        .describe("What saves the most of those that interrupt nobody; null where those save nothing"),
      trade: z
        .union([pointSchema, z.null()])
        .describe("What half of the savings would cost in interruptions, where `proposed` saves less"),
      ...wordsFields,
      by_tag: z
        .array(tagProposalSchema)
        .readonly()
        .describe("Of the tags that most of the instances have, 20 at most"),
    })
    .describe("Dollars saved against interruptions"),
);

export type ProposalView = z.infer<typeof proposalSchema>;
export type PointView = z.infer<typeof pointSchema>;
export type ProposedView = z.infer<typeof proposedSchema>;
