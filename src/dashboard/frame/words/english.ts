import type { Role } from "../../../accounts/roles.ts";
import type { SettingsSection } from "../../address.ts";
import type { Theme } from "../theme.ts";

const section: Record<SettingsSection, string> = {
  policy: "Policy",
  providers: "Providers",
  channels: "Channels",
  access: "Access",
  account: "Account",
};

const roles: Record<Role, string> = {
  owner: "Owner",
  operator: "Operator",
  viewer: "Viewer",
  metrics: "Metrics only",
};

const themes: Record<Theme, string> = { system: "System", light: "Light", dark: "Dark" };

export const englishFrame = {
  places: {
    fleet: "Fleet",
    alerts: "Alerts",
    costs: "Costs",
    activity: "Activity",
    settings: "Settings",
    operator: "Service",
    add: "Add instance",
    signIn: "Sign in",
  },
  navigation: "Places",
  section,
  sections: "Sections of the settings",
  account: "Your account",
  roles,
  themeLabel: "Look",
  themes,
  accountSettings: "Account settings",
  nobodyTold: (names: readonly string[]) =>
    `Nobody is told of alerts any more: ${names.join(", ")} ${names.length === 1 ? "is" : "are"} gone, and no other channel is left.`,
  toChannels: "Mend the channels",
  signedOut: "You are signed out.",
};

export type FrameWords = typeof englishFrame;
