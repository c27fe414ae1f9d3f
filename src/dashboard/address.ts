/** Addresses of the page's places: the fragment names the place, and its query what the place shows. Pure. */

/** A place of the page. */
export type Route =
  | { readonly page: "fleet" }
  | { readonly page: "instance"; readonly instanceId: string; readonly tab: InstanceTab }
  | { readonly page: "add" }
  | { readonly page: "activity" }
  | { readonly page: "alerts" }
  | { readonly page: "costs" }
  | { readonly page: "settings"; readonly section: SettingsSection }
  | { readonly page: "operator" }
  | { readonly page: "sign-in" };

export const INSTANCE_TABS = ["overview", "history", "policy", "machine"] as const;
export type InstanceTab = (typeof INSTANCE_TABS)[number];

export const SETTINGS_SECTIONS = ["policy", "providers", "channels", "access", "account"] as const;
export type SettingsSection = (typeof SETTINGS_SECTIONS)[number];

/** The place that a fragment names. What it does not name well is the nearest place that there is. Pure. */
export function routeOf(fragment: string): Route {
  const [path = ""] = fragment.replace(/^#/, "").split("?");
  const [, page, first = "", second = ""] = path.split("/");
  switch (page) {
    case "instances": {
      const instanceId = decoded(first);
      if (instanceId === "") return { page: "fleet" };
      return { page: "instance", instanceId, tab: oneOf(INSTANCE_TABS, second) };
    }
    case "settings":
      return { page, section: oneOf(SETTINGS_SECTIONS, first) };
    case "add":
    case "activity":
    case "alerts":
    case "costs":
    case "operator":
    case "sign-in":
      return { page };
    default:
      return { page: "fleet" };
  }
}

function oneOf<const T extends string>(all: readonly [T, ...T[]], text: string): T {
  return all.find((each) => each === text) ?? all[0];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const instanceAddress = (instanceId: string, tab: InstanceTab = "overview") =>
  `#/instances/${encodeURIComponent(instanceId)}${tab === "overview" ? "" : `/${tab}`}`;

export const settingsAddress = (section: SettingsSection) => `#/settings/${section}`;

/** What follows the place in a fragment. */
export const queryOf = (fragment: string) => new URLSearchParams(fragment.split("?")[1] ?? "");
