import * as oauth from "oauth4webapi";
import { z } from "zod";
import { emailSchema, personNameSchema } from "../accounts/people.ts";
import { logWarning } from "../platform/log.ts";
import type { ProviderProblem } from "./problem.ts";
import { callOptions, discover, forgetDiscovery, type OpenIdProvider } from "./provider.ts";

/** A sign-in at the OpenID provider: the authorization code flow with PKCE and a nonce (OpenID Connect Core 1.0, RFC 9700). */

/** What the browser keeps from the beginning to the end, sealed. */
export const begunSchema = z.object({ state: z.string(), nonce: z.string(), verifier: z.string() });
export type Begun = Readonly<z.infer<typeof begunSchema>>;

/** Whom the provider has signed in. */
export interface Subject {
  readonly issuer: string;
  readonly subject: string;
  /** Only if the provider says that it is the person's. */
  readonly verifiedEmail: string | null;
  /** Whether the provider knows an address that it has not verified. */
  readonly hasUnverifiedEmail: boolean;
  readonly name: string | null;
}

export type Finished =
  | { readonly outcome: "signed_in"; readonly subject: Subject }
  | { readonly outcome: "problem"; readonly problem: ProviderProblem };

export type Start =
  | { readonly outcome: "begun"; readonly url: string; readonly begun: Begun }
  | { readonly outcome: "problem"; readonly problem: ProviderProblem };

/** Where the browser is to go. */
export async function beginSignIn(
  provider: OpenIdProvider,
  redirectUri: string,
  now: number,
): Promise<Start> {
  const begun: Begun = {
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    verifier: oauth.generateRandomCodeVerifier(),
  };
  try {
    const { authorization_endpoint: endpoint } = await discover(provider, now);
    const url = URL.parse(endpoint ?? "");
    if (url === null || !isWebAddress(url, provider))
      throw new Error("the provider names no address for sign-ins");
    const parameters = {
      client_id: provider.clientId,
      redirect_uri: redirectUri,
      response_type: "code",
      scope: "openid email profile",
      state: begun.state,
      nonce: begun.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(begun.verifier),
      code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return { outcome: "begun", url: url.href, begun };
  } catch (error) {
    return problem(problemOf(error));
  }
}

/** The browser is sent there, so it must be an address of the web. */
function isWebAddress(url: URL, { allowsLoopback }: OpenIdProvider): boolean {
  return url.protocol === "https:" || (allowsLoopback && url.protocol === "http:");
}

/** Whom the provider has signed in, once the browser is back at `callback`. Never throws for what the provider does. */
export async function finishSignIn(
  provider: OpenIdProvider,
  callback: URL,
  redirectUri: string,
  begun: Begun,
  now: number,
): Promise<Finished> {
  try {
    return { outcome: "signed_in", subject: await exchange(provider, callback, redirectUri, begun, now) };
  } catch (error) {
    return problem(problemOf(error));
  }
}

async function exchange(
  provider: OpenIdProvider,
  callback: URL,
  redirectUri: string,
  begun: Begun,
  now: number,
): Promise<Subject> {
  const server = await discover(provider, now);
  const client: oauth.Client = { client_id: provider.clientId };
  const parameters = oauth.validateAuthResponse(server, client, callback, begun.state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    authentication(provider, server),
    parameters,
    redirectUri,
    begun.verifier,
    callOptions(provider),
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: begun.nonce,
    requireIdToken: true,
  });
  // Not only TLS says that the provider said so.
  await oauth.validateApplicationLevelSignature(server, response, callOptions(provider));
  const claims = subjectClaims.parse(oauth.getValidatedIdTokenClaims(tokens));
  const told = claims.email === undefined ? await userInfo(provider, server, tokens, claims.sub) : claims;
  const email = emailSchema.safeParse(told.email).data ?? null;
  const isVerified = told.email_verified === true || told.email_verified === "true";
  return {
    issuer: claims.iss,
    subject: claims.sub,
    verifiedEmail: isVerified ? email : null,
    hasUnverifiedEmail: email !== null && !isVerified,
    name: personNameSchema.safeParse(claims.name ?? told.name).data ?? null,
  };
}

const profileShape = {
  email: z.string().optional().catch(undefined),
  email_verified: z.union([z.boolean(), z.string()]).optional().catch(undefined),
  name: z.string().optional().catch(undefined),
};

const subjectClaims = z.object({ iss: z.string(), sub: z.string().min(1).max(255), ...profileShape });

const userInfoClaims = z.object(profileShape);

/** Many providers tell the address there alone. Whoever has none is known by the subject. */
async function userInfo(
  provider: OpenIdProvider,
  server: oauth.AuthorizationServer,
  tokens: oauth.TokenEndpointResponse,
  subject: string,
): Promise<z.infer<typeof userInfoClaims>> {
  if (server.userinfo_endpoint === undefined) return {};
  const client: oauth.Client = { client_id: provider.clientId };
  const options = callOptions(provider);
  const response = await oauth.userInfoRequest(server, client, tokens.access_token, options);
  return userInfoClaims.parse(await oauth.processUserInfoResponse(server, client, subject, response));
}

function authentication(
  { clientSecret }: OpenIdProvider,
  server: oauth.AuthorizationServer,
): oauth.ClientAuth {
  if (clientSecret === null) return oauth.None();
  // The default of OpenID Connect Discovery where a provider does not say.
  const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  return methods.includes("client_secret_basic") || !methods.includes("client_secret_post")
    ? oauth.ClientSecretBasic(clientSecret)
    : oauth.ClientSecretPost(clientSecret);
}

function problem(what: ProviderProblem): { readonly outcome: "problem"; readonly problem: ProviderProblem } {
  return { outcome: "problem", problem: what };
}

function problemOf(error: unknown): ProviderProblem {
  const what = judge(error);
  // Somebody who changes their mind is nothing that an operator needs to know.
  if (what === "provider_unreachable" || what === "not_trusted") {
    logWarning("an OpenID sign-in failed", { problem: what, said: wordOf(error) }, error);
  }
  // What was kept of the provider may be what is wrong.
  if (what !== "provider_refused") forgetDiscovery();
  return what;
}

/** What the provider, or the library that judged its answer, calls it. */
function wordOf(error: unknown): string | undefined {
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError) {
    return error.error;
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) return error.cause[0]?.parameters.error;
  return error instanceof oauth.OperationProcessingError ? error.code : undefined;
}

/** Of a provider that answers, these say that it can't right now. */
const AWAY: ReadonlySet<string> = new Set([
  oauth.PARSE_ERROR,
  oauth.RESPONSE_IS_NOT_JSON,
  oauth.RESPONSE_IS_NOT_CONFORM,
  oauth.MISSING_SERVER_METADATA,
  oauth.INVALID_SERVER_METADATA,
  oauth.HTTP_REQUEST_FORBIDDEN,
  oauth.REQUEST_PROTOCOL_FORBIDDEN,
  oauth.WWW_AUTHENTICATE_CHALLENGE,
]);

function judge(error: unknown): ProviderProblem {
  if (error instanceof oauth.AuthorizationResponseError) {
    return AWAY_BY_ITS_WORD.has(error.error) ? "provider_unreachable" : "provider_refused";
  }
  // `invalid_grant`: a code that was used before, or too late. Everything else is between the operator and the provider.
  if (error instanceof oauth.ResponseBodyError)
    return error.error === "invalid_grant" ? "expired" : "provider_unreachable";
  if (error instanceof oauth.WWWAuthenticateChallengeError) return "provider_unreachable";
  if (error instanceof oauth.OperationProcessingError) {
    return AWAY.has(error.code ?? "") ? "provider_unreachable" : "not_trusted";
  }
  if (error instanceof oauth.UnsupportedOperationError || error instanceof z.ZodError) return "not_trusted";
  // The network, or the time.
  return "provider_unreachable";
}

/** RFC 6749, section 4.1.2.1: what is no person's fault. */
const AWAY_BY_ITS_WORD: ReadonlySet<string> = new Set(["server_error", "temporarily_unavailable"]);
