import type { MiddlewareHandler } from "hono";
import type { UserPrincipal } from "../accounts/principal.ts";
import { isAtLeast, type Role } from "../accounts/roles.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import type { ApiEnvironment } from "./environment.ts";
import { ApiError } from "./errors.ts";

/** What each route demands of a user's role. */

const leastRoles = new WeakMap<object, Role>();

/** Lets users pass whose role is at least this one, and whoever `requireToken` let pass by another scope. */
export function requireRole(needed: Role): MiddlewareHandler<ApiEnvironment> {
  const middleware: MiddlewareHandler<ApiEnvironment> = async (c, next) => {
    const asking = c.get("asking");
    if (asking !== undefined) {
      demandRole(asking, needed);
      c.set("principal", asking);
    }
    await next();
  };
  leastRoles.set(middleware, needed);
  return middleware;
}

/** Which role a route's handler demands; undefined for any other handler. */
export function leastRoleOf(handler: object): Role | undefined {
  return leastRoles.get(handler);
}

/** Throws where the user's role is a lower one. */
export function demandRole({ role }: UserPrincipal, needed: Role): void {
  if (!isAtLeast(role, needed)) {
    throw new ApiError("forbidden", phrase("error.role", { needed, given: role }));
  }
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly handler: object;
}

/** The document with the least role of each operation that asks for one, as `x-least-role`. */
export function withRoles<T extends { paths?: object | undefined }>(
  document: T,
  routes: readonly Route[],
): T {
  const roles = new Map(
    routes.flatMap(({ method, path, handler }) => {
      const role = leastRoleOf(handler);
      return role === undefined ? [] : [[`${method} ${path}`, role] as const];
    }),
  );
  const paths = Object.entries(document.paths ?? {}).map(([path, operations]) => {
    const routed = path.replaceAll(/\{(\w+)\}/g, ":$1");
    const withRole = Object.entries(operations).map(([method, operation]) => {
      const role = roles.get(`${method.toUpperCase()} ${routed}`);
      return [
        method,
        role === undefined ? operation : Object.assign({}, operation, { "x-least-role": role }),
      ];
    });
    return [path, Object.fromEntries(withRole)];
  });
  return { ...document, paths: Object.fromEntries(paths) };
}
