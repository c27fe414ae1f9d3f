import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { ServerWorld } from "../server/world.ts";
import { IN_README, type Reader, VIEWS, type View } from "./every-view.ts";
import { FullAccount } from "./full-account.ts";
import { listMachines } from "./listed-machines.ts";
import { barriers, Pages, Quiet, signIn } from "./pages.ts";

/**
 * Every place of the page, in real Chromium before a real server: nothing stands in anybody's way, nothing complains, and
 * nothing is wider than the window. With `LOOKS=FOLDER` in both languages, all widths and both colours, and each is
 * kept there as a picture; times are then those of the service's own policy, and the world takes five minutes to come about.
 */

const { LOOKS } = process.env;
const PATIENCE = { timeout: 60_000 };

const LANGUAGES = { en: "en-US", pt: "pt-BR" } as const;
const COLOURS = ["light", "dark"] as const;
const WIDTHS = [390, 1280, 1920] as const;

interface Look {
  readonly language: keyof typeof LANGUAGES;
  readonly colour: (typeof COLOURS)[number];
  readonly width: (typeof WIDTHS)[number];
}

const LOOK_AT: readonly Look[] =
  LOOKS === undefined
    ? [
        { language: "en", colour: "light", width: 1280 },
        { language: "pt", colour: "dark", width: 390 },
      ]
    : (["en", "pt"] as const).flatMap((language) =>
        WIDTHS.flatMap((width) => COLOURS.map((colour) => ({ language, colour, width }))),
      );

let world: ServerWorld;
let pages: Pages;
let account: FullAccount;
let keepAliveLink: string;

beforeAll(async () => {
  if (LOOKS !== undefined) await mkdir(LOOKS, { recursive: true });
  world = await ServerWorld.create({ ALLOW_LOOPBACK_URLS: "true" });
  pages = await Pages.start();
  account = await FullAccount.make(world, LOOKS === undefined);
  keepAliveLink = await account.told();
}, 600_000);
afterAll(async () => {
  await account?.end();
  await pages?.end();
  await world?.end();
});
afterEach(() => {
  expect(pages.complaints()).toEqual([]);
});

it.each(LOOK_AT)("is whole and readable in $language, $colour, $width px wide", async (look) => {
  const faults: string[] = [];
  for (const reader of ["stranger", "owner", "newcomer", "operator"] as const) {
    const page = await openAs(reader, look);
    const quiet = new Quiet(page);
    for (const view of VIEWS.filter((each) => each.reader === reader)) {
      await page.goto(`${world.url}${view.at}`);
      faults.push(...(await faultsOf(page, quiet, view, look)));
    }
    if (reader === "stranger") {
      for (const [name, at] of [
        ["keep-alive", keepAliveLink],
        ["keep-alive-over", `${world.url}/keep-alive/over`],
      ] as const) {
        await page.goto(at);
        faults.push(...(await faultsOf(page, quiet, { name, reader, at, shows: "main h1" }, look)));
      }
    }
    await page.context().close();
  }
  expect(faults).toEqual([]);
});

async function openAs(reader: Reader, { language, colour, width }: Look): Promise<Page> {
  const options = {
    locale: LANGUAGES[language],
    colorScheme: colour,
    viewport: { width, height: width === 390 ? 844 : 900 },
  };
  const page = await pages.open(
    `${world.url}/#/${reader === "operator" ? "operator" : ""}`,
    options,
    /404 \(|410 \(/,
  );
  await listMachines(page);
  switch (reader) {
    case "stranger":
      break;
    case "owner":
      await signIn(page, account.user);
      break;
    case "newcomer":
      await signIn(page, account.empty);
      break;
    case "operator":
      await page.locator("input[name=operator-token]").fill(await world.adminToken());
      await page.keyboard.press("Enter");
      break;
  }
  return page;
}

async function faultsOf(page: Page, quiet: Quiet, view: View, look: Look): Promise<string[]> {
  const name = `${view.name}-${look.language}-${look.width}-${look.colour}`;
  await page.locator(view.shows).first().waitFor(PATIENCE);
  await view.prepare?.(page);
  await quiet.wait();
  await page.mouse.move(0, 0);
  if (LOOKS !== undefined) await keep(page, LOOKS, view.name, look);
  const found = await barriers(page);
  const sideways = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
  if (sideways !== 0) found.push(`is ${sideways} px too wide`);
  return [...found, ...pages.complaints()].map((fault) => `${name}: ${fault}`);
}

/** As a picture, and another one for the README where it is shown there. */
async function keep(
  page: Page,
  folder: string,
  view: string,
  { language, width, colour }: Look,
): Promise<void> {
  await page.screenshot({ path: join(folder, `${view}-${language}-${width}-${colour}.png`), fullPage: true });
  const shown = IN_README[view];
  if (shown?.width !== width || language !== "en" || colour !== "light") return;
  await page.screenshot({ path: join(folder, "readme", `${shown.as}.png`) });
}
