import { z } from "zod";
import { findPerson } from "../../accounts/people.ts";
import { identifySession } from "../../accounts/principal.ts";
import { digestOfSecret } from "../../accounts/secrets.ts";
import { sessionOfId } from "../../accounts/sessions.ts";
import { noteAct } from "../../http/audit.ts";
import { slowDownGuessing } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { ApiError, errorResponses } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse } from "../../http/openapi.ts";
import { demandPrivacy, refuseOtherPages, sessionSecretOf } from "../../http/session-cookie.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import type { OpenIdProblem } from "../../openid/problem.ts";
import { type OpenIdProvider, openIdProviderOf } from "../../openid/provider.ts";
import { beginSignIn, finishSignIn } from "../../openid/sign-in.ts";
import { whomOf } from "../../openid/whom.ts";
import { openSession } from "../session.ts";
import { type Kept, keepBegun, takeBegun } from "./openid-cookie.ts";

/** Signing in with the OpenID provider that the operator has named. A browser comes and goes: so what fails is said by the page. */

/** Where the person wants to go afterwards, as the page names it. */
const toSchema = z.string().max(2000).optional().describe("The place on the page to go to afterwards: `#/…`");

/** A place on the page. It is a fragment, so it leads nowhere else. */
function placeOf(to: string | undefined): string {
  const isPlace = to !== undefined && /^#\/[\x21-\x7e]*$/.test(to) && !to.startsWith("#/sign-in");
  return isPlace ? to : "#/";
}

const redirect = {
  302: {
    description:
      "To the provider; or back to the page, with `problem` of `#/sign-in`, or of `to` for somebody who connects: no_provider, provider_unreachable, provider_refused, expired, not_trusted, unknown_person, unverified_email, ambiguous_email, known_as_another, link_over, not_a_person, closed",
  },
};

export class StartOpenIdSignIn extends Endpoint {
  override schema = {
    operationId: "startOpenIdSignIn",
    tags: ["Access"],
    summary: "Go to the OpenID provider to sign in",
    description:
      "For browsers. A person is known by the provider's own name for them; before that, by an address that the provider has verified and that the person has proven here.",
    request: {
      query: z.object({
        to: toSchema,
        account: z.string().max(64).optional().describe("The account's id, for somebody who is in several"),
        connect: z
          .enum(["true"])
          .optional()
          .describe(
            "Sign nobody in: the person who is signed in wants to be known by the provider from now on",
          ),
      }),
    },
    responses: { ...redirect, ...errorResponses(400, 403, 429) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    demandPrivacy(c);
    await slowDownGuessing(c);
    const { query } = await this.getValidatedData<typeof this.schema>();
    const connect = query.connect === undefined ? null : await signedInPerson(c);
    // Whoever wants to connect stays where they are.
    const failed = (problem: OpenIdProblem) =>
      query.connect === undefined ? toPage(c, problem) : toPlaceWith(c, placeOf(query.to), problem);
    if (query.connect !== undefined && connect === null) return failed("not_a_person");
    const started = await start(c, {
      to: placeOf(query.to),
      account: query.account ?? null,
      link: null,
      connect,
    });
    return started.outcome === "begun" ? c.redirect(started.url) : failed(started.problem);
  }
}

const startSchema = component(
  "StartOpenIdSignInRequest",
  z.strictObject({
    link: z.string().min(1).max(200).describe("The secret of the link that is followed"),
    to: toSchema,
  }),
);

const startedSchema = component("OpenIdSignInStart", z.object({ url: z.string() }));

export class FollowLinkWithOpenId extends Endpoint {
  override schema = {
    operationId: "followLinkWithOpenId",
    tags: ["Access"],
    summary: "Follow a link, and be known by the OpenID provider from then on",
    description:
      "The page sends the browser to `url`. Once the person is back from there, the link is used, and no other is needed any more. The secret is sent in the body: it must not stand in an address.",
    request: { body: jsonBody(startSchema, { link: "Tm8gc2VjcmV0IGF0IGFsbA" }) },
    responses: {
      200: jsonResponse("Where to go", startedSchema, {
        url: "https://accounts.example.com/authorize?client_id=dumont",
      }),
      ...errorResponses(400, 401, 403, 409, 413, 429),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    demandPrivacy(c);
    refuseOtherPages(c);
    await slowDownGuessing(c);
    const { body } = await this.getValidatedData<typeof this.schema>();
    const link = await digestOfSecret(c.env.TOKEN_KEY, "link", body.link);
    if (link === null) throw new ApiError("unauthorized", text("error.no_link"));
    const started = await start(c, { to: placeOf(body.to), account: null, link, connect: null });
    if (started.outcome === "begun") return c.json({ url: started.url });
    throw started.problem === "no_provider"
      ? new ApiError("not_possible", text("error.no_openid"))
      : new ApiError("unavailable", text("error.openid_away"), { retryAfterSeconds: 60 });
  }
}

/** Begins at the provider; the browser keeps what it needs to come back. */
async function start(c: ApiContext, asked: Omit<Kept, "begun" | "at">) {
  const provider = openIdProviderOf(c.env);
  if (provider === null) return { outcome: "problem", problem: "no_provider" } as const;
  const now = Date.now();
  const started = await beginSignIn(provider, redirectUriOf(c), now);
  if (started.outcome === "begun") await keepBegun(c, { ...asked, begun: started.begun, at: now });
  return started;
}

/** The person of this browser. Another page must not connect anybody: it could be to an identity of its own. */
async function signedInPerson(c: ApiContext): Promise<Kept["connect"]> {
  const secret = sessionSecretOf(c);
  if (secret === undefined || c.req.header("Sec-Fetch-Site") !== "same-origin") return null;
  const identity = await identifySession(c.env, secret);
  if (identity.outcome !== "known" || identity.principal.scope !== "user") return null;
  const { userId, by } = identity.principal;
  return by.kind === "person" ? { userId, personId: by.id, sessionId: by.sessionId } : null;
}

/** Whoever has taken a session must not stay in by it once it is ended. The way back brings no cookie of it along. */
async function whyNotConnected(
  c: ApiContext,
  { userId, sessionId }: NonNullable<Kept["connect"]>,
  now: number,
): Promise<OpenIdProblem | null> {
  const { outcome } = await sessionOfId(c.env.DB, userId, sessionId, now);
  if (outcome === "valid") return null;
  return outcome === "suspended" ? "closed" : "expired";
}

export class FinishOpenIdSignIn extends Endpoint {
  override schema = {
    operationId: "finishOpenIdSignIn",
    tags: ["Access"],
    summary: "Come back from the OpenID provider",
    description: "For browsers that the provider sends back. Sets the cookie of the session.",
    request: { query: z.looseObject({}) },
    responses: { ...redirect, ...errorResponses(403, 429) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    demandPrivacy(c);
    await slowDownGuessing(c);
    const now = Date.now();
    const kept = await takeBegun(c, now);
    const provider = openIdProviderOf(c.env);
    if (provider === null) return toPage(c, "no_provider");
    if (kept === null) return toPage(c, "expired");
    return this.#finish(c, provider, kept, now);
  }

  async #finish(c: ApiContext, provider: OpenIdProvider, kept: Kept, now: number): Promise<Response> {
    const { begun, link, connect, account, to } = kept;
    const finished = await finishSignIn(provider, new URL(c.req.url), redirectUriOf(c), begun, now);
    if (finished.outcome === "problem") return back(c, kept, finished.problem);
    const refused = connect === null ? null : await whyNotConnected(c, connect, now);
    if (refused !== null) return back(c, kept, refused);
    const whom = await whomOf(c.env.DB, finished.subject, { link, connect, account }, now);
    if (whom.outcome === "problem") return back(c, kept, whom.problem);
    const { userId, personId } = whom.person;
    const person = await findPerson(c.env.DB, userId, personId);
    const isIn = person !== null && (connect !== null || (await isLetIn(c, userId, personId)));
    if (!isIn) return back(c, kept, "closed");
    noteAct(c, {
      who: { userId, actor: { kind: "person", id: personId, name: person.name } },
      subject: personId,
      isAct: true,
      detail: { provider: provider.name, connected: connect !== null },
    });
    return toPlace(c, to);
  }
}

/** False for an account that is suspended, and for a person who is removed in this very moment. */
async function isLetIn(c: ApiContext, userId: string, personId: string): Promise<boolean> {
  try {
    await openSession(c, userId, { kind: "person", id: personId });
    return true;
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}

function redirectUriOf(c: ApiContext): string {
  return `${new URL(c.req.url).origin}/api/session/openid/callback`;
}

/** The address of this answer holds a code, which is no other site's business. */
function toPlace(c: ApiContext, place: string): Response {
  c.header("Referrer-Policy", "no-referrer");
  c.header("Cache-Control", "no-store");
  return c.redirect(`/${place}`);
}

/** Somebody who is signed in comes back to where they were. */
function back(c: ApiContext, { connect, to }: Kept, problem: OpenIdProblem): Response {
  return connect === null ? toPage(c, problem) : toPlaceWith(c, to, problem);
}

function toPlaceWith(c: ApiContext, place: string, problem: OpenIdProblem): Response {
  return toPlace(c, `${place}${place.includes("?") ? "&" : "?"}problem=${problem}`);
}

/** The page says what came to nothing. */
function toPage(c: ApiContext, problem: OpenIdProblem): Response {
  return toPlace(c, `#/sign-in?problem=${problem}`);
}
