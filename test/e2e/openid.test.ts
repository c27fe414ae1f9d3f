import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { request, type User } from "../../scripts/client.ts";
import { OpenIdProvider } from "../outside/openid-provider.ts";
import { ServerWorld } from "../server/world.ts";
import { Pages } from "./pages.ts";

/** Signing in with a certified OpenID provider, in a real Chromium, before a real server. */

let provider: OpenIdProvider;
let world: ServerWorld;
let pages: Pages;
let ada: User;

beforeAll(async () => {
  provider = await OpenIdProvider.start();
  world = await ServerWorld.create({
    ALLOW_LOOPBACK_URLS: "true",
    OPENID_ISSUER: provider.issuer,
    OPENID_CLIENT_ID: provider.clientId,
    OPENID_NAME: "Example Accounts",
  });
  provider.serve(`${world.url}/api/session/openid/callback`, false);
  pages = await Pages.start();
  ada = await world.newUser("Lovelace");
});
afterAll(async () => {
  await pages?.end();
  await world?.end();
  await provider?.stop();
});
afterEach(() => {
  expect(pages.complaints()).toEqual([]);
});

const invitationSchema = z.object({ url: z.string() });

async function invite(name: string): Promise<string> {
  const json = { name, role: "operator" };
  const made = await request(`${world.url}/api/agent/invitations`, "POST", ada.token, json);
  return invitationSchema.parse(made).url;
}

const whoSchema = z.object({
  session: z
    .object({ user: z.object({ id: z.string() }), by: z.object({ kind: z.string(), name: z.string() }) })
    .nullable(),
});

/** Who the page is signed in as, by the cookie alone. */
async function whoIn(page: Page): Promise<string | null> {
  const answer: unknown = await page.evaluate("fetch('/api/session').then((response) => response.json())");
  return whoSchema.parse(answer).session?.by.name ?? null;
}

/** As a click on a link of the page does. */
const goTo = async (page: Page, path: string, place: RegExp) => {
  await page.evaluate(`location.assign(${JSON.stringify(path)})`);
  await page.waitForURL(place);
};

/** A new browser, in which nobody is signed in. */
const newBrowser = () => pages.open(`${world.url}/#/sign-in`);

describe("an OpenID provider", () => {
  it("is among the ways to sign in", async () => {
    const ways = await fetch(`${world.url}/api/session/ways`).then((response) => response.json());
    expect(ways).toEqual({ token: true, email: false, openid: { name: "Example Accounts" } });
  });

  it("lets somebody in who was invited, and who comes back later, to the place that they wanted", async () => {
    const link = (await invite("Bea")).split("link=")[1] ?? "";
    provider.next = "bea";
    const page = await newBrowser();
    const start = await page.evaluate(
      `fetch("/api/session/openid", { method: "POST", headers: { "Content-Type": "application/json" },
         body: JSON.stringify({ link: ${JSON.stringify(link)}, to: "#/settings/account" }) }).then((response) => response.json())`,
    );
    const { url } = z.object({ url: z.string() }).parse(start);
    expect(url.startsWith(provider.issuer)).toBe(true);
    await goTo(page, url, /#\/settings\/account/);
    expect(await whoIn(page)).toBe("Bea");
    await page.reload();
    expect(await whoIn(page)).toBe("Bea");

    const later = await newBrowser();
    await goTo(later, "/api/session/openid?to=%23/settings/policy", /#\/settings\/policy/);
    expect(await whoIn(later)).toBe("Bea");
  });

  it("is connected by somebody who is signed in, and known from then on", async () => {
    const page = await pages.open(await invite("Cid"));
    await expect.poll(() => whoIn(page), { timeout: 60_000 }).toBe("Cid");
    provider.next = "cid";
    await goTo(page, "/api/session/openid?connect=true&to=%23/settings/account", /#\/settings\/account/);
    const later = await newBrowser();
    await goTo(later, "/api/session/openid", /#\/(fleet)?$/);
    expect(await whoIn(later)).toBe("Cid");
  });

  it("lets nobody in whom no account knows, nor who says no, nor by an address that is not verified, and the page says why", async () => {
    const page = await newBrowser();
    const tryToSignIn = async (who: string | null, because: RegExp) => {
      provider.next = who;
      await goTo(page, "/api/session/openid", /#\/sign-in/);
      await page.getByRole("alert").filter({ hasText: because }).waitFor();
      expect(await whoIn(page)).toBeNull();
      await page.context().clearCookies();
      await page.goto("about:blank");
      await page.goto(`${world.url}/#/sign-in`);
    };
    await tryToSignIn("eve", /Nobody in any account is known/);
    await tryToSignIn(null, /refused/);
    provider.unverified.add("dan");
    await tryToSignIn("dan", /has not verified your e-mail address/);
  });
});
