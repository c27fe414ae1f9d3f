import type { MiddlewareHandler } from "hono";
import { identify, type Principal, type Scope } from "../accounts/principal.ts";
import { ApiError, tooManyRequests } from "./errors.ts";

/** What every handler finds in its context. */
export interface ApiEnvironment {
  Bindings: Env;
  Variables: { principal: Principal };
}

/** Lets a request pass if its bearer token is valid and has one of these scopes; otherwise answers 401 or 403. */
export function requireToken(...scopes: readonly Scope[]): MiddlewareHandler<ApiEnvironment> {
  return async (c, next) => {
    const token = bearerToken(c.req.header("Authorization"));
    const principal = token === null ? null : await identify(c.env, token);
    if (principal === null) {
      await slowDownGuessing(c.env, c.req.header("CF-Connecting-IP"));
      c.header("WWW-Authenticate", "Bearer");
      throw new ApiError("unauthorized", "A valid bearer token is needed");
    }
    if (!scopes.includes(principal.scope)) {
      const needed = scopes.join(" or ");
      throw new ApiError("forbidden", `This needs a token of scope ${needed}, not ${principal.scope}`);
    }
    c.set("principal", principal);
    await next();
  };
}

function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([^\s]+) *$/i.exec(authorization ?? "")?.[1] ?? null;
}

async function slowDownGuessing(env: Env, address: string | undefined): Promise<void> {
  const { success } = await env.LOGIN_LIMIT.limit({ key: address ?? "unknown" });
  if (!success) throw tooManyRequests("Too many refused tokens from this address");
}

/** The user behind a request that `requireToken("user")` let pass. */
export function userIdOf(principal: Principal): string {
  if (principal.scope !== "user") throw new Error("the route does not require a user token");
  return principal.userId;
}
