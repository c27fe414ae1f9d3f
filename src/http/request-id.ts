import type { Context, MiddlewareHandler } from "hono";
import type { By, Principal } from "../accounts/principal.ts";
import { type LogFields, logInfo } from "../platform/log.ts";
import type { ApiEnvironment } from "./environment.ts";

/**
 * Each request has an id: Cloudflare's own where there is one, so that its logs and ours name the same request. It is in the
 * answer's `X-Request-Id`, in each line that is logged about the request, and in the orders that come of it.
 *
 * What changes something is logged with one line. What only reads is not, and neither is a heartbeat: it comes every minute
 * from every instance, and a line each would cost a third of all that a heartbeat costs. Whatever a heartbeat changes
 * is logged by its instance, with the id of that heartbeat.
 */
export const withRequestId: MiddlewareHandler<ApiEnvironment> = async (c, next) => {
  const begun = Date.now();
  const id = requestIdOf(c.req.raw.headers);
  c.set("requestId", id);
  c.header(HEADER, id);
  await next();
  const { status, headers } = c.res;
  // A response that a handler made by itself. That of an upgrade can't be copied.
  if (!headers.has(HEADER) && status !== 101) c.header(HEADER, id);
  if (isToLog(c)) logInfo("request", { ...requestFields(c), status, duration_ms: Date.now() - begun });
};

const HEADER = "X-Request-Id";

/** As Cloudflare writes it. Nobody else sets this header there, but anybody may where the service runs without it. */
const CLOUDFLARE_ID = /^[0-9a-f]{16}(-[A-Z]{3})?$/;

function requestIdOf(headers: Headers): string {
  const ray = headers.get("CF-Ray") ?? "";
  return CLOUDFLARE_ID.test(ray) ? ray : crypto.randomUUID();
}

const READING: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

function isToLog({ req }: Context<ApiEnvironment>): boolean {
  return !READING.has(req.method) && req.path !== "/api/agent/status";
}

/** How the log names a request, and who makes it. */
export function requestFields(c: Context<ApiEnvironment>): LogFields {
  // A request that fails before anybody has asked who makes it has no principal.
  const principal: Principal | undefined = c.get("principal") ?? c.get("asking");
  return {
    request_id: c.get("requestId"),
    method: c.req.method,
    path: c.req.path,
    ...(principal === undefined ? {} : whoIs(principal)),
  };
}

function whoIs(principal: Principal): LogFields {
  switch (principal.scope) {
    case "instance":
      return { scope: "instance", user_id: principal.userId, instance_id: principal.instanceId };
    case "user":
      return { scope: "user", user_id: principal.userId, role: principal.role, ...actsAs(principal.by) };
    case "enrollment":
      return { scope: "enrollment", user_id: principal.userId, enrollment_id: principal.enrollmentId };
    case "admin":
      return { scope: "admin" };
  }
}

function actsAs({ kind, id, sessionId }: By): LogFields {
  const session = sessionId === null ? {} : { session_id: sessionId };
  return kind === "token" ? { token_id: id, ...session } : { person_id: id, ...session };
}
