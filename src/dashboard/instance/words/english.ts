import type { InstanceTab } from "../../address.ts";

/** What the page of one instance says. */

const tabs: Readonly<Record<InstanceTab, string>> = {
  overview: "Overview",
  history: "History",
  policy: "Policy",
  machine: "Machine",
};

export const englishInstance = {
  tabs,
  tabsLabel: "Parts of this instance",
  now: "Now",
  anHour: (dollars: string) => `${dollars}/h`,
  noPrice: "price not known",
  progress: "How far it is to the next step",
  keep: {
    title: "Keep alive",
    until: "until …",
  },
  latest: "What happened last",
  whole: "All of it",
};

export type InstanceWords = typeof englishInstance;
