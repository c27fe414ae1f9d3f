import { z } from "zod";

/** A JSON object of a shape that is not known yet: rows of former versions are read as these. */
export type Fields = Readonly<Record<string, unknown>>;

/** `value` as an object; one without fields if it is none, so that the check of the schema says what is wrong. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** Changes each object of a list; what is no list stays as it is, for the schema to find. */
export function changeEach(list: unknown, change: (item: unknown) => unknown): unknown {
  return Array.isArray(list) ? list.map(change) : list;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The schema of an object with exactly the fields of `T`: with one missing, or one too many, it does not compile. */
export function exactly<T extends object>(shape: { readonly [Key in keyof T]-?: z.ZodType<T[Key]> }) {
  return z.object(shape);
}
