import type { MiddlewareHandler } from "hono";
import {
  type Identity,
  identify,
  identifySession,
  type Principal,
  type Scope,
  type UserPrincipal,
} from "../accounts/principal.ts";
import type { AskedBy } from "../lifecycle/model/origin.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import { text } from "../lifecycle/model/words/say.ts";
import type { ApiContext } from "./endpoint.ts";
import type { ApiEnvironment } from "./environment.ts";
import { ApiError, suspended, tooManyRequests } from "./errors.ts";
import { networkOf } from "./network.ts";
import { demandOwnPage, sessionSecretOf } from "./session-cookie.ts";

/**
 * Lets a request pass if its bearer token is valid and has one of these scopes; otherwise answers 401 or 403. For `user` a
 * browser's session does as well.
 */
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
  tokenOf: (c: ApiContext) => string | null,
  scopes: readonly Scope[],
): MiddlewareHandler<ApiEnvironment> {
  return async (c, next) => {
    const principal = await principalOf(c, await identityOf(c, tokenOf(c), scopes));
    if (!scopes.includes(principal.scope)) {
      const needed = scopes.join(" or ");
      throw new ApiError("forbidden", phrase("error.scope", { needed, given: principal.scope }));
    }
    if (principal.scope === "user") c.set("asking", principal);
    else c.set("principal", principal);
    await next();
    if (principal.scope === "user") keepPrivate(c);
  };
}

/** What was answered to one browser is for nobody who uses it next. The answer that opens a WebSocket can't be changed. */
function keepPrivate(c: ApiContext): void {
  if (c.res.status !== 101 && !c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
}

/** A token counts before the cookie: what a script sends is never done as somebody else. */
async function identityOf(c: ApiContext, token: string | null, scopes: readonly Scope[]): Promise<Identity> {
  if (token !== null) return identify(c.env, token);
  const hasOwnHeader = c.req.header("Authorization") !== undefined;
  const secret = hasOwnHeader || !scopes.includes("user") ? undefined : sessionSecretOf(c);
  if (secret === undefined) return { outcome: "not_valid" };
  demandOwnPage(c);
  return identifySession(c.env, secret);
}

/** Whoever was identified; throws for nobody. What identified them is noted as in use. */
export async function principalOf(c: ApiContext, identity: Identity): Promise<Principal> {
  switch (identity.outcome) {
    case "known":
      if (identity.noteUse !== null) c.executionCtx.waitUntil(identity.noteUse());
      return identity.principal;
    case "too_many_requests":
      throw tooManyRequests(text("error.token_too_fast"));
    case "suspended":
      throw suspended();
    case "not_valid":
      await slowDownGuessing(c);
      c.header("WWW-Authenticate", "Bearer");
      throw new ApiError("unauthorized", text("error.unauthorized"));
  }
}

function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([^\s]+) *$/i.exec(authorization ?? "")?.[1] ?? null;
}

function offeredToken(subprotocols: string | undefined): string | null {
  return /(?:^|,) *bearer\.([^\s,]+)/.exec(subprotocols ?? "")?.[1] ?? null;
}

/** Of each address, so many tokens are refused, and sign-ins tried, in a minute. */
export async function slowDownGuessing(c: ApiContext): Promise<void> {
  const { success } = await c.env.LOGIN_LIMIT.limit({ key: networkOf(c.req.header("CF-Connecting-IP")) });
  if (!success) throw tooManyRequests(text("error.address_too_fast"));
}

/** The user behind a request that `requireToken("user")` let pass. */
export function userIdOf(principal: Principal): string {
  return userOf(principal).userId;
}

/** The same, with who acts in the account. */
export function userOf(principal: Principal): UserPrincipal {
  if (principal.scope !== "user") throw new Error("the route does not require a user");
  return principal;
}

/** The same by name, as events tell it. */
export function askedBy(c: ApiContext): AskedBy {
  const { kind, name } = userOf(c.var.principal).by;
  return { kind, name };
}
