import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { forgetDiscovery, type OpenIdProvider, openIdProviderOf } from "../../src/openid/provider.ts";
import { type Begun, beginSignIn, type Finished, finishSignIn } from "../../src/openid/sign-in.ts";
import { expectLogged } from "../quiet.ts";
import { FakeProvider, type Faults } from "./fake-provider.ts";

/** A sign-in at a provider that is right, and at one that is wrong in each way that matters. */

const REDIRECT = "https://dumont.test/api/session/openid/callback";

let fake: FakeProvider;
let provider: OpenIdProvider;

beforeAll(async () => {
  fake = await FakeProvider.make();
});
afterEach(() => vi.restoreAllMocks());
beforeEach(() => {
  fake.faults = {};
  fake.takeCalls();
  forgetDiscovery();
  const named = openIdProviderOf({
    OPENID_ISSUER: fake.issuer,
    OPENID_CLIENT_ID: fake.clientId,
    OPENID_CLIENT_SECRET: fake.clientSecret,
  });
  if (named === null) throw new Error("there is no provider");
  provider = named;
});

async function begin(): Promise<{ url: string; begun: Begun }> {
  const start = await beginSignIn(provider, REDIRECT, Date.now());
  if (start.outcome !== "begun") throw new Error(start.problem);
  return start;
}

const finish = (callback: URL, begun: Begun): Promise<Finished> =>
  finishSignIn(provider, callback, REDIRECT, begun, Date.now());

/** A whole sign-in, in which the provider does wrong from the moment on at which it has been asked. */
async function signIn(faults: Faults = {}, more: Record<string, string> = {}): Promise<Finished> {
  const { url, begun } = await begin();
  const callback = fake.authorize(url, more);
  fake.faults = faults;
  return finish(callback, begun);
}

const problem = (what: string) => ({ outcome: "problem", problem: what });

describe("a sign-in at an OpenID provider", () => {
  it("asks for a code with PKCE, a state and a nonce, that no two sign-ins share", async () => {
    const [one, two] = [await begin(), await begin()];
    const { searchParams: asked } = new URL(one.url);
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: "code",
      client_id: "dumont",
      redirect_uri: REDIRECT,
      scope: "openid email profile",
      code_challenge_method: "S256",
      state: one.begun.state,
      nonce: one.begun.nonce,
    });
    expect(one.url).not.toContain(one.begun.verifier);
    const secrets = [one, two].flatMap(({ begun }) => [begun.state, begun.nonce, begun.verifier]);
    expect(new Set(secrets).size).toBe(6);
  });

  it("says whom the provider has signed in, with the address that it has verified", async () => {
    expect(await signIn({ userInfo: { name: "Ada Lovelace", email: "Ada@Example.com" } })).toEqual({
      outcome: "signed_in",
      subject: {
        issuer: fake.issuer,
        subject: "ada",
        verifiedEmail: "ada@example.com",
        hasUnverifiedEmail: false,
        name: "Ada Lovelace",
      },
    });
  });

  it("takes the address from the ID token where it stands there, and then asks for nothing more", async () => {
    const claims = { email: "ada@lovelace.example", email_verified: true, name: "Ada" };
    const signedIn = await signIn({ claims, away: "/userinfo" });
    expect(signedIn).toMatchObject({ subject: { verifiedEmail: "ada@lovelace.example", name: "Ada" } });
  });

  it.each<[string, Record<string, unknown>]>([
    ["says that it has not verified it", { email_verified: false }],
    ["does not say whether it has verified it", { email_verified: undefined }],
    ["says something else of it", { email_verified: 1 }],
  ])("trusts no address of which the provider %s", async (_, userInfo) => {
    expect(await signIn({ userInfo })).toMatchObject({
      subject: { verifiedEmail: null, hasUnverifiedEmail: true },
    });
  });

  it("knows by the subject alone whoever has no address that can be one", async () => {
    expect(await signIn({ userInfo: { email: "ada" } })).toMatchObject({
      subject: { subject: "ada", verifiedEmail: null, hasUnverifiedEmail: false },
    });
  });
});

describe("a sign-in proves nothing", () => {
  it.each<[string, Faults]>([
    ["by another nonce", { claims: { nonce: "another" } }],
    ["without a nonce", { claims: { nonce: undefined } }],
    ["of another issuer", { claims: { iss: "http://127.0.0.1:1" } }],
    ["for another service", { claims: { aud: "another" } }],
    ["for another service among several", { claims: { aud: ["dumont", "another"], azp: "another" } }],
    ["of a token that is over", { claims: { exp: 1, iat: 0 } }],
    ["without a subject", { claims: { sub: undefined } }],
    ["with an endless subject", { claims: { sub: "a".repeat(300) } }],
    ["with the algorithm none", { header: { alg: "none" }, unsigned: true }],
    ["without a signature", { unsigned: true }],
    ["by a key of somebody else", { foreignKey: true }],
    ["by a key that is not published", { header: { kid: "k2" } }],
    ["by a key that both sides know", { header: { alg: "HS256" } }],
    ["when the address is another person's", { userInfo: { sub: "eve" } }],
  ])("%s", async (_, faults) => {
    expectLogged(/an OpenID sign-in failed/);
    expect(await signIn(faults)).toEqual(problem("not_trusted"));
  });

  it("even where the provider names the algorithm none among its own", async () => {
    expectLogged(/an OpenID sign-in failed/);
    const metadata = { id_token_signing_alg_values_supported: ["none", "RS256"] };
    fake.faults = { metadata };
    expect(await signIn({ metadata, header: { alg: "none" }, unsigned: true })).toEqual(
      problem("not_trusted"),
    );
  });

  it.each<[string, Record<string, string>]>([
    ["of another browser: its state is another", { state: "another" }],
    ["that another provider sent: a mix-up", { iss: "https://evil.example.com" }],
    ["that holds tokens itself", { id_token: "eyJhbGciOiJub25lIn0.e30." }],
  ])("%s", async (_, more) => {
    expectLogged(/an OpenID sign-in failed/);
    expect(await signIn({}, more)).toEqual(problem("not_trusted"));
  });

  it("of a provider that should name itself, and does not", async () => {
    expectLogged(/an OpenID sign-in failed/);
    const { url, begun } = await begin();
    const callback = fake.authorize(url);
    callback.searchParams.delete("iss");
    expect(await finish(callback, begun)).toEqual(problem("not_trusted"));
  });

  it("a second time: its code is used", async () => {
    const { url, begun } = await begin();
    const callback = fake.authorize(url);
    expect(await finish(callback, begun)).toMatchObject({ outcome: "signed_in" });
    expect(await finish(callback, begun)).toEqual(problem("expired"));
  });

  it("with the code of another sign-in: PKCE tells them apart", async () => {
    const [stolen, own] = [await begin(), await begin()];
    const callback = fake.authorize(stolen.url, { state: own.begun.state });
    expect(await finish(callback, own.begun)).toEqual(problem("expired"));
  });
});

describe("a sign-in comes to nothing", () => {
  it("when the person says no", async () => {
    expect(await signIn({}, { error: "access_denied" })).toEqual(problem("provider_refused"));
  });

  it("when the provider says that it can't", async () => {
    expectLogged(/an OpenID sign-in failed/);
    expect(await signIn({}, { error: "temporarily_unavailable" })).toEqual(problem("provider_unreachable"));
  });

  const PATH = "/.well-known/openid-configuration";
  it.each<[string, Faults]>([
    ["fails", { answers: { [PATH]: { status: 500, body: "{}" } } }],
    ["speaks no JSON", { answers: { [PATH]: { status: 200, body: "<html>" } } }],
    ["speaks without end", { answers: { [PATH]: { status: 200, body: " ".repeat(300 * 1024) } } }],
    ["says that it is another", { metadata: { issuer: "http://127.0.0.1:1" } }],
    ["names no address for sign-ins", { metadata: { authorization_endpoint: undefined } }],
    ["would have the browser run a script", { metadata: { authorization_endpoint: "javascript:alert(1)" } }],
  ])("at the beginning when the provider %s", async (_, faults) => {
    expectLogged(/an OpenID sign-in failed/);
    fake.faults = faults;
    const start = await beginSignIn(provider, REDIRECT, Date.now());
    expect(start.outcome).toBe("problem");
  });

  it.each<[string, Faults, string]>([
    ["fails", { answers: { "/token": { status: 500, body: "{}" } } }, "provider_unreachable"],
    [
      "does not know this service",
      { answers: { "/token": { status: 401, body: '{"error":"invalid_client"}' } } },
      "provider_unreachable",
    ],
    [
      "names an address without TLS elsewhere",
      { metadata: { token_endpoint: "http://192.0.2.1/token" } },
      "provider_unreachable",
    ],
    ["keeps no keys", { answers: { "/jwks": { status: 404, body: "{}" } } }, "provider_unreachable"],
    [
      "tells nothing of the person",
      { answers: { "/userinfo": { status: 503, body: "{}" } } },
      "provider_unreachable",
    ],
  ])("at the end when the provider %s", async (_, faults, what) => {
    expectLogged(/an OpenID sign-in failed/);
    const { url, begun } = await begin();
    forgetDiscovery();
    fake.faults = faults;
    expect(await finish(fake.authorize(url), begun)).toEqual(problem(what));
  });

  it("when nobody is there", async () => {
    expectLogged(/an OpenID sign-in failed/);
    const gone = { ...provider, issuer: new URL("https://gone.example.com") };
    expect(await beginSignIn(gone, REDIRECT, Date.now())).toEqual(problem("provider_unreachable"));
  });

  it.each(["http://accounts.example.com", "http://127.0.0.1:8080"])("without TLS: %s", async (address) => {
    expectLogged(/an OpenID sign-in failed/);
    const unprotected = { ...provider, issuer: new URL(address) };
    expect(await beginSignIn(unprotected, REDIRECT, Date.now())).toEqual(problem("provider_unreachable"));
    expect(fetch).not.toHaveBeenCalled();
  });

  it("without TLS elsewhere, even where local tests may call this machine", async () => {
    expectLogged(/an OpenID sign-in failed/);
    const local = { ...provider, allowsLoopback: true, issuer: new URL("http://accounts.example.com") };
    expect(await beginSignIn(local, REDIRECT, Date.now())).toEqual(problem("provider_unreachable"));
    expect(fetch).not.toHaveBeenCalled();
  });
});
