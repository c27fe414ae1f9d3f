import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { registerInstance, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { FakeHttp } from "../outside/http.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, chooseLanguage, Pages, signIn } from "./pages.ts";

/** An owner sees to alerts on the page, before a real server. */

const PATIENCE = { timeout: 60_000 };

let world: ServerWorld;
let pages: Pages;
let user: User;

beforeAll(async () => {
  // An hour of the policy is a minute.
  world = await ServerWorld.create({ SIMULATION_SPEED: "60", ALLOW_LOOPBACK_URLS: "true" });
  pages = await Pages.start();
  user = await world.newUser("Ada");
  await fallSilent("rig");
});
afterAll(async () => {
  await pages?.end();
  await world?.end();
});
afterEach(() => {
  expect(pages.complaints()).toEqual([]);
});

/** It works once, and is never heard again. */
async function fallSilent(id: string): Promise<void> {
  const token = await registerInstance(world.url, user.token, {
    instance_id: id,
    name: `Rig <b>${id}</b>`,
    hourly_cost: 2,
    hibernated_hourly_cost: 0.1,
    // What comes next would put an alert that nobody has seen in the place of the one that somebody looks at.
    policy: { orphan: { hibernate_after_seconds: 12 * 3600, force_hibernate_after_seconds: 24 * 3600 } },
  });
  await sendHeartbeat(world.url, token, { instance_id: id, gpu_utilization: 90 });
}

it("shows what is wrong without being asked to look again, takes an acknowledgement and a snooze, and undoes that", async () => {
  const page = await pages.open(`${world.url}/#/alerts`);
  await signIn(page, user);
  const open = page.getByRole("region", { name: "What needs an eye" });
  const alert = open.getByRole("listitem").filter({ hasText: "Rig <b>rig</b>" });
  await alert.first().waitFor(PATIENCE);
  expect(await alert.first().innerText()).toMatch(/\$2\.00/);
  await alert.getByRole("button", { name: /^Acknowledge: / }).click();
  await alert.getByText(/^Acknowledged by /).waitFor(PATIENCE);
  await alert.getByText("Snooze", { exact: true }).click();
  expect(await barriers(page)).toEqual([]);
  await alert.getByRole("button", { name: "4 hours" }).click();
  const snoozed = page.getByRole("region", { name: "Snoozed" });
  await snoozed.getByRole("button", { name: "Tell again: rig" }).click(PATIENCE);
  await snoozed.waitFor({ state: "detached", ...PATIENCE });
  // Another machine falls silent while somebody looks.
  await fallSilent("other");
  await open.getByRole("link", { name: "Rig <b>other</b>" }).waitFor(PATIENCE);
  await page.context().close();
});

it("keeps its filter in the address, and Back takes it off", async () => {
  const page = await pages.open(`${world.url}/#/alerts`);
  await signIn(page, user);
  await page.getByRole("region", { name: "History" }).getByRole("listitem").first().waitFor(PATIENCE);
  await page.getByLabel("Severity").selectOption("info");
  await expect.poll(() => page.url()).toContain("severity=info");
  await page.goBack();
  await expect.poll(() => page.getByLabel("Severity").inputValue()).toBe("");
  await page.context().close();
});

it.each(["light", "dark"] as const)("stands in Portuguese, on a phone, in %s", async (colorScheme) => {
  const page = await pages.open(`${world.url}/#/alerts`, {
    viewport: { width: 390, height: 800 },
    colorScheme,
  });
  await signIn(page, user);
  await chooseLanguage(page, "pt-BR");
  await page.getByRole("heading", { name: "O que precisa de atenção" }).waitFor(PATIENCE);
  await page.getByRole("region", { name: "Histórico" }).getByRole("listitem").first().waitFor(PATIENCE);
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
  expect(await barriers(page)).toEqual([]);
  await page.context().close();
});

it("shows a viewer no button that would refuse", async () => {
  const made = await request(`${world.url}/api/agent/tokens`, "POST", user.token, {
    name: "looks",
    role: "viewer",
    expires_in_days: 1,
  });
  const token = (made as { token: string }).token;
  const page = await pages.open(`${world.url}/#/alerts`);
  await signIn(page, { ...user, token });
  await page.getByRole("region", { name: "History" }).getByRole("listitem").first().waitFor(PATIENCE);
  expect(await page.getByRole("button", { name: /^Acknowledge/ }).count()).toBe(0);
  expect(await page.getByText("Snooze", { exact: true }).count()).toBe(0);
  await page.context().close();
});

it("edits a channel, pauses it and takes it up again, and helps with each kind", async () => {
  const receiver = await FakeHttp.start(() => ({ status: 200, body: "{}" }));
  try {
    const page = await pages.open(`${world.url}/#/settings/channels`);
    await signIn(page, user);
    const kind = page.getByLabel("Kind");
    await kind.waitFor(PATIENCE);
    for (const each of await kind.locator("option").all()) {
      await kind.selectOption(await each.getAttribute("value"));
      expect(await page.locator("#channel-help").innerText()).not.toBe("");
    }
    await kind.selectOption("ntfy");
    await page.getByLabel("Name").fill("Phone");
    await page.getByLabel("Server").fill(receiver.url);
    await page.getByLabel("Topic").fill("gpus");
    await page.getByRole("button", { name: "Add channel" }).click();
    await page.getByRole("button", { name: "Edit: Phone" }).click();
    const row = page.getByRole("listitem").filter({ hasText: "ntfy · warnings and worse" });
    await row.getByLabel("Name").fill("Pocket");
    await row.getByLabel("Topic").fill("other");
    await row.getByLabel("Server").fill(receiver.url);
    expect(await barriers(page)).toEqual([]);
    await row.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Pause: Pocket" }).click(PATIENCE);
    await page.getByText("Paused: nothing is told here.").waitFor(PATIENCE);
    await page.getByRole("button", { name: "Test: Pocket" }).click();
    await page
      .getByRole("status")
      .getByText(/^Delivered: 200/)
      .waitFor(PATIENCE);
    expect(JSON.parse(receiver.calls.at(-1)?.body ?? "")).toMatchObject({ topic: "other" });
    await page.getByRole("button", { name: "Resume: Pocket" }).click();
    await page.getByRole("button", { name: "Pause: Pocket" }).waitFor(PATIENCE);
    await page.setViewportSize({ width: 390, height: 800 });
    await chooseLanguage(page, "pt-BR");
    await page.getByRole("button", { name: "Pausar: Pocket" }).waitFor(PATIENCE);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  } finally {
    await receiver.stop();
  }
});

it("says on top of every place that nobody is told any more, until the channel has another address", async () => {
  let isThere = false;
  const receiver = await FakeHttp.start(() => ({ status: isThere ? 204 : 404, body: "" }));
  try {
    const alone = await world.newUser("Alone");
    const channel = { kind: "discord", url: `${receiver.url}/api/webhooks/1/x` };
    const made = await request(`${world.url}/api/agent/channels`, "POST", alone.token, {
      name: "Ops",
      settings: channel,
    });
    const { id } = z.object({ id: z.string() }).parse(made);
    const page = await pages.open(`${world.url}/#/costs`);
    await signIn(page, alone);
    await page.getByRole("heading").first().waitFor(PATIENCE);
    const banner = page
      .getByRole("alert")
      .filter({ hasText: "Nobody is told of alerts any more: Ops is gone" });
    expect(await banner.count()).toBe(0);
    await request(`${world.url}/api/agent/channels/${id}/test`, "POST", alone.token);
    await banner.waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    await banner.getByRole("link").click();
    await page.getByRole("button", { name: "Resume: Ops" }).click(PATIENCE);
    await banner.waitFor({ state: "detached", ...PATIENCE });
    isThere = true;
    await page.context().close();
  } finally {
    await receiver.stop();
  }
});

it("says so too where the channel is lost before the page is connected", async () => {
  const receiver = await FakeHttp.start(() => ({ status: 404, body: "" }));
  try {
    const alone = await world.newUser("Alone");
    const settings = { kind: "discord", url: `${receiver.url}/api/webhooks/1/x` };
    const given = { name: "Ops", settings };
    const made = await request(`${world.url}/api/agent/channels`, "POST", alone.token, given);
    const { id } = z.object({ id: z.string() }).parse(made);
    const page = await pages.open(`${world.url}/#/costs`);
    const isLost = Promise.withResolvers<void>();
    await page.routeWebSocket(/\/api\/agent\/live/, async (socket) => {
      await isLost.promise;
      socket.connectToServer();
    });
    const read = page.waitForResponse(/\/api\/agent\/channels$/);
    await signIn(page, alone);
    await (await read).finished();
    await request(`${world.url}/api/agent/channels/${id}/test`, "POST", alone.token);
    isLost.resolve();
    await page
      .getByRole("alert")
      .filter({ hasText: "Nobody is told of alerts any more: Ops is gone" })
      .waitFor(PATIENCE);
    await page.context().close();
  } finally {
    await receiver.stop();
  }
});

it("acknowledges several alerts at once, with the keyboard, on a phone too", async () => {
  await Promise.all(["one", "two", "three"].map(fallSilent));
  const page = await pages.open(`${world.url}/#/alerts`, { viewport: { width: 390, height: 844 } });
  await signIn(page, user);
  const open = page.getByRole("region", { name: "What needs an eye" });
  for (const name of ["one", "two", "three"])
    await open
      .getByRole("checkbox", { name: `Choose: Rig <b>${name}</b>` })
      .first()
      .waitFor(PATIENCE);
  await open.getByRole("checkbox", { name: "Choose: Rig <b>one</b>" }).first().focus();
  await page.keyboard.press("Space");
  await open.getByRole("button", { name: "Acknowledge 1 alert" }).waitFor();
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
  expect(await barriers(page)).toEqual([]);
  await open.getByRole("checkbox", { name: "1 chosen" }).check();
  await open.getByRole("button", { name: /^Acknowledge \d+ alerts$/ }).click();
  await page
    .getByRole("status")
    .getByText(/^\d+ alerts are acknowledged\.$/)
    .waitFor(PATIENCE);
  const about = open.getByRole("listitem").filter({ hasText: "Rig <b>two</b>" });
  await about
    .first()
    .getByText(/^Acknowledged by /)
    .waitFor(PATIENCE);
  await page.context().close();
});
