import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { registerInstance } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";
import { answerTo, barriers, Pages } from "./pages.ts";

/** The operator's page, in a real Chromium before a real server. */

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

async function enter(page: Page): Promise<void> {
  await page.getByLabel("Operator token").fill(await world.adminToken());
  await page.getByRole("button", { name: "Open" }).click();
}

describe("the operator's page", () => {
  it("shows the service and its users, hands out a sign-in link, and forgets the token at a reload", async () => {
    const ada = await world.newUser("Ada");
    await registerInstance(world.url, ada.token, {
      instance_id: "rig",
      name: "Rig",
      hourly_cost: 1,
      hibernated_hourly_cost: 0,
    });
    const page = await pages.open(`${world.url}/#/operator`, {}, /401 \(/);
    await page.getByLabel("Operator token").fill("guess");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("This is not the operator's token.").waitFor(PATIENCE);
    await enter(page);
    await page.getByText("DB up to date").waitFor(PATIENCE);
    await page.getByText("It has not run yet.").waitFor(PATIENCE);

    await page.getByLabel("New user").fill("Bob");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("button", { name: "Look into: Bob" }).waitFor(PATIENCE);
    await page.getByLabel("Find by name or id").fill("ada");
    await page.getByRole("button", { name: "Look into: Bob" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Look into: Ada" }).click();
    await page.getByText("1 Pending").waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);

    await page.getByRole("button", { name: "Make a sign-in link" }).click();
    const link = (await page.locator(".operator-user pre").textContent(PATIENCE)) ?? "";
    const owner = await pages.open(link);
    await owner.getByRole("button", { name: /^Your account.*Ada$/ }).waitFor(PATIENCE);
    await owner.context().close();

    await page.getByRole("button", { name: "Suspend", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Suspend" }).click();
    await page.getByText("suspended", { exact: true }).waitFor(PATIENCE);

    const kept = await page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])");
    expect(kept).not.toContain(await world.adminToken());
    await page.reload();
    await page.getByLabel("Operator token").waitFor(PATIENCE);
    expect(await page.getByText("DB up to date").count()).toBe(0);
    await page.context().close();
  });

  it("fits a phone, in Portuguese and in the dark", async () => {
    const page = await pages.open(`${world.url}/#/operator`, {
      locale: "pt-BR",
      colorScheme: "dark",
      viewport: { width: 390, height: 844 },
    });
    // Wider tables than a service that has just begun has.
    await page.route("**/api/admin/service", async (route) => {
      const answer = await answerTo(route);
      if (answer === null) return;
      const service = z.record(z.string(), z.unknown()).parse(JSON.parse(answer.text));
      const counts = { delivered: 1_000_000, failed: 1_000_000, calls: 1_000_000, limited: 0, given_up: 0 };
      await route.fulfill({
        response: answer.response,
        json: {
          ...service,
          channels: [{ kind: "slack", ...counts }],
          providers: [{ provider: "webhook", average_wait_seconds: 1, ...counts }],
        },
      });
    });
    await page.getByLabel("Token de operador").fill(await world.adminToken());
    await page.getByRole("button", { name: "Abrir" }).click();
    await page.getByText("DB em dia").waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    await page.context().close();
  });
});
