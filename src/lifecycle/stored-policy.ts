import { z } from "zod";
import { type PolicyOverrides, policyOverridesSchema } from "./policy.ts";

/**
 * One level of overrides as it is read from storage: what is known of it counts, and what a newer version may have
 * written is left out. Input is strict (`policyOverridesSchema`), storage is not: one key must not silence the rest.
 */
export const storedOverridesSchema: z.ZodType<PolicyOverrides, Record<string, unknown>> = z
  .record(z.string(), z.unknown())
  .transform((stored) => policyOverridesSchema.parse(knownPart(policyOverridesSchema, stored)));

/** The fields that the schema knows and finds good, a group of fields likewise. */
function knownPart(schema: z.ZodObject, stored: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const known: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(schema.shape)) {
    if (!Object.hasOwn(stored, key)) continue;
    const value = stored[key];
    const group = field instanceof z.ZodOptional ? field.unwrap() : field;
    if (group instanceof z.ZodObject) {
      const fields = z.record(z.string(), z.unknown()).safeParse(value);
      if (fields.success) known[key] = knownPart(group, fields.data);
    } else {
      const read = z.safeParse(field, value);
      if (read.success) known[key] = read.data;
    }
  }
  return known;
}
