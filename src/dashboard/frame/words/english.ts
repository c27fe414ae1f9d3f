import type { SettingsSection } from "../../address.ts";

const section: Record<SettingsSection, string> = {
  policy: "Policy",
  providers: "Providers",
  channels: "Channels",
  access: "Access",
  account: "Account",
};

export const englishFrame = {
  places: {
    fleet: "Fleet",
    alerts: "Alerts",
    costs: "Costs",
    activity: "Activity",
    settings: "Settings",
    operator: "Operator",
  },
  section,
  sections: "Sections of the settings",
};

export type FrameWords = typeof englishFrame;
