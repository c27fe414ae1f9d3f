import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forgetDiscovery, type OpenIdProvider } from "../../src/openid/provider.ts";
import { type Begun, beginSignIn, finishSignIn } from "../../src/openid/sign-in.ts";
import { OpenIdProvider as Certified } from "../outside/openid-provider.ts";
import { expectLogged } from "../quiet.ts";

/** A sign-in at a certified provider, which has given the service a secret, by a browser that follows redirects. */

const REDIRECT = "http://127.0.0.1:9/api/session/openid/callback";

let certified: Certified;
let provider: OpenIdProvider;

beforeAll(async () => {
  certified = await Certified.start();
  certified.serve(REDIRECT, true);
});
afterAll(() => certified.stop());
beforeEach(() => {
  forgetDiscovery();
  certified.next = "bea";
  provider = {
    issuer: new URL(certified.issuer),
    clientId: certified.clientId,
    clientSecret: certified.clientSecret,
    name: "Example",
    allowsLoopback: true,
  };
});

async function begin(): Promise<{ url: string; begun: Begun }> {
  const start = await beginSignIn(provider, REDIRECT, Date.now());
  if (start.outcome !== "begun") throw new Error(start.problem);
  return start;
}

/** Where the browser comes out. */
async function browse(from: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = from;
  for (let hops = 0; hops < 10 && !url.startsWith(REDIRECT); hops++) {
    const Cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { redirect: "manual", headers: { Cookie } });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get("Location");
    if (location === null) throw new Error(await response.text());
    url = new URL(location, url).href;
  }
  return new URL(url);
}

const finish = (callback: URL, begun: Begun, at = provider) =>
  finishSignIn(at, callback, REDIRECT, begun, Date.now());

describe("a sign-in at a certified provider", () => {
  it("says who it is, by a code that works once", async () => {
    const { url, begun } = await begin();
    const callback = await browse(url);
    expect(await finish(callback, begun)).toEqual({
      outcome: "signed_in",
      subject: {
        issuer: certified.issuer,
        subject: "bea",
        verifiedEmail: "bea@example.com",
        hasUnverifiedEmail: false,
        name: "BEA",
      },
    });
    expect(await finish(callback, begun)).toEqual({ outcome: "problem", problem: "expired" });
  });

  it("comes to nothing with a verifier of another sign-in, or when the person says no", async () => {
    const [one, two] = [await begin(), await begin()];
    const mixed = { ...one.begun, verifier: two.begun.verifier };
    expect(await finish(await browse(one.url), mixed)).toEqual({ outcome: "problem", problem: "expired" });
    certified.next = null;
    const declined = await finish(await browse(two.url), two.begun);
    expect(declined).toEqual({ outcome: "problem", problem: "provider_refused" });
  });

  it("with a wrong secret is logged for the operator, by the provider's own word for it", async () => {
    expectLogged(/an OpenID sign-in failed.*"said":"invalid_client"/);
    const { url, begun } = await begin();
    const wrong = { ...provider, clientSecret: "another" };
    const finished = await finish(await browse(url), begun, wrong);
    expect(finished).toEqual({ outcome: "problem", problem: "provider_unreachable" });
  });
});
