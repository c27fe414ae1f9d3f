import type { MiddlewareHandler } from "hono";
import { isAdminToken, readToken } from "../accounts/tokens.ts";
import { isTokenValid } from "../accounts/users.ts";
import { ApiError } from "./errors.ts";

/** On whose behalf a request is made. */
export type Principal =
  | {
      readonly scope: "instance";
      readonly userId: string;
      readonly instanceId: string;
      readonly tokenGeneration: number;
    }
  | { readonly scope: "user"; readonly userId: string }
  | { readonly scope: "admin" };

/** What every handler finds in its context. */
export interface ApiEnvironment {
  Bindings: Env;
  Variables: { principal: Principal };
}

type Scope = Principal["scope"];

/** How the OpenAPI page names the three kinds of token. */
export const SECURITY_SCHEMES = {
  instance: "An instance's token: sends its heartbeats and nothing else",
  user: "A user's token: sees and steers the user's instances",
  admin: "The operator's token: users, tokens, and the service's own figures",
} as const satisfies Record<Scope, string>;

/** Any one of these tokens. */
export const security = (...scopes: readonly Scope[]) => scopes.map((scope) => ({ [scope]: [] }));

/** Lets a request pass whose bearer token is valid and of one of these scopes; else 401 or 403. */
export function requireToken(...scopes: readonly Scope[]): MiddlewareHandler<ApiEnvironment> {
  return async (c, next) => {
    const principal = await identify(c.req.header("Authorization"), c.env);
    if (principal === null) {
      await slowDownGuessing(c.env, c.req.header("CF-Connecting-IP"));
      c.header("WWW-Authenticate", "Bearer");
      throw new ApiError(401, "unauthorized", "A valid bearer token is needed");
    }
    if (!scopes.includes(principal.scope)) {
      const needed = scopes.join(" or ");
      throw new ApiError(403, "forbidden", `This needs a token of scope ${needed}, not ${principal.scope}`);
    }
    c.set("principal", principal);
    await next();
  };
}

async function identify(authorization: string | undefined, env: Env): Promise<Principal | null> {
  const token = /^Bearer +([^\s]+) *$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) return null;
  const claims = await readToken(env.TOKEN_KEY, token);
  switch (claims?.scope) {
    case "instance":
      return {
        scope: "instance",
        userId: claims.sub,
        instanceId: claims.instance,
        tokenGeneration: claims.generation,
      };
    case "user": {
      const valid = await isTokenValid(env.DB, claims.sub, claims.jti);
      return valid ? { scope: "user", userId: claims.sub } : null;
    }
    // A link acts by its page alone.
    case "keep_alive":
      return null;
    case undefined:
      return (await isAdminToken(env.ADMIN_TOKEN, token)) ? { scope: "admin" } : null;
  }
}

async function slowDownGuessing(env: Env, address: string | undefined): Promise<void> {
  const { success } = await env.LOGIN_LIMIT.limit({ key: address ?? "unknown" });
  if (!success) throw tooManyRequests("Too many refused tokens from this address");
}

export function tooManyRequests(message: string): ApiError {
  return new ApiError(429, "too_many_requests", message, { retryAfterSeconds: 60 });
}

/** The user behind a request that `requireToken("user")` let pass. */
export function userIdOf(principal: Principal): string {
  if (principal.scope !== "user") throw new Error("the route does not require a user token");
  return principal.userId;
}
