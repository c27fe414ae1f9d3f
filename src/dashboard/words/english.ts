import type { Status } from "../../lifecycle/model/phase.ts";
import { PROVIDER_NAMES } from "../../lifecycle/model/provider.ts";
import type { Explanation } from "../../lifecycle/views/explained-step.ts";
import type { Health } from "../../lifecycle/views/health.ts";
import { englishComingBack } from "./english-coming-back.ts";
import { englishCosts } from "./english-costs.ts";
import { englishEvent } from "./english-events.ts";
import { englishInstances } from "./english-instances.ts";
import { englishMoney } from "./english-money.ts";
import { englishPolicy } from "./english-policy.ts";
import { englishSettings } from "./english-settings.ts";
import { englishUse } from "./english-use.ts";

type NextStep = NonNullable<Explanation["next_step"]>;
type Block = NonNullable<Explanation["blocked_by"]>;

const status: Record<Status, string> = {
  pending: "Pending",
  running: "Running",
  orphaned: "Orphaned",
  hibernating: "Hibernating",
  hibernated: "Hibernated",
  waking: "Waking",
  deleting: "Deleting",
  deleted: "Deleted",
};

const health: Record<Health, string> = {
  healthy: "healthy",
  idle: "idle",
  late: "late",
  unhealthy: "unhealthy",
  inactive: "inactive",
};

const nextStep: Record<NextStep, string> = {
  warn: "Idle warning",
  hibernate: "Hibernates",
  orphan: "Counts as an orphan",
  never_heard: "Counts as never heard",
  force_hibernate: "Force-hibernates",
  delete: "Is deleted",
  wake: "Is woken",
};

const block: Record<Block, string> = {
  keep_alive: "kept alive by hand",
  schedule: "in the awake hours of its schedule",
  maintenance: "in maintenance",
  guard: "held by the mass-outage guard",
  activity: "in use",
  policy_disabled: "switched off by policy",
  stale_evidence: "evidence too old",
  no_provider: "no provider can act",
  wake_grace: "just woken",
  observe: "the policy only observes",
};

export const english = {
  title: "Dumont Agent System",
  skip: "Skip to content",
  fleet: "Fleet",
  activity: "Activity",
  apiReference: "API reference",
  signOut: "Sign out",
  language: "Language",
  simulation: (speed: number) =>
    `Simulation: time passes ${speed} times as fast as in life. This is no real service.`,
  offline: "The service cannot be reached. What you see may be out of date.",
  reconnecting: "The connection was lost. Reconnecting …",
  polling: "There is no live connection. Changes are shown within ten seconds.",
  loading: "Loading …",
  active: "Active",
  idle: "Idle",
  orphaned: "Orphaned",
  hibernated: "Hibernated",
  guardClosed:
    "Many instances fell silent at once, so the network is the likelier cause: nothing that stems from silence is done until it is clear.",
  search: "Search name or id",
  anyStatus: "Any status",
  filterByStatus: "Status",
  sortBy: "Sort by",
  noMatch: "No instance matches.",
  unreadable:
    "What is stored of this instance cannot be read by this version of the service. Nothing is done about it.",
  unwatchedMachines: {
    title: "Machines that nobody watches",
    allKnown: (machines: number, dollars: string) =>
      machines === 1 ? `It costs ${dollars} an hour.` : `The ${machines} of them cost ${dollars} an hour.`,
    someKnown: (machines: number, dollars: string, unknown: number) =>
      `The ${machines} of them cost ${dollars} an hour and more: the price of ${unknown} is not known.`,
    noneKnown: (machines: number) =>
      machines === 1 ? "What it costs is not known." : `What the ${machines} of them cost is not known.`,
    unknownPrice: "price not known",
    watch: "Watch them",
    watched: (machines: number, refused: number) =>
      refused === 0
        ? `Machines watched from now on: ${machines}.`
        : `Machines watched from now on: ${machines}. Not possible: ${refused}.`,
    install: "Install the agent on each: it tells when the machine idles.",
  },
  anHour: (dollars: string) => `${dollars} an hour`,
  addInstance: "Add instance",
  columns: {
    name: "Instance",
    status: "Status",
    heartbeat: "Heartbeat",
    gpu: "GPU, last hour",
    rate: "An hour",
    cost: "Today",
    wasted: "Wasted today",
    next: "Next step",
    actions: "Actions",
  },
  never: "never",
  neverHeard: "never heard",
  ago: (duration: string) => `${duration} ago`,
  noGpu: "no GPU reading",
  gpuTrend: (now: number | null, highest: number) =>
    now === null ? `highest ${highest}%` : `now ${now}%, highest ${highest}% in the last hour`,
  stepIn: (step: NextStep, countdown: string) => `${nextStep[step]} in ${countdown}`,
  step: (step: NextStep) => nextStep[step],
  stepDue: (step: NextStep) => `${nextStep[step]} now`,
  keepAlive: "Keep alive",
  hibernate: "Hibernate",
  wake: "Wake",
  of: (action: string, name: string) => `${action}: ${name}`,
  cancel: "Cancel",
  hibernateQuestion: (name: string) => `Hibernate ${name}?`,
  hibernateStakes: "What runs on it stops. Work that is not saved to disk is lost.",
  wakeQuestion: (name: string) => `Wake ${name}?`,
  done: {
    keepAlive: (name: string, minutes: number) => `${name} is kept alive for ${minutes} minutes.`,
    hibernate: (name: string) => `${name} is told to hibernate.`,
    wake: (name: string) => `${name} is being woken.`,
    removed: (name: string) => `${name} is not watched any more.`,
    saved: "Saved.",
  },
  failed: "That did not work.",
  comingBack: englishComingBack,
  costs: englishCosts,
  money: englishMoney,
  status,
  health,
  block,
  event: englishEvent,
  policy: englishPolicy,
  use: englishUse,
  // One instance
  notFound: "There is no such instance.",
  nothingNext: "Nothing is due.",
  figures: {
    lastHeartbeat: "Last heartbeat",
    uptime: "Heartbeats received",
    missed: "Missed",
    averageGpu: "Average GPU",
    costToday: "Cost today",
    costTotal: "Cost so far",
    wastedToday: "Wasted today",
    hourly: "An hour",
    provider: "Provider",
    connection: "Connection",
    registered: "Registered",
  },
  charts: "Readings",
  noReadings: "No readings in this time.",
  timeline: "What happened",
  noEvents: "Nothing yet.",
  older: "Older",
  evidence: "Evidence",
  whyThen: "Why?",
  policyTitle: "Policy",
  policyHint: "A field left empty takes the value of the level above.",
  from: { instance: "set here", user: "your default", service: "service default" },
  save: "Save",
  yes: "yes",
  no: "no",
  access: "Agent and access",
  rotate: "Replace the token",
  rotateQuestion: "Replace the token?",
  rotateStakes: "The former token is refused from that moment on. The agent needs the new one.",
  tokenShownOnce: "The token is in this command and is not shown again.",
  tokenPlaceholder: "Put the instance's token in place of TOKEN; it was shown when it was made.",
  installWith: { systemd: "Linux with systemd", container: "Container" },
  remove: "Stop watching",
  removeQuestion: (name: string) => `Stop watching ${name}?`,
  copy: "Copy",
  copied: "Copied",
  // First run
  fields: {
    name: "Name",
    provider: "Provider",
    connection: "Connection",
    providerRef: "Id at the provider",
    hourlyCost: "Dollars an hour",
    hibernatedCost: "Dollars an hour, hibernated",
    hourlyCostListed:
      "Leave it empty where the provider lists the price: that counts then, and follows each change.",
    hourlyCostUnlisted: "Without it nobody knows what this machine costs, unless it reports that itself.",
    optional: "optional",
  },
  providers: {
    agent: "The instance itself",
    none: "Nobody, alerts only",
    webhook: "My own control plane",
    ...PROVIDER_NAMES,
  },
  register: "Register",
  runThis: "Run this on the machine",
  waiting: "Waiting for its first heartbeat …",
  arrived: (name: string) => `${name} is here.`,
  openInstance: "Open it",
  instances: englishInstances,
  ...englishSettings,
};

export type Words = typeof english;
