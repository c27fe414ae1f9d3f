import { sha256Hex } from "../accounts/digest.ts";
import type { ApiContext } from "./endpoint.ts";

/** What merely counts the time that passes: who polls can count by itself. */
const PASSING_TIME = new Set(["server_time", "seconds_since_heartbeat", "in_seconds"]);

/**
 * Answers 304 without a body when the client has this body already but for the passing of time. The tag is weak, since
 * two bodies of one tag mean the same but are not the same bytes (RFC 9110, 8.8.1).
 */
export async function answerUnlessKnown(c: ApiContext, body: object): Promise<Response> {
  const lasting = JSON.stringify(body, (key, value) => (PASSING_TIME.has(key) ? undefined : value));
  const tag = `W/"${(await sha256Hex(lasting)).slice(0, 32)}"`;
  c.header("ETag", tag);
  c.header("Cache-Control", "private, no-cache");
  const known = (c.req.header("If-None-Match") ?? "").split(",").map((each) => each.trim());
  return known.includes(tag) ? c.body(null, 304) : c.json(body);
}
