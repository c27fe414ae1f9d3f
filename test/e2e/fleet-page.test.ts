import type { Page, WebSocketRoute } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import type { LiveMessage, SummaryView } from "../../src/fleet/live/messages.ts";
import { live } from "../dashboard/live-view.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, firstSeen, Pages, signIn } from "./pages.ts";

/** The list of instances in a real Chromium: what it shows by its address, what is done from it, and how it bears ten thousand. */

const SPEED = 20;
const PATIENCE = { timeout: 60_000 };

/** More than twice what the page would wait that asks again and again. */
const QUIET_MS = 12_000;

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

const ask = (user: User, method: string, path: string, json?: unknown) =>
  request(`${world.url}/api/agent${path}`, method, user.token, json);

const CALM = { orphan: { enabled: false }, idle: { enabled: false } };

/** An instance that has been heard once, and to which nothing happens by itself. */
async function beating(user: User, instance_id: string, more: Readonly<Record<string, unknown>> = {}) {
  const given = {
    instance_id,
    provider: "webhook",
    hourly_cost: 1,
    hibernated_hourly_cost: 0,
    policy: CALM,
    ...more,
  };
  const { token } = z.object({ token: z.string() }).parse(await ask(user, "POST", "/instances", given));
  plane.machines.set(instance_id, "running");
  await sendHeartbeat(world.url, token, { instance_id, gpu_utilization: 90 });
}

async function userWithFleet(): Promise<User> {
  const user = await world.newUser("Ada");
  await ask(user, "PUT", "/providers/webhook", { url: plane.url, secret: plane.secret });
  await ask(user, "PUT", "/policy", { guard: { enabled: false } });
  await beating(user, "dear", { name: "Dear", hourly_cost: 2.5, tags: { team: "vision" } });
  await beating(user, "cheap", { name: "Cheap", hourly_cost: 0.5, tags: { team: "speech", env: "prod" } });
  await beating(user, "lost", { name: "Lost", hourly_cost: 0.25, provider: "none", policy: {} });
  return user;
}

const names = (page: Page) => page.locator(".machines tbody th > a").allInnerTexts();
const shows = (page: Page, wanted: readonly string[]) =>
  expect.poll(() => names(page), PATIENCE).toEqual(wanted);

const sideways = (page: Page) =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");

describe("what the list shows", () => {
  it("is chosen by the parts of the sentence, stands in the address, and is brought back by Back and by a reload", async () => {
    const user = await userWithFleet();
    const page = await pages.open(world.url);
    await signIn(page, user);
    const wasted = page.getByRole("link", { name: "$0.25/h wasted by 1 orphan" });
    await wasted.waitFor(PATIENCE);
    // What wastes money comes first by itself.
    await shows(page, ["Lost", "Cheap", "Dear"]);
    await wasted.click();
    await shows(page, ["Lost"]);
    await page.getByRole("link", { name: "$3.25/h now" }).click();
    await shows(page, ["Dear", "Cheap", "Lost"]);
    expect(page.url()).toMatch(/#\/\?group=costing&sort=-rate$/);
    await page.goBack();
    await shows(page, ["Lost"]);
    await page.goBack();
    await shows(page, ["Lost", "Cheap", "Dear"]);

    await page.getByRole("searchbox").fill("ea");
    await shows(page, ["Cheap", "Dear"]);
    await page.getByRole("link", { name: /team\s*vision/ }).click();
    await shows(page, ["Dear"]);
    expect(page.url()).toMatch(/#\/\?search=ea&tag=team%3Avision$/);
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("checkbox", { name: "GPU, last hour" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("columnheader", { name: "GPU, last hour" }).waitFor({ state: "detached" });
    await page.reload();
    await page.getByRole("navigation").or(page.getByLabel("User token")).first().waitFor();
    await shows(page, ["Dear"]);
    expect(await page.getByRole("columnheader", { name: "GPU, last hour" }).count()).toBe(0);

    await page.getByRole("button", { name: "Save view" }).click();
    await page.getByLabel("Name of the view").fill("Vision");
    await page.keyboard.press("Enter");
    const views = page.getByRole("navigation", { name: "Saved views" });
    await views.getByRole("link", { name: "Vision" }).waitFor();
    await page.getByRole("link", { name: "Clear filters" }).click();
    await shows(page, ["Lost", "Cheap", "Dear"]);
    await views.getByRole("link", { name: "Vision" }).click();
    await shows(page, ["Dear"]);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Remove the view Vision" }).click();
    await views.waitFor({ state: "detached" });
    await page.context().close();
  });

  it.each([
    ["en-US", "light", 390],
    ["pt-BR", "dark", 390],
    ["pt-BR", "light", 1280],
    ["en-US", "dark", 1920],
  ] as const)("is whole and readable in %s, %s, %i px wide", async (locale, colorScheme, width) => {
    const user = await userWithFleet();
    const page = await pages.open(world.url, { locale, colorScheme, viewport: { width, height: 900 } });
    await signIn(page, user);
    await shows(page, ["Lost", "Cheap", "Dear"]);
    await page.locator(".bars.small svg").waitFor(PATIENCE);
    await page.getByRole("checkbox", { name: /Dear/ }).click();
    expect(await barriers(page)).toEqual([]);
    expect(await sideways(page)).toBe(0);
    await page.getByRole("button", { name: /: Lost$/ }).click();
    await page.getByRole("menu").waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await sideways(page)).toBe(0);
    await page.context().close();
  });
});

describe("a row", () => {
  it("opens its instance by a click, and in another tab by the middle button; its menu is the keyboard's too", async () => {
    const user = await userWithFleet();
    const page = await pages.open(world.url);
    await signIn(page, user);
    await shows(page, ["Lost", "Cheap", "Dear"]);
    const row = page.getByRole("row").filter({ hasText: "Dear" });
    const button = row.getByRole("button", { name: "Actions: Dear" });
    await button.focus();
    await page.keyboard.press("Enter");
    const focused = () => page.evaluate<string>("document.activeElement.textContent");
    await expect.poll(focused).toBe("Keep alive for 1 h");
    await page.keyboard.press("ArrowDown");
    await expect.poll(focused).toBe("Keep alive for 4 h");
    await page.keyboard.press("End");
    await expect.poll(focused).toBe("Open");
    await page.keyboard.press("Escape");
    await page.getByRole("menu").waitFor({ state: "detached" });
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe("Actions: Dear");
    await page.keyboard.press("ArrowDown");
    await expect.poll(focused).toBe("Keep alive for 1 h");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByText("Dear is kept alive for 240 minutes.").waitFor(PATIENCE);

    const opened = page.context().waitForEvent("page");
    await row.locator(".heartbeat").click({ button: "middle" });
    const other = await opened;
    expect(other.url()).toMatch(/#\/instances\/dear$/);
    await other.close();
    await row.locator(".heartbeat").click();
    await page.getByRole("heading", { name: "Dear" }).waitFor(PATIENCE);
    expect(page.url()).toMatch(/#\/instances\/dear$/);
    await page.context().close();
  });
});

describe("a heartbeat", () => {
  it("is shown within a second of a fleet that is quiet otherwise, and the page asks for nothing", async () => {
    const user = await world.newUser("Ada");
    const given = { instance_id: "quiet", name: "Quiet", hourly_cost: 1, policy: CALM };
    const made = await ask(user, "POST", "/instances", given);
    const { token } = z.object({ token: z.string() }).parse(made);
    const beat = (gpu_utilization: number) =>
      sendHeartbeat(world.url, token, { instance_id: "quiet", gpu_utilization });
    await beat(90);
    const page = await pages.open(world.url);
    const asked: string[] = [];
    const seen = Promise.withResolvers<string>();
    page.on("request", (sent) => asked.push(sent.url()));
    page.on("websocket", (socket) =>
      socket.on("framesent", ({ payload }) => {
        if (String(payload).includes("quiet")) seen.resolve(String(payload));
      }),
    );
    await signIn(page, user);
    await shows(page, ["Quiet"]);
    expect(JSON.parse(await seen.promise)).toEqual({ type: "sight", instance_ids: ["quiet"] });
    const gpu = page.getByRole("row").filter({ hasText: "Quiet" }).locator(".gpu .figure");
    const shownWithin = async (percent: number) => {
      const isShown = `document.querySelector("[data-instance=quiet] .gpu .figure")?.textContent === "${percent}%"`;
      const [seenAt, answeredAt] = await Promise.all([
        firstSeen(page, isShown),
        beat(percent).then(() => Date.now()),
        gpu.getByText(`${percent}%`, { exact: true }).waitFor(PATIENCE),
      ]);
      return seenAt - answeredAt;
    };
    expect(await shownWithin(81)).toBeLessThan(1000);
    await page.getByText("$1.00/h now").waitFor(PATIENCE);
    await page.locator(".bars.small svg").waitFor(PATIENCE);
    asked.length = 0;
    await new Promise((wake) => setTimeout(wake, QUIET_MS));
    expect(await shownWithin(82)).toBeLessThan(1000);
    expect(asked).toEqual([]);

    // So does the page of the instance, which reads it once for each.
    await page.getByRole("link", { name: "Quiet" }).click();
    await page.getByRole("heading", { name: "Quiet" }).waitFor(PATIENCE);
    await expect
      .poll(() => asked.some((address) => address.endsWith("/instances/quiet")), PATIENCE)
      .toBe(true);
    await new Promise((wake) => setTimeout(wake, QUIET_MS));
    const readings = () => asked.filter((address) => address.endsWith("/instances/quiet")).length;
    const before = readings();
    await new Promise((wake) => setTimeout(wake, QUIET_MS));
    expect(readings()).toBe(before);
    await beat(83);
    await expect.poll(readings, PATIENCE).toBeGreaterThan(before);
    await page.context().close();
  });
});

describe("a viewer", () => {
  it("sees the whole list, and nothing in it that would be refused", async () => {
    const user = await userWithFleet();
    const made = await ask(user, "POST", "/tokens", { name: "Wall", role: "viewer", expires_in_days: 1 });
    const { token } = z.object({ token: z.string() }).parse(made);
    const page = await pages.open(world.url);
    await signIn(page, { ...user, token });
    await shows(page, ["Lost", "Cheap", "Dear"]);
    const list = page.getByRole("main");
    await list
      .getByRole("checkbox")
      .first()
      .waitFor({ state: "detached", ...PATIENCE });
    expect(await list.getByRole("button", { name: /^Actions:/ }).count()).toBe(0);
    expect(await list.getByRole("link", { name: "Add instance" }).count()).toBe(0);
    await page.getByRole("button", { name: "Orphaned 1" }).click();
    await shows(page, ["Lost"]);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("link", { name: "Costs", exact: true }).first().click();
    await page.getByRole("heading", { name: "What costs how much" }).waitFor(PATIENCE);
    await page.getByText("No budget yet", { exact: false }).waitFor(PATIENCE);
    expect(await list.getByRole("button", { name: /^(Hibernate many|See what|Save$)/ }).count()).toBe(0);
    await page.context().close();
  });
});

/** The cells that something in them stands out of. */
const overfull = (page: Page) =>
  page.evaluate(`[...document.querySelectorAll(".machines tbody :is(th, td):not(.mark, .actions)")]
    .filter((cell) => {
      const isOut = (each) => each.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1;
      return [...cell.querySelectorAll("*")].some(isOut);
    })
    .map((cell) => cell.textContent)`);

describe("what is long", () => {
  it("stays in its cell, in both languages and at any width", async () => {
    const user = await world.newUser("Ada");
    await beating(user, "long", {
      name: "notebook-of-experiments-with-a-very-long-name-indeed",
      provider: "none",
      hourly_cost: null,
      tags: { team: "platform research and infrastructure", env: "staging" },
    });
    const never = { instance_id: "never", policy: { orphan: { never_heard_after_seconds: 60 } } };
    await ask(user, "POST", "/instances", never);
    for (const [locale, never] of [
      ["en-US", "Pending · never heard"],
      ["pt-BR", "Pendente · nunca ouvida"],
    ] as const) {
      for (const width of [390, 1210, 1280, 1920]) {
        const page = await pages.open(world.url, { locale, viewport: { width, height: 900 } });
        await signIn(page, user);
        await page.getByText(never).waitFor(PATIENCE);
        expect(await overfull(page), `${locale} ${width}`).toEqual([]);
        await page.context().close();
      }
    }
  });
});

describe("many at once", () => {
  it("are tagged, kept alive and hibernated together, and it is said what happened to each", async () => {
    const user = await userWithFleet();
    // What the service refuses is told by the browser, too.
    const page = await pages.open(world.url, {}, /400 \(Bad Request\)/);
    await signIn(page, user);
    await shows(page, ["Lost", "Cheap", "Dear"]);
    await page.getByRole("checkbox", { name: "Select Lost" }).click();
    await page.getByRole("checkbox", { name: "Select Dear" }).click({ modifiers: ["Shift"] });
    const bar = page.getByRole("region", { name: "Selected instances" });
    await bar.getByText("3 selected").waitFor();
    const boxes = page.getByRole("checkbox", { name: /^Select (Lost|Cheap|Dear)$/, checked: true });
    await expect.poll(() => boxes.count(), PATIENCE).toBe(3);
    await bar.getByLabel("Tag").fill("Owner:ada");
    await bar.getByRole("button", { name: "Add tag" }).click();
    await bar.getByText("Tags changed: 0. Refused: 3.").waitFor(PATIENCE);
    await bar.getByLabel("Tag").fill("owner:ada");
    await bar.getByRole("button", { name: "Add tag" }).click();
    await bar.getByText("Tags changed: 3.").waitFor(PATIENCE);
    await page
      .locator(".machines")
      .getByRole("link", { name: /owner\s*ada/ })
      .nth(2)
      .waitFor(PATIENCE);
    expect(await ask(user, "GET", "/instances/cheap")).toMatchObject({
      tags: { team: "speech", env: "prod", owner: "ada" },
    });

    await bar.getByRole("button", { name: "Hibernate …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Hibernate 2 instances?").waitFor();
    expect(await dialog.innerText()).toContain("That saves $3.00 an hour.");
    await dialog.getByRole("button", { name: "Hibernate 2" }).click();
    await bar.getByText("Told to hibernate: 2. Not asked: 1.").waitFor(PATIENCE);
    const told = await bar.getByRole("listitem").allInnerTexts();
    expect(told[0]).toBe("Lost not possible as it stands");
    expect(told.slice(1).sort()).toEqual(["Cheap Told to hibernate", "Dear Told to hibernate"]);
    expect(await barriers(page)).toEqual([]);
    await page
      .getByRole("row")
      .filter({ hasText: "Dear" })
      .getByText("Hibernated", { exact: true })
      .waitFor(PATIENCE);
    await page.context().close();
  });
});

describe("ten thousand instances", () => {
  const COUNT = 10_000;
  const ROWS_PER_MESSAGE = 200;
  const AT = "2030-01-07T00:00:00Z";
  const GUARD = { state: "open", closed_at: null, opened_at: null, service_wide: "open" } as const;

  const nameOf = (index: number) => `rig-${String(index).padStart(5, "0")}`;
  const summary = (index: number, more: Partial<SummaryView> = {}): SummaryView => ({
    ...live(nameOf(index), { rate: 0.5, gpu_trend: Array.from({ length: 60 }, () => 90) }),
    as_of: AT,
    ...more,
  });

  it("are there at the first page of them, drawn near the window alone, and shown as they change, without a poll", async () => {
    const user = await userWithFleet();
    const page = await pages.open(world.url);
    const asked: string[] = [];
    page.on("request", (sent) => asked.push(new URL(sent.url()).pathname + new URL(sent.url()).search));
    const socket = Promise.withResolvers<WebSocketRoute>();
    const seen: number[] = [];
    await page.routeWebSocket(/\/api\/agent\/live/, (opened) => {
      opened.onMessage((text) => seen.push(String(text).split(",").length));
      socket.resolve(opened);
    });
    await signIn(page, user);
    const connection = await socket.promise;
    const push = (message: LiveMessage) => connection.send(JSON.stringify(message));
    const pageOf = (start: number): LiveMessage => ({
      type: "snapshot",
      server_time: AT,
      revision: 7,
      rows: Array.from({ length: ROWS_PER_MESSAGE }, (_, index) => summary(start + index)),
      is_last: start + ROWS_PER_MESSAGE >= COUNT,
      guard: GUARD,
      takes_sight: true,
    });
    push(pageOf(0));
    await page.locator("tr[data-instance]").nth(20).waitFor(PATIENCE);
    await page.getByText(/^\d+ so far, more are on their way/).waitFor();
    for (let start = ROWS_PER_MESSAGE; start < COUNT; start += ROWS_PER_MESSAGE) push(pageOf(start));
    await page.getByText("10000 instances").waitFor(PATIENCE);
    await page.getByRole("link", { name: "$5,000.00/h now" }).waitFor();
    expect(await page.locator("tr[data-instance]").count()).toBeLessThan(60);

    const change = async (index: number, revision: number) => {
      const lost = { status: "orphaned", health: "unhealthy", rate: 9 } as const;
      const rows = [summary(index, { ...lost, as_of: "2030-01-07T00:00:09Z" })];
      const startedAt = performance.now();
      push({
        type: "rows",
        server_time: AT,
        revision,
        rows,
        removed: [],
        guard: GUARD,
        takes_sight: true,
      });
      await page
        .getByRole("row")
        .filter({ hasText: nameOf(index) })
        .getByText("Orphaned")
        .waitFor(PATIENCE);
      return performance.now() - startedAt;
    };
    await change(9_876, 8);
    await change(5_432, 9);
    // It wastes most, so it is on top at once.
    expect((await names(page)).slice(0, 2).sort()).toEqual([nameOf(5_432), nameOf(9_876)]);

    await page.keyboard.press("End");
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    await page.getByRole("link", { name: nameOf(9_999) }).waitFor(PATIENCE);
    expect(await page.locator("tr[data-instance]").count()).toBeLessThan(60);
    expect(await barriers(page)).toEqual([]);
    // The page says what is seen, and asks for nothing.
    expect(asked.filter((path) => path.startsWith("/api/agent/instances"))).toEqual([]);
    expect(seen.length).toBeGreaterThan(0);
    expect(Math.max(...seen)).toBeLessThan(40);

    // Back leads to where one was, though one left within the frame of a scroll.
    await page.evaluate(`scrollTo(0, 5310); document.querySelector("nav a[href='#/settings']").click()`);
    await page.getByRole("heading", { name: "Settings" }).first().waitFor(PATIENCE);
    await page.goBack();
    await expect.poll(() => page.evaluate("scrollY"), PATIENCE).toBe(5310);
    await page.context().close();
  });
});
