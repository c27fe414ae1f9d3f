import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { registerInstance, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, Pages, signIn } from "./pages.ts";

/** An owner looks at one instance: now, its past, and what can be done, before a real server and with real heartbeats. */

const PATIENCE = { timeout: 60_000 };

let world: ServerWorld;
let pages: Pages;
let user: User;
let lastBeatAt: number;

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

/** Three times idle for as long as it takes to be warned, and busy in between. */
async function live(): Promise<void> {
  const token = await registerInstance(world.url, user.token, {
    instance_id: "rig",
    name: "Render farm",
    hourly_cost: 2.4,
    hibernated_hourly_cost: 0.1,
    // A heartbeat that a slow machine sends late must not find it hibernated.
    policy: { idle: { hibernate_after_seconds: 3600 } },
  });
  for (const gpu_utilization of Array<number[]>(3).fill([90, 1, 1, 1, 1]).flat().concat(90)) {
    await sendHeartbeat(world.url, token, {
      instance_id: "rig",
      gpu_utilization,
      vram_used_gb: 23,
      cpu_utilization: 20,
    });
    lastBeatAt = Date.now();
    await sleep(1000);
  }
}

async function openAs(place: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await pages.open(`${world.url}/#/instances/rig${place}`, options);
  await signIn(page, user);
  await page.locator(".instance-head").waitFor(PATIENCE);
  return page;
}

/** What Chromium says of an instance that is not there. */
const MISSING = /404 \(Not Found\)/;

const charts = (page: Page) => page.locator(".panes[role=slider]");
const fits = (page: Page) => page.evaluate("document.documentElement.scrollWidth <= innerWidth");
const queryNow = (page: Page) => new URLSearchParams(new URL(page.url()).hash.split("?")[1]);

describe("the page of an instance", () => {
  it("keeps its head in sight, and its parts and what they show in the address, so that Back brings them back", async () => {
    const page = await openAs("");
    await charts(page).waitFor(PATIENCE);
    expect(await page.locator(".instance-head").innerText()).toMatch(/Render farm[\s\S]*\$2\.40\/h/);
    await page.getByRole("button", { name: "1 h", exact: true }).click();
    expect(queryNow(page).get("range")).toBe("hour");
    await page.getByRole("link", { name: "History", exact: true }).click();
    expect(page.url()).toContain("#/instances/rig/history?range=hour");
    await page.locator(".timeline li").first().waitFor(PATIENCE);
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    const heading = await page.getByRole("heading", { name: "Render farm" }).boundingBox();
    expect(heading?.y).toBeGreaterThanOrEqual(0);
    expect(await barriers(page)).toEqual([]);
    await page.goBack();
    await page.getByText("What happened last").waitFor(PATIENCE);
    for (const [tab, shows] of [
      ["Policy", "A field left empty takes the value of the level above."],
      ["Machine", "Where"],
    ] as const) {
      await page.getByRole("link", { name: tab, exact: true }).click();
      if (tab === "Policy") await page.getByText(shows).first().waitFor(PATIENCE);
      else await page.getByRole("heading", { name: "Machine" }).waitFor(PATIENCE);
      expect(await barriers(page)).toEqual([]);
    }
    await page.context().close();
  });
});

describe("the charts", () => {
  it("tell the values of a moment by the keyboard, and why it was so then", async () => {
    const [from, to] = [-180_000, 0].map((ms) =>
      new Date(lastBeatAt + ms).toISOString().replace(/\.\d+Z/, "Z"),
    );
    const page = await openAs(`?from=${from}&to=${to}`);
    await charts(page).focus();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    await expect
      .poll(() => charts(page).getAttribute("aria-valuetext"), PATIENCE)
      .toMatch(/GPU, average \d+%.*VRAM 23 GB.*CPU 20%.*Cost, at today’s price \$0\.\d+/);
    expect(await page.locator(".readout").innerText()).toContain("VRAM 23 GB");
    await page.keyboard.press("Enter");
    await page.locator(".why .verdict.told").waitFor(PATIENCE);
    expect(queryNow(page).get("why")).toMatch(/Z$/);
    expect(await barriers(page)).toEqual([]);
    await page.goBack();
    await page.locator("section.why").waitFor({ ...PATIENCE, state: "detached" });
    await page.context().close();
  });

  it("go closer where one drags, and back by Back; a click asks why", async () => {
    const page = await openAs("?range=hour");
    const plot = page.locator(".plot.gpu .u-over");
    await plot.waitFor(PATIENCE);
    const box = await plot.boundingBox();
    if (box === null) throw new Error("the chart is not in sight");
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.5, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, y, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => queryNow(page).get("from"), PATIENCE).toMatch(/Z$/);
    const [from, to] = ["from", "to"].map((name) => Date.parse(queryNow(page).get(name) ?? ""));
    expect(((to ?? 0) - (from ?? 0)) / 60_000).toBeCloseTo(24, -1);
    expect(queryNow(page).get("why")).toBeNull();
    await page.goBack();
    await expect.poll(() => queryNow(page).get("range"), PATIENCE).toBe("hour");
    await page.mouse.click(box.x + box.width - 12, y);
    await page.locator(".why .verdict:not(.nothing)").waitFor(PATIENCE);
    await page.context().close();
  });

  it("go from an hour to 400 days", async () => {
    const page = await openAs("");
    for (const range of ["6 h", "7 d", "30 d", "90 d", "400 d"]) {
      await page.getByRole("button", { name: range, exact: true }).click();
      await page.locator('.chart-card [aria-busy="false"]').waitFor(PATIENCE);
    }
    await page.locator(".plot.days").waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });
});

describe("what happened", () => {
  it("is folded where it repeats, told with its evidence in sentences, and narrowed in the address", async () => {
    const page = await openAs("/history");
    const turns = page.locator(".timeline > li").filter({ hasText: "Idle ↔ Busy again × 3" });
    await turns.waitFor(PATIENCE);
    await turns.getByText("Show each").click();
    await turns.getByText("Evidence").last().click();
    await turns
      .getByText(/^Since .* the GPU was under 5%, at 1% at most, in \d+ heartbeats\.$/)
      .last()
      .waitFor(PATIENCE);
    await page.getByRole("button", { name: "Warnings", exact: true }).click();
    expect(queryNow(page).getAll("severity")).toEqual(["warning"]);
    await expect.poll(() => page.locator(".timeline > li.info").count(), PATIENCE).toBe(0);
    await page.getByLabel("Kind").selectOption({ label: "Registered" });
    await page.getByText("Nothing of that sort happened.").waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    await page.goBack();
    await page.goBack();
    await turns.waitFor(PATIENCE);
    await page.context().close();
  });
});

describe("on a phone, in Portuguese and in the dark", () => {
  it("fits, and is short", async () => {
    const page = await openAs("", {
      locale: "pt-BR",
      colorScheme: "dark",
      viewport: { width: 390, height: 840 },
    });
    await charts(page).waitFor(PATIENCE);
    await page.getByText("O que aconteceu por último").waitFor(PATIENCE);
    for (const tab of ["Visão geral", "Histórico"]) {
      await page.getByRole("link", { name: tab, exact: true }).click();
      await page.locator(".timeline > li").first().waitFor(PATIENCE);
      expect(await fits(page)).toBe(true);
      expect(await page.evaluate("document.documentElement.scrollHeight")).toBeLessThan(3500);
      expect(await barriers(page)).toEqual([]);
    }
    await page.context().close();
  });
});

describe("an instance that is not there", () => {
  it("is said to be so, with a way to those that are", async () => {
    const page = await pages.open(`${world.url}/#/instances/nobody`, {}, MISSING);
    await signIn(page, user);
    await page.getByRole("heading", { level: 1, name: "There is no such instance." }).waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("link", { name: "All instances" }).click();
    await page.getByRole("link", { name: "Render farm" }).first().waitFor(PATIENCE);
    await page.context().close();
  });
});
