import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { registerInstance, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { FakeHttp } from "../outside/http.ts";
import { CuttableProxy } from "../outside/proxy.ts";
import { Viewer } from "../server/viewer.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, chooseLanguage, firstSeen, Pages, signIn } from "./pages.ts";

/** The page in a real Chromium, before a real server on which three minutes pass in nine seconds. */

const SPEED = 20;
const INTERVAL_MS = 60_000 / SPEED;
const PATIENCE = { timeout: 60_000 };

let world: ServerWorld;
let pages: Pages;

beforeAll(async () => {
  world = await ServerWorld.create({ SIMULATION_SPEED: String(SPEED), ALLOW_LOOPBACK_URLS: "true" });
  pages = await Pages.start();
});
afterAll(async () => {
  await pages?.end();
  await world?.end();
});
afterEach(() => {
  expect(pages.complaints()).toEqual([]);
});

const open = (options: BrowserContextOptions = {}, expected?: RegExp, address = world.url): Promise<Page> =>
  pages.open(address, options, expected);

/** An instance that beats by itself until told otherwise. */
class Rig {
  gpuPercent = 90;
  beats = true;
  readonly #stop = new AbortController();

  static async start(user: User, instance_id: string, name: string, policy: unknown = {}): Promise<Rig> {
    const token = await registerInstance(world.url, user.token, {
      instance_id,
      name,
      hourly_cost: 0.4,
      hibernated_hourly_cost: 0.01,
      policy,
    });
    const rig = new Rig();
    void rig.#live(instance_id, token);
    return rig;
  }

  async #live(instance_id: string, token: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      if (this.beats) {
        const report = { instance_id, gpu_utilization: this.gpuPercent, cost_accumulated: 1.5 };
        // A token that a test replaces under its feet is refused: the page shows what became of it.
        const answer = await sendHeartbeat(world.url, token, report).catch(() => null);
        if (answer?.actions.some(({ type }) => type === "hibernate")) {
          await sendHeartbeat(world.url, token, { ...report, status: "hibernating" });
          this.beats = false;
        }
      }
      await sleep(INTERVAL_MS, null, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  stop(): void {
    this.#stop.abort();
  }
}

const setHidden = (page: Page, hidden: boolean) =>
  page.evaluate(`Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"))`);

const hide = (page: Page) => setHidden(page, true);
const lookAgain = (page: Page) => setHidden(page, false);

const row = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });

describe("the fleet", () => {
  it("moves from warning to hibernated and from orphaned to recovered, and is steered by clicks, without a reload", async () => {
    const user = await world.newUser("Ada");
    const [busy, idle, silent] = await Promise.all([
      Rig.start(user, "busy", "Busy <img src=x onerror=alert(1)>"),
      // It idles for so long that a slow browser sees it, too.
      Rig.start(user, "idle", "Forgotten notebook", { idle: { hibernate_after_seconds: 600 } }),
      Rig.start(user, "silent", "Cut off"),
    ]);
    try {
      const page = await open();
      await signIn(page, user);
      await page.getByText(`Simulation: time passes ${SPEED} times as fast as in life.`).waitFor(PATIENCE);
      await page.evaluate("window.neverReloaded = true");
      await row(page, "Cut off").getByText("Running").waitFor(PATIENCE);
      // A name is text, whatever it looks like.
      await page.getByRole("link", { name: "Busy <img src=x onerror=alert(1)>" }).waitFor();
      expect(await page.locator("table img").count()).toBe(0);

      idle.gpuPercent = 1;
      silent.beats = false;
      await row(page, "Forgotten notebook").getByText("Running · idle").waitFor(PATIENCE);
      await row(page, "Forgotten notebook")
        .getByText(/^Hibernates (in 0:\d\d|now)$/)
        .waitFor(PATIENCE);
      await row(page, "Forgotten notebook").getByText("Hibernated", { exact: true }).waitFor(PATIENCE);
      await row(page, "Cut off").getByText("Orphaned").waitFor(PATIENCE);
      expect(await page.locator(".groups .orphaned .value").innerText()).toBe("1");
      expect(await barriers(page)).toEqual([]);

      silent.beats = true;
      await row(page, "Cut off").getByText("Running").waitFor(PATIENCE);

      silent.beats = false;
      await row(page, "Cut off").getByText("Orphaned").waitFor(PATIENCE);
      await page.getByRole("button", { name: "Actions: Cut off" }).click();
      await page.getByRole("menuitem", { name: "Keep alive for 1 h" }).click();
      await page.getByText("Cut off is kept alive for 60 minutes.").waitFor();
      await row(page, "Cut off").getByText("kept alive by hand").waitFor(PATIENCE);

      await page.getByRole("button", { name: /^Actions: Busy/ }).click();
      await page.getByRole("menuitem", { name: "Hibernate …" }).click();
      expect(await page.getByRole("dialog").innerText()).toContain("Work that is not saved to disk is lost.");
      expect(await barriers(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await page.getByRole("button", { name: /^Actions: Busy/ }).click();
      await page.getByRole("menuitem", { name: "Hibernate …" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Hibernate" }).click();
      await row(page, "Busy").getByText("Hibernated", { exact: true }).waitFor(PATIENCE);
      expect(await page.evaluate("window.neverReloaded")).toBe(true);
      await page.context().close();
    } finally {
      for (const rig of [busy, idle, silent]) rig.stop();
    }
  });

  it("is searched, chosen from and sorted, by keyboard too", async () => {
    const user = await world.newUser("Ada");
    for (const name of ["alpha", "beta", "gamma"]) {
      await registerInstance(world.url, user.token, {
        instance_id: `id-${name}`,
        name,
        hourly_cost: 1,
        hibernated_hourly_cost: 0,
      });
    }
    const page = await open();
    await signIn(page, user);
    const names = () => page.locator("tbody th a").allInnerTexts();
    await expect.poll(names).toEqual(["alpha", "beta", "gamma"]);
    await page.getByRole("searchbox").fill("ID-b");
    expect(await names()).toEqual(["beta"]);
    await page.getByRole("searchbox").fill("");
    await page.getByRole("button", { name: "Instance", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    expect(await names()).toEqual(["gamma", "beta", "alpha"]);
    await page.getByLabel("Status").first().selectOption("running");
    await page.getByText("No instance matches.").waitFor();
    await page.context().close();
  });

  it("is asked for by its tag where nothing is pushed, and not at all while nobody looks", async () => {
    const user = await world.newUser("Ada");
    await registerInstance(world.url, user.token, {
      instance_id: "rig",
      name: "Rig",
      hourly_cost: 1,
      hibernated_hourly_cost: 0,
    });
    const proxy = await CuttableProxy.start(world.url);
    proxy.refusesSockets = true;
    try {
      const page = await open({}, /WebSocket connection to/, proxy.url);
      const statuses: number[] = [];
      page.on("response", (response) => {
        if (response.url().includes("/api/agent/instances?ids=")) statuses.push(response.status());
      });
      await signIn(page, user);
      await expect
        .poll(() => statuses.filter((status) => status === 304).length, PATIENCE)
        .toBeGreaterThan(1);
      await hide(page);
      await sleep(2500);
      const before = statuses.length;
      await sleep(5000);
      expect(statuses.length).toBe(before);
      await lookAgain(page);
      await expect.poll(() => statuses.length, PATIENCE).toBeGreaterThan(before);
      await page.context().close();
    } finally {
      await proxy.stop();
    }
  });
});

describe("the live connection", () => {
  const COSTS = { hourly_cost: 1, hibernated_hourly_cost: 0 };
  /** What Chromium says of a connection that the proxy cuts or refuses. */
  const CUT = /WebSocket connection to|Failed to load resource/;

  const register = (user: User, instance_id: string) =>
    registerInstance(world.url, user.token, { instance_id, name: instance_id, ...COSTS });

  const beat = (instance_id: string, token: string) =>
    sendHeartbeat(world.url, token, { instance_id, gpu_utilization: 90 });

  /** Until the page has opened one, `shown` instances are shown, and it has asked for those in sight. */
  async function settled(page: Page, shown: string): Promise<void> {
    await page.getByRole("status").getByText(shown, { exact: true }).waitFor(PATIENCE);
  }

  it("shows a change within a second with 1,000 instances, and asks for nothing while it sleeps", async () => {
    const user = await world.newUser("Ada");
    const tokens = new Map<string, string>();
    const ids = Array.from({ length: 1000 }, (_, index) => `rig-${String(index).padStart(4, "0")}`);
    for (let start = 0; start < ids.length; start += 20) {
      const batch = ids.slice(start, start + 20);
      await Promise.all(batch.map(async (id) => tokens.set(id, await register(user, id))));
    }
    const proxy = await CuttableProxy.start(world.url);
    try {
      const page = await open({}, /^$/, proxy.url);
      await signIn(page, user);
      await settled(page, "1000 instances");
      const change = async (id: string) => {
        // Of a long list only what is near the window is drawn.
        await page.getByRole("searchbox").fill(id);
        await row(page, id).waitFor();
        const isRunning = `document.querySelector("[data-instance=${id}]")?.textContent.includes("Running")`;
        const [seenAt, answeredAt] = await Promise.all([
          firstSeen(page, isRunning),
          beat(id, tokens.get(id) ?? "").then(() => Date.now()),
          row(page, id).getByText("Running").waitFor(PATIENCE),
        ]);
        return seenAt - answeredAt;
      };
      const viewer = Viewer.of(world.url, user);
      await expect.poll(() => viewer.fleet.size, PATIENCE).toBe(1000);
      for (const id of ["rig-0001", "rig-0500", "rig-0999"]) {
        expect(await change(id)).toBeLessThan(1000);
        await expect.poll(() => viewer.fleet.get(id), { timeout: 1000 }).toBe("running");
      }
      viewer.socket.close();
      // What is seen is pushed.
      expect(proxy.paths.filter((path) => path.startsWith("/api/agent/instances?"))).toEqual([]);

      await hide(page);
      await sleep(2500);
      const before = proxy.paths.length;
      // The browser itself may look at the page's icon again.
      const askedSince = () => proxy.paths.slice(before).filter((path) => path.startsWith("/api/"));
      await sleep(15_000);
      expect(askedSince()).toEqual([]);
      expect(await change("rig-0002")).toBeLessThan(1000);
      expect(askedSince()).toEqual([]);
      await page.context().close();
    } finally {
      await proxy.stop();
    }
  });

  it("resumes after a loss, and shows all that happened meanwhile", async () => {
    const user = await world.newUser("Ada");
    const [stays] = [await register(user, "stays"), await register(user, "goes")];
    const proxy = await CuttableProxy.start(world.url);
    try {
      const page = await open({}, CUT, proxy.url);
      await signIn(page, user);
      await settled(page, "2 instances");
      proxy.cut();
      await page
        .getByText("Reconnecting …")
        .or(page.getByText("cannot be reached"))
        .first()
        .waitFor(PATIENCE);
      await beat("stays", stays);
      await register(user, "new");
      await request(`${world.url}/api/agent/instances/goes`, "DELETE", user.token);
      await sleep(3000);
      await row(page, "goes").waitFor();
      proxy.mend();
      await row(page, "new").getByText("Pending").waitFor(PATIENCE);
      await row(page, "goes").waitFor({ state: "detached" });
      await page.locator(".banner").waitFor({ state: "detached", ...PATIENCE });
      expect(proxy.paths.some((path) => /^\/api\/agent\/live\?(.*&)?since=\d+/.test(path))).toBe(true);
      await page.context().close();
    } finally {
      await proxy.stop();
    }
  });

  it("is done without where sockets can't be opened", async () => {
    const user = await world.newUser("Ada");
    await register(user, "rig");
    const proxy = await CuttableProxy.start(world.url);
    proxy.refusesSockets = true;
    try {
      const page = await open({}, CUT, proxy.url);
      await signIn(page, user);
      await page.getByText("There is no live connection.").waitFor(PATIENCE);
      await settled(page, "1 instance");
      await register(user, "other");
      await row(page, "other").waitFor(PATIENCE);
      expect(proxy.paths.some((path) => path.includes("view=summary"))).toBe(true);
      proxy.refusesSockets = false;
      await page.getByText("There is no live connection.").waitFor({ state: "detached", timeout: 120_000 });
      await page.context().close();
    } finally {
      await proxy.stop();
    }
  });
});

describe("a hibernated instance", () => {
  it("shows what it still costs, and after a wake in vain why, with what can be done", async () => {
    const user = await world.newUser("Ada");
    const orders: string[] = [];
    const plane = await FakeHttp.start(({ body }) => {
      const { type } = z.looseObject({ type: z.string() }).parse(JSON.parse(body));
      if (type !== "instance.status" && type !== "instance.ping") orders.push(type);
      return type === "instance.wake"
        ? { status: 400, body: '{"error":"its GPU is taken"}' }
        : { status: 200, body: '{"status":"done","state":"stopped"}' };
    });
    try {
      const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
      await request(`${world.url}/api/agent/providers/webhook`, "PUT", user.token, {
        url: plane.url,
        secret,
      });
      await request(`${world.url}/api/agent/instances`, "POST", user.token, {
        instance_id: "sleeper",
        name: "Sleeper",
        provider: "webhook",
      });
      const page = await open();
      await signIn(page, user);
      await request(`${world.url}/api/agent/instances/sleeper/hibernate`, "POST", user.token);
      await row(page, "Sleeper").getByText("Hibernated", { exact: true }).waitFor(PATIENCE);
      await row(page, "Sleeper").getByText("not known").waitFor();
      await row(page, "Sleeper").getByRole("link").click();
      await page.getByRole("button", { name: "Wake: Sleeper" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Wake" }).click();
      const failed = page.getByRole("region", { name: "Its last wake failed" });
      await failed.getByText(/the webhook answered 400.*; the start was cancelled/).waitFor(PATIENCE);
      expect(await failed.getByRole("listitem").allInnerTexts()).toEqual([
        expect.stringContaining("Wait, and wake it again"),
      ]);
      expect(await barriers(page)).toEqual([]);
      expect(orders).toEqual(["instance.hibernate", "instance.wake", "instance.hibernate"]);
      await failed.getByRole("button", { name: "Wake" }).click();
      await page.getByRole("dialog").getByText("Wake Sleeper?").waitFor(PATIENCE);
      await page.context().close();
    } finally {
      await plane.stop();
    }
  });
});

describe("a new user", () => {
  it("adds an instance, runs the command that is shown, and sees its first heartbeat", async () => {
    const user = await world.newUser("Ada");
    const page = await open();
    await signIn(page, user);
    await page.getByRole("heading", { name: "Add your first machine" }).waitFor();
    await page.getByRole("link", { name: /^It stops itself/ }).click();
    await page.getByLabel("Name").fill("My first");
    await page.getByLabel("Id here").fill("first");
    await page.getByRole("button", { name: "Watch it" }).click();
    await page.getByText("Waiting for its first heartbeat …").waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Container" }).click();
    const command = await page.locator("pre").innerText();
    // The token is shown this once: it stays while the fleet behind it goes on.
    await sleep(5000);
    expect(await page.locator("pre").innerText()).toBe(command);
    const directory = await mkdtemp(join(tmpdir(), "dumont-first-"));
    // In a group of its own, so that the agent that it leaves behind can be ended.
    const shell = spawn("sh", ["-c", `${command}\nwait`], {
      cwd: directory,
      env: { ...process.env, DUMONT_CONFIG_FILE: join(directory, "none") },
      stdio: "ignore",
      detached: true,
    });
    try {
      await page.getByText("My first is here.").waitFor(PATIENCE);
      await page.getByRole("link", { name: "Open it" }).click();
      await page.getByRole("heading", { name: "My first" }).waitFor();
      await page.getByText("First heartbeat received").waitFor(PATIENCE);
      const readings = page.locator(".panes[role=slider]");
      await readings.waitFor(PATIENCE);
      await readings.press("End");
      await expect.poll(() => readings.getAttribute("aria-valuetext"), PATIENCE).toMatch(/CPU [\d.]+%/);
      expect(await barriers(page)).toEqual([]);
    } finally {
      if (shell.pid !== undefined) process.kill(-shell.pid, "SIGKILL");
      await rm(directory, { recursive: true, force: true });
    }
    await page.context().close();
  });
});

describe("an instance", () => {
  it("shows where each value of its policy comes from, changes it, and says what contradicts it", async () => {
    const user = await world.newUser("Ada");
    await request(`${world.url}/api/agent/policy`, "PUT", user.token, { idle: { threshold_percent: 8 } });
    const rig = await Rig.start(user, "rig", "Rig");
    try {
      const page = await open({ colorScheme: "dark" }, /400 \(Bad Request\)/);
      await signIn(page, user);
      await page.getByRole("link", { name: "Rig" }).click();
      const tab = (name: string) => page.getByRole("link", { name, exact: true }).click();
      await tab("Policy");
      const field = (label: string) => page.locator(".field").filter({ hasText: label });
      const threshold = page.getByLabel("Idle under", { exact: true });
      const warnAfter = page.getByLabel("Warn after", { exact: true });
      await expect.poll(() => threshold.getAttribute("placeholder"), PATIENCE).toBe("8");
      expect(await field("Idle under").innerText()).toContain("from your default");
      await expect.poll(() => warnAfter.getAttribute("placeholder"), PATIENCE).toBe("3 min");
      expect(await field("Warn after").innerText()).toContain("from the service");

      await warnAfter.fill("2 min");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("status").getByText("Saved.", { exact: true }).waitFor(PATIENCE);
      expect(await field("Warn after").innerText()).toContain("set here");

      await warnAfter.fill("15");
      await page.getByRole("button", { name: "Save" }).click();
      await field("Warn after")
        .getByText("Must be less than “Hibernate after” (5 min), but is 15 min.")
        .waitFor();
      await page.getByRole("button", { name: "Discard" }).click();
      expect(await warnAfter.inputValue()).toBe("2 min");

      await tab("Overview");
      for (const range of ["24 h", "7 d", "1 h"]) {
        await page.getByRole("button", { name: range, exact: true }).click();
        await page.getByRole("slider", { name: "A moment of these charts" }).waitFor(PATIENCE);
      }
      await tab("Machine");
      await page.getByRole("button", { name: "Replace the token" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Replace the token" }).click();
      await expect.poll(() => page.locator("pre").innerText()).toMatch(/DUMONT_API_TOKEN=\S+\.\S+\.\S+/);
      expect(await barriers(page)).toEqual([]);
      await page.context().close();
    } finally {
      rig.stop();
    }
  });
});

/** The part of the page under this heading. */
const cardOf = (page: Page, heading: string) =>
  page.locator("section").filter({ has: page.getByRole("heading", { name: heading }) });

async function openSettings(page: Page, section: string): Promise<void> {
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("link", { name: section }).click();
}

describe("settings", () => {
  it("add a channel, and the test button tells what the other side truly said", async () => {
    const user = await world.newUser("Ada");
    const receiver = await FakeHttp.start(() =>
      receiver.calls.length === 1 ? { status: 410, body: "gone" } : { status: 200, body: "ok" },
    );
    try {
      const page = await open();
      await signIn(page, user);
      await openSettings(page, "Channels");
      const channels = cardOf(page, "Where you are told");
      await channels.getByLabel("Kind").selectOption("webhook");
      await channels.getByLabel("Name").fill("On call");
      await channels.getByLabel("URL").fill(`${receiver.url}/alerts`);
      await channels.getByLabel("Signing secret").fill(`whsec_${Buffer.alloc(32, 1).toString("base64")}`);
      await page.getByRole("button", { name: "Add channel" }).click();
      await page.getByRole("button", { name: "Test: On call" }).click();
      await page
        .getByRole("status")
        .getByText(/^Not delivered: 410/)
        .waitFor(PATIENCE);
      await page.getByRole("button", { name: "Test: On call" }).click();
      await page
        .getByRole("status")
        .getByText(/^Delivered: 200/)
        .waitFor(PATIENCE);
      expect(await barriers(page)).toEqual([]);
      await page.getByRole("button", { name: "Delete: On call" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await page.getByText("No channel yet: nobody is told of anything.").waitFor(PATIENCE);
      await page.context().close();
    } finally {
      await receiver.stop();
    }
  });

  it("add a connection, show that its key is refused, take another, and keep it while an instance belongs to it", async () => {
    const user = await world.newUser("Ada");
    let status = 200;
    const plane = await FakeHttp.start(() => ({ status, body: "{}" }));
    const secret = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString("base64")}`;
    try {
      const page = await open({}, /409 \(Conflict\)/);
      await signIn(page, user);
      await openSettings(page, "Providers");
      const card = cardOf(page, "Providers").first();
      await card.getByRole("link", { name: /^My own control plane/ }).click();
      await card.getByLabel("Name").fill("Rack 7");
      await card.getByLabel("URL").fill(plane.url);
      await card.getByLabel("Signing secret").fill(secret(1));
      await card.getByRole("button", { name: "Check and connect" }).click();
      await card.getByText("Connected", { exact: true }).waitFor(PATIENCE);
      status = 401;
      for (let time = 1; time <= 3; time++) {
        const heard = page.waitForResponse(/\/check$/);
        await card.getByRole("button", { name: "Check: Rack 7" }).click();
        await heard;
      }
      await card.getByText(/^The provider refuses the key: nothing is ordered there/).waitFor(PATIENCE);
      await card.getByText("the webhook answered 401: {}").waitFor(PATIENCE);
      expect(await barriers(page)).toEqual([]);

      status = 200;
      await card.getByRole("button", { name: "Replace the key: Rack 7" }).click();
      const row = card.locator(".provider");
      await row.getByLabel("URL").fill(plane.url);
      await row.getByLabel("Signing secret").fill(secret(2));
      await row.getByRole("button", { name: "Save" }).click();
      await card.getByText("Connected", { exact: true }).waitFor(PATIENCE);
      await card.getByRole("button", { name: "Rename: Rack 7" }).click();
      await row.getByRole("textbox", { name: "Name" }).fill("Rack 8");
      expect(await barriers(page)).toEqual([]);
      await row.getByRole("button", { name: "Save" }).click();
      await row.getByText("Rack 8").waitFor(PATIENCE);

      await page.goto(`${world.url}/#/add`);
      await page.getByRole("link", { name: /^My own control plane – Rack 8/ }).click();
      await page.getByLabel("Id in your control plane").fill("machine-1");
      await page.getByLabel("Id here").fill("rig");
      expect(await barriers(page)).toEqual([]);
      await page.getByRole("button", { name: "Watch it" }).click();
      await page.getByRole("link", { name: "Open it" }).click();
      await page.getByRole("link", { name: "Machine", exact: true }).click();
      await page.getByText("Rack 8").first().waitFor(PATIENCE);

      await openSettings(page, "Providers");
      await card.getByRole("button", { name: "Delete: Rack 8" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await page
        .getByRole("status")
        .getByText(/^Instances are registered with webhook/)
        .waitFor(PATIENCE);
      await page.context().close();
    } finally {
      await plane.stop();
    }
  });

  it("make an enrollment token with the one command to paste, tell how many machines are left, and revoke it", async () => {
    const user = await world.newUser("Ada");
    const page = await open();
    await signIn(page, user);
    await openSettings(page, "Providers");
    const card = cardOf(page, "Enrollment tokens");
    await card.getByText("No token: each machine is registered by hand.").waitFor(PATIENCE);
    await card.getByLabel("Name").fill("Image");
    await card.getByLabel("Machines").fill("3");
    await card.getByRole("button", { name: "Make a token" }).click();
    await card.getByText("3 of 3 machines left").waitFor(PATIENCE);
    const command = (await card.locator("pre").textContent()) ?? "";
    const [, token = ""] = /install --enroll (\S+) --url http:\/\/127/.exec(command) ?? [];
    expect(await barriers(page)).toEqual([]);
    await request(`${world.url}/api/agent/enroll`, "POST", token, {
      provider: "ec2",
      machine_id: "i-1234567890abcdef0",
      machine_key: "k".repeat(32),
    });
    await page.reload();
    await card.getByText("2 of 3 machines left").waitFor(PATIENCE);
    expect(await page.getByText(token).count()).toBe(0);
    await card.getByRole("button", { name: "Revoke: Image" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await card.getByText("No token: each machine is registered by hand.").waitFor(PATIENCE);
    await page.context().close();
  });
});

describe("signing in", () => {
  it("keeps nothing of a wrong token, and a token that is revoked brings back to it", async () => {
    const { user_id } = z
      .object({ user_id: z.string() })
      .parse(
        await request(`${world.url}/api/admin/users`, "POST", await world.adminToken(), { name: "Ada" }),
      );
    const issued = z
      .object({ token: z.string(), token_id: z.string() })
      .parse(
        await request(`${world.url}/api/admin/users/${user_id}/tokens`, "POST", await world.adminToken(), {}),
      );
    const page = await open({}, /401 \(Unauthorized\)/);
    await page.getByLabel("User token").fill("not-a-token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("This token is not valid.").waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await page.context().cookies()).toEqual([]);

    let isHeard = false;
    page.once("websocket", (live) => {
      live.once("framereceived", () => {
        isHeard = true;
      });
    });
    await signIn(page, { id: user_id, token: issued.token });
    // One that is opened with a revoked token would be refused, and the console says so.
    await expect.poll(() => isHeard, PATIENCE).toBe(true);
    await request(`${world.url}/api/admin/tokens/${issued.token_id}`, "DELETE", await world.adminToken());
    await page.getByRole("button", { name: "Sign in" }).waitFor(PATIENCE);
    expect(JSON.stringify(await page.evaluate("[{ ...localStorage }, { ...sessionStorage }]"))).not.toContain(
      issued.token,
    );
    await page.context().close();
  });

  it("speaks the browser's language, and the one that is chosen", async () => {
    const page = await open({ locale: "pt-BR" });
    await page.getByLabel("Token de usuário").waitFor();
    expect(await page.evaluate("document.documentElement.lang")).toBe("pt-BR");
    await page.getByLabel("Idioma").selectOption("en");
    await page.getByLabel("User token").waitFor();
    await page.reload();
    await page.getByLabel("User token").waitFor();
    await page.context().close();
  });
});

describe("machines that nobody watches", () => {
  const machine = (name: string, hourly_cost: number | null, more = {}) => ({
    connection: "vast",
    ref: `ref-${name}`,
    name,
    state: "running",
    gpu: "RTX 4090",
    hourly_cost,
    member_of: null,
    vanished_at: null,
    ...more,
  });

  it("are shown with their dollars, and one click has them watched", async () => {
    const user = await world.newUser("Ada");
    const listed = [
      machine("trainer", 1.25),
      machine("render", null),
      machine("asleep", 0.5, { state: "stopped" }),
      machine("member", 0.5, { member_of: "cluster 1" }),
    ];
    const page = await open();
    let left = listed;
    await page.route("**/api/agent/inventory?**", (route) =>
      route.fulfill({ json: { machines: left, connections: [{ connection: "vast", name: "Team A" }] } }),
    );
    await page.route("**/api/agent/inventory/adopt", (route) => {
      left = [];
      const adopted = ["trainer", "render"].map((instance_id) => ({
        instance_id,
        token: `token-${instance_id}`,
      }));
      return route.fulfill({ json: { success: true, adopted, refused: [], is_more: false } });
    });
    await signIn(page, user);
    await page.getByRole("heading", { name: "Machines that nobody watches" }).waitFor(PATIENCE);
    await page.getByText("The 2 of them cost $1.25 an hour and more: the price of 1 is not known.").waitFor();
    await page.getByText("Which they are").click();
    expect(await page.locator(".unwatched li").allInnerTexts()).toEqual([
      expect.stringMatching(/Team A · RTX 4090\s+\$1\.25 an hour/),
      expect.stringContaining("price not known"),
    ]);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Watch them" }).click();
    await page.getByText("Machines watched from now on: 2.").waitFor();
    await page.getByText("trainer", { exact: true }).click();
    await page
      .getByText(/token-trainer/)
      .first()
      .waitFor();
    await chooseLanguage(page, "pt-BR");
    await page.getByRole("heading", { name: "Máquinas que ninguém vigia" }).waitFor();
    await page.context().close();
  });
});

describe("the API reference", () => {
  it("is ours alone: every operation, and not a request to anybody else", async () => {
    const page = await open();
    const elsewhere: string[] = [];
    page.on("request", (asked) => {
      if (!/^data:/.test(asked.url()) && !asked.url().startsWith(world.url)) elsewhere.push(asked.url());
    });
    await page.goto(`${world.url}/docs`);
    await page.getByText("/api/agent/instances/{id}/keep-alive").waitFor(PATIENCE);
    await page.getByText("/api/agent/instances/{id}/keep-alive").click();
    await page.getByText("Manual keep-alive registered").first().waitFor();
    expect(elsewhere).toEqual([]);
    await page.context().close();
  });
});
