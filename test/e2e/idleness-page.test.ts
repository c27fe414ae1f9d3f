import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { registerInstance, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";
import { barriers, Pages, signIn } from "./pages.ts";

/** What an owner sees and sets of idleness on the page, before a real server and with real heartbeats. */

const PATIENCE = { timeout: 60_000 };
const REFUSED = /40[09] \((Bad Request|Conflict)\)/;

let world: ServerWorld;
let pages: Pages;

beforeAll(async () => {
  world = await ServerWorld.create({ SIMULATION_SPEED: "1", ALLOW_LOOPBACK_URLS: "true" });
  pages = await Pages.start();
});
afterAll(async () => {
  await pages?.end();
  await world?.end();
});
afterEach(() => {
  expect(pages.complaints()).toEqual([]);
});

async function openAs(user: User, place: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await pages.open(`${world.url}/#/${place}`, options, REFUSED);
  await signIn(page, user);
  await page.locator("form.policy, .instance").first().waitFor(PATIENCE);
  return page;
}

const tab = (page: Page, name: string) => page.getByRole("link", { name, exact: true }).click();

const ask = (user: User, method: string, path: string, json?: unknown) =>
  request(`${world.url}/api/agent${path}`, method, user.token, json);

const register = (user: User, instance_id: string) =>
  registerInstance(world.url, user.token, {
    instance_id,
    name: instance_id,
    hourly_cost: 0.4,
    hibernated_hourly_cost: 0.01,
  });

const field = (page: Page, label: string) =>
  page.locator(".field").filter({ has: page.getByText(label, { exact: true }) });

/** A section of the policy, opened. */
async function section(page: Page, name: string) {
  const found = page
    .locator("details.section")
    .filter({ has: page.getByRole("group", { name, exact: true }) });
  const summary = page.locator("details.section > summary").filter({ hasText: new RegExp(`^${name}`) });
  if (!(await summary.evaluate("node => node.parentElement.open"))) await summary.click();
  return found.last();
}

const save = (page: Page, name = "Save") => page.getByRole("button", { name, exact: true }).click();

describe("the policy on the page", () => {
  it("is set by one choice, at each level, and says which numbers that gives", async () => {
    const user = await world.newUser("Ada");
    await register(user, "rig");
    const page = await openAs(user, "settings/policy");
    const presets = page.getByRole("group", { name: "How soon" });
    const chosen = () => presets.locator("input:checked + label").innerText();
    expect(await chosen()).toBe("As the service's default");
    await presets.getByText("warns after 45 min, hibernates after 1 h, never deletes").waitFor();
    await presets.getByLabel("Balanced", { exact: true }).check();
    await save(page);
    await page.getByRole("status").getByText("Saved.", { exact: true }).waitFor(PATIENCE);
    expect(await ask(user, "GET", "/policy")).toMatchObject({
      overrides: {
        idle: { warn_after_seconds: 900, hibernate_after_seconds: 1800 },
        orphan: { delete_after_days: 7 },
      },
    });
    expect(await page.getByLabel("Warn after", { exact: true }).inputValue()).toBe("15 min");
    expect(await field(page, "Warn after").innerText()).toContain("set here");

    await page.goto(`${world.url}/#/instances/rig/policy`);
    await expect.poll(chosen, PATIENCE).toBe("As your default");
    const warnAfter = page.getByLabel("Warn after", { exact: true });
    const inherits = async () => {
      await expect.poll(() => warnAfter.getAttribute("placeholder"), PATIENCE).toBe("15 min");
      expect(await field(page, "Warn after").innerText()).toContain("from your default");
    };
    await inherits();
    await presets
      .getByText(/warns after 15 min/)
      .first()
      .waitFor();
    await presets.getByLabel("Careful", { exact: true }).check();
    await save(page);
    await page.getByRole("status").getByText("Saved.", { exact: true }).waitFor(PATIENCE);
    expect(await warnAfter.inputValue()).toBe("45 min");
    await warnAfter.fill("20");
    await expect.poll(chosen, PATIENCE).toBe("Custom");
    await presets.getByText("warns after 20 min, hibernates after 1 h, never deletes").waitFor();
    await presets.getByLabel("As your default").check();
    await save(page);
    await inherits();
    expect(await warnAfter.inputValue()).toBe("");
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });

  it("says what observing means, takes sources of use one by one, and says at a field what is not valid", async () => {
    const user = await world.newUser("Ada");
    await register(user, "rig");
    const page = await openAs(user, "instances/rig/policy");
    await page.getByLabel("Mode", { exact: true }).selectOption({ label: "Only observe" });
    await page.getByText(/^Each step is decided, recorded and told, but not taken/).waitFor();
    await section(page, "What counts as use");
    await page.getByLabel("CPU", { exact: true }).fill("2.5");
    await page.getByLabel("ignored: Network, both ways").check();
    await section(page, "Running time and heartbeats");
    await page.getByLabel("Hibernate after running for", { exact: true }).fill("6 min");
    await save(page);
    await field(page, "Hibernate after running for").getByText("Must be at least 30 min.").waitFor(PATIENCE);
    await page.getByRole("alert").getByText("Not saved: one value is not valid.").waitFor();
    await page.getByRole("alert").getByRole("button", { name: "Hibernate after running for" }).click();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("2 days");
    expect(await barriers(page)).toEqual([]);
    await save(page);
    await page.getByRole("status").getByText("Saved.", { exact: true }).waitFor(PATIENCE);
    for (const name of ["CPU", "Network, both ways", "Hibernate after running for"]) {
      expect(await field(page, name).innerText()).toContain("set here");
    }
    expect(await page.getByLabel("Hibernate after running for", { exact: true }).inputValue()).toBe("2 d");
    expect(await ask(user, "GET", "/instances/rig")).toMatchObject({
      policy_overrides: {
        instance: {
          mode: "observe",
          max_runtime_hours: 48,
          idle: { sources: { cpu_cores: 2.5, network_kb_per_second: null } },
        },
      },
    });
    await page.context().close();
  });

  it("takes a schedule by the clocks of a time zone, and windows of maintenance, on a phone and in Portuguese", async () => {
    const user = await world.newUser("Ada");
    await register(user, "rig");
    const page = await openAs(user, "settings/policy", {
      locale: "pt-BR",
      colorScheme: "dark",
      timezoneId: "America/Sao_Paulo",
      viewport: { width: 390, height: 840 },
    });
    const schedule = await section(page, "Horários");
    await schedule.getByText("Seu navegador está em America/Sao Paulo.").waitFor();
    await schedule.getByRole("button", { name: "Usar" }).click();
    await schedule.getByRole("button", { name: "Adicionar horas da semana" }).click();
    await schedule.getByLabel("sexta-feira").uncheck();
    await schedule.getByLabel("De", { exact: true }).fill("22:00");
    await schedule.getByLabel("Até", { exact: true }).fill("06:00");
    await schedule.getByText("termina no dia seguinte").waitFor();
    await page.getByLabel("Fora desse horário").selectOption({ label: "tudo é hibernado" });
    await page.getByLabel("Acordar no início dele").selectOption({ label: "sim" });
    const maintenance = await section(page, "Manutenção");
    await maintenance.getByLabel("Fuso horário").selectOption({ label: "Europe/Berlin" });
    await maintenance.getByRole("button", { name: "Adicionar uma data" }).click();
    await maintenance.getByLabel("De", { exact: true }).fill("2027-01-15T09:30");
    await maintenance.getByLabel("Até", { exact: true }).fill("2027-02-15T09:30");
    await save(page, "Salvar");
    await maintenance
      .getByText("Janela 1: Precisa terminar depois de começar, e em até sete dias.")
      .waitFor(PATIENCE);
    await maintenance.getByLabel("Até", { exact: true }).fill("2027-01-15T12:00");
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    const overlapping =
      "[...document.querySelectorAll('.field > label')].filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)";
    expect(await page.evaluate(`${overlapping}.map(({ innerText }) => innerText)`)).toEqual([]);
    await save(page, "Salvar");
    await page.getByText("Horários · seg–qui 22:00–06:00").waitFor(PATIENCE);
    expect(await ask(user, "GET", "/policy")).toMatchObject({
      overrides: {
        schedule: {
          timezone: "America/Sao_Paulo",
          awake: [{ days: ["mon", "tue", "wed", "thu"], from: "22:00", to: "06:00" }],
          outside: "hibernate",
          wake_at_start: true,
        },
        maintenance: {
          timezone: "Europe/Berlin",
          windows: [{ from: "2027-01-15T08:30:00Z", to: "2027-01-15T11:00:00Z" }],
        },
      },
    });

    await page.goto(`${world.url}/#/instances/rig/policy`);
    const own = await section(page, "Horários");
    const zone = own.getByLabel("Fuso horário").locator("option").first();
    await expect.poll(() => zone.innerText(), PATIENCE).toBe("America/Sao Paulo (do seu padrão)");
    await own.getByRole("button", { name: "Definir aqui" }).click();
    await own.getByRole("button", { name: "Remover: Janela 1" }).click();
    await save(page, "Salvar");
    await page.getByText("Horários · sem janelas").waitFor(PATIENCE);
    await own.getByRole("button", { name: "Como acima" }).click();
    await save(page, "Salvar");
    await page.getByText("Horários · seg–qui 22:00–06:00").waitFor(PATIENCE);
    await page.context().close();
  });
});

const cardOf = (page: Page, heading: string) =>
  page.locator("section.card").filter({ has: page.getByRole("heading", { name: heading, exact: true }) });

const SOURCES = [
  { name: "ssh_connections", value: 2 },
  { name: "cpu_cores", value: 0.12 },
  { name: "network_kb_per_second", value: 3.4 },
  { name: "work_vllm", value: null, note: "no answer within 2 s" },
  { name: "script_backup", value: 0, note: "no backup runs" },
];

const BEAT = {
  gpu_utilization: 1,
  gpu_utilization_max: 3,
  gpus: [
    { index: 0, name: "H100", utilization: 1, utilization_max: 3, vram_used_gb: 23.1, vram_total_gb: 80 },
    { index: 1, name: "H100", utilization: 0, utilization_max: 0, vram_used_gb: 0.1, vram_total_gb: 80 },
  ],
  sources: SOURCES,
};

describe("why an instance is idle or is not", () => {
  it("is told source by source, as its heartbeats show it and its policy counts it", async () => {
    const user = await world.newUser("Ada");
    const token = await register(user, "rig");
    const beat = (more: object = {}) =>
      sendHeartbeat(world.url, token, { instance_id: "rig", ...BEAT, ...more });
    await beat();
    const page = await openAs(user, "instances/rig");
    const why = cardOf(page, "Why it is not idle");
    await why.getByText("In use: SSH connections.").waitFor(PATIENCE);
    const row = (name: string) => why.getByRole("row").filter({ hasText: name });
    expect(await row("GPU 0").innerText()).toMatch(/3% at most, 1% on average\s+5%\s+quiet for/);
    expect(await row("SSH connections").innerText()).toMatch(/2\s+1\s+in use/);
    expect(await row("CPU").innerText()).toMatch(/0\.1 cores\s+0\.5 cores\s+quiet for/);
    expect(await row("Network").innerText()).toMatch(/3\.4 kB\/s\s+500 kB\/s\s+quiet for/);
    expect(await row("Requests to vllm").innerText()).toMatch(
      /no answer within 2 s\s+not known\s+1\s+can’t be read: counts as use/,
    );
    expect(await row("Your script backup").innerText()).toMatch(/no backup runs\s+not in use/);
    expect(await barriers(page)).toEqual([]);

    await tab(page, "Policy");
    await section(page, "What counts as use");
    await page.getByLabel("ignored: SSH connections").check();
    await save(page);
    await page.getByRole("status").getByText("Saved.", { exact: true }).waitFor(PATIENCE);
    await tab(page, "Overview");
    await row("SSH connections").getByText("ignored").waitFor(PATIENCE);
    await why
      .getByText(/^Nothing shows use, but not everything can be read.*: requests to vllm\.$/)
      .waitFor();

    await beat({ sources: SOURCES.map((source) => ({ ...source, value: source.value ?? 0, note: null })) });
    await cardOf(page, "Why it is idle")
      .getByText(/^Nothing has shown use for \d+ (s|min)\.$/)
      .waitFor(PATIENCE);
    await page
      .getByText(/^A model is held in 23\.2 GB of GPU memory, \d+ (s|min) without work/)
      .waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });

  it("is not told of a machine that its provider takes back: that is", async () => {
    const user = await world.newUser("Ada");
    const token = await register(user, "spot");
    const page = await openAs(user, "instances/spot", { locale: "pt-BR" });
    await sendHeartbeat(world.url, token, {
      instance_id: "spot",
      ...BEAT,
      status: "reclaimed",
      reclaim: { by: "ec2", action: "terminate", in_seconds: 120 },
    });
    await page
      .getByText(/^O provedor \(Amazon EC2\) está retomando esta máquina: ela será encerrada, em /)
      .waitFor(PATIENCE);
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });
});

describe("what would come next", () => {
  it("is shown of a policy before it is saved, with what is not valid in it", async () => {
    const user = await world.newUser("Ada");
    const token = await register(user, "rig");
    await sendHeartbeat(world.url, token, { instance_id: "rig", gpu_utilization: 2 });
    const page = await openAs(user, "instances/rig", { timezoneId: "America/Sao_Paulo" });
    await page.getByText(/^Idle warning in 2:\d\d$/).waitFor(PATIENCE);
    await tab(page, "Policy");
    await page.getByLabel("Careful", { exact: true }).check();
    const schedule = await section(page, "Schedule");
    await schedule.getByRole("button", { name: "Use it" }).click();
    await schedule.getByRole("button", { name: "Add hours of the week" }).click();
    for (const day of ["Saturday", "Sunday"]) await schedule.getByLabel(day).check();
    // Around now, whenever that is.
    const byClock = new Intl.DateTimeFormat("en-GB", { timeZone: "America/Sao_Paulo", timeStyle: "short" });
    const end = Date.now() + 6 * 3_600_000;
    await schedule.getByLabel("From", { exact: true }).fill(byClock.format(Date.now() - 3_600_000));
    await schedule.getByLabel("To", { exact: true }).fill(byClock.format(end));
    await page.getByRole("button", { name: "What would come next" }).click();
    const preview = page.locator(".preview");
    await preview.getByText("Preset: Careful. Nothing is saved yet.").waitFor(PATIENCE);
    expect(await preview.innerText()).toMatch(/With this policy:\s+Idle warning in/);
    const shown = new Intl.DateTimeFormat("en-US", {
      timeZone: "America/Sao_Paulo",
      hour: "numeric",
      minute: "2-digit",
    }).format(end);
    expect(await preview.getByRole("listitem").first().innerText()).toMatch(
      new RegExp(`${shown.replace(" ", ".")}: awake hours end$`),
    );
    expect(await barriers(page)).toEqual([]);
    expect(await ask(user, "GET", "/instances/rig")).toMatchObject({ policy_overrides: { instance: {} } });

    await page.getByLabel("Warn after", { exact: true }).fill("90");
    expect(await preview.count()).toBe(0);
    await page.getByRole("button", { name: "What would come next" }).click();
    await field(page, "Warn after")
      .getByText("Must be less than “Hibernate after” (1 h), but is 1 h 30 min.")
      .waitFor(PATIENCE);
    await page.context().close();
  });
});

describe("keeping an instance alive", () => {
  it("is for some hours, or until a time of the reader's own clock", async () => {
    const user = await world.newUser("Ada");
    const token = await register(user, "rig");
    await sendHeartbeat(world.url, token, { instance_id: "rig", gpu_utilization: 2 });
    const page = await openAs(user, "instances/rig", { timezoneId: "Asia/Tokyo" });
    await page.getByRole("button", { name: "Keep it alive: 4 h" }).click();
    await page
      .getByRole("status")
      .getByText(/^rig is kept alive until /)
      .waitFor(PATIENCE);
    await page.getByRole("button", { name: "Keep it alive: until …" }).click();
    await page.getByText("The next such time in Asia/Tokyo.").waitFor();
    expect(await barriers(page)).toEqual([]);
    const inSixHours = Date.now() + 6 * 3_600_000;
    const time = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Tokyo", timeStyle: "short" });
    await page.getByLabel("until", { exact: true }).fill(time.format(inSixHours));
    await page.getByRole("button", { name: "Keep", exact: true }).click();
    const kept = () => page.getByText(/^Kept alive until /).innerText();
    const shown = new Intl.DateTimeFormat("en-US", {
      timeZone: "Asia/Tokyo",
      hour: "numeric",
      minute: "2-digit",
    }).format(inSixHours);
    await expect.poll(kept, PATIENCE).toMatch(new RegExp(`, ${shown.replace(" ", ".")}\\.$`));
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });
});

const answerSchema = z.object({
  actions: z.array(z.object({ type: z.string(), preparation_id: z.string().optional() })),
});

describe("the preparation of a hibernation", () => {
  it("is followed by its last line, and its log can be read afterwards; or it is left out", async () => {
    const user = await world.newUser("Ada");
    const token = await register(user, "rig");
    const beat = (more: object = {}) =>
      sendHeartbeat(world.url, token, {
        instance_id: "rig",
        gpu_utilization: 90,
        hooks: ["prepare"],
        ...more,
      });
    await beat();
    const page = await openAs(user, "instances/rig");
    const card = cardOf(page, "Preparation");
    await card.getByText("The last preparation").click();
    await card.getByText("There was none yet.").waitFor(PATIENCE);
    await page.getByRole("button", { name: "Hibernate: rig" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Hibernate" }).click();
    await page
      .getByRole("status")
      .getByText("rig saves its work first, and is hibernated then.")
      .waitFor(PATIENCE);
    await card.getByText(/^It will be hibernated as you asked/).waitFor(PATIENCE);
    await card.getByText(/The machine has not said yet that its hooks run/).waitFor();
    const { actions } = answerSchema.parse(
      await request(`${world.url}/api/agent/status`, "POST", token, {
        instance_id: "rig",
        gpu_utilization: 90,
      }),
    );
    const id = actions.find(({ type }) => type === "prepare")?.preparation_id;
    await beat({
      status: "preparing",
      preparation: { id, state: "running", seconds: 75, line: "saved step 1200" },
    });
    await card.getByText(/Its hooks have run for 1 min\./).waitFor(PATIENCE);
    await card.getByText("saved step 1200").waitFor();
    expect(await barriers(page)).toEqual([]);
    const log = "saving\nsaved step 1300";
    await beat({
      status: "prepared",
      preparation: { id, state: "succeeded", seconds: 80, line: "saved", log },
    });
    await card.getByText(/^It was prepared\. It took 1 min\./).waitFor(PATIENCE);
    await card.getByRole("region", { name: "What the hooks printed" }).getByText("saved step 1300").waitFor();
    expect(await barriers(page)).toEqual([]);

    const other = await register(user, "other");
    await sendHeartbeat(world.url, other, { instance_id: "other", gpu_utilization: 90, hooks: ["prepare"] });
    await page.goto(`${world.url}/#/instances/other`);
    await page.getByRole("button", { name: "Hibernate: other" }).click();
    await page.getByRole("dialog").getByLabel("At once, without running its hooks").check();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("dialog").getByRole("button", { name: "Hibernate" }).click();
    await page.getByRole("status").getByText("other is told to hibernate.").waitFor(PATIENCE);
    await page.context().close();
  });
});
