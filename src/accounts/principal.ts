import { type EnrollmentStanding, enrollmentStanding } from "./enrollments.ts";
import { isAdminToken, readToken } from "./tokens.ts";
import { type TokenStanding, tokenStanding } from "./users.ts";

/** Who is asking, and on whose behalf. */
export type Principal =
  | {
      readonly scope: "instance";
      readonly userId: string;
      readonly instanceId: string;
      readonly tokenGeneration: number;
    }
  | { readonly scope: "user"; readonly userId: string; readonly tokenId: string }
  /** A machine that registers itself. */
  | { readonly scope: "enrollment"; readonly userId: string; readonly enrollmentId: string }
  | { readonly scope: "admin" };

export type Scope = Principal["scope"];

export type Identity =
  | { readonly outcome: "known"; readonly principal: Principal }
  | { readonly outcome: "not_valid" }
  /** A user token that was used too often: nothing was asked of the database. */
  | { readonly outcome: "too_many_requests" }
  /** The token of a user whom the operator has suspended, or is deleting. */
  | { readonly outcome: "suspended" };

const NOT_VALID: Identity = { outcome: "not_valid" };

/**
 * Whom a bearer token stands for. Whether an instance's token is the current one is known to its actor alone, by the
 * generation, and so is whether its user is suspended.
 */
export async function identify(env: Env, token: string): Promise<Identity> {
  const claims = await readToken(env.TOKEN_KEY, token);
  switch (claims?.scope) {
    case "instance":
      return known({
        scope: "instance",
        userId: claims.sub,
        instanceId: claims.instance,
        tokenGeneration: claims.generation,
      });
    case "user":
      return identifyUser(env, claims.sub, claims.jti);
    case "enrollment":
      return identifyMachine(env, claims.sub, claims.jti);
    // The token of a link works on the link's own page only.
    case "keep_alive":
    case "confirm_channel":
      return NOT_VALID;
    case undefined:
      return (await isAdminToken(env.ADMIN_TOKEN, token)) ? known({ scope: "admin" }) : NOT_VALID;
  }
}

/** Before the database is asked, each token has its limit: so however often it is used, it costs nobody else anything. */
async function withinLimit(
  env: Env,
  tokenId: string,
  principal: Principal,
  standing: () => Promise<TokenStanding | EnrollmentStanding>,
): Promise<Identity> {
  const { success } = await env.TOKEN_LIMIT.limit({ key: tokenId });
  if (!success) return { outcome: "too_many_requests" };
  switch (await standing()) {
    case "valid":
      return known(principal);
    case "suspended":
      return { outcome: "suspended" };
    case "not_valid":
      return NOT_VALID;
  }
}

function identifyUser(env: Env, userId: string, tokenId: string): Promise<Identity> {
  return withinLimit(env, tokenId, { scope: "user", userId, tokenId }, () =>
    tokenStanding(env.DB, userId, tokenId),
  );
}

function identifyMachine(env: Env, userId: string, enrollmentId: string): Promise<Identity> {
  return withinLimit(env, enrollmentId, { scope: "enrollment", userId, enrollmentId }, () =>
    enrollmentStanding(env.DB, userId, enrollmentId),
  );
}

function known(principal: Principal): Identity {
  return { outcome: "known", principal };
}
