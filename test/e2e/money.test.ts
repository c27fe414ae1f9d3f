import { readFile } from "node:fs/promises";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, Pages, signIn } from "./pages.ts";

/** The fleet's money on the page: one sentence, the list, the costs, the budgets and the kill switch. */

const SPEED = 20;
const PATIENCE = { timeout: 60_000 };

let world: ServerWorld;
let pages: Pages;
let plane: ControlPlane;

beforeAll(async () => {
  world = await ServerWorld.create({ SIMULATION_SPEED: String(SPEED), ALLOW_LOOPBACK_URLS: "true" });
  pages = await Pages.start();
  plane = await ControlPlane.start();
});
afterAll(async () => {
  await pages?.end();
  await plane?.stop();
  await world?.end();
});
afterEach(() => {
  expect(pages.complaints()).toEqual([]);
});

async function openAs(user: User, place: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await pages.open(`${world.url}/#/${place}`, options, /400 \(Bad Request\)/);
  await signIn(page, user);
  return page;
}

const ask = (user: User, method: string, path: string, json?: unknown) =>
  request(`${world.url}/api/agent${path}`, method, user.token, json);

/** Neither its silence nor its idleness leads to anything. */
const CALM = { orphan: { enabled: false }, idle: { enabled: false } };

/** An instance that has been heard once. */
async function beating(
  user: User,
  instance_id: string,
  more: Readonly<Record<string, unknown>>,
): Promise<void> {
  const given = { instance_id, provider: "webhook", hibernated_hourly_cost: 0, ...more };
  const { token } = z.object({ token: z.string() }).parse(await ask(user, "POST", "/instances", given));
  plane.machines.set(instance_id, "running");
  await sendHeartbeat(world.url, token, { instance_id, gpu_utilization: 90 });
}

async function userWithPlane(): Promise<User> {
  const user = await world.newUser("Ada");
  await ask(user, "PUT", "/providers/webhook", { url: plane.url, secret: plane.secret });
  await ask(user, "PUT", "/policy", { guard: { enabled: false } });
  return user;
}

const names = (page: Page) => page.locator(".machines tbody th > a").allInnerTexts();

const cardOf = (page: Page, heading: string) =>
  page.locator("section").filter({ has: page.getByRole("heading", { name: heading, exact: true }) });

describe("the fleet's money", () => {
  it("stands on top in one sentence, with what nobody knows, and beside each instance", async () => {
    const user = await userWithPlane();
    await beating(user, "dear", { name: "Dear", hourly_cost: 2.5, policy: CALM });
    await beating(user, "unpriced", { name: "Unpriced", policy: CALM });
    await beating(user, "lost", { name: "Lost", hourly_cost: 0.5, provider: "none" });
    const page = await openAs(user, "");
    await page.getByRole("link", { name: "At least $3.00/h now" }).waitFor(PATIENCE);
    await page.getByRole("link", { name: "at least $72.00 a day" }).waitFor();
    await page.getByRole("link", { name: "$0.50/h wasted by 1 orphan" }).waitFor(PATIENCE);
    await page.getByTitle("Unpriced").getByText("price of 1 not known").waitFor();
    await page.getByText(/^At least \$\S+ today · (about )?at least \$\S+ this month/).waitFor(PATIENCE);
    const unpriced = page.getByRole("row").filter({ hasText: "Unpriced" });
    await unpriced.getByText("not known").waitFor();
    expect(await unpriced.innerText()).not.toContain("$0.00");
    await page.getByRole("button", { name: "An hour", exact: true }).click();
    await expect.poll(() => names(page), PATIENCE).toEqual(["Dear", "Lost", "Unpriced"]);
    await page.getByRole("button", { name: "Wasted today", exact: true }).click();
    await expect.poll(async () => (await names(page))[0], PATIENCE).toBe("Lost");
    expect(await barriers(page)).toEqual([]);

    await page.getByRole("link", { name: "Costs" }).first().click();
    await page.getByRole("img", { name: /^Costs by day, .* in all, .* of it wasted/ }).waitFor(PATIENCE);
    await page.getByText("On one day the price of a machine was not known").waitFor();
    const whose = cardOf(page, "What costs how much");
    await expect
      .poll(() => whose.locator("tbody th").allInnerTexts(), PATIENCE)
      .toEqual([
        "In all",
        expect.stringMatching(/^Dear/),
        expect.stringMatching(/^Lost/),
        expect.stringMatching(/^Unpriced/),
      ]);
    expect(await barriers(page)).toEqual([]);
    await whose.getByRole("button", { name: "Provider" }).click();
    await whose.getByRole("rowheader", { name: "My own control plane" }).waitFor(PATIENCE);
    await whose.getByRole("button", { name: "Status" }).click();
    await whose.getByRole("rowheader", { name: "Silent" }).waitFor(PATIENCE);
    await whose.getByRole("button", { name: "Tag" }).click();
    await whose.getByText("No instance has a tag yet.").waitFor();
    await whose.getByRole("button", { name: "Instance" }).click();
    const download = page.waitForEvent("download");
    await whose.getByRole("button", { name: "Download as CSV" }).click();
    const table = await readFile(await (await download).path(), "utf8");
    expect(table).toMatch(/^instance,cost,/);
    expect(table).toContain("\nunpriced,");
    await page.context().close();
  });
});

describe("the budgets", () => {
  it("are set on the page, say what is wrong, and show how far they are used", async () => {
    const user = await userWithPlane();
    await beating(user, "dear", { name: "Dear", hourly_cost: 3600, policy: CALM });
    const page = await openAs(user, "costs", { locale: "pt-BR", colorScheme: "dark" });
    const card = cardOf(page, "Orçamentos");
    await card.getByText("Nenhum orçamento ainda").waitFor(PATIENCE);
    await card.getByLabel(/^Dólares por dia/).fill("0");
    await card.getByRole("button", { name: "Salvar" }).click();
    await card.getByText("Um número de dólares acima de 0").waitFor(PATIENCE);
    await card.getByLabel(/^Dólares por dia/).fill("0.5");
    await card.getByLabel(/^Dólares por mês/).fill("1000000");
    await card.getByLabel("Quando um limite se esgota").selectOption("hibernate_idle");
    await card.getByRole("button", { name: "Salvar" }).click();
    await card.getByText("Está esgotado.").waitFor(PATIENCE);
    await card.getByText(/de US\$\s1\.000\.000,00 \(0%\)/).waitFor();
    await card
      .getByText(/^Se tudo seguir como nos últimos dias: cerca de US\$.*(dentro|acima) do limite\.$/)
      .waitFor();
    expect(await ask(user, "GET", "/budget")).toMatchObject({
      day: 0.5,
      month: 1_000_000,
      at_limit: "hibernate_idle",
    });
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });
});

describe("the kill switch", () => {
  it("has no button before its user has seen what it would do, and then does no more than that", async () => {
    const user = await userWithPlane();
    await beating(user, "one", { name: "One", hourly_cost: 2, policy: CALM });
    await beating(user, "kept", { name: "Kept", hourly_cost: 1, policy: CALM });
    await ask(user, "POST", "/instances/kept/keep-alive");
    const page = await openAs(user, "costs", { viewport: { width: 390, height: 844 } });
    const card = cardOf(page, "Hibernate many");
    const stop = (machines: string) => card.getByRole("button", { name: `Hibernate ${machines}` });
    const look = card.getByRole("button", { name: "See what it would do" });
    await look.waitFor(PATIENCE);
    expect(await card.locator(".stop").count()).toBe(0);
    await page.getByRole("button", { name: "Hibernate many …" }).focus();
    await page.keyboard.press("Enter");
    await look.focus();
    await page.keyboard.press("Enter");
    await card.getByText("1 machine would be hibernated").waitFor(PATIENCE);
    await card.getByText("That would save $2.00 an hour.").waitFor();
    await card.getByRole("cell", { name: "kept alive by hand" }).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    expect(await barriers(page)).toEqual([]);

    // Another choice: what was seen stands for it no more, and neither does an answer that comes late.
    const keptToo = card.getByLabel("Also what is kept alive by hand");
    await keptToo.check();
    expect(await card.locator(".stop").count()).toBe(0);
    const asked = page.waitForRequest(/hibernate-all$/);
    const answered = page.waitForResponse(/hibernate-all$/);
    await page.route(/hibernate-all$/, async (route) => {
      await keptToo.uncheck();
      await route.continue();
    });
    await look.click();
    await asked;
    await (await answered).finished();
    await page.unroute(/hibernate-all$/);
    await look.and(page.locator(":enabled")).waitFor(PATIENCE);
    expect(await card.locator(".stop").count()).toBe(0);
    await look.click();
    await stop("1 machine").waitFor(PATIENCE);

    await beating(user, "new", { name: "New", hourly_cost: 4, policy: CALM });
    await stop("1 machine").click();
    await page.getByRole("dialog").getByRole("button", { name: "Hibernate 1 machine" }).click();
    await card.getByText("It has changed meanwhile, and nothing was done").waitFor(PATIENCE);
    expect(plane.ordersFor("one")).toEqual([]);

    await stop("2 machines").click();
    const dialog = page.getByRole("dialog");
    expect(await dialog.innerText()).toContain("That saves $6.00 an hour.");
    await dialog.getByRole("button", { name: "Hibernate 2 machines" }).click();
    await card.getByText("2 machines are told to hibernate").waitFor(PATIENCE);
    await card.getByText("2 of 2 machines ordered to hibernate.").waitFor(PATIENCE);
    expect(await card.locator(".stop").count()).toBe(0);
    const statuses = async () =>
      z
        .object({ instances: z.array(z.object({ instance_id: z.string(), status: z.string() })) })
        .parse(await ask(user, "GET", "/instances"))
        .instances.map(({ instance_id, status }) => `${instance_id} ${status}`)
        .sort();
    await expect.poll(statuses, PATIENCE).toEqual(["kept running", "new hibernated", "one hibernated"]);
    await page.context().close();
  });
});
