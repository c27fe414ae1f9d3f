import type { BrowserContextOptions, Page, Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { registerInstance, request, type User } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, chooseLanguage, Pages, signIn, signOut } from "./pages.ts";

/** How people come into the page and out of it, in a real Chromium before a real server. */

const PATIENCE = { timeout: 60_000 };

let world: ServerWorld;
let pages: Pages;

beforeAll(async () => {
  world = await ServerWorld.create();
  pages = await Pages.start();
});
afterAll(async () => {
  await pages?.end();
  await world?.end();
});
afterEach(() => {
  expect(pages.complaints()).toEqual([]);
});

const open = (place = "", options: BrowserContextOptions = {}, expected?: RegExp): Promise<Page> =>
  pages.open(`${world.url}/${place}`, options, expected);

/** A link that signs in as an owner of the user's account, once. */
async function linkFor(user: User): Promise<string> {
  const address = `${world.url}/api/admin/users/${user.id}/sign-in-links`;
  const answer = await request(address, "POST", await world.adminToken(), {});
  return z.object({ url: z.string() }).parse(answer).url;
}

/** Signs in as Eve by a link, whoever is signed in on the page. */
async function signInInstead(page: Page, eve: User): Promise<void> {
  await page.goto(await linkFor(eve));
  await page.getByRole("button", { name: "Sign in by the link instead" }).click();
  await page.getByRole("button", { name: /Eve$/ }).waitFor(PATIENCE);
}

/** Until the page has drawn what it has just heard. */
const isDrawn = (page: Page) =>
  page.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 200)))");

const kept = (page: Page) => page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])");

describe("signing in by a token", () => {
  it("lasts beyond the tab, leads to where one wanted to be, and keeps the token nowhere", async () => {
    const user = await world.newUser("Ada");
    const page = await open("#/settings/account");
    await signIn(page, user);
    await page.getByLabel("Name").waitFor(PATIENCE);
    expect(await kept(page)).not.toContain(user.token);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
    expect(cookie?.value).not.toContain(user.token);

    const other = await page.context().newPage();
    await other.goto(`${world.url}/#/costs`);
    await other.getByRole("heading", { name: "Costs" }).first().waitFor(PATIENCE);
    await signOut(page);
    await other.getByRole("button", { name: "Sign in" }).waitFor(PATIENCE);
    expect(await page.context().cookies()).toEqual([]);
    await page.context().close();
  });

  it("says what is wrong with a token of another kind, to a reader of Portuguese and by the keyboard alone", async () => {
    const options = { locale: "pt-BR", colorScheme: "dark", viewport: { width: 390, height: 844 } } as const;
    const page = await open("", options, /40[13] \(/);
    await page.getByLabel("Token de usuário").focus();
    await page.keyboard.type(await world.adminToken());
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("Este token não é válido.").waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    await page.context().close();
  });
});

describe("signing in by a link", () => {
  it("takes one click, leaves no secret in the address, and works once", async () => {
    const user = await world.newUser("Ada");
    const costs = { hourly_cost: 1, hibernated_hourly_cost: 0 };
    await registerInstance(world.url, user.token, { instance_id: "rig", name: "Rig", ...costs });
    const link = await linkFor(user);
    const secret = link.split("link=")[1] ?? "";
    const page = await pages.open(link);
    await page.getByRole("navigation").waitFor(PATIENCE);
    expect(page.url()).toBe(`${world.url}/#/`);
    expect(await page.title()).toBe("Fleet · Dumont");
    await page.getByRole("button", { name: /^Your account/ }).click();
    await page.locator(".account-menu").getByText("Owner", { exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await kept(page)).not.toContain(secret);
    await page.context().close();

    const late = await pages.open(link, {}, /401 \(/);
    await late.getByText("This link was used already, or has ended.").waitFor(PATIENCE);
    expect(late.url()).not.toContain(secret);
    await late.getByLabel("User token").waitFor();
    await late.context().close();
  });

  it("asks who is signed in already before it changes the account under them", async () => {
    const [ada, eve] = [await world.newUser("Ada"), await world.newUser("Eve")];
    const link = await linkFor(eve);
    const page = await open();
    await signIn(page, ada);
    await page.goto(link);
    await page.getByText("You are signed in as default in the account Ada.").waitFor(PATIENCE);
    expect(page.url()).not.toContain("link=");
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Stay signed in as I am" }).click();
    await page.getByRole("button", { name: /Ada$/ }).waitFor(PATIENCE);
    await signInInstead(page, eve);
    await page.context().close();
  });

  it("is followed once, though the page hears that its former session is over before the new one has begun", async () => {
    const [ada, eve] = [await world.newUser("Ada"), await world.newUser("Eve")];
    const page = await open();
    const live = page.waitForEvent("websocket");
    await signIn(page, ada);
    const ended = (await live).waitForEvent("close", PATIENCE);
    let tries = 0;
    await page.route(/\/api\/session$/, async (route) => {
      tries += 1;
      const answer = await route.fetch();
      await ended;
      await isDrawn(page);
      await route.fulfill({ response: answer });
    });
    await signInInstead(page, eve);
    expect(tries).toBe(1);
    await page.context().close();
  });

  it("leaves who is signed in as they are where it was used already, and says so", async () => {
    const [ada, eve] = [await world.newUser("Ada"), await world.newUser("Eve")];
    const link = await linkFor(eve);
    const used = await pages.open(link);
    await used.getByRole("button", { name: /Eve$/ }).waitFor(PATIENCE);
    await used.context().close();
    const page = await open("", {}, /401 \(/);
    await signIn(page, ada);
    await page.goto(link);
    await page.getByRole("button", { name: "Sign in by the link instead" }).click();
    await page.getByText("This link was used already, or has ended.").waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Stay signed in as I am" }).click();
    await page.getByRole("button", { name: /Ada$/ }).waitFor(PATIENCE);
    await page.context().close();
  });

  it("is not undone by a late answer that nobody was signed in", async () => {
    const [ada, eve] = [await world.newUser("Ada"), await world.newUser("Eve")];
    const page = await open();
    await signIn(page, ada);
    const [followed, asked] = [Promise.withResolvers<Route>(), Promise.withResolvers<Route>()];
    await page.route(/\/api\/session$/, (route) =>
      (route.request().method() === "POST" ? followed : asked).resolve(route),
    );
    await page.goto(await linkFor(eve));
    await page.getByRole("button", { name: "Sign in by the link instead" }).click();
    const link = await followed.promise;
    // As another tab does that signs out.
    await page.evaluate("dispatchEvent(new StorageEvent('storage', { key: 'dumont.signed-in' }))");
    const late = await asked.promise;
    await link.continue();
    await page.getByRole("button", { name: /Eve$/ }).waitFor(PATIENCE);
    const answered = page.waitForEvent("requestfinished", (request) => request === late.request());
    await late.fulfill({ json: { success: true, session: null } });
    await answered;
    await isDrawn(page);
    expect(await page.getByRole("button", { name: /Eve$/ }).count()).toBe(1);
    await page.context().close();
  });

  it("is not undone by what was asked before it and is refused after it", async () => {
    const [ada, eve] = [await world.newUser("Ada"), await world.newUser("Eve")];
    const page = await open("#/settings/account", {}, /401 \(/);
    const asked = Promise.withResolvers<Route>();
    await page.route(/\/api\/agent\/channels$/, (route) => asked.resolve(route), { times: 1 });
    await signIn(page, ada);
    const late = await asked.promise;
    await signInInstead(page, eve);
    const refused = page.waitForEvent("requestfinished", (request) => request === late.request());
    await late.fulfill({
      status: 401,
      json: { success: false, error: { code: "unauthorized", message: "" } },
    });
    await refused;
    await isDrawn(page);
    expect(await page.getByRole("button", { name: /Eve$/ }).count()).toBe(1);
    await page.context().close();
  });
});

describe("who is signed in", () => {
  it("is asked of the service, without an error in the console for who is not", async () => {
    const page = await open();
    await page.getByLabel("User token").waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });

  it("has the page in their language and look, at once and the next time", async () => {
    const user = await world.newUser("Ada");
    const page = await open();
    await signIn(page, user);
    await chooseLanguage(page, "pt-BR");
    await page.getByRole("button", { name: "Escura" }).click();
    const look = () => page.evaluate("getComputedStyle(document.documentElement).colorScheme");
    expect(await look()).toBe("dark");
    await page.reload();
    await page.getByRole("link", { name: "Configurações" }).waitFor(PATIENCE);
    expect(await look()).toBe("dark");
    expect(await page.evaluate("document.documentElement.lang")).toBe("pt-BR");
    await page.context().close();
  });

  it("goes back to where they were on a page, and begins a new one at its top", async () => {
    const user = await world.newUser("Ada");
    const page = await open("#/settings/access", { viewport: { width: 1280, height: 400 } });
    await signIn(page, user);
    // Once all is there that could still move it.
    for (const text of ["this browser", "you signed in with it", "made a token"]) {
      await page.getByText(text).first().waitFor(PATIENCE);
    }
    const height = () => page.evaluate("scrollY");
    // Both before the browser tells of the scroll. As a link in sight does: the click of a test would scroll to one that is not.
    await page.evaluate("scrollTo(0, 300); location.hash = '#/costs?by=tag'");
    await expect.poll(height, PATIENCE).toBe(0);
    await page.goBack();
    await expect.poll(height, PATIENCE).toBe(300);
    await page.context().close();
  });
});

describe("a viewer", () => {
  it("sees the account's access without a button that would refuse", async () => {
    const user = await world.newUser("Ada");
    const made = await request(`${world.url}/api/agent/tokens`, "POST", user.token, {
      name: "guest",
      role: "viewer",
      expires_in_days: 7,
    });
    const { token } = z.object({ token: z.string() }).parse(made);
    const page = await open("#/settings/access");
    await signIn(page, { id: user.id, token });
    await page.getByText("this browser").waitFor(PATIENCE);
    await page.getByText("you signed in with it").waitFor(PATIENCE);
    expect(await page.getByRole("button", { name: "Revoke: default" }).count()).toBe(0);
    expect(await page.getByRole("button", { name: "Make a token" }).count()).toBe(0);
    expect(await page.getByText("Who did what").count()).toBe(0);
    await page.getByRole("link", { name: "Account", exact: true }).click();
    await page.getByText("Only an owner changes it.").waitFor(PATIENCE);
    expect(await page.getByLabel("Name").isDisabled()).toBe(true);
    expect(await page.getByRole("button", { name: "Save" }).count()).toBe(0);
    await page.context().close();
  });
});
