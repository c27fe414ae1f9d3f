import type { Context, MiddlewareHandler } from "hono";
import { type Identity, identify, type Principal, type Scope } from "../accounts/principal.ts";
import { ApiError, suspended, tooManyRequests } from "./errors.ts";

/** What every handler finds in its context. */
export interface ApiEnvironment {
  Bindings: Env;
  Variables: { principal: Principal };
}

/** Lets a request pass if its bearer token is valid and has one of these scopes; otherwise answers 401 or 403. */
export function requireToken(...scopes: readonly Scope[]): MiddlewareHandler<ApiEnvironment> {
  return requireTokenOf((c) => bearerToken(c.req.header("Authorization")), scopes);
}

/**
 * The same for a WebSocket, whose headers a browser does not let its page set: the token may also be offered as the
 * subprotocol `bearer.<token>`.
 */
export function requireSocketToken(...scopes: readonly Scope[]): MiddlewareHandler<ApiEnvironment> {
  return requireTokenOf(
    (c) => bearerToken(c.req.header("Authorization")) ?? offeredToken(c.req.header("Sec-WebSocket-Protocol")),
    scopes,
  );
}

function requireTokenOf(
  tokenOf: (c: Context<ApiEnvironment>) => string | null,
  scopes: readonly Scope[],
): MiddlewareHandler<ApiEnvironment> {
  return async (c, next) => {
    const token = tokenOf(c);
    const principal = await principalOf(
      c,
      token === null ? { outcome: "not_valid" } : await identify(c.env, token),
    );
    if (!scopes.includes(principal.scope)) {
      const needed = scopes.join(" or ");
      throw new ApiError("forbidden", `This needs a token of scope ${needed}, not ${principal.scope}`);
    }
    c.set("principal", principal);
    await next();
  };
}

async function principalOf(c: Context<ApiEnvironment>, identity: Identity): Promise<Principal> {
  switch (identity.outcome) {
    case "known":
      return identity.principal;
    case "too_many_requests":
      throw tooManyRequests("Too many requests with this token");
    case "suspended":
      throw suspended();
    case "not_valid":
      await slowDownGuessing(c.env, c.req.header("CF-Connecting-IP"));
      c.header("WWW-Authenticate", "Bearer");
      throw new ApiError("unauthorized", "A valid bearer token is needed");
  }
}

function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([^\s]+) *$/i.exec(authorization ?? "")?.[1] ?? null;
}

function offeredToken(subprotocols: string | undefined): string | null {
  return /(?:^|,) *bearer\.([^\s,]+)/.exec(subprotocols ?? "")?.[1] ?? null;
}

async function slowDownGuessing(env: Env, address: string | undefined): Promise<void> {
  const { success } = await env.LOGIN_LIMIT.limit({ key: address ?? "unknown" });
  if (!success) throw tooManyRequests("Too many refused tokens from this address");
}

/** The user behind a request that `requireToken("user")` let pass. */
export function userIdOf(principal: Principal): string {
  return userOf(principal).userId;
}

/** The same, with the token. */
export function userOf(principal: Principal): Extract<Principal, { scope: "user" }> {
  if (principal.scope !== "user") throw new Error("the route does not require a user token");
  return principal;
}
