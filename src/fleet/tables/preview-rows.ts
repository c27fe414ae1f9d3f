import { z } from "zod";
import { jsonText, storedOverridesSchema } from "../../lifecycle/model/stored.ts";
import type { Frontier } from "../../replay/proposal-points.ts";
import type { Span } from "../../replay/story.ts";
import {
  FAILED_BECAUSE,
  type FailedBecause,
  frontierSchema,
  type KeptLine,
  keptLineSchema,
  type PreviewLine,
  type PreviewRequest,
  type PreviewSkip,
  type PreviewSum,
  SKIPPED_BECAUSE,
  sumSchema,
} from "../rules/preview.ts";

/** The rows of previews, as they are read. */

const STATES = ["running", "done", "failed"] as const;
type PreviewState = (typeof STATES)[number];

export interface PreviewRow extends Span {
  readonly id: string;
  readonly createdAt: number;
  /** When it last came on. */
  readonly movedAt: number;
  readonly state: PreviewState;
  /** Why it failed; null where it did not. */
  readonly because: FailedBecause | null;
  readonly request: PreviewRequest;
  /** How many instances it is of. */
  readonly total: number;
  readonly done: number;
  readonly skipped: number;
  /** Instances up to here are through. */
  readonly after: string;
  readonly sum: PreviewSum;
}

const requestSchema = z.object({
  policy: storedOverridesSchema,
  inForce: storedOverridesSchema,
  instancePolicy: storedOverridesSchema.nullable(),
  days: z.number(),
  instances: z.array(z.string()).nullable(),
  tag: z.object({ key: z.string(), value: z.string() }).nullable(),
  wantsProposal: z.boolean(),
  requestId: z.string(),
}) satisfies z.ZodType<PreviewRequest>;

export const previewRow = z
  .object({
    id: z.string(),
    created_at: z.number(),
    moved_at: z.number(),
    from_at: z.number(),
    to_at: z.number(),
    state: z.enum(STATES),
    because: z.enum(FAILED_BECAUSE).nullable().catch(null),
    request: jsonText(requestSchema),
    total: z.number(),
    done: z.number(),
    skipped: z.number(),
    after: z.string(),
    sum: jsonText(sumSchema),
  })
  .transform(
    ({ created_at, moved_at, from_at, to_at, ...row }): PreviewRow => ({
      ...row,
      createdAt: created_at,
      movedAt: moved_at,
      from: from_at,
      to: to_at,
    }),
  );

export const skipRow = z
  .object({ instance_id: z.string(), skipped: z.enum(SKIPPED_BECAUSE) })
  .transform(({ instance_id, skipped }): PreviewSkip => ({ instanceId: instance_id, because: skipped }));

export interface TagSum {
  /** `key:value` */
  readonly tag: string;
  readonly frontier: Frontier;
}

export const tagRow = z.object({
  tag: z.string(),
  frontier: jsonText(frontierSchema),
}) satisfies z.ZodType<TagSum>;

export const lineRow = z.object({ line: jsonText(keptLineSchema) }).transform(({ line }): KeptLine => line);

export interface PreviewPage {
  readonly lines: readonly PreviewLine[];
  readonly skips: readonly PreviewSkip[];
  /** The last instance of the page. */
  readonly after: string;
}
