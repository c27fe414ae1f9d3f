import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { registerInstance, request, type User } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, Pages, signIn } from "./pages.ts";
import { type Past, userWithPast, WEEK_MINUTES } from "./past-week.ts";

/** A policy tried on the past while it is typed, before a real server and with a week of real heartbeats. */

const PATIENCE = { timeout: 120_000 };

let world: ServerWorld;
let pages: Pages;
let ada: User;

/** Five days of work with a pause of 14 minutes every three hours, and then nothing more: 40 pauses, and the last is for good. */
const withPauses = (minute: number) => (minute < 5 * 1440 && minute % 180 >= 14 ? 95 : 0);

const PASTS: readonly Past[] = [
  {
    instance_id: "trainer",
    name: "Trainer",
    tags: { team: "vision" },
    hourly_cost: 2,
    hibernated_hourly_cost: 0.1,
    gpuPercent: withPauses,
  },
  {
    instance_id: "unpriced",
    name: "Unpriced",
    tags: { team: "audio" },
    isOfFormerRelease: true,
    gpuPercent: (minute) => (minute < WEEK_MINUTES / 2 ? 60 : 0),
  },
];

beforeAll(async () => {
  world = await ServerWorld.create({ ALLOW_LOOPBACK_URLS: "true" });
  pages = await Pages.start();
  ada = await userWithPast(world, "u-ada", PASTS);
});
afterAll(async () => {
  await pages?.end();
  await world?.end();
});
afterEach(() => {
  expect(pages.complaints()).toEqual([]);
});

async function openAs(user: User, place: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await pages.open(`${world.url}/#/${place}`, options, /400 \(Bad Request\)/);
  await signIn(page, user);
  await page.locator("form.policy").waitFor(PATIENCE);
  return page;
}

const ask = (user: User, method: string, path: string, json?: unknown) =>
  request(`${world.url}/api/agent${path}`, method, user.token, json);

const summary = (page: Page) => page.getByRole("complementary", { name: "What it would have done" });

const replay = (page: Page) =>
  page.getByRole("region", { name: "What it would have done", exact: true }).first();

/** What stands in the row of this measure. */
const row = (page: Page, measure: string) =>
  replay(page).locator(".compared").first().getByRole("row").filter({ hasText: measure }).first();

/** Of idleness; silence has fields of the same names. */
const field = (page: Page, label: string) =>
  page.getByRole("group", { name: /^(Idleness|Ociosidade)$/ }).getByLabel(label, { exact: true });

async function type(page: Page, numbers: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(numbers)) {
    await field(page, label).fill(value);
  }
}

const figure = (page: Page, name: string) =>
  summary(page).locator("dl > div").filter({ hasText: name }).locator("dd");

/** Until what is shown is of all instances: while they are replayed it grows. */
const isWhole = (page: Page) => replay(page).locator('> [aria-busy="false"]').waitFor(PATIENCE);

const previewsSchema = z.object({
  previews: z.array(
    z.object({ id: z.string(), overrides: z.record(z.string(), z.unknown()), asked_of: z.unknown() }),
  ),
});

const previewsOf = async (user: User) =>
  previewsSchema.parse(await ask(user, "GET", "/policy/preview")).previews;

describe("a number of the policy that is changed", () => {
  it("shows beside it what the last week would have come to, and is not saved by that", async () => {
    const page = await openAs(ada, "settings/policy");
    await type(page, { "Hibernate after": "10", "Warn after": "6" });
    await expect.poll(() => figure(page, "Interruptions").innerText(), PATIENCE).toMatch(/^40/);
    await isWhole(page);
    const before = await figure(page, "Saved").innerText();
    expect(before).toMatch(/^\$1\d\d\.\d\d or more/);
    await replay(page)
      .getByText(/^Of 10,08\d heartbeats only the GPU is kept/)
      .waitFor();
    await replay(page).getByText("For 168 h of machine time nobody knows the price").waitFor();
    const interrupted = replay(page).getByRole("region", { name: "Work that would have been interrupted" });
    expect(await interrupted.getByRole("row").count()).toBe(41);
    expect(await interrupted.getByRole("row").nth(1).innerText()).toMatch(/Trainer\s+GPU 95%/);
    expect(await barriers(page)).toEqual([]);

    await type(page, { "Hibernate after": "20", "Warn after": "12" });
    await expect.poll(() => figure(page, "Interruptions").innerText(), PATIENCE).toMatch(/^0/);
    await isWhole(page);
    expect(await figure(page, "Saved").innerText()).not.toBe(before);
    await replay(page).getByText("None: no work came while a machine would have been off.").waitFor();
    expect(await row(page, "Interruptions").getByRole("cell").count()).toBe(6);
    expect(await row(page, "Price not known").innerText()).toMatch(/168 h/);
    expect(await ask(ada, "GET", "/policy")).toMatchObject({ overrides: {} });
    // What was typed in between is not kept.
    await expect
      .poll(async () => (await previewsOf(ada)).map(({ overrides }) => overrides.idle), PATIENCE)
      .toEqual([{ warn_after_seconds: 720, hibernate_after_seconds: 1200 }]);

    await type(page, { "Hibernate after": "5" });
    await replay(page)
      .getByText("Warn after: Must be less than “Hibernate after” (5 min), but is 12 min.")
      .waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Discard", exact: true }).click();
    await expect.poll(() => figure(page, "Interruptions").innerText(), PATIENCE).toMatch(/^40/);
    await page.context().close();
  });

  it("is proposed where another would be better, and stands in the editor only if it is taken", async () => {
    const page = await openAs(ada, "settings/policy");
    await page.getByRole("button", { name: "Try it on the past" }).click();
    await replay(page)
      .getByText(
        /^With idle 20 min under 3% you would have kept 79% of the savings .* and interrupted nobody\.$/,
      )
      .first()
      .waitFor(PATIENCE);
    await replay(page)
      .getByRole("img", { name: /^Savings against interruptions of 36 pairs of numbers/ })
      .waitFor();
    await replay(page).getByText("By tag", { exact: true }).click();
    await replay(page).getByRole("rowheader", { name: "team:vision" }).waitFor();
    await replay(page).getByText("By instance", { exact: true }).click();
    await replay(page).getByRole("rowheader", { name: "Unpriced" }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await replay(page).getByRole("button", { name: "Put these numbers into the editor" }).click();
    await page.getByRole("status").getByText("Nothing is saved yet.").waitFor();
    const value = (label: string) => field(page, label).inputValue();
    expect([await value("Idle under"), await value("Warn after"), await value("Hibernate after")]).toEqual([
      "3",
      "12 min",
      "20 min",
    ]);
    await expect.poll(() => figure(page, "Interruptions").innerText(), PATIENCE).toMatch(/^0/);
    expect(await ask(ada, "GET", "/policy")).toMatchObject({ overrides: {} });
    await page.context().close();
  });
});

describe("previews that are kept", () => {
  it("can be compared, two of them, and deleted", async () => {
    const bob = await userWithPast(world, "u-bob", PASTS.slice(0, 1));
    const page = await openAs(bob, "settings/policy");
    await page.getByLabel("Balanced", { exact: true }).check();
    await page.getByRole("button", { name: "Keep it", exact: true }).click(PATIENCE);
    await type(page, { "Hibernate after": "10", "Warn after": "6" });
    await expect.poll(() => figure(page, "Interruptions").innerText(), PATIENCE).toMatch(/^40/);
    await replay(page).getByText("Kept previews (2)").click(PATIENCE);
    await replay(page)
      .getByRole("checkbox", { name: /^Compare: Balanced/ })
      .check();
    await replay(page)
      .getByRole("checkbox", { name: /^Compare: idle 10 min under 5%/ })
      .check();
    const compared = replay(page).getByRole("region", { name: "Two previews, compared" });
    await expect
      .poll(() => compared.getByRole("row").filter({ hasText: "Interruptions" }).innerText(), PATIENCE)
      .toMatch(/0\s+40\s+\+40/);
    const policies = replay(page).getByRole("region", { name: "Where their policies differ" });
    expect(await policies.getByRole("row").filter({ hasText: "Hibernate after" }).innerText()).toMatch(
      /30 min\s+10 min/,
    );
    expect(await barriers(page)).toEqual([]);
    await replay(page)
      .getByRole("button", { name: /^Show: Balanced/ })
      .click();
    await replay(page)
      .getByText(/^Kept since/)
      .waitFor(PATIENCE);
    await replay(page)
      .getByRole("button", { name: /^Delete: Balanced/ })
      .click();
    await replay(page).getByText("Kept previews (1)").waitFor(PATIENCE);
    expect((await previewsOf(bob)).length).toBe(1);
    await page.context().close();
  });
});

describe("an instance's own policy", () => {
  it("is tried on that instance alone, on a phone and in Portuguese", async () => {
    const page = await openAs(ada, "instances/trainer/policy", {
      locale: "pt-BR",
      colorScheme: "dark",
      viewport: { width: 390, height: 840 },
    });
    await type(page, { "Hibernar após": "10", "Avisar após": "6" });
    const tried = page.getByRole("complementary", { name: "O que ela teria feito" });
    await tried.getByText("7 dias com estes números", { exact: true }).waitFor(PATIENCE);
    await expect
      .poll(() => tried.locator("dl > div").filter({ hasText: "Interrupções" }).innerText(), PATIENCE)
      .toMatch(/40/);
    // What is seen without a word is read out.
    await expect
      .poll(() => tried.getByRole("status").innerText(), PATIENCE)
      .toMatch(/^7 dias com estes números: .* economizados, trabalho interrompido 40 vezes\.$/);
    await page
      .getByText(/^Com ociosidade de 20 min abaixo de 3% você teria mantido \d+% da economia/)
      .waitFor(PATIENCE);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    expect(await barriers(page)).toEqual([]);
    const [newest] = await previewsOf(ada);
    expect(newest?.asked_of).toMatchObject({ instances: ["trainer"] });
    expect(await ask(ada, "GET", "/instances/trainer")).toMatchObject({ policy_overrides: { instance: {} } });
    await page.context().close();
  });
});

describe("a large fleet", () => {
  it("is replayed bit by bit, and the sums grow", async () => {
    const user = await world.newUser("Grace");
    const names = Array.from({ length: 30 }, (_, index) => `rig-${index + 10}`);
    await Promise.all(
      names.map((instance_id) =>
        registerInstance(world.url, user.token, {
          instance_id,
          name: instance_id,
          hourly_cost: 1,
          hibernated_hourly_cost: 0,
        }),
      ),
    );
    const page = await openAs(user, "settings/policy");
    await page.getByRole("button", { name: "Try it on the past" }).click();
    await replay(page)
      .getByText(/^\d+ of 30 instances replayed/)
      .waitFor(PATIENCE);
    await replay(page).getByText("No heartbeat of this time is kept").waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });
});
