import { z } from "zod";
import type { HistoryEvent } from "./history-event.ts";
import { fromKept } from "./observed-overrides.ts";
import { type PolicyOverrides, policyOverridesSchema } from "./policy-settings.ts";
import { phraseSchema } from "./words/said.ts";

/**
 * Reads what is stored, perhaps by a newer version of the service. Input is read strictly, storage is not: what is
 * unknown is carried along or left out, and never keeps the rest from being read.
 */

/** A value of an enum that may grow: any string passes. An unknown one is shown but never acted upon. */
export function openEnum<T extends string>() {
  return z.custom<T>((value) => typeof value === "string", "expected a word");
}

/** JSON text, parsed by `schema`. */
export function jsonText<T extends z.ZodType>(schema: T) {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue("expected JSON");
        return z.NEVER;
      }
    })
    .pipe(schema);
}

/** The rows that can be read; the others are left out. */
export function readableRows<T extends z.ZodType>(schema: T, rows: readonly unknown[]): z.output<T>[] {
  return rows.flatMap((row) => {
    const read = schema.safeParse(row);
    return read.success ? [read.data] : [];
  });
}

/** What a query with a limit has found. */
export interface Found<T, Place> {
  /** Those that can be read. */
  readonly rows: readonly T[];
  /** Where the last of all that were found stands, readable or not; null when there are no more. */
  readonly end: Place | null;
}

/** Reads rows that were looked for up to a limit. `place`: where a row stands. */
export function readFound<T extends z.ZodType, Place>(
  schema: T,
  place: z.ZodType<Place>,
  found: readonly unknown[],
  limit: number,
): Found<z.output<T>, Place> {
  const end = found.length < limit ? null : place.parse(found.at(-1));
  return { rows: readableRows(schema, found), end };
}

/** One column of a row. */
export function columnOf<T>(name: string, value: z.ZodType<T>): z.ZodType<T> {
  return z
    .record(z.string(), z.unknown())
    .transform((row) => row[name])
    .pipe(value);
}

/** Under this name the detail of a stored event has its phrase, as JSON text: a former release reads only plain values there. */
const SAID = "said";

const storedPhrase = jsonText(phraseSchema).optional().catch(undefined);

/** The detail of an event, as JSON text, and its phrase apart; empty if it can't be read. */
export const storedDetail = jsonText(
  z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
)
  .catch({})
  .transform(({ [SAID]: said, ...detail }) => ({ detail, said: storedPhrase.parse(said) }));

/** The detail of an event with its phrase, as it is stored. */
export function detailToStore({ detail, said }: Pick<HistoryEvent, "detail" | "said">): string {
  return JSON.stringify(said === undefined ? detail : { ...detail, [SAID]: JSON.stringify(said) });
}

/** One level of stored overrides. Only the fields that are known and valid count, and the names of time zones as they are. */
export const storedOverridesSchema: z.ZodType<PolicyOverrides, Record<string, unknown>> = z
  .record(z.string(), z.unknown())
  .transform((stored) => {
    const known = policyOverridesSchema.parse(knownPart(policyOverridesSchema, fromKept(stored)));
    const { schedule, maintenance } = zonesSchema.parse(stored);
    return {
      ...known,
      ...(known.schedule === undefined ? {} : { schedule: { ...known.schedule, ...schedule } }),
      ...(known.maintenance === undefined ? {} : { maintenance: { ...known.maintenance, ...maintenance } }),
    };
  });

/** A zone that this runtime does not know, and another one may: without its name, its windows would be those of another zone. */
const zoneSchema = z
  .object({ timezone: z.string().max(64) })
  .optional()
  .catch(undefined);

const zonesSchema = z.object({ schedule: zoneSchema, maintenance: zoneSchema });

/** The fields that the schema knows and accepts; groups of fields are reduced in the same way. */
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
