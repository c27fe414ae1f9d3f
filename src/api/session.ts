import { z } from "zod";
import { deviceOf } from "../accounts/device.ts";
import { takeLink } from "../accounts/links.ts";
import { type Identity, identify, principalOfSession, type UserPrincipal } from "../accounts/principal.ts";
import { isAtLeast } from "../accounts/roles.ts";
import { digestOfSecret, issueSecret } from "../accounts/secrets.ts";
import { createSession, endSession, type Stem, sessionOfDigest } from "../accounts/sessions.ts";
import { principalOf, slowDownGuessing } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { ApiError, errorResponses } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, successResponse } from "../http/openapi.ts";
import {
  demandOwnPage,
  demandPrivacy,
  refuseOtherPages,
  sessionSecretOf,
  setSessionSecret,
} from "../http/session-cookie.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import { text } from "../lifecycle/model/words/say.ts";
import { fleetOf } from "../platform/address.ts";
import { logWarning } from "../platform/log.ts";
import { whoAmI, whoAmIExample, whoAmISchema } from "./whoami.ts";

/** Signing in, once a browser, and out. */

const signInSchema = component(
  "SignInRequest",
  z.union([
    z.strictObject({ token: z.string().min(1).max(2000).describe("A user's token") }),
    z.strictObject({ link: z.string().min(1).max(200).describe("The secret of a link that signs in once") }),
  ]),
);

export class SignIn extends Endpoint {
  override schema = {
    operationId: "signIn",
    tags: ["Access"],
    summary: "Sign a browser in",
    description:
      "By a user's token, or by the secret of a link, which works once. The answer sets an HttpOnly cookie that stands for the token or the person from then on: for 90 days at most, and 14 without use. What it stems from can be revoked, and so can the session itself.",
    request: { body: jsonBody(signInSchema, { token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9…" }) },
    responses: {
      201: jsonResponse("Signed in", whoAmISchema, whoAmIExample),
      ...errorResponses(400, 401, 403, 413, 429),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    demandPrivacy(c);
    refuseOtherPages(c);
    await slowDownGuessing(c);
    const { body } = await this.getValidatedData<typeof this.schema>();
    const { userId, stem } = "token" in body ? await byToken(c, body.token) : await byLink(c, body.link);
    const principal = await openSession(c, userId, stem);
    c.header("Cache-Control", "no-store");
    return c.json(await whoAmI(c.env, principal), 201);
  }
}

/**
 * Opens a session of the browser that asks, and gives it the cookie. The secret is always a new one: a cookie that was there
 * before is never taken over, and its session ends.
 */
export async function openSession(c: ApiContext, userId: string, stem: Stem): Promise<UserPrincipal> {
  await endSessionOfCookie(c);
  const { secret, digest } = await issueSecret(c.env.TOKEN_KEY, "session");
  const now = Date.now();
  const device = deviceOf(c.req.header("User-Agent"));
  const id = `s-${crypto.randomUUID()}`;
  await createSession(c.env.DB, { id, userId, stem, digest, device, now });
  const standing = await sessionOfDigest(c.env.DB, digest, now);
  // What it stems from may have ended in this very moment.
  if (standing.outcome !== "valid") throw new ApiError("unauthorized", text("error.way_closed"));
  const principal = principalOfSession(standing.session);
  c.set("principal", principal);
  setSessionSecret(c, secret);
  return principal;
}

interface WayIn {
  readonly userId: string;
  readonly stem: Stem;
}

async function byToken(c: ApiContext, token: string): Promise<WayIn> {
  const principal = await principalOf(c, userOnly(await identify(c.env, token)));
  if (principal.scope !== "user") throw new ApiError("forbidden", text("error.sign_in"));
  const { role, userId, by } = principal;
  if (!isAtLeast(role, "viewer")) {
    throw new ApiError("forbidden", phrase("error.sign_in_role", { given: role }));
  }
  return { userId, stem: { kind: "token", id: by.id } };
}

/** The operator's token is not told from any other that is none. */
function userOnly(identity: Identity): Identity {
  const isAdmin = identity.outcome === "known" && identity.principal.scope === "admin";
  return isAdmin ? { outcome: "not_valid" } : identity;
}

async function byLink(c: ApiContext, link: string): Promise<WayIn> {
  const digest = await digestOfSecret(c.env.TOKEN_KEY, "link", link);
  const taken = digest === null ? null : await takeLink(c.env.DB, digest, Date.now());
  if (taken === null) {
    throw new ApiError("unauthorized", text("error.link_over"));
  }
  return { userId: taken.userId, stem: { kind: "person", id: taken.personId } };
}

export class SignOut extends Endpoint {
  override schema = {
    operationId: "signOut",
    tags: ["Access"],
    summary: "Sign this browser out",
    description: "Its session ends, and with it the live connections that it opened. Safe to repeat.",
    responses: { 200: successResponse("Signed out"), ...errorResponses(403, 429) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    if (sessionSecretOf(c) === undefined) refuseOtherPages(c);
    else demandOwnPage(c);
    await slowDownGuessing(c);
    await endSessionOfCookie(c);
    setSessionSecret(c, "");
    return c.json({ success: true });
  }
}

/** However often the session was used: whoever has taken it must not be able to keep it from being ended. */
async function endSessionOfCookie(c: ApiContext): Promise<void> {
  const digest = await digestOfSecret(c.env.TOKEN_KEY, "session", sessionSecretOf(c) ?? "");
  if (digest === null) return;
  const standing = await sessionOfDigest(c.env.DB, digest, Date.now());
  if (standing.outcome !== "valid") return;
  const { id, userId } = standing.session;
  c.set("principal", principalOfSession(standing.session));
  await endSessionOf(c, userId, id);
}

/** Ends a session with its live connections; false when the account has no such one. */
export async function endSessionOf(c: ApiContext, userId: string, sessionId: string): Promise<boolean> {
  const hasEnded = await endSession(c.env.DB, userId, sessionId);
  if (hasEnded) closeLiveConnections(c, userId, sessionId);
  return hasEnded;
}

/** Closes the live connections of a token, a person or a session. One that this does not reach ends at its next look-up. */
export function closeLiveConnections(c: ApiContext, userId: string, id: string): void {
  const closed = fleetOf(c.env, userId).tokenRevoked(id);
  c.executionCtx.waitUntil(
    closed.catch((error) =>
      logWarning("live connections not closed", { user_id: userId, revoked_id: id }, error),
    ),
  );
}
