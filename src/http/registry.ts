import type { fromHono } from "chanfana";
import { components, SECURITY_SCHEMES, SESSION_SCHEME } from "./openapi.ts";
import { SESSION_COOKIE } from "./session-cookie.ts";

/** Puts the ways to say who asks, and all named shapes, into the OpenAPI document. */
export function registerShapes(registry: ReturnType<typeof fromHono>["registry"]): void {
  for (const [scope, description] of Object.entries(SECURITY_SCHEMES)) {
    registry.registerComponent("securitySchemes", scope, { type: "http", scheme: "bearer", description });
  }
  registry.registerComponent("securitySchemes", SESSION_SCHEME, {
    type: "apiKey",
    in: "cookie",
    name: `__Host-${SESSION_COOKIE}`,
    description:
      "The session of a browser that has signed in (`POST /api/session`). What changes something must come from the service's own page, by its `Origin`, with a body of `application/json`",
  });
  for (const [name, schema] of components()) registry.register(name, schema);
}
