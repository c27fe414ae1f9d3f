import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import {
  type APIResponse,
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Request,
  type Route,
} from "playwright-core";
import { onTestFailed } from "vitest";
import { z } from "zod";
import type { User } from "../../scripts/client.ts";

/** The page in a real Chromium. */

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export class Pages {
  readonly #browser: Browser;
  #complaints: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<Pages> {
    return new Pages(await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] }));
  }

  async end(): Promise<void> {
    await this.#browser.close();
  }

  /** What no page may ever say, since it was last asked for: errors in the console, violations of the policy, uncaught exceptions. */
  complaints(): string[] {
    const heard = this.#complaints;
    this.#complaints = [];
    return heard;
  }

  /** A page of a new browser profile. A refusal that a test asks for is no complaint. */
  async open(address: string, options: BrowserContextOptions = {}, expected = /^$/): Promise<Page> {
    const context = await this.#browser.newContext({
      locale: "en-US",
      viewport: { width: 1280, height: 900 },
      ...options,
    });
    const page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type()) && !expected.test(message.text())) {
        this.#complaints.push(message.text());
      }
    });
    page.on("pageerror", (error) => this.#complaints.push(error.message));
    onTestFailed(async ({ task }) => {
      const shown = page.isClosed() ? "closed" : await shownOn(page);
      for (const error of task.result?.errors ?? [])
        error.stack = `${error.message}\n${shown}\n${error.stack}`;
    });
    await page.goto(address);
    return page;
  }
}

const SHOWN_AT_MOST = 600;

/** What is told of a page when a test fails, since whoever reads that has no screen. */
async function shownOn(page: Page): Promise<string> {
  const text = await page
    .locator("body")
    .innerText({ timeout: 5_000 })
    .catch(() => "nothing");
  return `${page.url()} shows: ${text.replace(/\s+/g, " ").slice(0, SHOWN_AT_MOST)}`;
}

/**
 * What the service itself answers to what a page asks. Null: the page was closed meanwhile and wants no answer, while an error that
 * nobody catches would fail the run.
 */
export async function answerTo(route: Route): Promise<{ response: APIResponse; text: string } | null> {
  try {
    const response = await route.fetch();
    return { response, text: await response.text() };
  } catch (error) {
    if (/disposed|has been closed/.test(String(error))) return null;
    throw error;
  }
}

/** When what this expression says is first seen on the page, by the clock of the test: what waits for it looks only now and then. */
export async function firstSeen(page: Page, expression: string): Promise<number> {
  return page.evaluate<number>(`new Promise((seen) => {
    const look = () => (${expression} ? seen(Date.now()) : requestAnimationFrame(look));
    look();
  })`);
}

/** Whether a page still waits for an answer. A live connection is none that it waits for. */
export class Quiet {
  readonly #page: Page;
  readonly #open = new Set<Request>();

  constructor(page: Page) {
    this.#page = page;
    page.on("request", (request) => this.#open.add(request));
    page.on("requestfinished", (request) => this.#open.delete(request));
    page.on("requestfailed", (request) => this.#open.delete(request));
  }

  /** Until all is answered, and drawn. */
  async wait(): Promise<void> {
    do {
      while (this.#open.size > 0) await this.#page.waitForTimeout(20);
      await this.#page.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))");
    } while (this.#open.size > 0);
  }
}

export async function signIn(page: Page, user: User): Promise<void> {
  await page.getByLabel(/^(User token|Token de usuário)$/).fill(user.token);
  await page.getByRole("button", { name: /^(Sign in|Entrar)$/ }).click();
  await page.getByRole("navigation").first().waitFor();
}

/** Signs out, by the menu of who is signed in. */
export async function signOut(page: Page): Promise<void> {
  await openMenu(page);
  await page.getByRole("button", { name: /^(Sign out|Sair)$/ }).click();
  await page.getByRole("button", { name: /^(Sign in|Entrar)$/ }).waitFor();
}

/** Chooses what language the page speaks, wherever it offers that. */
export async function chooseLanguage(page: Page, language: "en" | "pt-BR"): Promise<void> {
  const choice = page.getByLabel(/^(Language|Idioma)$/);
  if (!(await choice.isVisible())) await openMenu(page);
  await choice.selectOption(language);
}

async function openMenu(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^(Your account|Sua conta)/ }).click();
}

/** What axe finds, each with the first element that is at fault. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found: unknown = await page.evaluate("axe.run()");
  return z
    .object({
      violations: z.array(
        z.object({ id: z.string(), help: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
      ),
    })
    .parse(found)
    .violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html.slice(0, 120)}`);
}
