import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import { ServerWorld } from "../server/world.ts";
import { listMachines } from "./listed-machines.ts";
import { barriers, Pages, signIn } from "./pages.ts";

/** Providers and the machines found there, and the way from a provider to the first heartbeat. */

const PATIENCE = { timeout: 60_000 };

/** What Chromium says of a refusal that a test asks for. */
const REFUSED = /400 \(Bad Request\)|429|40[49]/;

let world: ServerWorld;
let pages: Pages;
let plane: ControlPlane;

beforeAll(async () => {
  world = await ServerWorld.create({ ALLOW_LOOPBACK_URLS: "true" });
  pages = await Pages.start();
  plane = await ControlPlane.start();
});
afterAll(async () => {
  await pages?.end();
  await plane?.stop();
  await world?.end();
});
afterEach(() => {
  plane.trouble = () => null;
  expect(pages.complaints()).toEqual([]);
});

async function openAs(user: User, place: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await pages.open(world.url, options, REFUSED);
  // Who has no machine yet is led at once to where the lists are read.
  await listingsOf(page);
  await signIn(page, user);
  await page.goto(`${world.url}/#/${place}`);
  return page;
}

const ask = (user: User, method: string, path: string, json?: unknown) =>
  request(`${world.url}/api/agent${path}`, method, user.token, json);

const connectVast = (user: User) =>
  ask(user, "POST", "/connections?verify=false", {
    provider: "vast",
    name: "Team B",
    credentials: { api_key: "vast-key-0123456789" },
  });

const HOSTILE = `<img src=x onerror=alert(1)> ' "`;

/** What Vast.ai would show, and what becomes of machines that are chosen there. The rest is the real service. */
async function listingsOf(page: Page): Promise<void> {
  await listMachines(page, HOSTILE);
  await page.route(/\/inventory\/adopt/, (route) => {
    const { machines } = z
      .object({ machines: z.array(z.object({ connection: z.string(), ref: z.string() })) })
      .parse(route.request().postDataJSON());
    const [first, ...others] = machines;
    return route.fulfill({
      json: {
        success: true,
        adopted: others.map((each) => ({ ...each, instance_id: each.ref, token: `token-of-${each.ref}` })),
        refused: first === undefined ? [] : [{ ...first, because: "watched" }],
        is_more: false,
      },
    });
  });
}

const noScrolling = (page: Page) => page.evaluate("document.documentElement.scrollWidth <= innerWidth");

describe("the guided way to add a machine", () => {
  it("goes from a machine of the list over what protects it to one command and its first heartbeat", async () => {
    const user = await world.newUser("Ada");
    await connectVast(user);
    const page = await openAs(user, "add");
    await page.getByRole("link", { name: "Vast.ai – Team B 4 not watched" }).click();
    const list = page.getByRole("group", { name: "Machines that nobody watches" });
    expect(await list.getByRole("radio").count()).toBe(4);
    expect(await page.locator(".add img").count()).toBe(0);
    expect(await list.getByLabel(/^Worker/).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Watch it" }).click();
    await page.getByText("Choose a machine first.").waitFor();
    await list.getByLabel(/^28864631 2 × RTX 4090 · Sweden · running price not known/).check();
    expect(page.url()).toContain("#/add?where=vast&machine=28864631");
    const protection = page.locator(".protections");
    await protection.getByText("What it costs is not known.").waitFor();
    await list.getByLabel(/^Asleep/).check();
    await protection.getByText("It costs $0.01 an hour.").waitFor();
    await protection
      .getByText("Idles under 5% for 3 min: you are told. After 5 min of that Vast.ai is told to stop it.")
      .waitFor();
    await protection.getByText("It is never deleted.").waitFor();
    await protection.getByText(/^Stopped at Vast\.ai: its disks are still billed/).waitFor();
    await page.getByLabel("deleted all the same, with all its data").check();
    await protection.getByText("After 7 d of silence it is deleted, without a snapshot.").waitFor();
    expect(await page.getByLabel("Name").inputValue()).toBe("Asleep");
    expect(await page.getByLabel("Id here").inputValue()).toBe("28864633");
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Watch it" }).click();

    await page.getByText("Waiting for its first heartbeat …").waitFor(PATIENCE);
    const command = await page.locator("pre").innerText();
    const [, token = ""] = /DUMONT_API_TOKEN=(\S+)/.exec(command) ?? [];
    expect(command).toContain("DUMONT_INSTANCE_ID=28864633");
    expect(command).toContain(`DUMONT_API_URL=${world.url}`);
    expect(page.url()).not.toContain(token);
    expect(await barriers(page)).toEqual([]);
    expect(await ask(user, "GET", "/instances/28864633")).toMatchObject({
      name: "Asleep",
      provider: "vast",
      provider_ref: "28864633",
      policy: { orphan: { snapshot_before_delete: false } },
    });
    await sendHeartbeat(world.url, token, { instance_id: "28864633", gpu_utilization: 35 });
    await page.getByText("Asleep is here. GPU 35%").waitFor(PATIENCE);
    await page.reload();
    await page.getByText("Its token was shown once and is gone with the page.").waitFor(PATIENCE);
    expect(await page.getByText(token).count()).toBe(0);
    await page.getByRole("link", { name: "Open it" }).click();
    await page.getByRole("heading", { name: "Asleep" }).waitFor(PATIENCE);
    await page.context().close();
  });

  it("connects a provider on the way, whose key is checked, and says what is wrong with it at its field", async () => {
    const user = await world.newUser("Ada");
    const page = await openAs(user, "add", {
      locale: "pt-BR",
      colorScheme: "dark",
      viewport: { width: 390, height: 840 },
    });
    expect(await noScrolling(page)).toBe(true);
    await page
      .getByRole("link", { name: /^Meu próprio painel|^My own control plane|painel de controle/ })
      .click();
    await page.getByLabel("URL").fill(plane.url);
    await page.getByLabel("Segredo de assinatura").fill("whsec_short");
    const submit = page.getByRole("button", { name: "Verificar e conectar" });
    await submit.click();
    await page.getByText(/^Não está na forma que o provedor usa\./).waitFor(PATIENCE);
    expect(await page.getByLabel("Segredo de assinatura").getAttribute("aria-invalid")).toBe("true");
    expect(await barriers(page)).toEqual([]);
    await page.getByLabel("Segredo de assinatura").fill(plane.secret);
    plane.trouble = () => ({ type: "refuses", reply: { status: 401, body: {} } });
    await submit.click();
    await page.getByText(/não aceitou a chave\./).waitFor(PATIENCE);
    plane.trouble = () => null;
    await submit.click();
    await page.getByLabel("Id no seu painel de controle").fill("racks/7");
    expect(page.url()).toContain("where=webhook");
    expect(await noScrolling(page)).toBe(true);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Vigiar" }).click();
    await page.getByText("Esperando o primeiro sinal de vida …").waitFor(PATIENCE);
    expect(await noScrolling(page)).toBe(true);
    await page.goBack();
    await page.context().close();
  });

  it("leads back by the browser's own way, step by step", async () => {
    const user = await world.newUser("Ada");
    await connectVast(user);
    const page = await openAs(user, "add");
    await page.getByRole("link", { name: /^RunPod/ }).click();
    await page.getByRole("heading", { name: "Connect RunPod" }).waitFor();
    await page.goBack();
    await page.getByRole("link", { name: /^Alerts only/ }).click();
    await page.getByText("Nobody ever stops it: you are told, and that is all.").waitFor(PATIENCE);
    await page.goBack();
    await page.getByRole("link", { name: /^Vast\.ai – Team B/ }).waitFor();
    // What the address names and is not there is asked anew.
    await page.goto(`${world.url}/#/add?where=c-unknown&machine=1`);
    await page.getByRole("link", { name: /^Vast\.ai – Team B/ }).waitFor(PATIENCE);
    await page.context().close();
  });
});

describe("the providers", () => {
  it("are shown with their state, what they can do and what a stop risks, and what nobody watches is watched", async () => {
    const user = await world.newUser("Ada");
    await connectVast(user);
    const page = await openAs(user, "settings/providers");
    const card = page.locator(".provider").filter({ hasText: "Team B" });
    await card.getByText("Not checked").waitFor(PATIENCE);
    await card.getByText(/4 machines that nobody watches, \$1\.25\/h/).waitFor(PATIENCE);
    await card.getByText("What it can do, and what a stop means").click();
    await card.getByText("takes no snapshots").waitFor();
    await card.getByText(/^Stopped at Vast\.ai/).waitFor();
    await card.getByRole("button", { name: "Show them: Team B" }).click();
    await card.getByRole("heading", { name: "4 machines found that nobody watches" }).waitFor();
    await card.getByText("They cost $1.25 an hour and more: the price of 1 is not known.").waitFor();
    expect(await barriers(page)).toEqual([]);
    await card.getByLabel(/^Asleep/).uncheck();
    await card.getByRole("button", { name: "Watch 2 machines" }).click();
    await card.getByText("28864630: watched already").waitFor(PATIENCE);
    await card.getByText("1 machine is watched from now on.").first().waitFor();
    expect(await card.locator("pre").innerText()).toContain("DUMONT_API_TOKEN=token-of-28864631");
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });

  it("take Google's key as the file in which it is given", async () => {
    const user = await world.newUser("Ada");
    const page = await openAs(user, "settings/providers?connect=gcp");
    const file = { type: "service_account", project_id: "my-project", client_email: "a@b.example" };
    await page.getByLabel("Client email").fill(JSON.stringify(file));
    expect(await page.getByLabel("Client email").inputValue()).toBe("a@b.example");
    expect(await page.getByLabel("Project id").inputValue()).toBe("my-project");
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });
});
