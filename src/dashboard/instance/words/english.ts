import type { InstanceTab } from "../../address.ts";
import type { Standing } from "../chart/bands.ts";
import type { LineName, PaneName } from "../chart/panes.ts";
import type { RangeName } from "../chart/period.ts";

/** What the page of one instance says. */

const tabs: Readonly<Record<InstanceTab, string>> = {
  overview: "Overview",
  history: "History",
  policy: "Policy",
  machine: "Machine",
};

const ranges: Readonly<Record<RangeName, string>> = {
  hour: "1 h",
  six_hours: "6 h",
  day: "24 h",
  week: "7 d",
  month: "30 d",
  quarter: "90 d",
  year: "400 d",
};

const panes: Readonly<Record<PaneName, string>> = {
  gpu: "GPU",
  memory: "Memory",
  cpu: "CPU",
  cost: "Cost in this time",
  days: "Cost a day (UTC)",
};

const lines: Readonly<Record<LineName, string>> = {
  gpu: "GPU, average",
  gpuHighest: "GPU, highest",
  vram: "VRAM",
  ram: "RAM",
  cpu: "CPU",
  reported: "Cost, as it reports",
  priced: "Cost, at today’s price",
  working: "Working",
  idle: "Idle",
  silent: "Silent",
  hibernated: "Hibernated",
};

const standings: Readonly<Record<Standing, string>> = {
  idle: "idle",
  silent: "silent",
  hibernated: "hibernated",
};

export const englishInstance = {
  allInstances: "All instances",
  ranges,
  panes,
  lines,
  standings,
  chart: {
    slider: "A moment of these charts",
    hint: "Click: why was it so? Drag: closer. With the keyboard: arrows, + and −, Enter.",
    threshold: "idle below this",
    events: "event",
    nothingHeard: "nothing heard",
    earlier: "Earlier",
    later: "Later",
    closer: "Closer",
    wider: "Wider",
  },
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
