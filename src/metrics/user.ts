import { Counter, Gauge } from "prom-client";
import { type ChannelRecord, mayBeTold } from "../alerts/channels/record.ts";
import type { MoneyFigures } from "../fleet/budget.ts";
import type { NewestOutcomes } from "../fleet/previews.ts";
import { PERIODS } from "../fleet/rules/budget.ts";
import type { MetricsSample } from "../lifecycle/views/metrics-sample.ts";
import { addPreview } from "./preview.ts";
import type { AnyRegistry } from "./registry.ts";

/** What a user sees: series for each instance, and totals. The names are those of the product's specification. */

export interface UserFigures {
  readonly samples: readonly MetricsSample[];
  /** Instances whose stored state cannot be read. */
  readonly unreadable: number;
  /** Instances that could not be asked. */
  readonly errors: number;
  readonly hibernations: readonly {
    readonly reason: string;
    readonly hibernations: number;
    readonly regretted: number;
  }[];
  /** Null while the fleet does not say. */
  readonly money: MoneyFigures | null;
  /** Null without one. */
  readonly preview: NewestOutcomes | null;
  /** Null while the fleet does not say. */
  readonly channels: readonly ChannelRecord[] | null;
}

const BYTES_PER_GB = 1e9;

interface Series {
  readonly name: string;
  readonly help: string;
  readonly counter?: true;
  readonly value: (sample: MetricsSample) => number | null;
}

const inBytes = (gigabytes: number | null) => (gigabytes === null ? null : gigabytes * BYTES_PER_GB);

const INSTANCE_SERIES: readonly Series[] = [
  {
    name: "dumont_agents_orphaned",
    help: "1 while no heartbeat has come for longer than the policy allows, else 0",
    value: (sample) => (sample.status === "orphaned" ? 1 : 0),
  },
  {
    name: "dumont_agents_never_heard",
    help: "1 while the instance was registered and never heard for longer than the policy allows, else 0",
    value: (sample) => (sample.isNeverHeard ? 1 : 0),
  },
  {
    name: "dumont_agents_hibernated",
    help: "1 while the instance is hibernated, else 0",
    value: (sample) => (sample.status === "hibernated" ? 1 : 0),
  },
  {
    name: "dumont_agents_gpu_utilization_percent",
    help: "GPU utilization as last reported, in percent; the busiest of several",
    value: (sample) => sample.gpuPercent,
  },
  {
    name: "dumont_agents_gpu_utilization",
    help: "The same as dumont_agents_gpu_utilization_percent",
    value: (sample) => sample.gpuPercent,
  },
  {
    name: "dumont_agents_cpu_utilization_percent",
    help: "CPU utilization as last reported, in percent",
    value: (sample) => sample.cpuPercent,
  },
  {
    name: "dumont_agents_vram_used_bytes",
    help: "GPU memory in use as last reported",
    value: (sample) => inBytes(sample.vramUsedGb),
  },
  {
    name: "dumont_agents_ram_used_bytes",
    help: "Memory in use as last reported",
    value: (sample) => inBytes(sample.ramUsedGb),
  },
  {
    name: "dumont_agents_disk_used_bytes",
    help: "Disk space in use as last reported",
    value: (sample) => inBytes(sample.diskUsedGb),
  },
  {
    name: "dumont_agents_cost_accumulated",
    help: "Dollars since the instance started, as it reports them",
    value: (sample) => sample.costAccumulated,
  },
  {
    name: "dumont_agents_cost_today",
    help: "Dollars since 00:00 UTC",
    value: (sample) => sample.costToday,
  },
  {
    name: "dumont_agents_seconds_since_heartbeat",
    help: "Seconds since the last heartbeat",
    value: (sample) => sample.secondsSinceHeartbeat,
  },
  {
    name: "dumont_agents_uptime_percent",
    help: "Heartbeats received of those expected, in percent",
    value: (sample) => sample.uptimePercent,
  },
  {
    name: "dumont_agents_hibernated_cost_dollars",
    help: "Dollars an hour that a hibernated instance still costs; absent while nobody knows",
    value: (sample) => sample.hibernatedCost,
  },
  {
    name: "dumont_agents_heartbeats_total",
    help: "Heartbeats received",
    counter: true,
    value: (sample) => sample.heartbeats,
  },
  {
    name: "dumont_agents_heartbeat_missed_total",
    help: "Heartbeats missed",
    counter: true,
    value: (sample) => sample.missed,
  },
  {
    name: "dumont_agents_saved_dollars_total",
    help: "Dollars saved by hibernation that the provider confirmed",
    counter: true,
    value: (sample) => sample.savedDollars,
  },
];

/** Fills a registry with what a user sees. */
export function fillUserMetrics(registry: AnyRegistry, figures: UserFigures): void {
  const { samples, unreadable, errors, hibernations, money, preview, channels } = figures;
  const watched = samples.filter((sample) => sample.status !== "deleted");
  for (const { name, help, counter, value } of INSTANCE_SERIES) {
    const options = { name, help, labelNames: ["instance_id", "name"], registers: [registry] };
    const add = counter ? adder(new Counter(options)) : setter(new Gauge(options));
    for (const sample of watched) {
      const number = value(sample);
      if (number !== null) add({ instance_id: sample.instanceId, name: sample.name }, number);
    }
  }
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });

  const running = watched.filter((sample) => sample.status === "running");
  gauge("dumont_agents_active", "Instances that are running").set(running.length);
  const byStatus = gauge("dumont_agents_instances", "Instances by status", ["status"]);
  for (const sample of watched) byStatus.inc({ status: sample.status });
  gauge("dumont_agents_hourly_cost_dollars", "Dollars an hour that the running instances cost").set(
    running.reduce((sum, sample) => sum + (sample.hourlyCost ?? 0), 0),
  );
  const rateOf = (some: readonly MetricsSample[]) => some.reduce((sum, { rate }) => sum + (rate ?? 0), 0);
  gauge("dumont_agents_cost_rate", "Dollars an hour now, of all instances, as far as they are known").set(
    rateOf(watched),
  );
  gauge(
    "dumont_agents_wasted_rate",
    "Of these: dollars an hour of instances that are idle past the warning, orphaned, or were never heard",
  ).set(rateOf(watched.filter(({ isWasted }) => isWasted)));
  gauge("dumont_agents_rate_unknown", "Instances of which nobody knows what they cost now").set(
    watched.filter(({ rate }) => rate === null).length,
  );
  gauge(
    "dumont_agents_never_heard_hourly_cost_dollars",
    "Dollars an hour that instances which were never heard cost if they run, as far as that is known",
  ).set(
    watched.reduce((sum, { isNeverHeard, hourlyCost }) => sum + (isNeverHeard ? (hourlyCost ?? 0) : 0), 0),
  );
  gauge("dumont_agents_heartbeats_waiting", "Heartbeats that wait to be written to the history").set(
    watched.reduce((sum, sample) => sum + sample.waitingHeartbeats, 0),
  );
  gauge("dumont_agents_unreadable", "Instances whose stored state this version cannot read").set(unreadable);
  gauge("dumont_agents_scrape_errors", "Instances that could not be asked in this scrape").set(errors);
  addHibernations(registry, hibernations);
  if (money !== null) addMoney(registry, money);
  if (preview !== null) addPreview(registry, preview);
  if (channels !== null) addChannels(registry, channels);
}

const CHANNEL_STATES = ["told", "gone", "paused", "unconfirmed"] as const;

/** Where none is told, nobody hears of an alert. */
function addChannels(registry: AnyRegistry, channels: readonly ChannelRecord[]): void {
  const byState = new Gauge({
    name: "dumont_agents_channels",
    help: "Channels of alerts: told; gone for good, as the other side says; paused; or not confirmed yet",
    labelNames: ["state"],
    registers: [registry],
  });
  for (const state of CHANNEL_STATES) {
    byState.set({ state }, channels.filter((channel) => stateOfChannel(channel) === state).length);
  }
}

function stateOfChannel(channel: ChannelRecord): (typeof CHANNEL_STATES)[number] {
  if (mayBeTold(channel)) return "told";
  if (channel.paused?.because === "gone") return "gone";
  return channel.confirmed ? "paused" : "unconfirmed";
}

/** Without a limit there is no series of one: no limit is not zero. */
function addMoney(registry: AnyRegistry, { limits, spent, savedTotal }: MoneyFigures): void {
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ["period"], registers: [registry] });
  const limit = gauge(
    "dumont_agents_budget_limit_dollars",
    "The budget of a UTC day or month; absent without one",
  );
  const used = gauge(
    "dumont_agents_budget_spent_dollars",
    "Dollars since the UTC day or month began, as far as they are known",
  );
  for (const period of PERIODS) {
    const dollars = limits[period];
    if (dollars !== null) limit.set({ period }, dollars);
    used.set({ period }, spent[period]);
  }
  new Counter({
    name: "dumont_agents_saved_total",
    help: "Dollars saved by hibernation that the provider confirmed, of removed instances too",
    registers: [registry],
  }).inc(Math.max(0, savedTotal));
}

/** Hibernations by reason, of a user or of the whole service. */
export function addHibernations(registry: AnyRegistry, rows: UserFigures["hibernations"]): void {
  const counter = (name: string, help: string) =>
    new Counter({ name, help, labelNames: ["reason"], registers: [registry] });
  const all = counter("dumont_agents_hibernations_total", "Hibernations by reason");
  const regretted = counter(
    "dumont_agents_hibernations_regretted_total",
    "Hibernations that were undone within ten minutes",
  );
  for (const row of rows) {
    all.inc({ reason: row.reason }, row.hibernations);
    regretted.inc({ reason: row.reason }, row.regretted);
  }
}

type Add = (labels: Record<string, string>, value: number) => void;

const adder =
  (counter: Counter): Add =>
  (labels, value) =>
    counter.inc(labels, value);

const setter =
  (gauge: Gauge): Add =>
  (labels, value) =>
    gauge.set(labels, value);
