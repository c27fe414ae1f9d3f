import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { request } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, Pages, signIn } from "./pages.ts";

/** Tokens, browsers, people and the account itself, in a real Chromium before a real server. */

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

const open = (place: string, options: BrowserContextOptions = {}, expected?: RegExp): Promise<Page> =>
  pages.open(`${world.url}/#/settings/${place}`, options, expected);

const card = (page: Page, heading: string) =>
  page.locator("section").filter({ has: page.getByRole("heading", { name: heading, exact: true }) });

const shownOnce = (page: Page, heading: string) => card(page, heading).locator("pre");

describe("access", () => {
  it("makes a token with a role and an end, shows it once, and revokes it", async () => {
    const user = await world.newUser("Ada");
    const page = await open("access");
    await signIn(page, user);
    const tokens = card(page, "Tokens");
    await tokens.getByLabel("Name").fill("prometheus");
    await tokens.getByLabel("Role").selectOption("metrics");
    await tokens.getByText("Scrapes /metrics, and sees nothing else.").waitFor();
    await tokens.getByLabel("Ends").selectOption("365");
    await tokens.getByRole("button", { name: "Make a token" }).click();
    const token = (await shownOnce(page, "Tokens").textContent(PATIENCE)) ?? "";
    const scraped = await fetch(`${world.url}/metrics`, { headers: { Authorization: `Bearer ${token}` } });
    expect(scraped.status).toBe(200);
    expect(await barriers(page)).toEqual([]);
    await page.reload();
    await tokens.getByText("prometheus", { exact: true }).waitFor(PATIENCE);
    expect(await page.getByText(token).count()).toBe(0);
    await tokens.getByRole("button", { name: "Revoke: prometheus" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("status").getByText("The token prometheus is revoked.").waitFor(PATIENCE);
    await tokens.getByText("prometheus", { exact: true }).waitFor({ state: "detached", ...PATIENCE });
    await card(page, "Who did what").getByText("made a token").first().waitFor(PATIENCE);
    await card(page, "Who did what")
      .getByText("prometheus · role Metrics only · ends after 365 days")
      .waitFor(PATIENCE);
    await page.context().close();
  });

  it("invites somebody by a link, who comes in, gets another role and is removed, at once and everywhere", async () => {
    const user = await world.newUser("Ada");
    const page = await open("access");
    await signIn(page, user);
    const invite = card(page, "Invite somebody");
    await invite.getByLabel("Name").fill("Bea");
    await invite.getByLabel("Role").selectOption("viewer");
    await invite.getByRole("button", { name: "Make the link" }).click();
    const link = (await shownOnce(page, "Invite somebody").textContent(PATIENCE)) ?? "";
    expect(await barriers(page)).toEqual([]);

    const bea = await pages.open(link, {}, /40[13] \(/);
    await bea.getByRole("navigation").waitFor(PATIENCE);
    await bea.getByRole("button", { name: /^Your account/ }).click();
    await bea.locator(".account-menu").getByText("Viewer", { exact: true }).waitFor();

    await page.reload();
    const people = card(page, "People");
    await people.getByLabel("Role: Bea").selectOption("operator");
    await page.getByRole("status").getByText("Bea has another role from now on.").waitFor(PATIENCE);
    await card(page, "Browsers that are signed in").getByText("Bea").waitFor(PATIENCE);
    await people.getByRole("button", { name: "Remove: Bea" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await bea.getByRole("button", { name: "Sign in" }).waitFor(PATIENCE);
    await people.getByText("Nobody yet").waitFor(PATIENCE);
    await bea.context().close();
    await page.context().close();
  });

  it("says which tokens a person leaves behind, on a phone too, in Portuguese", async () => {
    const user = await world.newUser("Ada");
    const viewport = { width: 390, height: 844 };
    const page = await open("access", { locale: "pt-BR", colorScheme: "dark", viewport });
    await signIn(page, user);
    const invitation = await request(`${world.url}/api/agent/invitations`, "POST", user.token, {
      name: "Bea",
      role: "owner",
    });
    const bea = await pages.open(z.object({ url: z.string() }).parse(invitation).url, {}, /40[13] \(/);
    await bea.getByRole("navigation").waitFor(PATIENCE);
    await bea.goto(`${world.url}/#/settings/access`);
    const tokens = card(bea, "Tokens");
    const name = "nightly-".repeat(8);
    await tokens.getByLabel("Name").fill(name);
    await tokens.getByRole("button", { name: "Make a token" }).click();
    await shownOnce(bea, "Tokens").waitFor(PATIENCE);

    await page.reload();
    const people = card(page, "Pessoas");
    await people.getByRole("button", { name: "Remover: Bea" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remover" }).click();
    await people.getByText(`Tokens criados por Bea ainda funcionam: ${name}.`).waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    await bea.context().close();
    await page.context().close();
  });

  it("signs another browser out", async () => {
    const user = await world.newUser("Ada");
    const firefox = { userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" };
    const other = await open("account", firefox, /401 \(/);
    await signIn(other, user);
    const page = await open("access", { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
    await signIn(page, user);
    await page.getByRole("button", { name: "Sign out: Firefox on Linux" }).click();
    await other.getByRole("button", { name: "Sign in" }).waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    await other.context().close();
    await page.context().close();
  });
});

describe("the account", () => {
  it("takes another name, language and time zone", async () => {
    const user = await world.newUser("Ada");
    const page = await open("account");
    await signIn(page, user);
    await page.getByLabel("Name").fill("Lovelace Lab");
    await page.getByLabel("Language of messages").selectOption("pt-BR");
    await page.getByLabel("Time zone of messages").selectOption("America/Sao_Paulo");
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: /Lovelace Lab$/ }).waitFor(PATIENCE);
    await page.context().close();
    // Whoever has chosen no language in their browser reads the account's.
    const next = await open("account");
    await signIn(next, user);
    await next.getByRole("heading", { name: "Configurações" }).waitFor(PATIENCE);
    expect(await next.getByLabel("Fuso horário das mensagens").inputValue()).toBe("America/Sao_Paulo");
    await next.context().close();
  });
});
