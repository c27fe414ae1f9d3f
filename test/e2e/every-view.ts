import type { Page } from "playwright-core";

/** Every place of the page, with what it shows there once it is whole. */

/** Who looks: the owner of an account with something of everything, of one with nothing, whoever runs the service, or nobody. */
export type Reader = "owner" | "newcomer" | "operator" | "stranger";

export interface View {
  /** Of its picture. */
  readonly name: string;
  readonly reader: Reader;
  /** After the service's own address. */
  readonly at: string;
  /** What is there once all is. */
  readonly shows: string;
  /** What is done there first. */
  readonly prepare?: (page: Page) => Promise<void>;
}

const ofOwner = (name: string, at: string, shows: string, prepare?: View["prepare"]): View => ({
  name,
  reader: "owner",
  at: `/#/${at}`,
  shows,
  ...(prepare && { prepare }),
});

const ofNewcomer = (name: string, at: string, shows: string): View => ({
  ...ofOwner(name, at, shows),
  name: `${name}-empty`,
  reader: "newcomer",
});

const SETTINGS = [
  ["policy", "form.policy .ladder svg"],
  ["providers", ".of-section .card"],
  ["channels", ".of-section .card"],
  ["access", ".of-section .card"],
  ["account", ".of-section .card"],
] as const;

/** Those that the README shows: as much as a window does, in English, in the light, and wide but for what is opened on a phone. */
export const IN_README: Readonly<Record<string, { readonly as: string; readonly width: 390 | 1280 }>> = {
  fleet: { as: "fleet", width: 1280 },
  "instance-week": { as: "instance", width: 1280 },
  "settings-policy-tried": { as: "policy", width: 1280 },
  "add-machine": { as: "add-machine", width: 1280 },
  "keep-alive": { as: "keep-alive", width: 390 },
};

/** Lets a longer time be tried on the past. */
async function tryOther(page: Page): Promise<void> {
  await page.locator("#policy-idle-hibernate_after_seconds").fill("20 min");
  await page.locator("#policy-idle-warn_after_seconds").fill("15 min");
  // A week of all machines is replayed first.
  await page.locator(".replay .compared").first().waitFor({ timeout: 120_000 });
}

export const VIEWS: readonly View[] = [
  { name: "sign-in", reader: "stranger", at: "/", shows: ".sign-in form" },
  {
    name: "sign-in-problem",
    reader: "stranger",
    at: "/#/sign-in?problem=denied",
    shows: ".sign-in [role=alert]",
  },
  { name: "operator-entrance", reader: "stranger", at: "/#/operator", shows: ".operator-entrance form" },
  { name: "docs", reader: "stranger", at: "/docs", shows: "main h2" },

  ofOwner("fleet", "", ".bars.small svg"),
  ofOwner("fleet-none", "?search=no-such-thing", ".toolbar + p"),
  ofOwner("add", "add", ".add"),
  ofOwner("add-machine", "add?where=vast", ".add [type=radio]"),
  ofOwner("add-own", "add?where=agent", ".add form"),
  ofOwner("instance", "instances/trainer", ".panes[role=slider]"),
  ofOwner("instance-week", "instances/trainer?range=week", ".panes[role=slider]"),
  ofOwner("instance-history", "instances/trainer/history?range=week", ".timeline li"),
  ofOwner("instance-policy", "instances/trainer/policy", "form.policy .ladder svg"),
  ofOwner("instance-machine", "instances/trainer/machine", ".instance .card"),
  ofOwner("instance-idle", "instances/notebook", ".panes[role=slider]"),
  ofOwner("instance-orphan", "instances/lost", ".instance .card"),
  ofOwner("instance-asleep", "instances/sleeper", ".instance .card"),
  ofOwner("instance-refused", "instances/stubborn", ".instance .card"),
  ofOwner("instance-unheard", "instances/unheard", ".instance .card"),
  ofOwner("instance-unknown", "instances/nobody", "#content .card h1"),
  ofOwner("alerts", "alerts", "#content li"),
  ofOwner("costs", "costs", ".bars svg"),
  ofOwner("costs-by-instance", "costs?by=instance", ".bars svg"),
  ofOwner("activity", "activity", ".timeline li"),
  ...SETTINGS.map(([section, shows]) => ofOwner(`settings-${section}`, `settings/${section}`, shows)),

  // Last, since what is chosen stays chosen.
  ofOwner("fleet-chosen", "", ".machines tbody tr", async (page) => {
    await page.locator(".machines tbody input[type=checkbox]").first().check();
    await page.locator(".machines tbody tr button[aria-haspopup]").first().click();
    await page.getByRole("menu").waitFor();
  }),
  // What is not saved keeps the reader there.
  ofOwner("settings-policy-tried", "settings/policy", "form.policy .ladder svg", tryOther),

  ofNewcomer("fleet", "", "#content .card, #content .empty"),
  ofNewcomer("add", "add", ".add"),
  ofNewcomer("alerts", "alerts", "#content section"),
  ofNewcomer("costs", "costs", "#content section"),
  ofNewcomer("activity", "activity", "#content section"),
  ofNewcomer("settings-providers", "settings/providers", ".of-section .card"),
  ofNewcomer("settings-channels", "settings/channels", ".of-section .card"),

  { name: "operator", reader: "operator", at: "/#/operator", shows: ".operator-users, #content table" },
];
