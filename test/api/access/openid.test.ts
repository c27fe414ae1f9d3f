import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { forgetDiscovery } from "../../../src/openid/provider.ts";
import { createRouter } from "../../../src/router.ts";
import { FakeProvider } from "../../openid/fake-provider.ts";
import { expectLogged } from "../../quiet.ts";
import { ADMIN_TOKEN, call, DAY, newUser, type Reply, setClock } from "../../world.ts";
import {
  type Account,
  actsOf,
  ask,
  cookieOf,
  follow,
  invite,
  linkOf,
  type Member,
  newMember,
  people,
  SESSION,
  secretIn,
} from "./world.ts";

/** Signing in with an OpenID provider, as a browser meets it. */

const ORIGIN = "https://dumont.test";
const KEPT = "__Host-dumont_openid";

const router = createRouter();
let fake: FakeProvider;
let ada: Account;

/** Each test has people of its own: the provider knows nobody of the one before. */
let run = 0;
const named = (name: string) => `${name}-${run}`;
const emailOf = (name: string) => `${named(name)}@example.com`;

beforeAll(async () => {
  fake = await FakeProvider.make();
});
beforeEach(async () => {
  setClock(DAY);
  ada = await newUser("Lovelace");
  fake.faults = {};
  run += 1;
  fake.subject = named("ada");
  forgetDiscovery();
  fake.takeCalls();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A request to a service whose operator has named the provider. */
async function browse(
  path: string,
  {
    cookies = [],
    vars = {},
    ...init
  }: RequestInit & { cookies?: string[]; vars?: Record<string, string> } = {},
): Promise<Reply> {
  const provider = {
    OPENID_ISSUER: fake.issuer,
    OPENID_CLIENT_ID: fake.clientId,
    OPENID_CLIENT_SECRET: fake.clientSecret,
    OPENID_NAME: "Example",
  };
  const context = createExecutionContext();
  const headers = new Headers(init.headers);
  if (cookies.length > 0) headers.set("Cookie", cookies.join("; "));
  const request = new Request(`${ORIGIN}${path}`, { ...init, headers, redirect: "manual" });
  const response = await router.fetch(request, { ...env, ...provider, ...vars }, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  const isJson = response.headers.get("Content-Type")?.includes("json") ?? false;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

const placeOf = ({ headers }: Reply) => headers.get("Location") ?? "";

/** To the provider and back, with what the browser keeps. Who signs in there is the fake's subject. */
async function round(start: Reply, more: { cookies?: string[] } = {}): Promise<Reply> {
  const url = start.status === 302 ? placeOf(start) : start.body.url;
  const back = fake.authorize(url);
  const cookies = [cookieOf(start, KEPT), ...(more.cookies ?? [])];
  return browse(`${back.pathname}${back.search}`, { cookies });
}

const signIn = async (query = "") => round(await browse(`/api/session/openid${query}`));

const memberIn = async (reply: Reply): Promise<Reply> =>
  call("GET", "/api/agent/whoami", { headers: { Cookie: cookieOf(reply, SESSION) } });

const JSON_OF_PAGE = { Origin: ORIGIN, "Content-Type": "application/json" };

const followByOpenId = (link: string, more: Record<string, string> = {}) =>
  browse("/api/session/openid", {
    method: "POST",
    headers: JSON_OF_PAGE,
    body: JSON.stringify({ link, ...more }),
  });

/** Somebody who is known by the provider from now on. */
async function connected(account: Account, subject: string, role = "operator"): Promise<string> {
  const { body } = await invite(account, { name: subject, role });
  fake.subject = named(subject);
  const reply = await round(await followByOpenId(secretIn(body.url)));
  expect(placeOf(reply)).toBe("/#/");
  return (await memberIn(reply)).body.by.id;
}

const connect = (member: Member, headers: Record<string, string> = { "Sec-Fetch-Site": "same-origin" }) =>
  browse("/api/session/openid?connect=true&to=%23/settings/account", { headers, cookies: [member.cookie] });

describe("an invitation that is followed with the provider", () => {
  it("makes a person whom the provider knows from then on, with the address that it has verified", async () => {
    const { body } = await invite(ada, { name: "Bea", email: "typed@example.com", role: "operator" });
    fake.subject = named("bea");
    const start = await followByOpenId(secretIn(body.url), { to: "#/alerts" });
    expect(start.headers.get("Set-Cookie")).toMatch(
      /^__Host-dumont_openid=[\w.%-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    const reply = await round(start);
    expect([reply.status, placeOf(reply)]).toEqual([302, "/#/alerts"]);
    expect(reply.headers.getSetCookie().find((cookie) => cookie.startsWith(SESSION))).toMatch(
      /; SameSite=Strict$/,
    );
    const { body: who } = await memberIn(reply);
    expect(who).toMatchObject({
      user: { id: ada.userId },
      role: "operator",
      by: { kind: "person", name: "Bea" },
    });
    expect((await follow(secretIn(body.url))).status).toBe(401);
    // Without any link, and by the provider's own name alone.
    fake.faults = { userInfo: { email: "bea@elsewhere.example", email_verified: false } };
    expect((await memberIn(await signIn())).body.by.id).toBe(who.by.id);
    const [act] = await actsOf(ada, "finishOpenIdSignIn", 2);
    expect(act).toMatchObject({
      who: { kind: "person", name: "Bea" },
      detail: { provider: "Example", connected: false },
    });
  });

  it("stays good when somebody of the account follows it, who is let in as ever", async () => {
    const bea = await connected(ada, "bea");
    const { body } = await invite(ada, { name: "Cid", role: "owner" });
    const reply = await round(await followByOpenId(secretIn(body.url)));
    expect((await memberIn(reply)).body).toMatchObject({ role: "operator", by: { id: bea } });
    expect((await follow(secretIn(body.url))).status).toBe(201);
  });

  it("works once, and not when it is over", async () => {
    const { body } = await invite(ada, { name: "Bea", role: "operator" });
    const start = await followByOpenId(secretIn(body.url));
    expect((await follow(secretIn(body.url))).status).toBe(201);
    fake.subject = named("bea");
    expect(placeOf(await round(start))).toBe("/#/sign-in?problem=link_over");
    expect((await followByOpenId("x".repeat(43))).status).toBe(401);
    expect(
      (
        await browse("/api/session/openid", {
          method: "POST",
          headers: { ...JSON_OF_PAGE, Origin: "https://evil.example" },
          body: "{}",
        })
      ).status,
    ).toBe(403);
  });

  it("may be a link of somebody who is in the account already", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "viewer" });
    fake.subject = named("bea");
    const reply = await round(await followByOpenId(await linkOf(ada.userId, bea.id)));
    expect((await memberIn(reply)).body.by.id).toBe(bea.id);
  });
});

describe("somebody whom the provider does not know here", () => {
  it("is refused, and nothing is made of them", async () => {
    fake.subject = named("eve");
    expect(placeOf(await signIn())).toBe("/#/sign-in?problem=unknown_person");
    fake.faults = { userInfo: { email_verified: false } };
    expect(placeOf(await signIn())).toBe("/#/sign-in?problem=unverified_email");
    expect(await people(ada)).toEqual([]);
  });

  it("is not drawn into an account by an address that its owner has typed", async () => {
    await newMember(ada, { name: "Trap", email: emailOf("bea"), role: "owner" });
    await invite(ada, { name: "Trap", email: emailOf("bea"), role: "owner" });
    fake.subject = named("bea");
    expect(placeOf(await signIn())).toBe("/#/sign-in?problem=unknown_person");
  });

  it("is known by an address that they have proven, if the provider has verified it too", async () => {
    const bea = await connected(ada, "bea");
    // The same address at the same provider, by another name there.
    fake.subject = named("bea-2");
    fake.faults = { userInfo: { email: emailOf("bea"), email_verified: false } };
    expect(placeOf(await signIn())).toBe("/#/sign-in?problem=unverified_email");
    fake.faults = { userInfo: { email: emailOf("bea").toUpperCase() } };
    expect((await memberIn(await signIn())).body.by.id).toBe(bea);
    fake.faults = { userInfo: { email: "bea@elsewhere.example" } };
    expect((await memberIn(await signIn())).body.by.id).toBe(bea);
  });

  it("must say which account, where the address is known in several", async () => {
    const other = await newUser("Babbage");
    await connected(ada, "cid");
    const there = await connected(other, "cid");
    fake.subject = named("cid-2");
    fake.faults = { userInfo: { email: emailOf("cid") } };
    expect(placeOf(await signIn())).toBe("/#/sign-in?problem=ambiguous_email");
    const reply = await signIn(`?account=${other.userId}`);
    expect((await memberIn(reply)).body).toMatchObject({ user: { id: other.userId }, by: { id: there } });
  });
});

describe("somebody of several accounts", () => {
  it("comes into the one where they were last, or into the one that is named", async () => {
    const other = await newUser("Babbage");
    await connected(ada, "dan");
    setClock(DAY + 60_000);
    await connected(other, "dan");
    expect((await memberIn(await signIn())).body.user.id).toBe(other.userId);
    expect((await memberIn(await signIn(`?account=${ada.userId}`))).body.user.id).toBe(ada.userId);
    expect(placeOf(await signIn("?account=u-none"))).toBe("/#/sign-in?problem=unknown_person");
  });
});

describe("a person who is signed in", () => {
  it("connects with the provider, and is known by it from then on", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "operator" });
    fake.subject = named("bea");
    const reply = await round(await connect(bea));
    expect(placeOf(reply)).toBe("/#/settings/account");
    expect(cookieOf(reply, SESSION)).toBe("");
    expect((await memberIn(await signIn())).body.by.id).toBe(bea.id);
    expect((await people(ada))[0]?.email).toBe(emailOf("bea"));
    const acts = await actsOf(ada, "finishOpenIdSignIn", 2);
    expect(acts.map(({ detail }) => detail.connected).sort()).toEqual([false, true]);
  });

  it("is not connected by another page, nor by a token, nor by nobody", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "operator" });
    const session = await call("POST", "/api/session", { headers: JSON_OF_PAGE, json: { token: ada.token } });
    for (const reply of [
      await connect(bea, { "Sec-Fetch-Site": "cross-site" }),
      await connect(bea, { "Sec-Fetch-Site": "same-site" }),
      await connect(bea, {}),
      await connect({ id: "", cookie: cookieOf(session, SESSION) }),
      await connect({ id: "", cookie: "" }),
    ]) {
      expect(placeOf(reply)).toBe("/#/settings/account?problem=not_a_person");
    }
  });

  it("is not connected once the browser has been signed out, or the account is suspended", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "operator" });
    fake.subject = named("thief");
    const taken = await connect(bea);
    const admin = (what: string) =>
      call("POST", `/api/admin/users/${ada.userId}/${what}`, { token: ADMIN_TOKEN });
    await admin("suspend");
    expect(placeOf(await round(taken))).toBe("/#/settings/account?problem=closed");
    await admin("resume");
    const again = await connect(bea);
    expect((await ask(bea, "DELETE", "/api/session")).status).toBe(200);
    expect(placeOf(await round(again))).toBe("/#/settings/account?problem=expired");
    expect(placeOf(await signIn())).toBe("/#/sign-in?problem=unknown_person");
  });

  it("can't take what stands for somebody else of the account", async () => {
    await connected(ada, "bea");
    const cid = await newMember(ada, { name: "Cid", role: "viewer" });
    expect(placeOf(await round(await connect(cid)))).toBe("/#/settings/account?problem=known_as_another");
  });
});

describe("a sign-in that comes back", () => {
  it("is over without what the browser kept, after ten minutes, and a second time", async () => {
    const start = await browse("/api/session/openid");
    const back = fake.authorize(placeOf(start));
    const path = `${back.pathname}${back.search}`;
    const expired = "/#/sign-in?problem=expired";
    expect(placeOf(await browse(path))).toBe(expired);
    expect(placeOf(await browse(path, { cookies: [`${KEPT}=x.y.z`] }))).toBe(expired);
    // Set by another host of the domain, which cannot give it the prefix.
    const { value } = /=(?<value>.*)/.exec(cookieOf(start, KEPT))?.groups ?? {};
    expect(placeOf(await browse(path, { cookies: [`dumont_openid=${value}`] }))).toBe(expired);
    setClock(DAY + 10 * 60_000 + 1);
    expect(placeOf(await browse(path, { cookies: [cookieOf(start, KEPT)] }))).toBe(expired);
  });

  it("is used up by the way back, whatever comes of it", async () => {
    await connected(ada, "bea");
    const start = await browse("/api/session/openid");
    const reply = await round(start);
    expect(reply.headers.getSetCookie().find((cookie) => cookie.startsWith(KEPT))).toMatch(
      /^__Host-dumont_openid=; Max-Age=0;/,
    );
    // A browser that kept it all the same: the provider takes no code twice.
    const back = fake.authorize(placeOf(start));
    const path = `${back.pathname}${back.search}`;
    expect(placeOf(await browse(path, { cookies: [cookieOf(start, KEPT)] }))).toBe("/#/");
    expect(placeOf(await browse(path, { cookies: [cookieOf(start, KEPT)] }))).toBe(
      "/#/sign-in?problem=expired",
    );
  });

  it("of another browser is refused: nobody is signed in as somebody else by a link", async () => {
    expectLogged(/an OpenID sign-in failed/);
    await connected(ada, "eve");
    const [eves, victims] = [await browse("/api/session/openid"), await browse("/api/session/openid")];
    const back = fake.authorize(placeOf(eves));
    const reply = await browse(`${back.pathname}${back.search}`, { cookies: [cookieOf(victims, KEPT)] });
    expect(placeOf(reply)).toBe("/#/sign-in?problem=not_trusted");
    expect(cookieOf(reply, SESSION)).toBe("");
  });

  it("lets nobody in who was removed, or whose account is suspended", async () => {
    const bea = await connected(ada, "bea");
    await call("POST", `/api/admin/users/${ada.userId}/suspend`, { token: ADMIN_TOKEN });
    expect(placeOf(await signIn())).toBe("/#/sign-in?problem=closed");
    await call("POST", `/api/admin/users/${ada.userId}/resume`, { token: ADMIN_TOKEN });
    expect((await call("DELETE", `/api/agent/people/${bea}`, { token: ada.token })).status).toBe(200);
    expect(placeOf(await signIn())).toBe("/#/sign-in?problem=unknown_person");
  });

  it("goes to the place that was asked for, and to none outside the page", async () => {
    await connected(ada, "bea");
    const at = async (to: string) => placeOf(await signIn(`?to=${encodeURIComponent(to)}`));
    expect(await at("#/instances/rig?tab=history")).toBe("/#/instances/rig?tab=history");
    for (const to of [
      "",
      "#",
      "https://evil.example",
      "//evil.example",
      "#/sign-in?link=x",
      "#/\r\nSet-Cookie: a=b",
    ]) {
      expect(await at(to)).toBe("/#/");
    }
  });

  it("says so where the provider is away, and answers no error of its own", async () => {
    expectLogged(/an OpenID sign-in failed/);
    const start = await browse("/api/session/openid");
    forgetDiscovery();
    fake.faults = { away: "/.well-known/openid-configuration" };
    expect(placeOf(await round(start))).toBe("/#/sign-in?problem=provider_unreachable");
    expect(placeOf(await browse("/api/session/openid"))).toBe("/#/sign-in?problem=provider_unreachable");
    expect(
      (await followByOpenId(secretIn((await invite(ada, { name: "B", role: "viewer" })).body.url))).status,
    ).toBe(503);
  });
});

describe("a service", () => {
  const none = { OPENID_ISSUER: "" };

  it("says how one may sign in, by what its operator has set", async () => {
    expect((await browse("/api/session/ways")).body).toEqual({
      token: true,
      email: false,
      openid: { name: "Example" },
    });
    const vars = { ...none, MAIL_FROM: "alerts@example.com" };
    expect((await browse("/api/session/ways", { vars })).body).toEqual({
      token: true,
      email: true,
      openid: null,
    });
    expect((await browse("/api/session/ways", { vars: { OPENID_NAME: "" } })).body.openid).toEqual({
      name: "accounts.example.com",
    });
  });

  it("without a provider says so", async () => {
    expect(placeOf(await browse("/api/session/openid", { vars: none }))).toBe(
      "/#/sign-in?problem=no_provider",
    );
    expect(placeOf(await browse("/api/session/openid/callback?code=x", { vars: none }))).toBe(
      "/#/sign-in?problem=no_provider",
    );
  });
});
