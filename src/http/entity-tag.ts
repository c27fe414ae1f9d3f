import { sha256Hex } from "../accounts/digest.ts";
import type { ApiContext } from "./endpoint.ts";

/** Fields that only count the passing of time, which a client can do for itself. */
const PASSING_TIME = new Set([
  "server_time",
  "seconds_since_heartbeat",
  "in_seconds",
  // By `rate`.
  "cost_today",
  "cost_source",
  "wasted_today",
  "cost_total",
  "wasted_total",
]);

/** The response of `answerUnlessKnown` for the OpenAPI document. */
export const notModified = { description: "As `If-None-Match` has it, but for the passing of time" };

/**
 * Answers 304 without a body when the client has this body already, apart from fields that only count time. The tag is
 * weak: two bodies with the same tag mean the same but differ in their bytes (RFC 9110, 8.8.1).
 */
export async function answerUnlessKnown(c: ApiContext, body: object): Promise<Response> {
  const lasting = JSON.stringify(body, (key, value) => (PASSING_TIME.has(key) ? undefined : value));
  return answerVersion(c, lasting, () => JSON.stringify(body));
}

/** The same for a body that need not be read to know its version. `json`: writes the body. */
export async function answerVersion(c: ApiContext, version: string, json: () => string): Promise<Response> {
  const tag = `W/"${(await sha256Hex(version)).slice(0, 32)}"`;
  c.header("ETag", tag);
  c.header("Cache-Control", "private, no-cache");
  const known = (c.req.header("If-None-Match") ?? "").split(",").map((each) => each.trim());
  if (known.includes(tag)) return c.body(null, 304);
  return c.body(json(), 200, { "Content-Type": "application/json" });
}
