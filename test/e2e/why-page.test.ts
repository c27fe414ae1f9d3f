import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { registerInstance, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, Pages, signIn } from "./pages.ts";

/** An owner asks the page why it was so, of moments of the past, before a real server. */

const PATIENCE = { timeout: 60_000 };
const REFUSED = /400 \(Bad Request\)/;

let world: ServerWorld;
let pages: Pages;
let user: User;
/** When its machine was last busy, and when it was hibernated. */
let lastBusyAt: number;

beforeAll(async () => {
  // An hour of the policy is a minute.
  world = await ServerWorld.create({ SIMULATION_SPEED: "60", ALLOW_LOOPBACK_URLS: "true" });
  pages = await Pages.start();
  user = await world.newUser("Ada");
  await live();
});
afterAll(async () => {
  await pages?.end();
  await world?.end();
});
afterEach(() => {
  expect(pages.complaints()).toEqual([]);
});

/** Busy with a session for three minutes of the policy, then quiet until its policy hibernates it. */
async function live(): Promise<void> {
  const token = await registerInstance(world.url, user.token, {
    instance_id: "rig",
    name: "rig",
    hourly_cost: 2,
    hibernated_hourly_cost: 0.1,
  });
  const beat = (gpu_utilization: number, ssh: number) =>
    sendHeartbeat(world.url, token, {
      instance_id: "rig",
      gpu_utilization,
      sources: [{ name: "ssh_connections", value: ssh }],
    });
  for (let second = 0; second < 3; second++) {
    await beat(2, 2);
    lastBusyAt = Date.now();
    await sleep(1000);
  }
  for (let second = 0; second < 60; second++) {
    await beat(1, 0);
    await sleep(1000);
    const found = await request(`${world.url}/api/agent/instances/rig`, "GET", user.token);
    if (JSON.stringify(found).includes('"status":"hibern')) return;
  }
  throw new Error("it was never hibernated");
}

async function openAs(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await pages.open(`${world.url}/#/instances/rig/history`, options, REFUSED);
  await signIn(page, user);
  await page.locator("section.why").waitFor(PATIENCE);
  return page;
}

const card = (page: Page) => page.locator("section.why");

/** The button of an event of the timeline. */
const whyOf = (page: Page, event: string) =>
  page
    .locator(".timeline li")
    .filter({ has: page.getByText(event, { exact: true }) })
    .first()
    .getByRole("button", { name: /^(Why|Por quê)\?$/ });

describe("why it was so", () => {
  it("is told at an event of the timeline by its button, and the keyboard gets there too", async () => {
    const page = await openAs();
    const button = whyOf(page, "Hibernating");
    await button.waitFor(PATIENCE);
    await button.focus();
    await page.keyboard.press("Enter");
    await card(page)
      .getByText(/^Nothing showed use: idle since .*, for \d s\.$/)
      .waitFor(PATIENCE);
    expect(await page.evaluate("document.activeElement.innerText")).toBe("Why was it so?");
    const figure = (name: string) =>
      card(page).locator("dl.figures div").filter({ hasText: name }).locator("dd").innerText();
    expect(await figure("It stood as")).toBe("Running");
    expect(await figure("Next")).toMatch(/^Hibernates at /);
    expect(await figure("Held back")).toBe("by nothing");
    expect(await figure("Newest reading")).toBe("GPU 1%");
    expect(await figure("Policy then")).toBe("under 5%: warned after 3 min, hibernated after 5 min");
    const rows = card(page).locator("table.then tbody tr");
    expect(await rows.filter({ hasText: "SSH connections: 2" }).first().innerText()).toMatch(/use$/);
    expect(await rows.filter({ hasText: "the newest one then" }).innerText()).toMatch(
      /GPU 1%\s+nothing\s+quiet$/,
    );
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });

  it("is told of a moment that is chosen, and says which cannot be", async () => {
    const page = await openAs({ timezoneId: "America/Sao_Paulo" });
    const field = card(page).getByLabel("Moment, by your clock");
    const byClock = (atMs: number) => new Date(atMs - 3 * 3_600_000).toISOString().slice(0, 19);
    await field.fill(byClock(lastBusyAt + 500));
    await card(page).getByRole("button", { name: "Show", exact: true }).click();
    await card(page).getByText("It was in use: SSH connections: 2.").waitFor(PATIENCE);
    await card(page).getByRole("button", { name: "10 min earlier" }).click();
    await card(page)
      .getByText(/^It was registered later: /)
      .waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });

  it("fits a phone, in Portuguese and in the dark", async () => {
    const page = await openAs({
      locale: "pt-BR",
      colorScheme: "dark",
      viewport: { width: 390, height: 840 },
    });
    await whyOf(page, "Hibernando").click();
    await card(page)
      .getByText(/^Nada mostrava uso: ociosa desde /)
      .waitFor(PATIENCE);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });
});
