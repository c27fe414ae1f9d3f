import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from "vitest";
import { listInstances, registerInstance, request, sendHeartbeat } from "../../scripts/client.ts";
import { FakeSlack } from "../outside/slack.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, Pages } from "./pages.ts";

/** The page behind the link in a message, as somebody opens it on a phone. */

const SPEED = 60;
const PATIENCE = { timeout: 60_000 };

let world: ServerWorld;
let pages: Pages;
let slack: FakeSlack;

beforeAll(async () => {
  world = await ServerWorld.create({ SIMULATION_SPEED: String(SPEED), ALLOW_LOOPBACK_URLS: "true" });
  pages = await Pages.start();
  slack = await FakeSlack.start();
});
afterAll(async () => {
  await pages?.end();
  await slack?.stop();
  await world?.end();
});
afterEach(() => {
  expect(pages.complaints()).toEqual([]);
});

it("a warned owner sees what it is about, in the reader's language, and keeps the machine with one press", async () => {
  const user = await world.newUser("Ada");
  await request(`${world.url}/api/agent/channels`, "POST", user.token, {
    name: "#gpus",
    settings: { kind: "slack", url: slack.url },
  });
  const token = await registerInstance(world.url, user.token, {
    instance_id: "rig-1",
    name: "Forgotten notebook",
    hourly_cost: 0.4,
    hibernated_hourly_cost: 0.01,
    // The warning comes at once, and what follows it leaves time to look.
    policy: { idle: { warn_after_seconds: 60, hibernate_after_seconds: 3600 * SPEED } },
  });
  // A heartbeat each minute of a clock that runs sixty times as fast.
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const beating = beat(token, end.signal);
  const linkIn = () => /https?:\/\/[^\s|>]+\/keep-alive\/[\w.-]+/.exec(slack.texts.join("\n"))?.[0] ?? "";
  await expect.poll(linkIn, PATIENCE).not.toBe("");
  const link = linkIn();

  const portuguese = await pages.open(link, {
    locale: "pt-BR",
    viewport: { width: 390, height: 844 },
    colorScheme: "dark",
  });
  await portuguese.getByRole("heading", { name: "Manter Forgotten notebook ativa?" }).waitFor(PATIENCE);
  await portuguese.getByText(/US\$\s0,40 por hora/).waitFor();
  await expect.poll(() => portuguese.getByRole("timer").innerText()).toMatch(/^\d\d:\d\d:\d\d$/);
  expect(await barriers(portuguese)).toEqual([]);
  expect(await portuguese.evaluate("document.documentElement.scrollWidth")).toBe(390);
  await portuguese.context().close();

  const page = await pages.open(link, { colorScheme: "light" });
  await page.getByText("$0.40 an hour").waitFor(PATIENCE);
  expect(await barriers(page)).toEqual([]);
  await page.getByText("Hibernate it now instead").click();
  await page.getByRole("button", { name: "Hibernate now" }).waitFor();
  await page.getByRole("button", { name: "4 hours", exact: true }).click();
  await page.getByText(/^rig-1 is kept alive until /).waitFor(PATIENCE);
  const [instance] = await listInstances(world.url, user.token);
  expect(instance?.keep_alive_until).not.toBeNull();
  await page.getByRole("link", { name: "Open the instance" }).click();
  await page.waitForURL(/#\/instances\/rig-1$/);
  await page.context().close();
  end.abort();
  await beating;
});

async function beat(token: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sendHeartbeat(world.url, token, { instance_id: "rig-1", gpu_utilization: 1 });
    await sleep(1000, undefined, { signal }).catch(() => undefined);
  }
}
