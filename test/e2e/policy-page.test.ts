import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { registerInstance, request, type User } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, Pages, signIn } from "./pages.ts";

/** The editor of a policy: its ladder, durations as people write them, and what is not saved yet. */

const PATIENCE = { timeout: 60_000 };

let world: ServerWorld;
let pages: Pages;

beforeAll(async () => {
  world = await ServerWorld.create({ ALLOW_LOOPBACK_URLS: "true" });
  pages = await Pages.start();
});
afterAll(async () => {
  await pages?.end();
  await world?.end();
});
afterEach(() => {
  expect(pages.complaints()).toEqual([]);
});

async function openAs(user: User, options: BrowserContextOptions = {}): Promise<Page> {
  // What contradicts itself is tried on the past, too, and refused.
  const page = await pages.open(`${world.url}/#/settings/policy`, options, /400 \(Bad Request\)/);
  await signIn(page, user);
  await page.locator("form.policy").waitFor(PATIENCE);
  return page;
}

const policyOf = (user: User) => request(`${world.url}/api/agent/policy`, "GET", user.token);

const ladder = (page: Page) => page.locator(".ladder svg");
const idle = (page: Page, name: string) =>
  page.getByRole("group", { name: /^(Idleness|Ociosidade)$/ }).getByLabel(name, { exact: true });
const silence = (page: Page, name: string) =>
  page.getByRole("group", { name: /^(Silence|Silêncio)$/ }).getByLabel(name, { exact: true });

describe("the editor of a policy", () => {
  it("draws the ladder as it is typed, and takes durations as people write them", async () => {
    const user = await world.newUser("Ada");
    const page = await openAs(user);
    const said = () => ladder(page).getAttribute("aria-label");
    await expect
      .poll(said, PATIENCE)
      .toBe(
        "While it idles: Warn after 3 min, Hibernate after 5 min. While it is silent: Orphan after 5 min, Hibernate after 30 min, Force-hibernate after 2 h, Delete after 7 d.",
      );
    await idle(page, "Hibernate after").fill("1 hour and 30 minutes");
    await idle(page, "Warn after").fill("45");
    await page.getByText("= 45 min").waitFor();
    expect(await said()).toContain("Warn after 45 min, Hibernate after 1 h 30 min.");
    await idle(page, "Warn after").fill("2 h");
    await page.getByText("Must be less than “Hibernate after” (1 h 30 min), but is 2 h.").first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await idle(page, "Warn after").fill("45 min");
    await silence(page, "Delete after").fill("never");
    expect(await said()).toContain("Delete never.");
    await page.getByText("3 changes are not saved.").waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("status").getByText("Saved.", { exact: true }).waitFor(PATIENCE);
    expect(await policyOf(user)).toMatchObject({
      overrides: {
        idle: { warn_after_seconds: 2700, hibernate_after_seconds: 5400 },
        orphan: { delete_after_days: null },
      },
    });
    expect(await idle(page, "Warn after").inputValue()).toBe("45 min");
    await page.getByRole("button", { name: "Take back: Warn after" }).click();
    expect(await idle(page, "Warn after").getAttribute("placeholder")).toBe("3 min");
    await page.getByText("1 change is not saved.").waitFor();
    await page.context().close();
  });

  it("says at the field what is no duration, and sends nothing", async () => {
    const user = await world.newUser("Ada");
    const page = await openAs(user, {
      locale: "pt-BR",
      colorScheme: "dark",
      viewport: { width: 390, height: 840 },
    });
    await idle(page, "Hibernar após").fill("10 minutos");
    await idle(page, "Avisar após").fill("logo");
    await page.getByText("Escreva por quanto tempo, como 5 min, 2 h ou 7 dias.").waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Salvar", exact: true }).click();
    expect(await page.evaluate("document.activeElement.id")).toBe("policy-idle-warn_after_seconds");
    expect(await policyOf(user)).toMatchObject({ overrides: {} });
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await page.getByRole("button", { name: "Descartar" }).click();
    expect(await idle(page, "Avisar após").inputValue()).toBe("");
    expect(await idle(page, "Hibernar após").inputValue()).toBe("");
    await page.context().close();
  });

  it("asks before what was typed is lost, by a link and by the way back", async () => {
    const user = await world.newUser("Ada");
    await registerInstance(world.url, user.token, {
      instance_id: "rig",
      name: "Rig",
      hourly_cost: 1,
      hibernated_hourly_cost: 0,
    });
    const page = await pages.open(`${world.url}/#/costs`);
    await signIn(page, user);
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByLabel("Balanced", { exact: true }).check(PATIENCE);
    const dialog = page.getByRole("dialog", { name: "Leave without saving?" });

    await page.getByRole("link", { name: "Alerts", exact: true }).click();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect(page.url()).toContain("#/settings");
    await page.goBack();
    await dialog.waitFor();
    expect(page.url()).toContain("#/settings");
    expect(await barriers(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect(await page.getByLabel("Balanced", { exact: true }).isChecked()).toBe(true);

    await page.goBack();
    await dialog.getByRole("button", { name: "Leave" }).click();
    await page.waitForURL(/#\/costs/);
    await page.getByRole("link", { name: "Settings" }).click();
    await expect
      .poll(() => page.getByLabel("As the service's default", { exact: true }).isChecked(), PATIENCE)
      .toBe(true);
    // Nothing is typed: nobody is asked.
    await page.getByRole("link", { name: "Alerts", exact: true }).click();
    await page.waitForURL(/#\/alerts/);
    await page.context().close();
  });

  it("can be read by a viewer, and changed by none of its controls", async () => {
    const user = await world.newUser("Ada");
    const { token } = z.object({ token: z.string() }).parse(
      await request(`${world.url}/api/agent/tokens`, "POST", user.token, {
        name: "Eyes",
        role: "viewer",
        expires_in_days: 1,
      }),
    );
    const page = await openAs({ ...user, token });
    await page.getByText("Changing it needs the role operator.").waitFor(PATIENCE);
    expect(await idle(page, "Warn after").isDisabled()).toBe(true);
    expect(await page.getByRole("button", { name: "Save", exact: true }).count()).toBe(0);
    expect(await page.getByRole("button", { name: "Try it on the past" }).count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
    await page.goto(`${world.url}/#/settings/providers`);
    await page.getByRole("heading", { name: "Enrollment tokens" }).waitFor(PATIENCE);
    expect(await page.getByRole("heading", { name: "Connect a provider" }).count()).toBe(0);
    expect(await page.getByRole("button", { name: "Make a token" }).count()).toBe(0);
    await page.goto(`${world.url}/#/add`);
    await page.getByText("Adding a machine needs the role operator.").waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });

  it("shows below an instance's own settings what its owner's say, and where that comes from", async () => {
    const user = await world.newUser("Ada");
    await registerInstance(world.url, user.token, {
      instance_id: "rig",
      name: "Rig",
      hourly_cost: 1,
      hibernated_hourly_cost: 0,
    });
    await request(`${world.url}/api/agent/policy`, "PUT", user.token, {
      idle: { warn_after_seconds: 600, hibernate_after_seconds: 1200 },
    });
    const page = await openAs(user);
    await page.goto(`${world.url}/#/instances/rig/policy`);
    await expect.poll(() => idle(page, "Warn after").getAttribute("placeholder"), PATIENCE).toBe("10 min");
    const field = (label: string) =>
      page.locator(".ladders .field").filter({ has: page.getByText(label, { exact: true }) });
    expect(await field("Warn after").innerText()).toContain("from your default");
    expect(await field("Force-hibernate after").innerText()).toContain("from the service");
    await page.context().close();
  });
});
