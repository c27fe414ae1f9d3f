import { z } from "zod";
import { component } from "../../http/openapi.ts";
import { MOST_TAGS } from "../../lifecycle/model/tags.ts";
import { tagsSchema } from "../../lifecycle/model/tags-schema.ts";

/** Tags as they are sent and answered. */

export const newTagsSchema = tagsSchema
  .nullable()
  .transform((tags) => tags ?? {})
  .describe(
    `At most ${MOST_TAGS}. A key is 1 to 40 of lower-case letters, digits, '_', '.', '-', beginning with a letter; a value is up to 100 characters without control characters. Null or {}: none`,
  );

export const tagsViewSchema = component(
  "InstanceTags",
  z.record(z.string(), z.string()).describe("What its owner notes of it"),
);
