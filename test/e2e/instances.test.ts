import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { registerInstance, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, Pages, signIn } from "./pages.ts";

/** Adding, changing and removing instances of every provider on the page, and those that nobody can stop. */

const SPEED = 20;
const PATIENCE = { timeout: 60_000 };
const COSTS = { hourly_cost: 0.4, hibernated_hourly_cost: 0.01 };

/** What Chromium says of a refusal that a test asks for. */
const REFUSED = /40[09] \((Bad Request|Conflict)\)/;

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
  plane.trouble = () => null;
  expect(pages.complaints()).toEqual([]);
});

const open = (options: BrowserContextOptions = {}, expected: RegExp = REFUSED): Promise<Page> =>
  pages.open(world.url, options, expected);

async function openAs(user: User, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await open(options);
  await signIn(page, user);
  return page;
}

const goTo = (page: Page, place: string) => page.goto(`${world.url}/#/${place}`);

const ask = (user: User, method: string, path: string, json?: unknown) =>
  request(`${world.url}/api/agent${path}`, method, user.token, json);

/** A connection that is kept as it is, whatever its provider says; its id. */
async function connect(user: User, provider: string, name: string, credentials: object): Promise<string> {
  const answer = await ask(user, "POST", "/connections?verify=false", { provider, name, credentials });
  return z.object({ id: z.string() }).parse(answer).id;
}

const connectPlane = (user: User, name: string) =>
  connect(user, "webhook", name, { url: plane.url, secret: plane.secret });

const row = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });

/** What the menu of an instance's row offers. */
async function offers(page: Page, name: string): Promise<string[]> {
  await page.getByRole("button", { name: `Actions: ${name}` }).click();
  const items = await page.getByRole("menuitem").allInnerTexts();
  await page.keyboard.press("Escape");
  return items;
}

const cardOf = (page: Page, heading: string) =>
  page.locator("section").filter({ has: page.getByRole("heading", { name: heading }) });

/** The first step of adding: where the machine is rented. */
async function rentedAt(page: Page, place: RegExp): Promise<void> {
  const change = page.getByRole("button", {
    name: /^(Change: Where is it rented|Alterar: Onde ela é alugada)/,
  });
  if (await change.isVisible()) await change.click();
  await page.getByRole("link", { name: place }).click();
}

describe("adding an instance", () => {
  it("asks for what its provider needs, says what is wrong where it is, and then shows the command", async () => {
    const user = await world.newUser("Ada");
    await connectPlane(user, "Rack 7");
    await connect(user, "vast", "Team B", { api_key: "vast-key-0123456789" });
    const page = await openAs(user);
    await page.getByRole("heading", { name: "Add your first machine" }).waitFor();
    await rentedAt(page, /^Vast.ai – Team B/);
    expect(await barriers(page)).toEqual([]);
    const reference = page.getByLabel("Instance ID");
    await reference.fill("my-machine");
    await page.getByRole("button", { name: "Watch it" }).click();
    const problem = page.getByText("This is not in the form that the provider uses.");
    await problem.waitFor(PATIENCE);
    expect(await reference.getAttribute("aria-invalid")).toBe("true");
    const described = (await reference.getAttribute("aria-describedby"))?.split(" ") ?? [];
    expect(described).toContain(await problem.getAttribute("id"));

    await rentedAt(page, /^My own control plane – Rack 7/);
    plane.machines.set("unknown", "gone");
    await page.getByLabel("Id in your control plane").fill("racks/unknown");
    expect(await page.getByLabel("Id here").inputValue()).toBe("unknown");
    await page.getByRole("button", { name: "Watch it" }).click();
    await page.getByText("My own control plane shows no such machine.").waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);

    plane.machines.set("unknown", "running");
    await page.getByLabel("Name").fill("Rig 1");
    await page.getByText("Price and tags").click();
    await page.getByLabel(/^Dollars an hour \(/).fill("0.4");
    await page.getByRole("button", { name: "Watch it" }).click();
    await page.getByText("Waiting for its first heartbeat …").waitFor(PATIENCE);
    expect(await page.locator("pre").innerText()).toContain("DUMONT_INSTANCE_ID=unknown");

    await page.getByRole("link", { name: "Add another" }).click();
    await rentedAt(page, /^My own control plane – Rack 7/);
    await page.getByLabel("Id in your control plane").fill("racks/unknown");
    await page.getByLabel("Id here").fill("second");
    await page.getByRole("button", { name: "Watch it" }).click();
    await page.getByText("This machine is watched already as Rig 1.").waitFor(PATIENCE);
    await page.getByLabel("Id here").fill("unknown");
    await page.getByRole("button", { name: "Watch it" }).click();
    await page.getByText("An instance of this id is registered already.").waitFor(PATIENCE);
    await page.context().close();
  });

  it("takes what belongs to a machine of several parts, and what is pasted as a whole", async () => {
    const user = await world.newUser("Ada");
    await connect(user, "scaleway", "Paris", { secret_key: "11111111-1111-4111-8111-111111111111" });
    const page = await openAs(user);
    await rentedAt(page, /^Scaleway – Paris/);
    await page.getByLabel("Zone").fill("fr-par-2/22222222-2222-4222-8222-222222222222");
    expect(await page.getByLabel("Zone").inputValue()).toBe("fr-par-2");
    expect(await page.getByLabel("Instance ID").inputValue()).toBe("22222222-2222-4222-8222-222222222222");
    await page.getByLabel("Name").fill("Paris 1");
    await page.getByRole("button", { name: "Watch it" }).click();
    await page.getByText("Waiting for its first heartbeat …").waitFor(PATIENCE);
    expect(await ask(user, "GET", "/instances/22222222-2222-4222-8222-222222222222")).toMatchObject({
      name: "Paris 1",
      provider: "scaleway",
      provider_ref: "fr-par-2/22222222-2222-4222-8222-222222222222",
    });
    await page.context().close();
  });

  it("asks what is to be done where no snapshot can be taken, and connects a provider on the way", async () => {
    const user = await world.newUser("Ada");
    await connect(user, "vast", "Team B", { api_key: "vast-key-0123456789" });
    const page = await openAs(user, { locale: "pt-BR" });
    await rentedAt(page, /^Vast\.ai – Team B/);
    await page.getByText("Vast.ai não faz snapshots. Depois de 7 dias de silêncio, a máquina").waitFor();
    await page.getByLabel("ID da instância").fill("28864630");
    await page.getByLabel("é excluída assim mesmo, com todos os dados").check();
    await page.getByRole("button", { name: "Vigiar" }).click();
    await page.getByText("Esperando o primeiro sinal de vida …").waitFor(PATIENCE);
    expect(await ask(user, "GET", "/instances/28864630")).toMatchObject({
      provider: "vast",
      policy: { orphan: { delete_after_days: 7, snapshot_before_delete: false } },
    });

    await goTo(page, "add");
    await rentedAt(page, /^RunPod/);
    await page.getByRole("heading", { name: "Conectar RunPod" }).waitFor();
    await page.getByLabel("Chave da API").waitFor();
    expect(await page.getByRole("button", { name: "Vigiar" }).count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });
});

describe("an instance", () => {
  it("is changed: its name, its costs, and the machine that it watches, by another connection too", async () => {
    const user = await world.newUser("Ada");
    await connectPlane(user, "Rack 7");
    const other = await connectPlane(user, "Rack 8");
    const rig = { instance_id: "rig", name: "Rig", provider: "webhook", ...COSTS };
    await registerInstance(world.url, user.token, rig);
    const page = await openAs(user);
    await goTo(page, "instances/rig/machine");
    const card = cardOf(page, "Machine");
    await card.getByRole("button", { name: "Change" }).click();
    expect(await barriers(page)).toEqual([]);
    await card.getByLabel("Name").fill("Render farm");
    await card.getByLabel(/^Dollars an hour \(/).fill("");
    await card.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Render farm" }).waitFor(PATIENCE);
    expect(await ask(user, "GET", "/instances/rig")).toMatchObject({
      name: "Render farm",
      hourly_cost: null,
      hibernated_hourly_cost: 0.01,
      connection: "webhook",
    });

    await card.getByRole("button", { name: "Change" }).click();
    await card.getByLabel("Where it is rented").selectOption({ label: "My own control plane – Rack 8" });
    await card.getByText("This is another machine").waitFor();
    plane.machines.set("rig", "gone");
    await card.getByLabel("Id in your control plane").fill("machine-2");
    await card.getByRole("button", { name: "Save" }).click();
    await card.getByText("My own control plane shows no such machine.").waitFor(PATIENCE);
    plane.machines.set("rig", "running");
    await card.getByRole("button", { name: "Save" }).click();
    await card.getByText("Rack 8").waitFor(PATIENCE);
    expect(await ask(user, "GET", "/instances/rig")).toMatchObject({
      name: "Render farm",
      connection: other,
      provider_ref: "machine-2",
    });
    await page.context().close();
  });

  it("shows its tags, leads by each to all that have it, and has them changed", async () => {
    const user = await world.newUser("Ada");
    const hostile = `<img src=x onerror=alert(1)> ' "; ${"long ".repeat(12)}`;
    const tagged = (instance_id: string, name: string, tags: Record<string, string>) =>
      registerInstance(world.url, user.token, { instance_id, name, tags, ...COSTS });
    await tagged("a", "Alpha", {
      team: "vision",
      env: "prod",
      note: hostile,
      spot: "",
      owner: "ada",
      more: "1",
    });
    await tagged("b", "Beta", { team: "vision", env: "test" });
    await tagged("c", "Gamma", {});
    const page = await openAs(user);
    const chip = (name: string, text: string) =>
      row(page, name).getByRole("link", { name: text, exact: true });
    await row(page, "Alpha").getByText("+2").waitFor(PATIENCE);
    expect(await page.locator("table img").count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
    await chip("Alpha", "team vision").click();
    await row(page, "Gamma").waitFor({ ...PATIENCE, state: "detached" });
    await page.getByText("2 of 3 instances").waitFor();
    await chip("Beta", "env test").click();
    await page.getByText("1 of 3 instances").waitFor();
    expect(page.url()).toContain("#/?tag=team%3Avision&tag=env%3Atest");
    expect(await barriers(page)).toEqual([]);
    // The address keeps them, with a reload too, and the way back.
    await page.reload();
    await page.getByText("1 of 3 instances").waitFor(PATIENCE);
    const chosen = page.getByRole("list", { name: "Only with these tags" });
    await chosen.getByRole("link", { name: "team vision" }).click();
    await row(page, "Alpha").waitFor({ ...PATIENCE, state: "detached" });
    await page.goBack();
    await page.goBack();
    await page.getByText("2 of 3 instances").waitFor();

    await row(page, "Alpha").getByRole("link", { name: "Alpha" }).click();
    await page.getByRole("link", { name: "Machine", exact: true }).click();
    const card = cardOf(page, "Machine");
    await card.getByRole("button", { name: "Change" }).click();
    const tags = card.getByLabel("Tags");
    expect(await tags.inputValue()).toContain(`team:vision\nenv:prod\nnote:${hostile}\nspot:`);
    await tags.fill("Team:vision");
    await card.getByRole("button", { name: "Save" }).click();
    await card.getByText("At most 20. A key is").waitFor();
    expect(await barriers(page)).toEqual([]);
    await tags.fill("team: speech\n\n spot ");
    await card.getByRole("button", { name: "Save" }).click();
    await card.getByRole("link", { name: "team speech" }).waitFor(PATIENCE);
    expect(await ask(user, "GET", "/instances/a")).toMatchObject({ tags: { team: "speech", spot: "" } });
    await card.getByRole("link", { name: "team speech" }).click();
    await page.getByText("1 of 3 instances").waitFor();
    await page.context().close();
  });

  it("is given tags when it is added", async () => {
    const user = await world.newUser("Ada");
    const page = await openAs(user, { locale: "pt-BR" });
    await rentedAt(page, /^Ela mesma se para/);
    await page.getByLabel("Nome").fill("Nova");
    await page.getByText("Preço e etiquetas").click();
    await page.getByLabel("Etiquetas").fill("team:vision\ncidade:São Paulo");
    await page.getByRole("button", { name: "Vigiar" }).click();
    await page.getByText("dumont-agent").first().waitFor(PATIENCE);
    expect(await ask(user, "GET", "/instances")).toMatchObject({
      instances: [{ name: "Nova", tags: { team: "vision", cidade: "São Paulo" } }],
    });
    await page.context().close();
  });

  it("is removed once its name is typed, and the machine is left alone", async () => {
    const user = await world.newUser("Ada");
    await connectPlane(user, "Rack 7");
    const rig = { instance_id: "kept", name: "Kept rig", provider: "webhook", ...COSTS };
    await registerInstance(world.url, user.token, rig);
    const page = await openAs(user);
    await goTo(page, "instances/kept/machine");
    await page.getByRole("button", { name: "Stop watching" }).click();
    const dialog = page.getByRole("dialog");
    expect(await dialog.innerText()).toContain("it goes on running and is billed on, at $0.40 an hour");
    expect(await dialog.innerText()).toContain("Nothing is deleted there.");
    expect(await barriers(page)).toEqual([]);
    const confirm = dialog.getByRole("button", { name: "Stop watching" });
    expect(await confirm.isDisabled()).toBe(true);
    await dialog.getByLabel("Type Kept rig to confirm").fill("Kept");
    await page.keyboard.press("Enter");
    expect(await confirm.isDisabled()).toBe(true);
    await dialog.getByLabel("Type Kept rig to confirm").fill("Kept rig");
    await page.keyboard.press("Enter");
    await page.getByText("Kept rig is not watched any more.").waitFor(PATIENCE);
    expect(await ask(user, "GET", "/instances")).toMatchObject({ instances: [] });
    expect(plane.ordersFor("kept")).toEqual([]);
    await page.context().close();
  });
});

describe("a machine that nobody can stop", () => {
  it("is marked in red, with the remedy and without buttons and times of what can't come, until it can", async () => {
    const user = await world.newUser("Ada");
    await ask(user, "PUT", "/policy", { guard: { enabled: false } });
    await connectPlane(user, "Rack 7");
    // What is offered is looked at long before it comes by itself.
    const policy = {
      orphan: { hibernate_after_seconds: 12 * 3600, force_hibernate_after_seconds: 24 * 3600 },
    };
    const register = (instance_id: string, name: string, provider: string) =>
      registerInstance(world.url, user.token, { instance_id, name, provider, policy, ...COSTS });
    const beat = (instance_id: string, token: string) =>
      sendHeartbeat(world.url, token, { instance_id, gpu_utilization: 90 });
    await beat("rented", await register("rented", "Rented", "webhook"));
    await beat("by-itself", await register("by-itself", "By itself", "agent"));
    await beat("nobodys", await register("nobodys", "Nobody's", "none"));
    const page = await openAs(user);
    await row(page, "Rented").getByText("Orphaned").waitFor(PATIENCE);
    await row(page, "Rented")
      .getByText(/^Hibernates (in|now)/)
      .waitFor(PATIENCE);
    expect(await offers(page, "Rented")).toContain("Hibernate …");
    await row(page, "Nobody's").getByText("Nobody can stop it").waitFor(PATIENCE);
    expect(await row(page, "Rented").getByText("Nobody can stop it").count()).toBe(0);
    expect(await offers(page, "Nobody's")).not.toContain("Hibernate …");

    plane.trouble = () => ({ type: "refuses", reply: { status: 401, body: {} } });
    for (let time = 1; time <= 3; time++) await ask(user, "POST", "/connections/webhook/check");
    await row(page, "Rented").getByText("Nobody can stop it").waitFor(PATIENCE);
    expect(await offers(page, "Rented")).not.toContain("Hibernate …");
    expect(
      await row(page, "Rented")
        .getByText(/^Hibernates/)
        .count(),
    ).toBe(0);
    expect(await barriers(page)).toEqual([]);

    await page.getByRole("button", { name: /Can’t be stopped/ }).click();
    await expect
      .poll(() => page.locator("tbody th > a").allInnerTexts(), PATIENCE)
      .toEqual(["By itself", "Nobody's", "Rented"]);
    await page.getByLabel("Connection").selectOption({ label: "Rack 7" });
    await expect.poll(() => page.locator("tbody th > a").allInnerTexts(), PATIENCE).toEqual(["Rented"]);
    await page.getByRole("link", { name: "Rented" }).click();
    const line = page.getByText(
      "Nobody can stop this machine: the keys of its connection are refused (My own control plane).",
    );
    await line.waitFor(PATIENCE);
    expect(await page.getByRole("button", { name: "Hibernate: Rented" }).count()).toBe(0);
    expect(await page.locator(".next").innerText()).toBe("no provider can act");
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("link", { name: "Renew the keys" }).click();

    plane.trouble = () => null;
    const card = cardOf(page, "Providers").first();
    await card.getByRole("button", { name: "Check: Rack 7" }).click();
    await card.getByText("Connected", { exact: true }).waitFor(PATIENCE);
    await page.getByRole("link", { name: "Fleet" }).click();
    await expect.poll(() => offers(page, "Rented"), PATIENCE).toContain("Hibernate …");

    await row(page, "By itself").getByText("Nobody can stop it").waitFor(PATIENCE);
    await page.getByRole("link", { name: "By itself" }).click();
    await page
      .getByText("Nobody can stop this machine: only its own agent could, and it is not heard.")
      .waitFor(PATIENCE);
    await page.getByRole("link", { name: "Connect its provider" }).waitFor();
    await page.context().close();
  });
});
