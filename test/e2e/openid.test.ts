import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { request, type User } from "../../scripts/client.ts";
import { OpenIdProvider } from "../outside/openid-provider.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, Pages } from "./pages.ts";

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

async function invite(name: string, role = "operator"): Promise<string> {
  const json = { name, role };
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
    const page = await pages.open(await invite("Cid"), {}, /40[13] \(/);
    await page.getByRole("button", { name: "By the link alone" }).click();
    await expect.poll(() => whoIn(page), { timeout: 60_000 }).toBe("Cid");
    provider.next = "cid";
    await goTo(page, "/api/session/openid?connect=true&to=%23/settings/account", /#\/settings\/account/);
    const later = await newBrowser();
    await goTo(later, "/api/session/openid", /#\/(fleet)?$/);
    expect(await whoIn(later)).toBe("Cid");
  });

  it("is offered to somebody who is invited, and connected and disconnected on the page", async () => {
    const page = await pages.open(await invite("Fay", "owner"), {}, /40[13] \(/);
    provider.next = "fay";
    const withProvider = page.getByRole("button", { name: "Continue with Example Accounts" });
    await withProvider.waitFor();
    expect(await barriers(page)).toEqual([]);
    await withProvider.click();
    await page.waitForURL(/#\/(fleet)?$/);
    await expect.poll(() => whoIn(page), { timeout: 60_000 }).toBe("Fay");
    await page.goto(`${world.url}/#/settings/access`);
    const fay = page.locator(".access-list li").filter({ hasText: "Fay" });
    await fay.getByText("signs in with Example Accounts").waitFor();
    expect(await page.getByRole("link", { name: "Connect Example Accounts" }).count()).toBe(0);
    expect(await barriers(page)).toEqual([]);

    await fay.getByRole("button", { name: "Disconnect: Example Accounts" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
    await page.getByRole("link", { name: "Connect Example Accounts" }).click();
    await page.waitForURL(/#\/settings\/access/);
    await fay.getByText("signs in with Example Accounts").waitFor();
    await page.context().close();
  });

  it("says at the place where somebody was why it was not connected", async () => {
    await invite("Gus").then(async (link) => {
      const gus = await pages.open(link, {}, /40[13] \(/);
      provider.next = "gus";
      await gus.getByRole("button", { name: "Continue with Example Accounts" }).click();
      await expect.poll(() => whoIn(gus), { timeout: 60_000 }).toBe("Gus");
      await gus.context().close();
    });
    const page = await pages.open(
      await invite("Hal"),
      { locale: "pt-BR", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
      /40[13] \(/,
    );
    await page.getByRole("button", { name: "Só pelo link" }).click();
    await expect.poll(() => whoIn(page), { timeout: 60_000 }).toBe("Hal");
    await page.goto(`${world.url}/#/settings/access`);
    await page.getByRole("link", { name: "Conectar Example Accounts" }).click();
    const told = page.getByRole("alert").filter({ hasText: "Este login pertence a outra pessoa da conta." });
    await told.waitFor();
    expect(page.url()).toMatch(/#\/settings\/access$/);
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    await told.getByRole("button", { name: "Fechar" }).click();
    await told.waitFor({ state: "detached" });
    await page.context().close();
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
