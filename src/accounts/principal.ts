import { logWarning } from "../platform/log.ts";
import { type EnrollmentStanding, enrollmentStanding } from "./enrollments.ts";
import type { Role } from "./roles.ts";
import { digestOfSecret } from "./secrets.ts";
import { noteSessionUse, type Session, sessionOfDigest, USE_NOTED_EVERY_MS } from "./sessions.ts";
import { isAdminToken, readToken } from "./tokens.ts";
import { noteTokenUse, tokenStanding } from "./user-tokens.ts";

/** Who acts in an account. `sessionId`: of the browser that they are signed in with. */
export type By =
  | {
      readonly kind: "token";
      readonly id: string;
      readonly name: string;
      /** Null for the token itself, which a script sends. */
      readonly sessionId: string | null;
    }
  | { readonly kind: "person"; readonly id: string; readonly name: string; readonly sessionId: string };

/** Who is asking, and on whose behalf. */
export type Principal =
  | {
      readonly scope: "instance";
      readonly userId: string;
      readonly instanceId: string;
      readonly tokenGeneration: number;
    }
  | { readonly scope: "user"; readonly userId: string; readonly role: Role; readonly by: By }
  /** A machine that registers itself. */
  | { readonly scope: "enrollment"; readonly userId: string; readonly enrollmentId: string }
  | { readonly scope: "admin" };

export type Scope = Principal["scope"];

export type Identity =
  | {
      readonly outcome: "known";
      readonly principal: Principal;
      /** Notes that what was shown is in use, where that is due. */
      readonly noteUse: (() => Promise<void>) | null;
    }
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
    case "limited":
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

/** Whom a browser stands for, by the secret of its session. */
export async function identifySession(env: Env, secret: string): Promise<Identity> {
  const digest = await digestOfSecret(env.TOKEN_KEY, "session", secret);
  if (digest === null) return NOT_VALID;
  if (!(await isWithinLimit(env, digest))) return { outcome: "too_many_requests" };
  const now = Date.now();
  const standing = await sessionOfDigest(env.DB, digest, now);
  if (standing.outcome !== "valid") return standing;
  const { session } = standing;
  const { id, userId, lastUsedAt } = session;
  const isUseDue = now - lastUsedAt >= USE_NOTED_EVERY_MS;
  return known(principalOfSession(session), isUseDue ? () => noteSessionUse(env.DB, userId, id, now) : null);
}

/** Whom a session stands for. */
export function principalOfSession({ id, userId, stem, role }: Session): UserPrincipal {
  return { scope: "user", userId, role, by: { ...stem, sessionId: id } };
}

export type UserPrincipal = Extract<Principal, { scope: "user" }>;

/** Before the database is asked, each token has its limit: so however often it is used, it costs nobody else anything. */
async function isWithinLimit(env: Env, key: string): Promise<boolean> {
  return (await env.TOKEN_LIMIT.limit({ key })).success;
}

async function identifyUser(env: Env, userId: string, tokenId: string): Promise<Identity> {
  if (!(await isWithinLimit(env, tokenId))) return { outcome: "too_many_requests" };
  const now = Date.now();
  const standing = await tokenStanding(env.DB, userId, tokenId, now);
  if (standing.outcome !== "valid") return standing;
  const { name, role, isUseDue } = standing;
  return known(
    { scope: "user", userId, role, by: { kind: "token", id: tokenId, name, sessionId: null } },
    isUseDue ? () => noteTokenUse(env.DB, tokenId, now) : null,
  );
}

async function identifyMachine(env: Env, userId: string, enrollmentId: string): Promise<Identity> {
  if (!(await isWithinLimit(env, enrollmentId))) return { outcome: "too_many_requests" };
  const standing: EnrollmentStanding = await enrollmentStanding(env.DB, userId, enrollmentId);
  switch (standing) {
    case "valid":
      return known({ scope: "enrollment", userId, enrollmentId });
    case "suspended":
      return { outcome: "suspended" };
    case "not_valid":
      return NOT_VALID;
  }
}

function known(principal: Principal, noteUse: (() => Promise<void>) | null = null): Identity {
  if (noteUse === null) return { outcome: "known", principal, noteUse };
  const noted = () => noteUse().catch((error) => logWarning("a use was not noted", {}, error));
  return { outcome: "known", principal, noteUse: noted };
}
