import { z } from "zod";
import type { Scope } from "../accounts/principal.ts";

/** What endpoints need to describe themselves in the OpenAPI document. */

const namedSchemas = new Map<string, z.ZodType>();

/**
 * Names a shape, so that generated clients can name it too. Throws if the name is taken, since one of the two shapes
 * would be lost. So call it where a module loads, not in a handler or in an endpoint's `schema`, which is built anew
 * for each request.
 *
 * A named schema loses its name by a later `.describe()` or `.meta()`, and the document is wrong after `.nullable()`:
 * use `z.union([named, z.null()])`.
 */
export function component<T extends z.ZodType>(name: string, schema: T): T {
  if (namedSchemas.has(name)) throw new Error(`two shapes are called ${name} in the OpenAPI document`);
  const named = schema.meta({ id: name });
  namedSchemas.set(name, named);
  return named;
}

/**
 * All named shapes, each after those that it consists of. They are registered before the routes: otherwise the document
 * would take each as its first use has it, for instance with a default.
 */
export function components(): ReadonlyMap<string, z.ZodType> {
  return namedSchemas;
}

/** The kinds of token. */
export const SECURITY_SCHEMES = {
  instance: "An instance's token: sends its heartbeats and nothing else",
  user: "A user's token: sees and steers the user's instances",
  enrollment: "An enrollment token: registers the machine that has it, and nothing else",
  admin: "The operator's token: users, tokens, and the service's own figures",
} as const satisfies Record<Scope, string>;

/** How the page says who it is. What a user's token may do, a browser that is signed in may too. */
export const SESSION_SCHEME = "session";

/** Any one of these tokens is enough. */
export const security = (...scopes: readonly Scope[]) =>
  [...scopes, ...(scopes.includes("user") ? [SESSION_SCHEME] : [])].map((scheme) => ({ [scheme]: [] }));

/** A JSON request body. The request is checked against its schema. */
export function jsonBody<T extends z.ZodType>(schema: T, example: z.input<T>, required = true) {
  return { required, content: { "application/json": { schema, example } } };
}

export function jsonResponse<T extends z.ZodType>(description: string, schema: T, example: z.input<T>) {
  return { description, content: { "application/json": { schema, example } } };
}

const successSchema = component("Success", z.object({ success: z.literal(true) }));

/** The response of an endpoint that has nothing to say but that it did what was asked. */
export function successResponse(description: string) {
  return jsonResponse(description, successSchema, { success: true });
}
