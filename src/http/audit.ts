import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { z } from "zod";
import { type ActSort, type NotedAct, recordAct, type Who } from "../accounts/audit.ts";
import type { Principal } from "../accounts/principal.ts";
import type { Role } from "../accounts/roles.ts";
import { logWarning } from "../platform/log.ts";
import type { ApiContext } from "./endpoint.ts";
import type { ApiEnvironment } from "./environment.ts";
import { ApiError } from "./errors.ts";
import { leastRoleOf } from "./roles.ts";

/**
 * Writes down who did what: every request of a person or a token that changed something, what somebody's role did not allow, and
 * what the operator did to the account. Never what a request said, unless its handler names it.
 */

/** To be called by a handler. What it says is kept and shown: no secret may be in it. */
export function noteAct(c: ApiContext, noted: NotedAct): void {
  c.set("act", noted);
}

/** What the API calls an operation, and the least role that may use it. */
export interface Operation {
  readonly id: string;
  readonly needs: Role | null;
}

const READING: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** They look like changes, and change nothing. */
const CHANGE_NOTHING: ReadonlySet<string> = new Set(["previewLifecycle"]);

export const OF_SESSIONS: ReadonlySet<string> = new Set(["signIn", "signOut", "finishOpenIdSignIn"]);

/** Of what the operator does, what concerns who gets into an account. */
export const OF_THE_OPERATOR: ReadonlySet<string> = new Set([
  "createUserToken",
  "revokeUserToken",
  "createSignInLink",
  "suspendUser",
  "resumeUser",
]);

const routeDefinition = z.object({
  type: z.literal("route"),
  route: z.object({ method: z.string(), path: z.string(), operationId: z.string() }),
});

/** The ids of all operations in the document. It is made when the first request asks: routes are added until then. */
export function operationsOf(
  definitions: () => readonly object[],
): (method: string, routePath: string) => string | undefined {
  let known: ReadonlyMap<string, string> | null = null;
  return (method, routePath) => {
    known ??= new Map(definitions().flatMap(operationIn));
    return known.get(`${method} ${routePath}`);
  };
}

function operationIn(definition: object): (readonly [string, string])[] {
  const { route } = routeDefinition.safeParse(definition).data ?? {};
  if (route === undefined) return [];
  const path = route.path.replaceAll(/\{(\w+)\}/g, ":$1");
  return [[`${route.method.toUpperCase()} ${path}`, route.operationId]];
}

/** `operationOf`: by the method and the path of a route, as the router has them. */
export function writeDownActs(
  operationOf: (method: string, routePath: string) => string | undefined,
): MiddlewareHandler<ApiEnvironment> {
  return async (c, next) => {
    await next();
    const who = whoActs(c);
    if (who === null) return;
    const matched = matchedRoutes(c);
    const id = operationOf(c.req.method, matched.at(-1)?.path ?? "");
    if (id === undefined) return;
    const needs =
      matched.map(({ handler }) => leastRoleOf(handler)).find((role) => role !== undefined) ?? null;
    const act = actOf(c, { id, needs }, who);
    if (act === null) return;
    // Nobody waits for it: what was done is done.
    c.executionCtx.waitUntil(
      recordAct(c.env.DB, who.userId, act).catch((error) =>
        logWarning("an act was not written down", { user_id: who.userId, operation: id }, error),
      ),
    );
  };
}

function whoActs(c: ApiContext): Who | null {
  const noted = c.get("act")?.who;
  if (noted !== undefined) return noted;
  const principal: Principal | undefined = c.get("principal") ?? c.get("asking");
  switch (principal?.scope) {
    case "user": {
      const { kind, id, name } = principal.by;
      return { userId: principal.userId, actor: { kind, id, name } };
    }
    case "admin": {
      const userId = /^\/api\/admin\/users\/([^/]+)\//.exec(c.req.path)?.[1];
      return userId === undefined ? null : { userId, actor: { kind: "operator" } };
    }
    case "instance":
    case "enrollment":
    case undefined:
      return null;
  }
}

function actOf(c: ApiContext, operation: Operation, { actor }: Who) {
  const noted: NotedAct = c.get("act") ?? {};
  const about = {
    at: Date.now(),
    who: actor,
    act: operation.id,
    subject: noted.subject ?? c.req.param("id") ?? null,
  };
  if (isRefusedForTheRole(c)) {
    return { ...about, sort: "refused" as const, detail: { refused: true, needs: operation.needs } };
  }
  const isAct = noted.isAct === true || !READING.has(c.req.method);
  if (c.res.status >= 400 || !isAct || CHANGE_NOTHING.has(operation.id)) return null;
  if (actor.kind === "operator" && !OF_THE_OPERATOR.has(operation.id)) return null;
  return { ...about, sort: noted.sort ?? sortOf(operation), detail: noted.detail ?? {} };
}

function isRefusedForTheRole(c: ApiContext): boolean {
  return c.error instanceof ApiError && c.error.code === "forbidden" && c.get("asking") !== undefined;
}

function sortOf({ id, needs }: Operation): ActSort {
  if (OF_SESSIONS.has(id)) return "session";
  return needs === "owner" || OF_THE_OPERATOR.has(id) ? "owner" : "machine";
}
